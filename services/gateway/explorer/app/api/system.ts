/** The service itself: how far its views are, and what they could not take in. */

import { ask, send } from "./client";

/** How a view stands. */
export interface View {
  readonly name: string;
  readonly lagMessages: number;
  readonly lagSeconds: number;
  /** Since its projector started. */
  readonly projectedEvents: number;
  /** Since its projector started. */
  readonly deadLetters: number;
  readonly diskBytes: number;
}

/** A message that a view could not take in. */
export interface ViewDeadLetter {
  readonly sequence: number;
  readonly time: string;
  readonly view: string;
  /** `FLOWTRAIL_AUDIT:42`. */
  readonly position: string;
  readonly event_id: string | null;
  readonly reason: string;
}

export interface ViewDeadLetters {
  /** The newest. */
  readonly items: readonly ViewDeadLetter[];
  readonly total: number;
}

const METRICS = {
  lagMessages: "flowtrail_view_lag_messages",
  lagSeconds: "flowtrail_view_lag_seconds",
  projectedEvents: "flowtrail_projected_events_total",
  deadLetters: "flowtrail_projection_dead_letters_total",
  diskBytes: "flowtrail_view_disk_bytes",
} as const;

type Measured = keyof typeof METRICS;

/** A sample of one view, as the service writes it: the view is the only label of these metrics. */
const SAMPLE = /^(\w+)\{view="(\w+)"\} (\S+)$/;

/** The views that the process which answers computes, by name; none where another process does. */
export async function views(signal: AbortSignal): Promise<readonly View[]> {
  const text = await (await send("/metrics", { signal })).text();
  const samples = new Map<string, Map<string, number>>();
  for (const line of text.split("\n")) {
    const [, metric, view, value] = SAMPLE.exec(line) ?? [];
    if (metric !== undefined && view !== undefined) {
      samples.set(view, (samples.get(view) ?? new Map()).set(metric, Number(value)));
    }
  }
  return [...samples].map(([name, of]) => viewOf(name, of)).sort((one, other) => one.name.localeCompare(other.name));
}

function viewOf(name: string, samples: ReadonlyMap<string, number>): View {
  const measured = (what: Measured): number => samples.get(METRICS[what]) ?? 0;
  return {
    name,
    lagMessages: measured("lagMessages"),
    lagSeconds: measured("lagSeconds"),
    projectedEvents: measured("projectedEvents"),
    deadLetters: measured("deadLetters"),
    diskBytes: measured("diskBytes"),
  };
}

/** What no view could take in of the account's events, and nobody has mended since. */
export async function viewDeadLetters(limit: number, signal: AbortSignal): Promise<ViewDeadLetters> {
  return (await ask<ViewDeadLetters>("/flowtrail/v1/dead-letters", { query: { limit }, signal })).value;
}

/** That reads and writes work, and reads are complete; thrown is what keeps the service from that. */
export async function readiness(signal: AbortSignal): Promise<{ readonly status: string }> {
  return (await ask<{ status: string }>("/readyz", { signal })).value;
}
