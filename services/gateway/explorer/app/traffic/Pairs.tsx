/** Who talked to whom: sources by lines, destinations by columns, and how much in each cell. A press shows its records. */

import { type Pair, top } from "../api/events";
import type { ViewProps } from "../explore/family";
import { selectionOf } from "../explore/question";
import { including, term } from "../explore/terms";
import { exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import { Measure } from "./Measure";
import { amountName, amountOf, amountText } from "./Ranking";
import "./views.css";

/** More lines or columns than these are no map any more. */
const MOST = 24;

export function Pairs({ question, round, onChange }: ViewProps) {
  const selection = selectionOf(question);
  const { by } = question;
  const key = JSON.stringify([selection, by, round]);
  const { answer, problem, isAsking } = useAnswer(key, (signal) => top(selection, by, signal));
  const pairs = answer?.value.pairs ?? [];
  const amount = (pair: Pair): number => amountOf(pair, by);
  const sources = first(pairs.map((pair) => pair.values[0]));
  const destinations = first(pairs.map((pair) => pair.values[1]));
  const cells = new Map(pairs.map((pair) => [JSON.stringify(pair.values), pair]));
  const greatest = Math.max(...pairs.map(amount), 1);
  const show = (source: string, destination: string): void =>
    onChange({ view: "", q: including(including(question.q, term("source", source)), term("destination", destination)) });
  return (
    <>
      <Measure question={question} onChange={onChange} />
      {problem !== null && <ProblemView problem={problem} />}
      <div class="pairs" aria-busy={isAsking} tabIndex={0} role="region" aria-label={`${amountName(by)} by source and destination`}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="quiet">
                from ↓ to →
              </th>
              {destinations.map((destination) => (
                <th scope="col" key={destination}>
                  <Text value={destination} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sources.map((source) => (
              <tr key={source}>
                <th scope="row">
                  <Text value={source} />
                </th>
                {destinations.map((destination) => {
                  const pair = cells.get(JSON.stringify([source, destination]));
                  return (
                    // Few pairs have nearly all: by the root, the others can be told apart, too.
                    <td key={destination} style={{ "--share": String(pair === undefined ? 0 : Math.sqrt(amount(pair) / greatest)) }}>
                      {pair !== undefined && (
                        <button
                          type="button"
                          class="plain"
                          aria-label={`${visible(source)} to ${visible(destination)}: ${amountText(amount(pair), by)}`}
                          onClick={() => show(source, destination)}
                        >
                          {amountText(amount(pair), by)}
                        </button>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {answer !== null && (
        <p class="quiet">
          {exact(answer.value.total)} records; {exact(answer.value.others.values)} other pairs
        </p>
      )}
    </>
  );
}

/** Those that come first, each once: pairs come by what they have, the greatest first. */
const first = (names: readonly string[]): string[] => [...new Set(names)].slice(0, MOST);
