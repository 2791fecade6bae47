/**
 * Events as they arrive, newest first, at most [`CAPACITY`] of them. While it is paused, or the reader is further down,
 * what arrives waits and is only counted; it waits in the same bounded room.
 */

import { type Family, type Item, type Selection, list, tailPath } from "../api/events";
import { asProblem, isAborted, type Problem } from "../api/problem";
import { follow } from "../api/tail";
import type { Row, Rows } from "./rows";

export const CAPACITY = 5_000;
/** How many that were there before are shown, so that one does not begin with nothing. */
const BEFORE = 100;
/** Many events in a moment are shown at once. */
const SHOWN_EACH_MS = 200;

export type Connection =
  | { readonly is: "connecting" | "open" }
  | { readonly is: "lost"; readonly problem: Problem; readonly retryInMs: number }
  | { readonly is: "ended"; readonly problem: Problem };

export class Live implements Rows {
  connection: Connection = { is: "connecting" };
  isPaused = false;
  /** How many have arrived since it began. */
  arrived = 0;

  /** The reader is further down: rows that came in above would move those that are read. */
  #isHeld = false;
  readonly #changed: () => void;
  readonly #stopped = new AbortController();
  #shown: readonly Row[] = [];
  /** Oldest first. */
  #waiting: Row[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(family: Family, selection: Selection, changed: () => void) {
    this.#changed = changed;
    const { q, reads } = selection;
    const signal = this.#stopped.signal;
    let isFirst = true;
    void follow(
      { path: tailPath(family), query: { q, reads }, position: undefined, signal },
      {
        onOpen: () => {
          this.#connect({ is: "open" });
          if (isFirst) {
            // Asked once the tail is there: what comes in between is in one of them, and in both but once.
            isFirst = false;
            this.#begin(family, { q, reads, from: "", to: "" });
          }
        },
        onEvent: (data) => this.#arrive({ is: "event", item: JSON.parse(data) as Item }),
        onOverflow: (lost) => this.#arrive({ is: "overflow", lost }),
        onLost: (problem, retryInMs) => this.#connect({ is: "lost", problem, retryInMs }),
        onEnd: (problem) => this.#connect({ is: "ended", problem }),
      },
    );
  }

  get length(): number {
    return this.#shown.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  at(row: number): Row | null {
    return this.#shown[row] ?? null;
  }

  find(id: string): Item | null {
    const found = this.#shown.find((arrival) => arrival.is === "event" && arrival.item.id === id);
    return found?.is === "event" ? found.item : null;
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.#show();
  }

  hold(isHeld: boolean): void {
    if (this.#isHeld !== isHeld) {
      this.#isHeld = isHeld;
      this.#show();
    }
  }

  /** Shows those that wait, also while it is paused. */
  take(): void {
    this.#shown = distinct([...this.#waiting.reverse(), ...this.#shown]).slice(0, CAPACITY);
    this.#waiting = [];
    this.#changed();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  #begin(family: Family, selection: Selection): void {
    list(family, selection, { limit: BEFORE }, this.#stopped.signal)
      .then(({ value }) => {
        this.#shown = distinct([...this.#shown, ...value.items.map((item): Row => ({ is: "event", item }))]);
        this.#changed();
      })
      .catch((thrown: unknown) => {
        if (!isAborted(thrown)) {
          this.#connect({ is: "ended", problem: asProblem(thrown) });
        }
      });
  }

  #connect(connection: Connection): void {
    this.connection = connection;
    this.#changed();
  }

  #arrive(arrival: Row): void {
    this.arrived += 1;
    this.#waiting.push(arrival);
    if (this.#waiting.length > 2 * CAPACITY) {
      this.#waiting = this.#waiting.slice(-CAPACITY);
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#show();
    }, SHOWN_EACH_MS);
  }

  #show(): void {
    if (this.isPaused || this.#isHeld) {
      this.#changed();
    } else {
      this.take();
    }
  }
}

/** Each event once: one that was published again, or is on the page that the tail began with, came twice. */
function distinct(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    if (row.is === "overflow") {
      return true;
    }
    const isNew = !seen.has(row.item.id);
    seen.add(row.item.id);
    return isNew;
  });
}
