/** Who changed what of an integration, newest first. */

import { type Change, historyOf } from "../api/integrations";
import { DifferenceTable } from "../ui/DifferenceTable";
import { Moment } from "../ui/Moment";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { usePolled } from "../ui/usePolled";

const EVERY_MS = 5_000;

export function History({ id }: { id: number }) {
  const { answer, problem, again } = usePolled(`history ${id}`, EVERY_MS, (signal) => historyOf(id, signal));
  return (
    <section aria-label="History">
      {problem !== null && <ProblemView problem={problem} onRetry={again} />}
      <ol class="streaming-history">
        {answer?.map((change) => (
          <Line key={change.id} change={change} />
        ))}
      </ol>
    </section>
  );
}

function Line({ change: { time, event, by, changed, before, after } }: { change: Change }) {
  const differences = changed.map((path) => ({ path, before: before[path], after: after[path] }));
  return (
    <li>
      <h2>
        <Text value={event.replaceAll("_", " ")} />{" "}
        <span class="quiet">
          by <Text value={by.name ?? by.email ?? by.id} />, <Moment time={time} />
        </span>
      </h2>
      {differences.length > 0 && <DifferenceTable differences={differences} />}
    </li>
  );
}
