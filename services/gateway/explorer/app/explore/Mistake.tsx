/** A mistake in the filter, marked where it is, with what was probably meant. */

import type { Problem } from "../api/problem";
import { visible } from "../ui/Text";

interface Props {
  readonly q: string;
  readonly problem: Problem;
  readonly onMend: (q: string) => void;
}

/** `column 3: "actr" is no field: is actor meant?` */
const SAID = /^column (\d+): (.*)$/s;
const MEANT = /^"([^"]+)" is no field: is (\S+) meant\?$/;

export function Mistake({ q, problem, onMend }: Props) {
  const reason = problem.member?.reason ?? problem.message;
  const [, column, text = reason] = SAID.exec(reason) ?? [];
  const [, wrong, meant] = MEANT.exec(text) ?? [];
  // Columns count characters, not the halves that JavaScript makes of some.
  const characters = [...q];
  const at = column === undefined ? null : Math.min(Number(column) - 1, characters.length);
  const length = wrong === undefined ? 1 : [...wrong].length;
  const piece = (from: number, to?: number): string => characters.slice(from, to).join("");
  return (
    <div id="filter-problem" class="filter-problem" role="alert">
      {at !== null && (
        <p class="mono">
          {visible(piece(0, at))}
          <mark>{visible(piece(at, at + length)) || "␣"}</mark>
          {visible(piece(at + length))}
        </p>
      )}
      <p>
        {column !== undefined && `Column ${column}: `}
        {visible(text)}{" "}
        {at !== null && meant !== undefined && (
          <button type="button" onClick={() => onMend(piece(0, at) + meant + piece(at + length))}>
            Use {meant}
          </button>
        )}
      </p>
    </div>
  );
}
