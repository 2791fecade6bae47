/**
 * What matches, page by page, as far as the reader has scrolled. At most [`KEPT`] pages are held: those far from what is
 * seen are given up, and asked for again by their cursors when they come back into view.
 */

import type { Freshness } from "../api/client";
import { type Family, type Item, type Selection, list } from "../api/events";
import { type Problem, asProblem, isAborted } from "../api/problem";
import type { Row, Rows } from "./rows";

const PAGE_SIZE = 200;
const KEPT = 20;
/** How many rows before the end of what is known the next page is asked for. */
const AHEAD = 100;

export class Listing implements Rows {
  total: number | null = null;
  freshness: Freshness | null = null;
  problem: Problem | null = null;
  /** Rows that were read one by one; null where none was. */
  scanned: number | null = null;
  isComplete = true;

  readonly #family: Family;
  readonly #selection: Selection;
  readonly #changed: () => void;
  readonly #given = new AbortController();
  readonly #pages = new Map<number, readonly Item[]>();
  readonly #asked = new Set<number>();
  /** Where each page begins: its first row, and the cursor that leads to it. */
  readonly #starts: { readonly row: number; readonly cursor: string | undefined }[] = [{ row: 0, cursor: undefined }];
  /** How many rows there are on the pages that were read. */
  #length = 0;
  #isAtEnd = false;
  #wasEmpty = false;

  constructor(family: Family, selection: Selection, changed: () => void) {
    this.#family = family;
    this.#selection = selection;
    this.#changed = changed;
    this.#ask(0);
  }

  get length(): number {
    return this.#length;
  }

  get isAsking(): boolean {
    return this.#asked.size > 0;
  }

  /** Pages without a row stop the reading, so that a rare thing is not looked for through all of the log unasked. */
  get isStopped(): boolean {
    return this.#wasEmpty && !this.#isAtEnd && !this.isAsking;
  }

  /** The row; null while its page is not there. */
  at(row: number): Row | null {
    const page = this.#pageOf(row);
    const start = this.#starts[page]?.row ?? 0;
    const item = this.#pages.get(page)?.[row - start];
    return item === undefined ? null : { is: "event", item };
  }

  find(id: string): Item | null {
    for (const items of this.#pages.values()) {
      const found = items.find((item) => item.id === id);
      if (found !== undefined) {
        return found;
      }
    }
    return null;
  }

  /** Says which rows are seen: brings those that are missing, and the next ones. */
  show(first: number, last: number): void {
    for (let page = this.#pageOf(first); page <= this.#pageOf(last); page += 1) {
      if (!this.#pages.has(page)) {
        this.#ask(page);
      }
    }
    if (last >= this.#length - AHEAD && !this.#wasEmpty) {
      this.more();
    }
  }

  more(): void {
    if (!this.#isAtEnd && this.problem === null) {
      this.#ask(this.#starts.length - 1);
    }
  }

  close(): void {
    this.#given.abort();
  }

  #pageOf(row: number): number {
    const after = this.#starts.findIndex((start) => start.row > row);
    return (after === -1 ? this.#starts.length : after) - 1;
  }

  #ask(page: number): void {
    const start = this.#starts[page];
    if (start === undefined || this.#asked.has(page)) {
      return;
    }
    this.#asked.add(page);
    list(this.#family, this.#selection, { limit: PAGE_SIZE, cursor: start.cursor }, this.#given.signal)
      .then(({ value, freshness }) => {
        this.#pages.set(page, value.items);
        if (page === this.#starts.length - 1) {
          this.#length = start.row + value.items.length;
          this.#isAtEnd = value.next === null;
          this.#wasEmpty = value.items.length === 0;
          if (value.next !== null) {
            this.#starts.push({ row: this.#length, cursor: value.next });
          }
        }
        if (page === 0) {
          this.total = value.total;
          this.freshness = freshness;
        }
        this.scanned = value.scanned ?? this.scanned;
        this.isComplete = value.complete ?? true;
        this.#forgetFarFrom(page);
      })
      .catch((thrown: unknown) => {
        if (!isAborted(thrown)) {
          this.problem = asProblem(thrown);
        }
      })
      .finally(() => {
        this.#asked.delete(page);
        if (!this.#given.signal.aborted) {
          this.#changed();
        }
      });
  }

  #forgetFarFrom(page: number): void {
    const distance = (other: number): number => Math.abs(other - page);
    const near = [...this.#pages.keys()].sort((one, other) => distance(one) - distance(other));
    for (const far of near.slice(KEPT)) {
      this.#pages.delete(far);
    }
  }
}
