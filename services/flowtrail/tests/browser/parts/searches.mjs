// Saved searches: saved by one, opened in another browser, deleted.

import { Explore, PERIOD, address } from "../explore.mjs";
import { becomes, same } from "../waiting.mjs";

export async function searches({ api, token, come }) {
  const visitor = await come();
  await visitor.openSignedIn(address("audit", { ...PERIOD, q: "status:failure" }), token);
  const { page } = visitor;
  await page.getByRole("button", { name: "Searches" }).click();
  await page.getByLabel("Save what is asked now as").fill("Failures of January");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("list", { name: "Saved searches" }).getByRole("button", { name: /^Failures of January/ }).waitFor();

  const other = await come();
  await other.openSignedIn(address("audit", {}), token);
  const there = new Explore(other, "audit");
  await other.page.getByRole("button", { name: "Searches" }).click();
  const saved = other.page.getByRole("list", { name: "Saved searches" });
  await saved.getByRole("button", { name: /^Failures of January/ }).click();
  await there.asks("status:failure");
  same([Date.parse(there.asked("from")), Date.parse(there.asked("to"))], [Date.parse(PERIOD.from), Date.parse(PERIOD.to)], "the saved period");
  await there.showsWhatTheApiHas(api);

  await other.page.getByRole("button", { name: "Searches" }).click();
  await other.page.getByRole("button", { name: "Delete Failures of January" }).click();
  await becomes([], async () => (await api.json("/flowtrail/v1/searches")).items ?? (await api.json("/flowtrail/v1/searches")), "searches that are left");
}
