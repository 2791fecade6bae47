/**
 * What a change changed. No field of an event is reserved for that: publishers put the state before and after into the
 * further data, under one of a few usual pairs of names.
 */

import type { Item } from "../api/events";
import type { Difference } from "../ui/DifferenceTable";
import { member } from "./family";

const PLACES = ["meta", "event_payload"];
const PAIRS: readonly [string, string][] = [
  ["before", "after"],
  ["old", "new"],
  ["old_value", "new_value"],
  ["oldValue", "newValue"],
  ["previous", "current"],
  ["from", "to"],
];

/** What differs, or null where the event does not say what was before. */
export function differenceOf(item: Item): readonly Difference[] | null {
  for (const place of PLACES) {
    for (const [old, fresh] of PAIRS) {
      const [before, after] = [member(item, `${place}.${old}`), member(item, `${place}.${fresh}`)];
      if (before !== undefined && after !== undefined) {
        return between(before, after, "");
      }
    }
  }
  return null;
}

function between(before: unknown, after: unknown, path: string): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) {
    return [];
  }
  if (!isObject(before) || !isObject(after)) {
    return [{ path, before, after }];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => between(before[name], after[name], path === "" ? name : `${path}.${name}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
