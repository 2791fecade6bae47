/** The filter as a line of text with completion. What is typed is asked when it is sent, not with each key. */

import { useEffect, useRef, useState } from "preact/hooks";
import { type Problem, isAborted } from "../api/problem";
import { Text } from "../ui/Text";
import { Chips } from "./Chips";
import { type Suggestion, type Word, suggestions, wordAt } from "./completion";
import type { FamilyPage } from "./family";
import { Mistake } from "./Mistake";
import { knownFields } from "./useFields";
import "./filter.css";

interface Props {
  readonly page: FamilyPage;
  readonly q: string;
  readonly problem: Problem | null;
  readonly onAsk: (q: string) => void;
}

const DEBOUNCE_MS = 150;

export function FilterLine({ page, q, problem, onAsk }: Props) {
  const [text, setText] = useState(q);
  const [offered, setOffered] = useState<readonly Suggestion[]>([]);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const word = useRef<Word>(wordAt("", 0));
  const pending = useRef<AbortController | null>(null);

  useEffect(() => setText(q), [q]);
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
    const wait = word.current.field === null ? 0 : DEBOUNCE_MS;
    setTimeout(() => {
      if (given.signal.aborted) {
        return;
      }
      knownFields(page.family)
        .then((fields) => suggestions(page.family, fields, word.current, given.signal))
        .then((found) => {
          if (!given.signal.aborted) {
            setOffered(found);
            setChosen(-1);
          }
        })
        .catch((thrown: unknown) => {
          // Completion is a help: without it, one can still type.
          if (!isAborted(thrown)) {
            setOffered([]);
          }
        });
    }, wait);
  };
  const ask = (asked: string): void => {
    close();
    setText(asked);
    onAsk(asked.trim());
  };
  const take = ({ insert }: Suggestion): void => {
    const { start, end } = word.current;
    const completed = text.slice(0, start) + insert + text.slice(end).trimStart();
    setText(completed);
    close();
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(start + insert.length, start + insert.length);
      offer();
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const picked = offered[chosen];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (offered.length === 0) {
        offer();
      } else {
        // One of the places is that of the text itself, with nothing chosen.
        const places = offered.length + 1;
        const step = event.key === "ArrowDown" ? 1 : -1;
        setChosen(((chosen + 1 + step + places) % places) - 1);
      }
    } else if ((event.key === "Enter" || event.key === "Tab") && picked !== undefined) {
      event.preventDefault();
      take(picked);
    } else if (event.key === "Enter") {
      event.preventDefault();
      ask(text);
    } else if (event.key === "Escape" && offered.length > 0) {
      event.stopPropagation();
      close();
    }
  };
  const isWrong = problem !== null && text.trim() === q;
  return (
    <form class="filter" role="search" onSubmit={(event) => (event.preventDefault(), ask(text))}>
      <div class="filter-line">
        <input
          ref={input}
          id="filter"
          type="text"
          role="combobox"
          aria-label={`Filter ${page.noun}s`}
          aria-autocomplete="list"
          aria-expanded={offered.length > 0}
          aria-controls="filter-offers"
          aria-activedescendant={chosen === -1 ? undefined : `filter-offer-${chosen}`}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? "filter-problem" : undefined}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder={page.placeholder}
          value={text}
          onInput={(event) => (setText(event.currentTarget.value), offer())}
          onFocus={offer}
          onBlur={close}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="primary">
          Search
        </button>
        <ul id="filter-offers" class="filter-offers" role="listbox" aria-label="What may come next" hidden={offered.length === 0}>
          {offered.map((suggestion, index) => (
            <li
              key={suggestion.label}
              id={`filter-offer-${index}`}
              role="option"
              aria-selected={index === chosen}
              onPointerDown={(event) => (event.preventDefault(), take(suggestion))}
            >
              <Text value={suggestion.label} />
              <span class="quiet">{suggestion.about}</span>
            </li>
          ))}
        </ul>
      </div>
      <Chips q={q} onAsk={ask} />
      {isWrong && <Mistake q={q} problem={problem} onMend={ask} />}
    </form>
  );
}
