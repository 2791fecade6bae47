// For those who work on the page: `node dev.mjs --to http://127.0.0.1:8080 [--listen 5173]` builds it whenever a source
// changes, serves it as the gateway does (same paths, same Content-Security-Policy), and passes all else on to a running
// Flowtrail.

import { readFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ASSETS, watch } from "./build.mjs";

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const PAGES = /^\/explorer(?!\/assets\/)(\/|$)/;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8" };

const { values } = parseArgs({
  options: { to: { type: "string", default: "http://127.0.0.1:8080" }, listen: { type: "string", default: "5173" } },
});
const flowtrail = new URL(values.to);
const out = path.join(os.tmpdir(), `flowtrail-explorer-${process.pid}`);

async function sendFile(response, file) {
  const type = TYPES[path.extname(file)] ?? "application/octet-stream";
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, "Cache-Control": "no-store" });
    response.end(bytes);
  } catch (reason) {
    response.writeHead(404, { "Content-Type": "text/plain" });
    response.end(`not built yet: ${reason.message}\n`);
  }
}

function passOn(request, response) {
  const { method, headers, url } = request;
  // The Host stays as the browser sent it: the gateway compares it with the page's origin.
  const onward = http.request({ host: flowtrail.hostname, port: flowtrail.port, path: url, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", (reason) => {
    if (!response.headersSent) {
      response.writeHead(502, { "Content-Type": "text/plain" });
    }
    response.end(`${flowtrail.href} does not answer: ${reason.message}\n`);
  });
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

await watch(out);
const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://page");
  const isBrowser = (request.headers.accept ?? "").includes("text/html");
  if (PAGES.test(pathname) || (pathname === "/" && isBrowser)) {
    void sendFile(response, path.join(out, "index.html"));
  } else if (pathname.startsWith(ASSETS)) {
    void sendFile(response, path.join(out, "assets", path.basename(pathname)));
  } else {
    passOn(request, response);
  }
});
server.listen(Number(values.listen), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/explorer/audit, of ${flowtrail.href}`);
});
