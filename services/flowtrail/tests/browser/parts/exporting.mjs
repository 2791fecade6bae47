// The export: what is downloaded is what the API has, byte for byte.

import { readFile } from "node:fs/promises";
import { Explore, PERIOD, address } from "../explore.mjs";
import { check } from "../waiting.mjs";

export async function exporting({ api, token, come }) {
  const visitor = await come();
  const question = { ...PERIOD, q: "status:failure -actor:alice" };
  await visitor.openSignedIn(address("audit", question), token);
  const explore = new Explore(visitor, "audit");
  const total = await explore.showsWhatTheApiHas(api);
  for (const [format, name] of [["csv", /^CSV/], ["ndjson", /^NDJSON/]]) {
    await explore.page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([explore.page.waitForEvent("download"), explore.page.getByRole("link", { name }).click()]);
    const downloaded = await readFile(await download.path(), "utf8");
    const expected = await api.text(`/flowtrail/v1/audit/export?${new URLSearchParams({ ...question, format })}`);
    check(downloaded === expected, `the ${format} that was downloaded is not the API's:\n${downloaded}\n--\n${expected}`);
    check(expected.split("\n").length > total, `there are not all ${total} in the ${format}`);
  }
}
