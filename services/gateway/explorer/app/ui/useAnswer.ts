/**
 * Asks for something whenever what is asked changes, and keeps the answer before until the next is there, so that nothing
 * jumps meanwhile.
 */

import { useEffect, useState } from "preact/hooks";
import { type Problem, asProblem, isAborted } from "../api/problem";

export interface Asked<T> {
  /** The last answer; null before the first. */
  readonly answer: T | null;
  /** Why the present question has none. */
  readonly problem: Problem | null;
  readonly isAsking: boolean;
}

/**
 * `key` says what is asked: the question is asked anew when it changes, and given up when the part of the page that asked
 * is gone. Null asks nothing.
 */
export function useAnswer<T>(key: string | null, question: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ answer: null, problem: null, isAsking: key !== null });
  useEffect(() => {
    if (key === null) {
      setAsked({ answer: null, problem: null, isAsking: false });
      return undefined;
    }
    const given = new AbortController();
    setAsked((before) => ({ ...before, isAsking: true }));
    question(given.signal)
      .then((answer) => setAsked({ answer, problem: null, isAsking: false }))
      .catch((thrown: unknown) => {
        if (!isAborted(thrown)) {
          setAsked((before) => ({ ...before, problem: asProblem(thrown), isAsking: false }));
        }
      });
    return () => given.abort();
  }, [key]);
  return asked;
}
