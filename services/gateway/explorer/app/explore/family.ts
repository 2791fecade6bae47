/** What the page has to know about one family of events; all else is the same for both. */

import type { ComponentType } from "preact";
import type { Family, Item } from "../api/events";
import type { Change, Question } from "./question";

/** A part of the page besides the list of events. */
export interface View {
  /** Its name in the URL. */
  readonly name: string;
  readonly title: string;
  readonly component: ComponentType<ViewProps>;
}

export interface ViewProps {
  readonly question: Question;
  /** Changes when the same is to be asked again. */
  readonly round: number;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
  readonly onChange: (change: Change) => void;
}

export interface FamilyPage {
  readonly family: Family;
  readonly title: string;
  /** What one of them is called: `event`, `record`. */
  readonly noun: string;
  /** The fields that are columns, counted by and split by where the question names none. */
  readonly columns: readonly string[];
  readonly facets: readonly string[];
  readonly split: string;
  /** What can be summed up beside being counted. */
  readonly sums: readonly string[];
  /** Widths of columns in CSS; the others have the same. */
  readonly widths: Readonly<Record<string, string>>;
  /** Columns whose value is not a member of the event by the field's own name. */
  readonly members: Readonly<Record<string, (item: Item) => unknown>>;
  /** The field of the language that a member, by its path, is asked for by; null: none. */
  readonly fieldOf: (path: string) => string | null;
  /** Fields that tie events together: those with the same value belong to one request, or one flow. */
  readonly ties: readonly string[];
  /** What a field's value is called in counts, where the service has a number for it. */
  readonly label: (field: string, value: string) => string;
  /** A line that says what an event is about. */
  readonly headline: (item: Item) => string;
  readonly views: readonly View[];
  /** A filter as one might ask, where there is none. */
  readonly placeholder: string;
  /** Whether several reports of the same can be shown as one. */
  readonly merges: boolean;
  /** Where a first event is published, for those who have none; and what. */
  readonly publishPath: string;
  readonly example: unknown;
}

/** What stands at a dotted path in an event; undefined where there is nothing. */
export function member(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null) {
      return undefined;
    }
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** The first of these that is there. */
export function firstOf(item: Item, ...paths: string[]): unknown {
  return paths.map((path) => member(item, path)).find((value) => value !== undefined && value !== null && value !== "");
}

/** What an event has as a field's value. */
export function valueOf(page: FamilyPage, item: Item, field: string): unknown {
  const special = page.members[field];
  return special === undefined ? member(item, field) : special(item);
}

/** A value as a text; null where there is none. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null || value === "") {
    return null;
  }
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) {
    return value.join(", ");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
