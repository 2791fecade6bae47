// Texts that mean harm are shown as what they are: no element, no script, no other direction comes of them.

import { HOSTILE } from "../events.mjs";
import { Explore, address } from "../explore.mjs";
import { check, same } from "../waiting.mjs";

const SHOWN = {
  ...HOSTILE,
  control: "bell␇ escape␛[31m null-like␁",
  bidi: "invoice\\u{202e}fdp.exe",
};

export async function hostile({ api, token, come }) {
  const texts = Object.values(HOSTILE);
  await api.publish(
    "audit",
    texts.map((text) => ({ event_type: "hostile.text", actor_id: text, resource_type: text, user_agent: text, event_payload: { [text]: text } })),
  );
  const visitor = await come();
  await visitor.openSignedIn(address("audit", { q: "event_type:hostile.text" }), token);
  const explore = new Explore(visitor, "audit");
  for (const text of Object.values(SHOWN)) {
    await explore.cell(text).first().waitFor();
    await explore.facet("actor").getByRole("button", { name: text, exact: true }).waitFor();
    await explore.grid.getByRole("row").filter({ hasText: text }).getByRole("gridcell").first().click();
    await explore.panel.getByText(text, { exact: true }).first().waitFor();
    await explore.panel.getByRole("button", { name: /^Close/ }).click();
  }
  const parts = await explore.page.evaluate(() => [...document.querySelectorAll("#page :is(img, script, iframe, object)")].map(({ tagName }) => tagName));
  same(parts, [], "elements that came of texts");
  const written = await explore.page.evaluate(() => document.body.innerText);
  const raw = Object.values(HOSTILE).filter((text) => !Object.values(SHOWN).includes(text));
  check(raw.every((text) => !written.includes(text)), "characters that nobody sees stand in the page as they came");
}
