// The histogram: a pointer drawn across it zooms, and so do keys.

import { Explore, PERIOD, address } from "../explore.mjs";
import { check, eventually } from "../waiting.mjs";

export async function histogram({ api, token, come }) {
  const visitor = await come();
  await visitor.openSignedIn(address("audit"), token);
  const explore = new Explore(visitor, "audit");
  const { page, bars } = explore;
  const all = await explore.showsWhatTheApiHas(api);
  await bars.waitFor();

  const { x, y, width, height } = await bars.boundingBox();
  await page.mouse.move(x + width * 0.4, y + height * 0.5);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.5, y + height * 0.5, { steps: 4 });
  await page.mouse.move(x + width * 0.6, y + height * 0.5, { steps: 4 });
  await page.mouse.up();
  await eventually("the period is the one that was drawn", () => explore.asked("from") !== PERIOD.from);
  const some = await explore.showsWhatTheApiHas(api);
  check(some < all, `the zoom shows ${some} of ${all}`);
  const [from, to] = ["from", "to"].map((name) => Date.parse(explore.asked(name)));
  check(Date.parse(PERIOD.from) < from && from < to && to < Date.parse(PERIOD.to), `the zoom is from ${from} to ${to}`);

  await page.goBack();
  await explore.shows(all);

  await bars.focus();
  await bars.press("Home");
  for (let bar = 0; bar < 14; bar += 1) {
    await bars.press("ArrowRight");
  }
  await bars.press("Shift+ArrowRight");
  await bars.press("Shift+ArrowRight");
  const said = await bars.getAttribute("aria-valuetext");
  check(said.includes("3 bars spanned"), `three bars are spanned, and it says: ${said}`);
  await bars.press("Enter");
  await eventually("the period is the one that was spanned", () => explore.asked("from") !== PERIOD.from);
  const spanned = await explore.showsWhatTheApiHas(api);
  check(spanned < all, `the span shows ${spanned} of ${all}`);
}
