// One event: opened, looked at, linked to, and found again by who follows the link.

import { Explore, PERIOD, address } from "../explore.mjs";
import { becomes, check, same } from "../waiting.mjs";

export async function rows({ api, token, come }) {
  const visitor = await come({ permissions: ["clipboard-read", "clipboard-write"] });
  await visitor.openSignedIn(address("audit", { ...PERIOD, q: "actor:bob status:failure" }), token);
  const explore = new Explore(visitor, "audit");
  const newest = (await api.json(`/flowtrail/v1/audit?${new URLSearchParams({ ...PERIOD, q: "actor:bob status:failure", limit: "1" })}`)).items[0];
  await explore.grid.getByRole("row").nth(1).getByRole("gridcell").first().click();
  await explore.panel.waitFor();
  await becomes(newest.id, () => explore.asked("id"), "the event in the URL");

  await explore.panel.getByRole("button", { name: "Copy link" }).click();
  const link = await copied(explore.page);
  await explore.panel.getByRole("button", { name: "Copy JSON" }).click();
  const api_has = JSON.parse(await api.text(`/flowtrail/v1/audit/${newest.id}`));
  await becomes(api_has, async () => parsed(await copied(explore.page)), "the JSON that was copied");
  await explore.panel.getByRole("button", { name: "Copy as curl" }).click();
  await becomes(true, async () => (await copied(explore.page)).startsWith("curl "), "whether a command was copied");
  check(!(await copied(explore.page)).includes(token), "the command has the token in it");

  const first = await fields(explore);
  check(first.includes("bob@example.com"), `the fields of the event are not all there: ${first}`);
  const other = await come();
  await other.openSignedIn(new URL(link), token);
  const there = new Explore(other, "audit");
  await there.panel.waitFor();
  await becomes(first, () => fields(there), "the fields of the event behind the link");

  await there.panel.getByRole("region", { name: "Before and after" }).getByRole("button").first().waitFor();
  await there.panel.getByRole("button", { name: /^Close/ }).click();
  await there.panel.waitFor({ state: "detached" });
  same(there.asked("id"), null, "the event in the URL after it was closed");
}

const fields = (explore) => explore.panel.getByRole("region", { name: "Fields" }).innerText();
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
