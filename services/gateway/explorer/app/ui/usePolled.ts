/** Asks again and again while the page is in view: what it shows of something that runs is of now. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { type Asked, useAnswer } from "./useAnswer";

export interface Polled<T> extends Asked<T> {
  /** Asks at once, as after something was done. */
  readonly again: () => void;
}

/** `key` says what is asked, as of [`useAnswer`]; the pause of `everyMs` begins when an answer is there. */
export function usePolled<T>(key: string, everyMs: number, question: (signal: AbortSignal) => Promise<T>): Polled<T> {
  const [round, setRound] = useState(0);
  const again = useCallback(() => setRound((before) => before + 1), []);
  const asked = useAnswer(`${key} ${round}`, question);
  useEffect(() => {
    if (asked.isAsking) {
      return undefined;
    }
    const askIfSeen = (): void => {
      if (document.visibilityState === "visible") {
        again();
      }
    };
    const timer = setTimeout(askIfSeen, everyMs);
    document.addEventListener("visibilitychange", askIfSeen);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", askIfSeen);
    };
  }, [round, asked.isAsking, everyMs]);
  return { ...asked, again };
}
