/** An integration as people speak of it, and where its parts are in the page. */

import type { Integration, State } from "../api/integrations";
import { urlOf } from "../router";
import { platformOf } from "./platforms";

export const TABS = { status: "Status", settings: "Settings", "dead-letters": "Dead letters", history: "History" } as const;
export type Tab = keyof typeof TABS;

const PATH = "/explorer/streaming";

export const listUrl = PATH;

/** The form for a new integration, of this platform where one is chosen. */
export const newUrl = (platform = ""): string => urlOf(PATH, new URLSearchParams({ new: platform }));

export const integrationUrl = (id: number, tab: Tab = "status"): string =>
  urlOf(PATH, new URLSearchParams(tab === "status" ? { id: String(id) } : { id: String(id), tab }));

export function isTab(text: string): text is Tab {
  return Object.hasOwn(TABS, text);
}

export const platformLabel = (name: string): string => platformOf(name)?.label ?? name;

/** Where its events go: `https://hooks.example.com/****`. */
export function destinationOf({ platform, config }: Integration): string {
  const keys = platformOf(platform)?.destination ?? [];
  return keys.map((key) => config[key]).find((value) => value !== undefined) ?? "";
}

export const STATES: Readonly<Record<State, { readonly label: string; readonly tone: string; readonly about: string }>> = {
  active: { label: "Active", tone: "good", about: "Events are delivered." },
  paused: { label: "Paused", tone: "quiet", about: "Nothing is delivered until it is resumed; it then goes on from the same place." },
  failing: { label: "Failing", tone: "warn", about: "The receiver does not take events. It is tried again and again." },
  suspended: { label: "Suspended", tone: "bad", about: "It is not tried any more, until it is resumed or its settings change." },
};

/** How long something has waited: `45 s`, `3 min`, `2 h`, `4 d`. */
export function waited(seconds: number): string {
  const units: readonly [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ];
  const unit = units.find(([length]) => seconds >= length);
  return unit === undefined ? `${Math.round(seconds)} s` : `${Math.floor(seconds / unit[0])} ${unit[1]}`;
}
