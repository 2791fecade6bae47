// Events as they arrive: seen at once, counted while it is paused.

import { Explore, address } from "../explore.mjs";
import { becomes, same } from "../waiting.mjs";

const event = (name) => ({ event_type: "lamp.switch", actor_id: name, status: "success" });

export async function live({ api, token, come }) {
  const visitor = await come();
  await visitor.openSignedIn(address("audit", { q: "event_type:lamp.*" }), token);
  const explore = new Explore(visitor, "audit");
  const { page } = explore;
  await page.getByRole("button", { name: "Live" }).click();
  const status = page.getByRole("status").filter({ hasText: /Live|Paused|Connecting/ });
  await becomes("Live, 0 arrived", () => status.innerText(), "what is said of the tail");

  await api.publish("audit", [event("first"), { event_type: "not.asked", actor_id: "somebody" }]);
  await explore.cell("first").waitFor();
  await becomes("Live, 1 arrived", () => status.innerText(), "how many arrived");

  await page.getByRole("button", { name: "Pause" }).click();
  await api.publish("audit", ["second", "third", "fourth"].map(event));
  await becomes("Paused, 3 new", () => status.innerText(), "how many wait");
  same(await explore.cell("second").count(), 0, "rows of what came during the pause");
  await page.getByRole("button", { name: "3 new" }).click();
  await explore.cell("fourth").waitFor();
  await becomes("Paused, 0 new", () => status.innerText(), "how many wait still");

  await page.getByRole("button", { name: "Go on" }).click();
  await api.publish("audit", [event("fifth")]);
  await explore.cell("fifth").waitFor();
  // What was there before, what came, and the head: each once.
  await becomes(6, () => explore.grid.getByRole("row").count(), "rows");
}
