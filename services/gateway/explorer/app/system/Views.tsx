/** How far each view is behind the log. */

import { views } from "../api/system";
import { bytes, exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { usePolled } from "../ui/usePolled";

const EVERY_MS = 3_000;

export function Views() {
  const { answer, problem, again } = usePolled("views", EVERY_MS, views);
  return (
    <section aria-labelledby="views">
      <h2 id="views">Views</h2>
      {problem !== null && <ProblemView problem={problem} onRetry={again} />}
      {answer?.length === 0 && <p>Another process computes them: its own metrics say how far they are.</p>}
      {answer !== null && answer.length > 0 && (
        <table class="sheet-table sheet-rows">
          <thead>
            <tr>
              <th scope="col">View</th>
              <th scope="col">Messages behind</th>
              <th scope="col">Seconds behind</th>
              <th scope="col">Events since the start</th>
              <th scope="col">Dead letters since the start</th>
              <th scope="col">On disk</th>
            </tr>
          </thead>
          <tbody>
            {answer.map(({ name, lagMessages, lagSeconds, projectedEvents, deadLetters, diskBytes }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td data-label="Messages behind">{exact(lagMessages)}</td>
                <td data-label="Seconds behind">{lagSeconds.toFixed(1)}</td>
                <td data-label="Events since the start">{exact(projectedEvents)}</td>
                <td data-label="Dead letters since the start">{exact(deadLetters)}</td>
                <td data-label="On disk">{bytes(diskBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
