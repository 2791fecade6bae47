/** A tail for the present question, while Live is on. */

import { useEffect, useReducer, useState } from "preact/hooks";
import type { Family, Selection } from "../api/events";
import { Live } from "./live";

/** Null follows nothing. */
export function useLive(family: Family, selection: Selection | null): Live | null {
  const [, redraw] = useReducer((times: number, _: void) => times + 1, 0);
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    if (selection === null) {
      setLive(null);
      return undefined;
    }
    const next = new Live(family, selection, () => redraw());
    setLive(next);
    return () => next.stop();
  }, [family, selection?.q, selection?.reads, selection === null]);
  return live;
}
