/** What the receiver refused for good, and why; all of it can be tried again at once. */

import { useState } from "preact/hooks";
import { type DeadLetter, deadLettersOf, redrive } from "../api/integrations";
import { type Problem, asProblem } from "../api/problem";
import { Moment } from "../ui/Moment";
import { exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { usePolled } from "../ui/usePolled";

const EVERY_MS = 5_000;
const LIMIT = 200;

interface Props {
  readonly id: number;
  /** How many there ever were. */
  readonly count: number;
  readonly mayWrite: boolean;
  readonly onDone: () => void;
}

export function DeadLetters({ id, count, mayWrite, onDone }: Props) {
  const { answer, problem, again } = usePolled(`dead letters ${id}`, EVERY_MS, (signal) => deadLettersOf(id, LIMIT, signal));
  const [refused, setRefused] = useState<Problem | null>(null);
  const [said, setSaid] = useState("");
  const waiting = answer?.filter((letter) => !letter.redriven).length ?? 0;

  const tryAgain = (): void => {
    setRefused(null);
    redrive(id)
      .then(() => {
        setSaid("They are tried again, once each.");
        again();
        onDone();
      })
      .catch((thrown: unknown) => setRefused(asProblem(thrown)));
  };
  return (
    <section aria-label="Dead letters" class="streaming-letters">
      {problem !== null && <ProblemView problem={problem} onRetry={again} />}
      {refused !== null && <ProblemView problem={refused} />}
      {mayWrite && waiting > 0 && (
        <p>
          <button type="button" onClick={tryAgain}>
            Try all again
          </button>{" "}
          <span class="quiet">Each once, whatever the filter says by now.</span>
        </p>
      )}
      <p role="status" class={said === "" ? "unseen" : undefined}>
        {said}
      </p>
      {answer?.length === 0 && (
        <p>
          None. An event that the receiver refuses for its content or its size becomes one; all others wait until they are taken.
        </p>
      )}
      {answer !== null && answer.length > 0 && <Letters letters={answer} />}
      {answer?.length === LIMIT && count > LIMIT && <p class="quiet">The newest {exact(LIMIT)} are shown.</p>}
    </section>
  );
}

function Letters({ letters }: { letters: readonly DeadLetter[] }) {
  return (
    <table class="sheet-table sheet-rows">
      <thead>
        <tr>
          <th scope="col">Given up</th>
          <th scope="col">Event</th>
          <th scope="col">Reason</th>
          <th scope="col">Tried again</th>
        </tr>
      </thead>
      <tbody>
        {letters.map(({ sequence, time, event_id, stream, position, reason, redriven }) => (
          <tr key={sequence}>
            <td data-label="Given up">
              <Moment time={time} />
            </td>
            <td data-label="Event">
              {event_id === null ? <span class="quiet">cannot be read</span> : <Text value={event_id} />}{" "}
              <span class="quiet">
                {stream}:{position.sequence}
                {position.index > 0 && `, ${position.index}`}
              </span>
            </td>
            <td data-label="Reason">
              <Text value={reason} />
            </td>
            <td data-label="Tried again">{redriven ? "yes" : "no"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
