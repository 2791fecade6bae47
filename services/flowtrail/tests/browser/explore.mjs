// A page of events, as somebody finds their way in it: by roles and names.

import { becomes, check, eventually } from "./waiting.mjs";

/** The period that the events of `events.mjs` are in. */
export const PERIOD = { from: "2026-01-04T00:00:00Z", to: "2026-01-09T00:00:00Z" };

const TITLES = { audit: ["Audit", "event"], traffic: ["Traffic", "record"] };

export function address(family, query = PERIOD) {
  return `/explorer/${family}?${new URLSearchParams(query)}`;
}

export class Explore {
  constructor(visitor, family) {
    const [title, noun] = TITLES[family];
    const { page } = visitor;
    this.page = page;
    this.family = family;
    this.filter = page.getByRole("combobox", { name: `Filter ${family} events` });
    this.offers = page.getByRole("listbox", { name: "What may come next" });
    this.chips = page.getByRole("list", { name: "Terms of the filter" });
    this.histogram = page.getByRole("region", { name: `Number of ${noun}s by time` });
    this.bars = this.histogram.getByRole("slider");
    this.grid = page.getByRole("grid", { name: `${title} ${noun}s` });
    this.foot = page.getByLabel("Total and moment");
    this.panel = page.getByRole("complementary", { name: `The ${noun} that is open` });
  }

  /** A member of the question, which stands in the URL. */
  asked(name) {
    return new URL(this.page.url()).searchParams.get(name);
  }

  async asks(q) {
    await becomes(q, () => this.asked("q"), "the filter in the URL");
  }

  facet(field) {
    return this.page.getByRole("region", { name: field, exact: true });
  }

  cell(text) {
    return this.grid.getByRole("gridcell", { name: text, exact: true });
  }

  /** Waits until the foot says that so many match. */
  async shows(total) {
    await becomes(total, async () => Number(/^(?:At least )?([\d,]+) /.exec(await this.foot.innerText())?.[1]?.replaceAll(",", "")), "the total");
  }

  /** Waits until the same total is shown as the API has for what the URL asks. */
  async showsWhatTheApiHas(api) {
    const query = new URLSearchParams({ limit: "1" });
    for (const name of ["q", "from", "to"]) {
      const value = this.asked(name);
      if (value !== null) {
        query.set(name, value);
      }
    }
    const { total } = await api.json(`/flowtrail/v1/${this.family}?${query}`);
    check(total > 0, `nothing matches ${query}, so that this shows nothing`);
    await this.shows(total);
    return total;
  }

  /** Waits until the focus is on what has this name. */
  async focuses(locator, what) {
    await eventually(`the focus on ${what}`, () => locator.evaluate((element) => element === document.activeElement));
  }
}
