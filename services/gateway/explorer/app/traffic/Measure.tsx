/** Chooses what a view adds up. */

import type { ViewProps } from "../explore/family";
import { amountName } from "./Ranking";

const MEASURES = ["bytes", "count", "packets"];

export function Measure({ question, onChange }: Pick<ViewProps, "question" | "onChange">) {
  return (
    <div role="group" aria-label="The most" class="explore-views">
      {MEASURES.map((by) => (
        <button type="button" key={by} aria-pressed={question.by === by} onClick={() => onChange({ by })}>
          {amountName(by)}
        </button>
      ))}
    </div>
  );
}
