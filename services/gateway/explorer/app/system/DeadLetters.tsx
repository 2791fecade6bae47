/** What no view could take in, and why. */

import { viewDeadLetters } from "../api/system";
import { Moment } from "../ui/Moment";
import { exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { usePolled } from "../ui/usePolled";

const EVERY_MS = 5_000;
const LIMIT = 100;

export function DeadLetters() {
  const { answer, problem, again } = usePolled("view dead letters", EVERY_MS, (signal) => viewDeadLetters(LIMIT, signal));
  return (
    <section aria-labelledby="dead-letters">
      <h2 id="dead-letters">Dead letters of this account</h2>
      {problem !== null && <ProblemView problem={problem} onRetry={again} />}
      {answer?.total === 0 && <p>None: the views took in all that was published.</p>}
      {answer !== null && answer.total > 0 && (
        <>
          <p class="quiet">
            Messages in the log that a view could not take in. Mend what publishes them; <code>flowtrail dead-letters redrive</code> tries
            them again.
          </p>
          <table class="sheet-table sheet-rows">
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">View</th>
                <th scope="col">Event</th>
                <th scope="col">Reason</th>
              </tr>
            </thead>
            <tbody>
              {answer.items.map(({ sequence, time, view, position, event_id, reason }) => (
                <tr key={sequence}>
                  <td data-label="Received">
                    <Moment time={time} />
                  </td>
                  <td data-label="View">{view}</td>
                  <td data-label="Event">
                    {event_id === null ? <span class="quiet">cannot be read</span> : <Text value={event_id} />}{" "}
                    <span class="quiet">{position}</span>
                  </td>
                  <td data-label="Reason">
                    <Text value={reason} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {answer.total > answer.items.length && <p class="quiet">The newest of {exact(answer.total)}.</p>}
        </>
      )}
    </section>
  );
}
