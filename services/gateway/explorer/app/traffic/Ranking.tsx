/** Tables of the values of some fields that have the most of something. A press on one shows no others. */

import { type Counted, type Selection, facets } from "../api/events";
import { bytes, exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import type { ViewProps } from "../explore/family";
import { term } from "../explore/terms";
import "./views.css";

interface Props extends Pick<ViewProps, "onTerm" | "round"> {
  readonly selection: Selection;
  /** Fields with their titles. */
  readonly fields: Readonly<Record<string, string>>;
  /** What is added up: `count`, or a counter of the records. */
  readonly by: string;
}

const MOST = 25;

/** What a value has of it. */
export const amountOf = (one: { count: number; sum?: number }, by: string): number => (by === "count" ? one.count : (one.sum ?? 0));

export const amountText = (amount: number, by: string): string => (by === "bytes" ? bytes(amount) : exact(amount));

export const amountName = (by: string): string => (by === "count" ? "records" : by);

export function Ranking({ selection, fields, by, round, onTerm }: Props) {
  const wanted = { fields: Object.keys(fields), top: MOST, by };
  const key = JSON.stringify([selection, wanted, round]);
  const { answer, problem, isAsking } = useAnswer(key, (signal) => facets("traffic", selection, wanted, signal));
  if (problem !== null) {
    return <ProblemView problem={problem} />;
  }
  return (
    <div class="ranking" aria-busy={isAsking}>
      {answer?.value.facets.map((facet) => (
        <div key={facet.field}>
          <table>
            <thead>
              <tr>
                <th scope="col">{fields[facet.field]}</th>
                <th scope="col" class="ranking-amount">
                  {amountName(by)}
                </th>
              </tr>
            </thead>
            <tbody>
              {facet.values.map((one) => (
                <Line key={one.value} field={facet.field} one={one} by={by} greatest={facet.values[0]} onTerm={onTerm} />
              ))}
            </tbody>
          </table>
          {facet.values.length === 0 && <p class="quiet">No record says so.</p>}
          {facet.others.values > 0 && <p class="quiet">{exact(facet.others.values)} others</p>}
        </div>
      ))}
    </div>
  );
}

interface LineProps extends Pick<Props, "by" | "onTerm"> {
  readonly field: string;
  readonly one: Counted;
  readonly greatest: Counted | undefined;
}

function Line({ field, one, greatest, by, onTerm }: LineProps) {
  const meant = term(field, one.value);
  const share = amountOf(one, by) / Math.max(greatest === undefined ? 1 : amountOf(greatest, by), 1);
  return (
    <tr style={{ "--share": String(share) }}>
      <td>
        <button type="button" class="plain" title={`${visible(meant)}; with Alt: not`} onClick={(event) => onTerm(meant, event.altKey)}>
          <Text value={one.value} />
        </button>
      </td>
      <td class="ranking-amount">{amountText(amountOf(one, by), by)}</td>
    </tr>
  );
}
