// What axe-core finds in a page, and whether it is wider than the window.

import { axeSource } from "./chromium.mjs";
import { check } from "./waiting.mjs";

/** Fails where the page, called `where`, keeps somebody out. */
export async function isAccessible(page, where) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html}\n  ${failureSummary}`).join("\n")}`);
  check(violations.length === 0, `${where}:\n${said.join("\n")}`);
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(content <= window, `${where}: the page is ${content} px wide in a window of ${window} px`);
}
