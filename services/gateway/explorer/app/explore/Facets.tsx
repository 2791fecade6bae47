/** The most frequent values of some fields. A press on one shows no others; with Alt, or the sign beside it, all others. */

import { useState } from "preact/hooks";
import { type Facet, type Field, facets } from "../api/events";
import { bytes, counted, rough } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import type { FamilyPage } from "./family";
import { type Change, type Question, selectionOf } from "./question";
import { term } from "./terms";
import "./facets.css";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly fields: readonly Field[];
  readonly round: number;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
  readonly onChange: (change: Change) => void;
}

const FEW = 6;
const MANY = 50;

export function Facets({ page, question, fields, round, onTerm, onChange }: Props) {
  const [top, setTop] = useState(FEW);
  const names = question.facets.length > 0 ? question.facets : page.facets;
  const wanted = { fields: names, top, by: question.by };
  const selection = selectionOf(question);
  const key = JSON.stringify([selection, wanted, round]);
  const { answer, problem, isAsking } = useAnswer(key, (signal) => facets(page.family, selection, wanted, signal));
  const others = fields.filter((field) => field.countable && !names.includes(field.name));
  return (
    <div class="facets" aria-busy={isAsking}>
      {problem !== null && problem.status !== 400 && <ProblemView problem={problem} />}
      {page.sums.length > 0 && (
        <label class="facets-by">
          Count by
          <select value={question.by} onChange={(event) => onChange({ by: event.currentTarget.value })}>
            {["count", ...page.sums].map((sum) => (
              <option key={sum} value={sum}>
                {sum === "count" ? `${page.noun}s` : sum}
              </option>
            ))}
          </select>
        </label>
      )}
      {names.map((name) => (
        <FacetView
          key={name}
          name={name}
          label={(value) => page.label(name, value)}
          facet={answer?.value.facets.find((facet) => facet.field === name) ?? null}
          by={question.by}
          onTerm={onTerm}
          onRemove={() => onChange({ facets: names.filter((one) => one !== name) })}
          onMore={() => setTop(MANY)}
        />
      ))}
      <label class="facets-by">
        Add
        <select value="" onChange={(event) => onChange({ facets: [...names, event.currentTarget.value] })}>
          <option value="">a field …</option>
          {others.map((field) => (
            <option key={field.name} value={field.name}>
              {field.name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

interface FacetProps extends Pick<Props, "onTerm"> {
  readonly name: string;
  readonly label: (value: string) => string;
  readonly facet: Facet | null;
  readonly by: string;
  readonly onRemove: () => void;
  readonly onMore: () => void;
}

function FacetView({ name, label, facet, by, onTerm, onRemove, onMore }: FacetProps) {
  const amount = (of: { count: number; sum?: number }): number => (by === "count" ? of.count : (of.sum ?? 0));
  const shown = (number: number): string => (by === "bytes" ? bytes(number) : rough(number));
  const values = facet?.values ?? [];
  const greatest = Math.max(...values.map(amount), 1);
  const hasNothing = facet !== null && values.length === 0 && facet.without === 0;
  return (
    <section class="facet" aria-label={name}>
      <header>
        <h2>{name}</h2>
        <button type="button" class="plain quiet" aria-label={`Count by ${name} no more`} onClick={onRemove}>
          ×
        </button>
      </header>
      {facet === null && <div class="facet-wait" />}
      {hasNothing && <p class="quiet">–</p>}
      <ul>
        {values.map((one) => (
          <Value
            key={one.value}
            term={term(name, one.value)}
            label={label(one.value)}
            amount={shown(amount(one))}
            share={amount(one) / greatest}
            onTerm={onTerm}
          />
        ))}
        {facet !== null && facet.without > 0 && (
          <Value term={term(name, null)} label="without" amount={rough(facet.without)} share={0} onTerm={onTerm} />
        )}
      </ul>
      {facet !== null && facet.others.values > 0 && (
        <button type="button" class="plain quiet facet-more" onClick={onMore}>
          {counted(facet.others.values, "other")}
        </button>
      )}
    </section>
  );
}

interface ValueProps extends Pick<Props, "onTerm"> {
  readonly term: string;
  readonly label: string;
  readonly amount: string;
  readonly share: number;
}

function Value({ term: meant, label, amount, share, onTerm }: ValueProps) {
  return (
    <li class="facet-value" style={{ "--share": String(share) }}>
      <button type="button" class="plain facet-include" title={`${visible(meant)}; with Alt: not`} onClick={(event) => onTerm(meant, event.altKey)}>
        <Text value={label} />
      </button>
      <span class="facet-amount">{amount}</span>
      <button type="button" class="plain facet-exclude" aria-label={`Exclude ${visible(label)}`} onClick={() => onTerm(meant, true)}>
        −
      </button>
    </li>
  );
}
