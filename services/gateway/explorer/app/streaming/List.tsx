/** All integrations of the account, and how each stands. */

import { type Integration, type Status, integrations, statusOf } from "../api/integrations";
import { type Problem, asProblem, isAborted } from "../api/problem";
import { Moment } from "../ui/Moment";
import { exact } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { usePolled } from "../ui/usePolled";
import { destinationOf, integrationUrl, newUrl, platformLabel, waited } from "./integration";
import { StateMark } from "./StateMark";

const EVERY_MS = 5_000;

interface Standing {
  readonly integration: Integration;
  /** The problem stands for one whose status is not to be had, as that of one that is just being deleted. */
  readonly status: Status | Problem;
}

async function standings(signal: AbortSignal): Promise<readonly Standing[]> {
  const all = await integrations(signal);
  return Promise.all(all.map(async (integration) => ({ integration, status: await statusOrProblem(integration.id, signal) })));
}

async function statusOrProblem(id: number, signal: AbortSignal): Promise<Status | Problem> {
  try {
    return await statusOf(id, signal);
  } catch (thrown) {
    if (isAborted(thrown)) {
      throw thrown;
    }
    return asProblem(thrown);
  }
}

export function List({ mayWrite }: { mayWrite: boolean }) {
  const { answer, problem, again } = usePolled("integrations", EVERY_MS, standings);
  return (
    <div class="sheet">
      <header class="streaming-head">
        <h1>Streaming</h1>
        {mayWrite && answer !== null && answer.length > 0 && (
          <a class="button" href={newUrl()}>
            New integration
          </a>
        )}
      </header>
      {problem !== null && <ProblemView problem={problem} onRetry={again} />}
      {answer?.length === 0 && <NoneYet mayWrite={mayWrite} />}
      {answer !== null && answer.length > 0 && (
        <table class="sheet-table sheet-rows streaming-list">
          <thead>
            <tr>
              <th scope="col">Integration</th>
              <th scope="col">State</th>
              <th scope="col">Waiting</th>
              <th scope="col">Delivered</th>
              <th scope="col">Passed over</th>
              <th scope="col">Failed attempts</th>
              <th scope="col">Dead letters</th>
              <th scope="col">Last error</th>
            </tr>
          </thead>
          <tbody>
            {answer.map(({ integration, status }) => (
              <Line key={integration.id} integration={integration} status={status} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Line({ integration, status }: Standing) {
  return (
    <tr>
      <th scope="row">
        <a href={integrationUrl(integration.id)}>
          {platformLabel(integration.platform)} {integration.id}
        </a>
        <span class="quiet streaming-destination">
          <Text value={destinationOf(integration)} />
        </span>
      </th>
      {status instanceof Error ? (
        <td colSpan={7} class="streaming-bad">
          <Text value={status.message} />
        </td>
      ) : (
        <Numbers id={integration.id} status={status} />
      )}
    </tr>
  );
}

function Numbers({ id, status }: { id: number; status: Status }) {
  const { last_error: error } = status;
  return (
    <>
      <td data-label="State">
        <StateMark status={status} />
      </td>
      <td data-label="Waiting">
        {status.lag_events === 0 ? "0" : `${exact(status.lag_events)}, for ${waited(status.lag_seconds)}`}
      </td>
      <td data-label="Delivered">{exact(status.delivered)}</td>
      <td data-label="Passed over">{exact(status.passed_over)}</td>
      <td data-label="Failed attempts">{exact(status.failed)}</td>
      <td data-label="Dead letters">
        {status.dead_lettered === 0 ? "0" : <a href={integrationUrl(id, "dead-letters")}>{exact(status.dead_lettered)}</a>}
      </td>
      <td data-label="Last error">
        {error === null ? (
          <span class="quiet">none</span>
        ) : (
          <>
            <Text value={error.reason} /> <span class="quiet"><Moment time={error.time} /></span>
          </>
        )}
      </td>
    </>
  );
}

function NoneYet({ mayWrite }: { mayWrite: boolean }) {
  return (
    <section class="streaming-none">
      <h2>No integration yet</h2>
      <p>
        An integration names a platform, such as Datadog, a bucket of S3 or a web hook, and how to reach it. From then on every event of
        the account goes there: in order, at least once, also after an outage. A filter chooses which.
      </p>
      {mayWrite ? (
        <a class="button" href={newUrl()}>
          Make the first one
        </a>
      ) : (
        <p class="quiet">Making one takes a token with the scope <code>integrations:write</code>.</p>
      )}
    </section>
  );
}
