/** Connections that were dropped: by whom, between whom, and by which policy. */

import type { ViewProps } from "../explore/family";
import { selectionOf } from "../explore/question";
import { including } from "../explore/terms";
import { Ranking } from "./Ranking";

const FIELDS = { reporter: "Reporter", source: "Source", destination: "Destination", dport: "Port", policy: "Policy" };

export function Drops({ question, round, onTerm }: ViewProps) {
  const selection = { ...selectionOf(question), q: including(question.q, "drops:>0") };
  return (
    <>
      <p class="quiet">
        Of records with <code>drops:&gt;0</code>.
      </p>
      <Ranking selection={selection} fields={FIELDS} by="drops" round={round} onTerm={onTerm} />
    </>
  );
}
