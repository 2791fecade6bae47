/** A listing for the present question; another question makes another one. */

import { useEffect, useReducer, useState } from "preact/hooks";
import type { Family, Selection } from "../api/events";
import { Listing } from "./listing";

/** `round` changes when the same is to be asked again. Null asks nothing. */
export function useListing(family: Family, selection: Selection | null, round: number): Listing | null {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  const [listing, setListing] = useState<Listing | null>(null);
  useEffect(() => {
    if (selection === null) {
      setListing(null);
      return undefined;
    }
    const next = new Listing(family, selection, () => {
      // What was there stays until the first page of what is asked now has come.
      setListing(next);
      redraw();
    });
    return () => next.close();
  }, [family, JSON.stringify(selection), round]);
  return listing;
}
