// What axe-core finds on each page, light and dark, on a desk and on a telephone; and that nothing is wider than that.

import { isAccessible } from "../axe.mjs";
import { Explore, PERIOD, address } from "../explore.mjs";

const WIDTHS = [1440, 360];
const UNCHANGED_MS = 500;

export async function accessible({ api, token, come }) {
  let places = 0;
  for (const colorScheme of ["light", "dark"]) {
    for (const width of WIDTHS) {
      const visitor = await come({ colorScheme, viewport: { width, height: 800 } });
      const { page } = visitor;
      const look = async (where) => {
        places += 1;
        await isAccessible(page, `${where}, ${colorScheme}, ${width} px`);
      };
      await visitor.open(address("audit"));
      await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
      await look("signing in");
      await visitor.signIn(token);
      const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
      const pages = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
      for (const path of pages) {
        await visitor.open(path);
        await settled(page);
        await look(path);
      }
      await looksAtEvents(visitor, api, look);
    }
  }
  return `${places} views without a violation`;
}

async function looksAtEvents(visitor, api, look) {
  const { page } = visitor;
  for (const family of ["audit", "traffic"]) {
    const explore = new Explore(visitor, family);
    await visitor.open(address(family));
    await explore.showsWhatTheApiHas(api);
    await look(`${family} events`);
    for (const name of ["Columns", "Export", "Searches", /^Period/]) {
      await page.getByRole("button", { name }).click();
      await look(`${family}, ${name}`);
      await page.keyboard.press("Escape");
    }
    await explore.grid.getByRole("row").nth(1).getByRole("gridcell").first().click();
    await explore.panel.getByRole("region", { name: "Fields" }).waitFor();
    await look(`${family}, one event`);
  }
  for (const view of await viewsOfTraffic(visitor)) {
    await page.getByRole("group", { name: "Seen as" }).getByRole("button", { name: view }).click();
    await settled(page);
    await look(`traffic, ${view}`);
  }
  visitor.expects(400);
  await visitor.open(address("audit", { ...PERIOD, q: "actr:alice" }));
  await page.getByRole("alert").filter({ hasText: "Column" }).waitFor();
  await look("a mistake");
}

async function viewsOfTraffic(visitor) {
  await visitor.open(address("traffic"));
  const group = visitor.page.getByRole("group", { name: "Seen as" });
  await group.waitFor();
  return group.getByRole("button").allInnerTexts();
}

/** Waits until the page has its heading and nothing in it has changed for a while. A page that keeps asking is never idle. */
async function settled(page) {
  await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
  await page.evaluate(
    (unchangedMs) =>
      new Promise((resolve) => {
        let timer = setTimeout(resolve, unchangedMs);
        new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(resolve, unchangedMs);
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
    UNCHANGED_MS,
  );
}
