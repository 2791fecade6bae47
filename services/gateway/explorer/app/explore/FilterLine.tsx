/** The filter as a line of text with completion. What is typed is asked when it is sent, not with each key. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api/problem";
import { Text } from "../ui/Text";
import { Chips } from "./Chips";
import type { Suggestion } from "./completion";
import type { FamilyPage } from "./family";
import { Mistake } from "./Mistake";
import { useCompletion } from "./useCompletion";
import "./filter.css";

interface Props {
  readonly page: FamilyPage;
  readonly q: string;
  readonly problem: Problem | null;
  readonly onAsk: (q: string) => void;
}

export function FilterLine({ page, q, problem, onAsk }: Props) {
  const [text, setText] = useState(q);
  const input = useRef<HTMLInputElement>(null);
  const { offered, chosen, word, offer, move, close } = useCompletion(page.family, input);
  useEffect(() => setText(q), [q]);

  const ask = (asked: string): void => {
    close();
    setText(asked);
    onAsk(asked.trim());
  };
  const take = ({ insert }: Suggestion): void => {
    const { start, end } = word();
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
      move(event.key === "ArrowDown" ? 1 : -1);
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
          aria-label={`Filter ${page.family} events`}
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
