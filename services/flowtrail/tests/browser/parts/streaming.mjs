// An integration on the page: made, tested, paused, gone on with, its dead letters tried again, delivered anew, deleted.

import { isAccessible } from "../axe.mjs";
import { withReceiver } from "../receiver.mjs";
import { becomes } from "../waiting.mjs";

const event = (name) => ({ event_type: "streamed", actor_id: name, status: "success" });

export async function streaming({ api, token, come }) {
  await withReceiver(async (receiver) => {
    const visitor = await come();
    const { page } = visitor;
    await visitor.openSignedIn("/explorer/streaming", token);
    await isMade(visitor, receiver);
    await isTested(page, receiver);
    await isPaused(page, receiver, api);
    await isTriedAgain(page, receiver, api);
    await isDeliveredAnew(page, receiver);
    await tellsItsHistory(page);
    await isDeleted(page);
  });
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const side = (page, name) => page.getByRole("navigation", { name: "Sides of this integration" }).getByRole("link", { name });

async function isMade(visitor, receiver) {
  const { page } = visitor;
  await page.getByRole("heading", { name: "No integration yet" }).waitFor();
  await page.getByRole("link", { name: "Make the first one" }).click();
  await page.getByRole("link", { name: /^Web hook/ }).click();
  const url = page.getByLabel(/^URL/);
  visitor.expects(400);
  visitor.expects(422);
  await url.fill("nowhere");
  await button(page, "Create").click();
  await becomes("true", () => url.getAttribute("aria-invalid"), "whether the URL is said to be wrong");
  await isAccessible(page, "a new integration with a mistake");

  await url.fill(receiver.url);
  await button(page, "Create").click();
  await page.getByRole("heading", { name: /^Web hook \d+$/ }).waitFor();
  await becomes(1, () => receiver.bodies.length, "the test event of a new integration");
}

async function isTested(page, receiver) {
  await button(page, "Test").click();
  await page.getByText(/^The receiver took the test event/).waitFor();
  await becomes(2, () => receiver.bodies.length, "the test events");
}

async function isPaused(page, receiver, api) {
  await api.publish("audit", [event("before-the-pause")]);
  await becomes(1, () => receiver.has("before-the-pause"), "deliveries of what came before the pause");
  await button(page, "Pause").click();
  await button(page, "Resume").waitFor();
  await api.publish("audit", [event("during-the-pause")]);
  await becomes("1", () => waiting(page), "how many wait");
  await becomes(0, () => receiver.has("during-the-pause"), "deliveries during the pause");
  await button(page, "Resume").click();
  await becomes(1, () => receiver.has("during-the-pause"), "deliveries of what came during the pause");
}

/** How many events the status says are waiting. */
async function waiting(page) {
  const said = await page.getByRole("main").innerText();
  return /Waiting\s+(\d+)/.exec(said)?.[1];
}

async function isTriedAgain(page, receiver, api) {
  receiver.refused = "indigestible";
  await api.publish("audit", [event("indigestible"), event("digestible")]);
  await becomes(1, () => receiver.has('"digestible"'), "deliveries of what comes behind what is refused");
  await side(page, "Dead letters").click();
  await page.getByRole("cell", { name: /422/ }).waitFor();
  await isAccessible(page, "dead letters");
  receiver.refused = null;
  await button(page, "Try all again").click();
  await becomes(1, () => receiver.has("indigestible"), "deliveries of what was refused");
  await page.getByRole("cell", { name: "yes", exact: true }).waitFor();
}

async function isDeliveredAnew(page, receiver) {
  await button(page, "Replay…").click();
  const dialog = page.getByRole("dialog", { name: "Deliver again" });
  await dialog.getByLabel("From a sequence in the log").check();
  await dialog.getByLabel("Sequence", { exact: true }).fill("0");
  await isAccessible(page, "delivering again");
  await button(dialog, "Deliver again").click();
  await dialog.waitFor({ state: "detached" });
  await becomes(2, () => receiver.has("before-the-pause"), "deliveries of what came first");
}

async function tellsItsHistory(page) {
  await side(page, "History").click();
  const changes = page.getByRole("region", { name: "History" }).getByRole("listitem");
  for (const what of [/created/i, /paused/i, /resumed/i, /replay/i]) {
    await changes.filter({ hasText: what }).first().waitFor();
  }
  await isAccessible(page, "the history of an integration");
}

async function isDeleted(page) {
  await button(page, "Delete…").click();
  await button(page.getByRole("dialog"), "Delete").click();
  await page.getByRole("heading", { name: "No integration yet" }).waitFor();
}
