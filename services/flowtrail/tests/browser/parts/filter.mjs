// The filter line with its completion, facets, cells, and what is said of a mistake.

import { Explore, PERIOD, address } from "../explore.mjs";
import { becomes, same } from "../waiting.mjs";

export async function filter({ api, token, come }) {
  const visitor = await come();
  await visitor.openSignedIn(address("audit"), token);
  const explore = new Explore(visitor, "audit");
  await explore.showsWhatTheApiHas(api);
  await completes(explore);
  await explore.showsWhatTheApiHas(api);
  await narrows(explore, api);
  await saysWhatIsWrong(visitor, explore);
}

async function completes({ filter, offers, page, asks, ...explore }) {
  await filter.click();
  await filter.pressSequentially("statu");
  const option = (name) => offers.getByRole("option", { name, exact: false });
  await option("status").first().waitFor();
  await filter.press("ArrowDown");
  await filter.press("Enter");
  await becomes("status:", () => filter.inputValue(), "the name that was completed");
  await filter.pressSequentially("fail");
  await option("failure").waitFor();
  await filter.press("ArrowDown");
  await filter.press("Tab");
  await becomes("status:failure ", () => filter.inputValue(), "the value that was completed");
  await filter.press("Enter");
  await becomes("status:failure", () => new URL(page.url()).searchParams.get("q"), "the filter in the URL");
}

async function narrows(explore, api) {
  await explore.facet("actor").getByRole("button", { name: "alice", exact: true }).click();
  await explore.asks("status:failure actor:alice");
  await explore.showsWhatTheApiHas(api);
  await facetsAreTheApis(explore, api);

  await explore.facet("event_type").getByRole("button", { name: "door.open", exact: true }).click({ modifiers: ["Alt"] });
  await explore.asks("status:failure actor:alice -event_type:door.open");
  await explore.showsWhatTheApiHas(api);

  await explore.chips.getByRole("button", { name: "Remove status:failure" }).click();
  await explore.asks("actor:alice -event_type:door.open");
  await explore.showsWhatTheApiHas(api);

  await explore.facet("event_type").getByRole("button", { name: "Exclude user.login" }).click();
  await explore.asks("actor:alice -event_type:door.open -event_type:user.login");

  await explore.page.goBack();
  await explore.asks("actor:alice -event_type:door.open");
  // A row that still moves would be missed.
  await explore.showsWhatTheApiHas(api);
  await explore.cell("invoice.pay").first().getByText("invoice.pay").click();
  await explore.asks("actor:alice -event_type:door.open event_type:invoice.pay");
  await explore.showsWhatTheApiHas(api);
}

async function facetsAreTheApis(explore, api) {
  const query = new URLSearchParams({ ...PERIOD, q: explore.asked("q"), field: "event_type" });
  const { facets } = await api.json(`/flowtrail/v1/audit/facets?${query}`);
  const expected = facets[0].values.map(({ value, count }) => `${value} ${count}`);
  const items = explore.facet("event_type").getByRole("listitem");
  const shown = async () => (await items.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").replace(" −", ""));
  await becomes(expected, shown, "the facet");
}

async function saysWhatIsWrong(visitor, explore) {
  visitor.expects(400);
  await visitor.open(address("audit", { ...PERIOD, q: "status:failure actr:alice" }));
  await becomes("status:failure actr:alice", () => explore.filter.inputValue(), "the filter of the link");
  await becomes("true", () => explore.filter.getAttribute("aria-invalid"), "whether the filter is said to be wrong");
  const alert = explore.page.getByRole("alert").filter({ hasText: "Column" });
  same(await alert.getByRole("mark").or(alert.locator("mark")).innerText(), "actr", "what is marked");
  await alert.getByRole("button", { name: "Use actor" }).click();
  await explore.asks("status:failure actor:alice");
  await becomes("false", () => explore.filter.getAttribute("aria-invalid"), "whether the mended filter is said to be wrong");
}
