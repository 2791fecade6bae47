/**
 * What is typed into the form, as a configuration. Secrets never come back from the service: their fields begin empty, and
 * an empty one keeps what is stored.
 */

import type { Config } from "../api/integrations";
import type { Problem } from "../api/problem";
import type { Field } from "./platforms";

/** By the fields' keys. */
export interface Typed {
  readonly values: Readonly<Record<string, string>>;
  /** Stored secrets that are to go. */
  readonly removed: ReadonlySet<string>;
}

/** The name under which the configuration has this field. */
export function storedKey({ key, alias }: Field, config: Config): string {
  return alias !== undefined && alias in config ? alias : key;
}

export function beginning(fields: readonly Field[], config: Config): Typed {
  const shown = (field: Field): string => (field.kind === "secret" ? "" : (config[storedKey(field, config)] ?? ""));
  return { values: Object.fromEntries(fields.map((field) => [field.key, shown(field)])), removed: new Set() };
}

/** The keys that are to change, with their new values; an empty text takes a key away. */
export function changesOf(fields: readonly Field[], config: Config, { values, removed }: Typed): Config {
  const before = beginning(fields, config).values;
  const changed = fields.filter(({ key }) => removed.has(key) || values[key] !== before[key]);
  return Object.fromEntries(changed.map((field) => [storedKey(field, config), removed.has(field.key) ? "" : (values[field.key] ?? "")]));
}

export interface Mistake {
  /** The field at fault. */
  readonly key: string;
  readonly reason: string;
}

/** Which field a refusal names: `config.filter: column 1: ...`; null where it names none of these. */
export function mistakeOf(problem: Problem | null, fields: readonly Field[]): Mistake | null {
  const match = /^config\.([a-z_]+): (.*)$/s.exec(problem?.message ?? "");
  const field = fields.find(({ key, alias }) => key === match?.[1] || (alias !== undefined && alias === match?.[1]));
  return field === undefined ? null : { key: field.key, reason: match?.[2] ?? "" };
}
