/** What is offered while somebody types into the filter, and which of it is chosen. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Family } from "../api/events";
import { isAborted } from "../api/problem";
import { type Suggestion, type Word, suggestions, wordAt } from "./completion";
import { knownFields } from "./useFields";

export interface Completion {
  readonly offered: readonly Suggestion[];
  /** The one that is chosen; -1: none. */
  readonly chosen: number;
  /** The word that they would complete. */
  readonly word: () => Word;
  /** Looks anew for what fits at the caret. */
  readonly offer: () => void;
  /** Chooses the next, or the one before. */
  readonly move: (step: 1 | -1) => void;
  readonly close: () => void;
}

/** Values are asked of the service once nobody has typed for so long. */
const DEBOUNCE_MS = 150;

export function useCompletion(family: Family, input: RefObject<HTMLInputElement | null>): Completion {
  const [offered, setOffered] = useState<readonly Suggestion[]>([]);
  const [chosen, setChosen] = useState(-1);
  const word = useRef<Word>(wordAt("", 0));
  const pending = useRef<AbortController | null>(null);
  useEffect(() => () => pending.current?.abort(), []);

  const close = (): void => {
    pending.current?.abort();
    setOffered([]);
    setChosen(-1);
  };
  const offer = (): void => {
    const { value, selectionStart } = input.current ?? { value: "", selectionStart: 0 };
    word.current = wordAt(value, selectionStart ?? value.length);
    pending.current?.abort();
    const given = new AbortController();
    pending.current = given;
    const look = async (): Promise<void> => {
      const fields = await knownFields(family);
      const found = given.signal.aborted ? [] : await suggestions(family, fields, word.current, given.signal);
      if (!given.signal.aborted) {
        setOffered(found);
        setChosen(-1);
      }
    };
    const onFailure = (thrown: unknown): void => {
      // Completion is a help: without it, one can still type.
      if (!isAborted(thrown)) {
        setOffered([]);
      }
    };
    const wait = word.current.field === null ? 0 : DEBOUNCE_MS;
    setTimeout(() => !given.signal.aborted && void look().catch(onFailure), wait);
  };
  const move = (step: 1 | -1): void => {
    if (offered.length === 0) {
      offer();
      return;
    }
    // One of the places is that of the text itself, with nothing chosen.
    const places = offered.length + 1;
    setChosen(((chosen + 1 + step + places) % places) - 1);
  };
  return { offered, chosen, word: () => word.current, offer, move, close };
}
