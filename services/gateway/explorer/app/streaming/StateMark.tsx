/** In one word how a delivery stands; the word says it, the colour only helps. */

import type { Status } from "../api/integrations";
import { STATES } from "./integration";

export function StateMark({ status }: { status: Status }) {
  const { label, tone } = STATES[status.state];
  return <span class={`streaming-state streaming-${tone}`}>{status.enabled ? label : "Disabled"}</span>;
}
