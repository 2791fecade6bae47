// All the way without a pointer.

import { Explore, PERIOD, address } from "../explore.mjs";
import { becomes, check, eventually, same } from "../waiting.mjs";

/** More presses of Tab than any page has places. */
const PLACES = 200;

export async function keyboard({ api, token, come }) {
  const visitor = await come();
  const { page } = visitor;
  const { keyboard } = page;
  const explore = new Explore(visitor, "audit");
  await visitor.open(address("audit"));
  await explore.focuses(page.getByLabel("Token", { exact: true }), "the field for the token");
  await keyboard.type(token);
  await keyboard.press("Enter");
  await explore.grid.waitFor();
  await explore.showsWhatTheApiHas(api);

  await keyboard.press("/");
  await explore.focuses(explore.filter, "the filter");
  await keyboard.type("status:failure");
  await keyboard.press("Escape");
  await keyboard.press("Enter");
  await explore.asks("status:failure");
  await explore.showsWhatTheApiHas(api);

  await tabTo(page, explore.grid.getByRole("gridcell").first(), "the first cell");
  await keyboard.press("j");
  await keyboard.press("j");
  await keyboard.press("k");
  await keyboard.press("Enter");
  await explore.panel.waitFor();
  const items = (await api.json(`/flowtrail/v1/audit?${new URLSearchParams({ ...PERIOD, q: "status:failure", limit: "2" })}`)).items;
  same(explore.asked("id"), items[1].id, "the event that was opened");
  await keyboard.press("Escape");
  await explore.panel.waitFor({ state: "detached" });
  await eventually("the focus is in the grid again", () => explore.grid.evaluate((grid) => grid.contains(document.activeElement)));

  await keyboard.press("ArrowRight");
  await keyboard.press("f");
  await explore.asks(`status:failure event_type:${items[1].event_type}`);
  await explore.showsWhatTheApiHas(api);

  await keyboard.press("?");
  const map = page.getByRole("dialog", { name: "Keys" });
  await map.waitFor();
  await keyboard.press("Escape");
  await map.waitFor({ state: "detached" });

  const period = page.getByRole("button", { name: /^Period/ });
  await tabTo(page, period, "the period");
  await keyboard.press("Enter");
  await eventually("the focus is in what was opened", () => page.getByRole("group", { name: "Up to now" }).evaluate((group) => group.contains(document.activeElement)));
  await keyboard.press("Escape");
  await explore.focuses(period, "the period, closed again");

  await tabTo(page, page.getByRole("button", { name: "Sign out" }), "the way out");
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
}

/** Goes on with Tab until the focus is there: what cannot be reached so is lost for many. */
async function tabTo(page, locator, what) {
  for (let place = 0; place < PLACES; place += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) {
      return;
    }
    await page.keyboard.press("Tab");
  }
  check(false, `Tab does not lead to ${what}`);
}
