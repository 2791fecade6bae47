/** How a delivery stands, in all that the service says of it. */

import type { ComponentChildren } from "preact";
import type { Status } from "../api/integrations";
import { Moment } from "../ui/Moment";
import { counted, exact } from "../ui/numbers";
import { Text } from "../ui/Text";
import { STATES, waited } from "./integration";

export function StatusView({ status }: { status: Status }) {
  const { last_error: error } = status;
  return (
    <section aria-label="Status" class="streaming-status">
      <p>
        {status.enabled ? STATES[status.state].about : "It is not enabled: nobody is contacted."}
        {status.since !== null && <> Since <Moment time={status.since} />.</>}
        {status.next_retry !== null && <> The next attempt is at <Moment time={status.next_retry} />.</>}
      </p>
      {error !== null && (
        <p class="streaming-error">
          <strong>Last error</strong>, <Moment time={error.time} />: <Text value={error.reason} />
        </p>
      )}
      {status.missing.map(({ stream, first, last }) => (
        <p key={`${stream} ${first}`} class="streaming-error">
          <strong>Missing</strong>: the log's retention took {stream} {exact(first)} to {exact(last)} before they were delivered.
        </p>
      ))}
      <dl class="streaming-numbers">
        <Number name="Waiting">{counted(status.lag_events, "message")}</Number>
        <Number name="Oldest has waited">{waited(status.lag_seconds)}</Number>
        <Number name="Delivered">{exact(status.delivered)}</Number>
        <Number name="Passed over">{exact(status.passed_over)}</Number>
        <Number name="Failed attempts">{exact(status.failed)}</Number>
        <Number name="Dead letters">{exact(status.dead_lettered)}</Number>
        <Number name="Last success">{status.last_success === null ? "none yet" : <Moment time={status.last_success} />}</Number>
        <Number name="Guarantee">{status.guarantee ?? "not known yet"}</Number>
      </dl>
      {Object.keys(status.position).length > 0 && <Positions status={status} />}
    </section>
  );
}

function Number({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Positions({ status }: { status: Status }) {
  return (
    <table class="sheet-table">
      <caption>Where it stands in the log</caption>
      <thead>
        <tr>
          <th scope="col">Stream</th>
          <th scope="col">Next message</th>
          <th scope="col">Waiting</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(status.position).map(([stream, { sequence, index, lag_events, lag_seconds }]) => (
          <tr key={stream}>
            <th scope="row">{stream}</th>
            <td>
              {exact(sequence)}
              {index > 0 && `, event ${exact(index)} in it`}
            </td>
            <td>{lag_events === 0 ? "0" : `${exact(lag_events)}, for ${waited(lag_seconds)}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
