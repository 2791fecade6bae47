/** What stands in the rows of the list, wherever they come from. */

import type { Item } from "../api/events";

/** An event, or that so many came faster than they were read; a tail goes back for those. */
export type Row = { readonly is: "event"; readonly item: Item } | { readonly is: "overflow"; readonly lost: number };

export interface Rows {
  readonly length: number;
  /** Null: it is on its way. */
  at(row: number): Row | null;
  /** The event with this id, where it is at hand. */
  find(id: string): Item | null;
}

export function itemOf(row: Row | null): Item | null {
  return row?.is === "event" ? row.item : null;
}
