/** Times as they are shown: in the reader's zone or in UTC, which stands beside them. */

import type { Zone } from "./question";

export interface Range {
  readonly from: string;
  readonly label: string;
}

/** Periods up to now. */
export const RANGES: readonly Range[] = [
  { from: "now-15m", label: "15 minutes" },
  { from: "now-1h", label: "1 hour" },
  { from: "now-24h", label: "24 hours" },
  { from: "now-7d", label: "7 days" },
  { from: "now-30d", label: "30 days" },
  { from: "", label: "All time" },
];

const two = (number: number): string => String(number).padStart(2, "0");

/** The parts of a moment in the zone, as one would write them. */
function parts(date: Date, zone: Zone): { day: string; clock: string; seconds: string } {
  const isUtc = zone === "utc";
  const [year, month, day] = isUtc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    : [date.getFullYear(), date.getMonth(), date.getDate()];
  const [hours, minutes, seconds, milliseconds] = isUtc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
  return {
    day: `${String(year).padStart(4, "0")}-${two(month + 1)}-${two(day)}`,
    clock: `${two(hours)}:${two(minutes)}`,
    seconds: `${two(seconds)}.${String(milliseconds).padStart(3, "0")}`,
  };
}

/** A moment to the millisecond: `2026-01-31 12:00:00.000`. What is no time is shown as it is. */
export function moment(time: string, zone: Zone): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) {
    return time;
  }
  const { day, clock, seconds } = parts(date, zone);
  return `${day} ${clock}:${seconds}`;
}

/** A moment to the minute, or to the second where it has some. */
export function shortMoment(date: Date, zone: Zone): string {
  const { day, clock, seconds } = parts(date, zone);
  return seconds.startsWith("00") ? `${day} ${clock}` : `${day} ${clock}:${seconds.slice(0, 2)}`;
}

const DAY_S = 86_400;

/** Labels of ticks on an axis of time, `stepS` seconds apart; the day stands below the first of its ticks. */
export function tickLabels(seconds: readonly number[], stepS: number, zone: Zone): string[] {
  let shownDay = "";
  return seconds.map((second) => {
    const { day, clock, seconds: rest } = parts(new Date(second * 1000), zone);
    if (stepS >= DAY_S) {
      return day;
    }
    const label = stepS < 60 ? `${clock}:${rest.slice(0, 2)}` : clock;
    const isNewDay = day !== shownDay;
    shownDay = day;
    return isNewDay ? `${label}\n${day}` : label;
  });
}

/** What a field of kind `datetime-local` shows for a time; empty for one that is relative or none. */
export function inputOf(time: string, zone: Zone): string {
  const date = new Date(time);
  if (time === "" || Number.isNaN(date.getTime())) {
    return "";
  }
  const { day, clock, seconds } = parts(date, zone);
  return `${day}T${clock}:${seconds.slice(0, 2)}`;
}

/** The time that a field of kind `datetime-local` means. */
export function timeOf(input: string, zone: Zone): string {
  const date = new Date(zone === "utc" ? `${input}Z` : input);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** The zone's name, as people know it. */
export function zoneName(zone: Zone): string {
  return zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The period in words: `Last 1 hour`, `2026-01-01 00:00 – now`. */
export function period(from: string, to: string, zone: Zone): string {
  const range = RANGES.find((one) => one.from === from);
  if (range !== undefined && to === "") {
    return from === "" ? range.label : `Last ${range.label}`;
  }
  const shown = (time: string, open: string): string => {
    const date = new Date(time);
    return time === "" ? open : Number.isNaN(date.getTime()) ? time : shortMoment(date, zone);
  };
  return `${shown(from, "the beginning")} – ${shown(to, "now")}`;
}

/** A length in the largest unit that divides it: `5 min`. */
export function span(milliseconds: number): string {
  const units: readonly [number, string][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1_000, "s"],
  ];
  const unit = units.find(([length]) => milliseconds >= length && milliseconds % length === 0);
  return unit === undefined ? `${milliseconds} ms` : `${milliseconds / unit[0]} ${unit[1]}`;
}
