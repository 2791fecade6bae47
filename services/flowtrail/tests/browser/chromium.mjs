// A real Chromium, unpacked into a folder of its own that goes with it.
//
// Packages are found through FLOWTRAIL_TEST_BROWSER, as the sources and what the lock pins do not stand together.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const modules = process.env.FLOWTRAIL_TEST_BROWSER;
if (modules === undefined || modules === "") {
  console.error("FLOWTRAIL_TEST_BROWSER does not say where the packages are: it is what .ci/install-browser prints");
  process.exit(2);
}
const required = createRequire(path.join(modules, "_.js"));
const { chromium } = required("playwright-core");
const packed = required("@sparticuz/chromium");

/** The text of the script that finds what is not accessible. */
export const axeSource = required("axe-core").source;

/** On a busy machine Chromium now and then dies while it starts, before it has seen a page. */
const LAUNCHES = 3;

async function launched(options) {
  for (let left = LAUNCHES - 1; ; left -= 1) {
    try {
      return await chromium.launch(options);
    } catch (reason) {
      if (left === 0) {
        throw reason;
      }
    }
  }
}

/** Calls `use` with a browser, and leaves nothing of it behind. */
export async function withChromium(use) {
  const folder = await mkdtemp(path.join(tmpdir(), "flowtrail-browser-"));
  // It is unpacked into the temporary folder, and has its profile there.
  process.env.TMPDIR = folder;
  if (!existsSync("/etc/fonts/fonts.conf")) {
    // Without the system's fonts there are the package's.
    process.env.FONTCONFIG_PATH = path.join(folder, "fonts");
  }
  let browser;
  try {
    const executablePath = await packed.executablePath();
    // Chromium refuses to run as root in its sandbox.
    const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
    browser = await launched({ executablePath, args, chromiumSandbox: args.length === 0 });
    return await use(browser);
  } finally {
    await browser?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
