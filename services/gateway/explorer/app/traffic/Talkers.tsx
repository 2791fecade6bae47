/** Who sent and who received the most. */

import type { ViewProps } from "../explore/family";
import { selectionOf } from "../explore/question";
import { Measure } from "./Measure";
import { Ranking } from "./Ranking";

const FIELDS = { source: "Source", destination: "Destination", dport: "Port", user: "User" };

export function Talkers({ question, round, onTerm, onChange }: ViewProps) {
  return (
    <>
      <Measure question={question} onChange={onChange} />
      <Ranking selection={selectionOf(question)} fields={FIELDS} by={question.by} round={round} onTerm={onTerm} />
    </>
  );
}
