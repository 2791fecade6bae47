// How heavy the page is, and when something is first seen.

import { check } from "../waiting.mjs";

/** What all of the page may weigh on its way, in bytes. */
const MOST = 150_000;

export async function weight({ come }) {
  const visitor = await come();
  const { page } = visitor;
  const loaded = [];
  page.on("requestfinished", (request) => loaded.push(request));
  await visitor.open("/");
  await page.getByRole("heading", { name: "Sign in to Flowtrail" }).waitFor();
  let bytes = 0;
  for (const request of loaded.filter((request) => ["document", "script", "stylesheet"].includes(request.resourceType()))) {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    bytes += responseBodySize + responseHeadersSize;
  }
  check(bytes > 0, "nothing was loaded");
  check(bytes < MOST, `the page weighs ${bytes} bytes, more than ${MOST}`);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  check(paint > 0, "nothing was painted");
  return `${bytes} bytes compressed with their headers, first paint after ${Math.round(paint)} ms`;
}
