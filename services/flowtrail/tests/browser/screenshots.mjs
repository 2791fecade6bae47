// Pictures of the page with the demo's events: `node screenshots.mjs PROGRAM FOLDER` writes them into FOLDER.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { withChromium } from "./chromium.mjs";
import { Visitor } from "./visitor.mjs";
import { eventually } from "./waiting.mjs";

const PICTURES = [
  { name: "explorer-audit", place: "/explorer/audit?from=now-1h&q=-event_type:ec2.*", colorScheme: "light", grid: "Audit events" },
  { name: "explorer-traffic", place: "/explorer/traffic?from=now-1h&q=dst:192.168.0.0/16", colorScheme: "dark", grid: "Traffic records" },
];
const SIZE = { width: 1280, height: 760 };

/** Calls `use` with the URL of a demo and a token of its administrator, and ends the demo. */
async function withDemo(program, use) {
  const folder = await mkdtemp(path.join(tmpdir(), "flowtrail-demo-"));
  const port = await freePort();
  const options = ["up", "--demo", "--data-dir", folder, "--listen", "127.0.0.1:0", "--nats-port", String(port)];
  const demo = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => demo.on("exit", resolve));
  let said = "";
  demo.stdout.on("data", (text) => {
    said += text;
  });
  try {
    const url = await eventually("the demo's URL", () => /^ *API +(\S+)/m.exec(said)?.[1]);
    const token = await readFile(path.join(folder, "admin.token"), "utf8");
    return await use(url, token.trim());
  } finally {
    demo.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const [program, folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node screenshots.mjs PROGRAM FOLDER");
  process.exit(2);
}
await withDemo(program, (url, token) =>
  withChromium(async (browser) => {
    for (const { name, place, colorScheme, grid } of PICTURES) {
      const visitor = await Visitor.come(browser, url, { colorScheme, viewport: SIZE });
      await visitor.openSignedIn(place, token);
      const { page } = visitor;
      await page.getByRole("grid", { name: grid }).getByRole("gridcell").first().waitFor();
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: path.join(folder, `${name}.png`) });
      await visitor.leave();
      console.log(path.join(folder, `${name}.png`));
    }
  }),
);
