/** What the reader asks: all of it stands in the URL's query string, and nowhere else. */

import type { Selection } from "../api/events";
import { go, urlOf } from "../router";

export type Zone = "local" | "utc";

export interface Question {
  readonly q: string;
  readonly from: string;
  readonly to: string;
  readonly reads: boolean;
  readonly merge: boolean;
  readonly live: boolean;
  readonly zone: Zone;
  /** The fields that are columns; empty: the usual ones. */
  readonly columns: readonly string[];
  /** The fields that are counted by; empty: the usual ones. */
  readonly facets: readonly string[];
  /** The field that splits the histogram; empty: the usual one. */
  readonly split: string;
  /** What counts are of: `count`, or what is summed up. */
  readonly by: string;
  /** Which part of the page is shown; empty: the events. */
  readonly view: string;
  /** The event that is open; empty: none. */
  readonly id: string;
}

const isSet = (query: URLSearchParams, name: string): boolean => query.get(name) === "1";
const listed = (query: URLSearchParams, name: string): string[] => (query.get(name) ?? "").split(",").filter((one) => one !== "");

export function questionOf(query: URLSearchParams): Question {
  return {
    q: query.get("q") ?? "",
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
    reads: isSet(query, "reads"),
    merge: isSet(query, "merge"),
    live: isSet(query, "live"),
    zone: query.get("zone") === "utc" ? "utc" : "local",
    columns: listed(query, "columns"),
    facets: listed(query, "facets"),
    split: query.get("split") ?? "",
    by: query.get("by") ?? "count",
    view: query.get("view") ?? "",
    id: query.get("id") ?? "",
  };
}

/** What stands in the URL is what differs from an empty question. */
function queryOf(question: Question): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(question) as [keyof Question, Question[keyof Question]][]) {
    const text = typeof value === "boolean" ? (value ? "1" : "") : typeof value === "string" ? value : value.join(",");
    const isUsual = text === "" || (name === "zone" && text === "local") || (name === "by" && text === "count");
    if (!isUsual) {
      query.set(name, text);
    }
  }
  return query;
}

export type Change = Partial<Question>;

export function changedUrl(path: string, question: Question, change: Change): string {
  return urlOf(path, queryOf({ ...question, ...change }));
}

/** Asks something else. Opening an event and the like is no step that "back" should undo. */
export function changeQuestion(path: string, question: Question, change: Change): void {
  const steps: readonly (keyof Question)[] = ["q", "from", "to", "live", "view", "merge", "reads"];
  go(changedUrl(path, question, change), { replace: !steps.some((name) => name in change) });
}

/** Which events the question is about. */
export function selectionOf({ q, from, to, reads, merge }: Question): Selection {
  return { q, from, to, reads: reads ? "include" : undefined, merge: merge ? "reporters" : undefined };
}
