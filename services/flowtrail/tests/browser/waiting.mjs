// Checks that say what is wrong, and waiting for what is to be seen.

import { isDeepStrictEqual } from "node:util";

/** How long anything may take before it counts as not coming: no test is about time. */
export const PATIENCE_MS = 30_000;
const PAUSE_MS = 25;

class Impatience extends Error {}

export function check(holds, what) {
  if (!holds) {
    throw new Error(what);
  }
}

export function same(found, expected, what) {
  check(isDeepStrictEqual(found, expected), `${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

/** Asks until the answer is neither undefined nor false, and gives it. */
export async function eventually(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    if (Date.now() > end) {
      throw new Impatience(`it did not come: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Asks until the answer is this one; says what it was at last. */
export async function becomes(expected, ask, what) {
  let found;
  const is = async () => {
    found = await ask();
    return isDeepStrictEqual(found, expected);
  };
  await eventually(what, is).catch((reason) => {
    // Out of patience; a question that cannot be asked says itself what is wrong.
    if (reason instanceof Impatience) {
      same(found, expected, what);
    }
    throw reason;
  });
}
