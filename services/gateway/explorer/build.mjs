// Builds the page: `node build.mjs OUT` writes OUT/index.html and OUT/assets/app-HASH.{js,css}.
//
// Nothing is inline, so that the page works under a Content-Security-Policy without `unsafe-inline`; names of assets are
// those of their contents, so that browsers may keep them for ever.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
// A build of the service installs what the lock pins somewhere else than beside the sources.
const modules = process.env.FLOWTRAIL_EXPLORER_NODE_MODULES ?? path.join(here, "node_modules");
const { build, context } = createRequire(path.join(modules, "_.js"))("esbuild");

/** Where the assets are served. */
export const ASSETS = "/explorer/assets/";

function options(out) {
  return {
    absWorkingDir: here,
    entryPoints: ["app/main.tsx"],
    nodePaths: [modules],
    outdir: out,
    entryNames: "assets/app-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox115", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    metafile: true,
    plugins: [{ name: "index.html", setup: (esbuild) => esbuild.onEnd((result) => writeIndex(out, result)) }],
  };
}

/** Writes index.html with the names that the assets of this build have. */
async function writeIndex(out, { metafile }) {
  if (metafile === undefined) {
    return;
  }
  const outputs = Object.keys(metafile.outputs).map((output) => path.basename(output));
  const named = (extension) => ASSETS + outputs.find((name) => name.endsWith(extension));
  const template = await readFile(path.join(here, "app/index.html"), "utf8");
  await writeFile(path.join(out, "index.html"), template.replace("SCRIPT", named(".js")).replace("STYLE", named(".css")));
}

/** Builds into `out` anew whenever a source changes. */
export async function watch(out) {
  await mkdir(out, { recursive: true });
  const watching = await context(options(out));
  await watching.watch();
}

async function buildOnce(out) {
  await rm(path.join(out, "assets"), { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build(options(out));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const out = process.argv[2];
  if (out === undefined) {
    console.error("usage: node build.mjs OUT");
    process.exit(2);
  }
  await buildOnce(path.resolve(out));
}
