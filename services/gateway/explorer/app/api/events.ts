/** The native API of both families of events: lists, counts, completion, exports. Types are those of `/openapi.json`. */

import { type Answer, type Parameters, ask, endpoint, send } from "./client";

export type Family = "audit" | "traffic";

/** An event in canonical form; what its members are is the publisher's matter beyond these. */
export interface Item {
  readonly id: string;
  /** RFC 3339, in UTC, to the microsecond. */
  readonly time: string;
  readonly [member: string]: unknown;
}

/** Which events are meant. */
export interface Selection {
  readonly q: string;
  /** A time as the language takes it: RFC 3339, a date, `now-1h`; empty: open. */
  readonly from: string;
  readonly to: string;
  readonly reads?: "include" | undefined;
  /** Traffic alone: one row for a flow that several reporters saw. */
  readonly merge?: "reporters" | undefined;
}

/** What is said of answers for which rows had to be read one by one. */
interface Judged {
  readonly scanned?: number;
  /** Absent or true: all that had to be looked at was. */
  readonly complete?: boolean;
}

export interface List extends Judged {
  readonly items: readonly Item[];
  /** Null where not all rows were judged. */
  readonly total: number | null;
  /** The cursor of the next page; null: this is the last. */
  readonly next: string | null;
}

export interface Others {
  /** How many other values there are. */
  readonly values: number;
  readonly count: number;
  readonly sum?: number;
}

export interface Counted {
  readonly value: string;
  readonly count: number;
  readonly sum?: number;
}

export interface Facet {
  readonly field: string;
  readonly values: readonly Counted[];
  readonly others: Others;
  readonly without: number;
  readonly without_sum?: number;
}

export interface Facets extends Judged {
  readonly total: number;
  readonly facets: readonly Facet[];
}

export interface Bucket {
  readonly time: string;
  readonly count: number;
}

interface Series {
  readonly count: number;
  /** One for each bucket. */
  readonly counts: readonly number[];
}

export interface Histogram extends Judged {
  readonly total: number;
  readonly width_ms: number;
  readonly buckets: readonly Bucket[];
  readonly split?: {
    readonly field: string;
    readonly values: readonly (Series & { readonly value: string })[];
    readonly others: Series & { readonly values: number };
    readonly without: Series;
  } | null;
}

export interface Pair {
  readonly values: readonly [string, string];
  readonly count: number;
  readonly sum?: number;
}

export interface Top extends Judged {
  readonly total: number;
  readonly sum?: number;
  readonly pairs: readonly Pair[];
  readonly others: Others;
}

export interface Field {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind: "text" | "number" | "time" | "address" | "protocol" | "choice" | "json";
  readonly choices?: readonly string[];
  readonly about: string;
  readonly countable: boolean;
}

export interface Values {
  readonly values: readonly Counted[];
  readonly others: Others;
}

export type Format = "ndjson" | "csv" | "parquet";

const path = (family: Family, what = ""): string => `/flowtrail/v1/${family}${what}`;

function parameters({ q, from, to, reads, merge }: Selection): Parameters {
  return { q, from, to, reads, merge };
}

export interface Paging {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly order?: "time" | "-time";
}

export function list(family: Family, selection: Selection, { limit, cursor, order }: Paging, signal: AbortSignal): Promise<Answer<List>> {
  return ask(path(family), { query: { ...parameters(selection), limit, cursor, order }, signal });
}

/**
 * One event, and the text that the service wrote. Whole numbers that are longer than those of JavaScript are texts in the
 * event, digit by digit, where the browser tells them.
 */
export async function one(family: Family, id: string, signal: AbortSignal): Promise<{ item: Item; text: string }> {
  const text = await (await send(onePath(family, id), { signal })).text();
  return { item: JSON.parse(text, exactly) as Item, text };
}

function exactly(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source ?? "";
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;
}

/** Where one event is; safe also between the quotes of a shell. */
export function onePath(family: Family, id: string): string {
  return path(family, `/${encodeURIComponent(id).replace(/'/g, "%27")}`);
}

export interface FacetsWanted {
  readonly fields: readonly string[];
  readonly top: number;
  /** What is summed up, and says which values are told. */
  readonly by: string;
}

export function facets(family: Family, selection: Selection, { fields, top, by }: FacetsWanted, signal: AbortSignal): Promise<Answer<Facets>> {
  const query = { ...parameters(selection), field: fields.join(","), top, by };
  return ask(path(family, "/facets"), { query, signal });
}

export function histogram(family: Family, selection: Selection, split: string, signal: AbortSignal): Promise<Answer<Histogram>> {
  return ask(path(family, "/histogram"), { query: { ...parameters(selection), split, buckets: 120 }, signal });
}

export function top(selection: Selection, sum: string, signal: AbortSignal): Promise<Answer<Top>> {
  const query = { ...parameters(selection), by: "source,destination", sum, top: 200 };
  return ask(path("traffic", "/top"), { query, signal });
}

export async function fields(family: Family): Promise<readonly Field[]> {
  return (await ask<{ fields: readonly Field[] }>(path(family, "/fields"))).value.fields;
}

export async function values(family: Family, field: string, prefix: string, signal: AbortSignal): Promise<Values> {
  return (await ask<Values>(path(family, "/values"), { query: { field, prefix, limit: 12 }, signal })).value;
}

/** Where all that is selected can be downloaded; an export cannot be merged. */
export function exportUrl(family: Family, { q, from, to, reads }: Selection, format: Format): string {
  return endpoint(path(family, "/export"), { q, from, to, reads, format });
}

export function tailPath(family: Family): string {
  return path(family, "/tail");
}
