// Walks through the explorer in a real Chromium: `node explorer.mjs [PART...]`, all parts if none is named.
//
// It reads JSON from its standard input, `{"url", "token", "password"}` of a running Flowtrail: a token of all scopes, and
// the password of admin@local. It ends with 1 at the first thing that is wrong, and says what; else it prints figures.

import { text } from "node:stream/consumers";
import { Api } from "./api.mjs";
import { withChromium } from "./chromium.mjs";
import { AUDIT, TRAFFIC } from "./events.mjs";
import { accessible } from "./parts/accessible.mjs";
import { exporting } from "./parts/exporting.mjs";
import { filter } from "./parts/filter.mjs";
import { histogram } from "./parts/histogram.mjs";
import { guards } from "./parts/guards.mjs";
import { hostile } from "./parts/hostile.mjs";
import { keyboard } from "./parts/keyboard.mjs";
import { live } from "./parts/live.mjs";
import { rows } from "./parts/rows.mjs";
import { searches } from "./parts/searches.mjs";
import { session } from "./parts/session.mjs";
import { streaming } from "./parts/streaming.mjs";
import { weight } from "./parts/weight.mjs";
import { Visitor } from "./visitor.mjs";

const PARTS = { guards, session, filter, histogram, rows, live, exporting, searches, hostile, keyboard, streaming, accessible, weight };

async function walk(names, { url, token, password }) {
  const api = new Api(url, token);
  await api.publish("audit", AUDIT);
  await api.publish("traffic", TRAFFIC);
  await withChromium(async (browser) => {
    for (const name of names) {
      const visitors = [];
      const come = async (options) => {
        const visitor = await Visitor.come(browser, url, options);
        visitors.push(visitor);
        return visitor;
      };
      try {
        const figures = await PARTS[name]({ api, token, password, come });
        for (const visitor of visitors) {
          await visitor.leave();
        }
        console.log(`${name}: ${figures ?? "as it should be"}`);
      } catch (reason) {
        // What went wrong in the page is often why something did not come.
        const seen = await Promise.all(visitors.map((visitor) => visitor.story()));
        throw new Error([`${name}: ${reason.message}`, ...seen].join("\n\n"), { cause: reason });
      }
    }
  });
}

const named = process.argv.slice(2);
const unknown = named.find((name) => !(name in PARTS));
if (unknown !== undefined) {
  console.error(`there is no part ${unknown}; there are: ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
try {
  await walk(named.length > 0 ? named : Object.keys(PARTS), JSON.parse(await text(process.stdin)));
} catch (reason) {
  console.error(reason.cause?.stack ?? reason.stack);
  console.error(reason.message);
  process.exitCode = 1;
}
