/** Integrations: where events are delivered to, and how each delivery stands. */

import { type Answer, type Request, ask } from "./client";

export type State = "active" | "paused" | "failing" | "suspended";
export type Guarantee = "exactly once" | "at least once";

/** By the platform's keys; secrets are `****`. */
export type Config = Readonly<Record<string, string>>;

export interface Integration {
  readonly id: number;
  readonly enabled: boolean;
  readonly platform: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly config: Config;
}

export interface Position {
  /** The first message that is not delivered whole, and the first event of it that is not. */
  readonly sequence: number;
  readonly index: number;
  readonly lag_events: number;
  readonly lag_seconds: number;
}

export interface Status {
  readonly state: State;
  readonly enabled: boolean;
  readonly lag_events: number;
  readonly lag_seconds: number;
  readonly last_success: string | null;
  readonly last_error: { readonly time: string; readonly status: number | null; readonly reason: string } | null;
  readonly since: string | null;
  readonly next_retry: string | null;
  readonly delivered: number;
  readonly passed_over: number;
  readonly failed: number;
  readonly dead_lettered: number;
  readonly position: Readonly<Record<string, Position>>;
  /** What the log's retention took before it was delivered. */
  readonly missing: readonly { readonly stream: string; readonly first: number; readonly last: number }[];
  /** Null while it is not known of this configuration. */
  readonly guarantee: Guarantee | null;
}

/** An event that the receiver refused for good. */
export interface DeadLetter {
  readonly sequence: number;
  readonly time: string;
  readonly event_id: string | null;
  readonly stream: string;
  readonly position: { readonly sequence: number; readonly index: number };
  readonly reason: string;
  readonly redriven: boolean;
}

/** One thing that was done to an integration. */
export interface Change {
  readonly id: string;
  readonly sequence: number;
  readonly time: string;
  readonly event: string;
  readonly by: { readonly id: string; readonly name: string | null; readonly email: string | null };
  readonly changed: readonly string[];
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** A time, the sequence from which all streams are delivered again, or a position in one: `FLOWTRAIL_AUDIT:42`. */
export type ReplayFrom = string | number;

const PATH = "/api/integrations/event-streaming";
const pathOf = (id: number, rest = ""): string => `${PATH}/${id}${rest}`;

/** The position of the reader's own last write: what is read afterwards is never older. */
let written: string | null = null;

async function read<T>(path: string, signal: AbortSignal, query: Request["query"] = {}): Promise<T> {
  const headers: Record<string, string> = written === null ? {} : { "Flowtrail-At-Least": written };
  return (await ask<T>(path, { signal, query, headers })).value;
}

async function write<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  const answer: Answer<T> = await ask<T>(path, body === undefined ? { method } : { method, body });
  written = answer.freshness.asOf ?? written;
  return answer.value;
}

export const integrations = (signal: AbortSignal): Promise<readonly Integration[]> => read(PATH, signal);

export const integration = (id: number, signal: AbortSignal): Promise<Integration> => read(pathOf(id), signal);

export const statusOf = (id: number, signal: AbortSignal): Promise<Status> => read(pathOf(id, "/status"), signal);

export const historyOf = (id: number, signal: AbortSignal): Promise<readonly Change[]> => read(pathOf(id, "/history"), signal);

export const deadLettersOf = (id: number, limit: number, signal: AbortSignal): Promise<readonly DeadLetter[]> =>
  read(pathOf(id, "/dead-letters"), signal, { limit });

export const create = (platform: string, config: Config, enabled: boolean): Promise<Integration> =>
  write("POST", PATH, { platform, config, enabled });

/** Changes what is named; an empty text takes a key away. */
export const change = (id: number, changes: { config?: Config; enabled?: boolean }): Promise<Integration> =>
  write("PUT", pathOf(id), changes);

export const remove = (id: number): Promise<unknown> => write("DELETE", pathOf(id));

export const test = (id: number): Promise<{ readonly guarantee: Guarantee }> => write("POST", pathOf(id, "/test"));

export const pause = (id: number): Promise<Integration> => write("POST", pathOf(id, "/pause"));

export const resume = (id: number): Promise<Integration> => write("POST", pathOf(id, "/resume"));

export const replay = (id: number, from: ReplayFrom): Promise<Integration> => write("POST", pathOf(id, "/replay"), { from });

export const redrive = (id: number): Promise<Integration> => write("POST", pathOf(id, "/dead-letters/redrive"));
