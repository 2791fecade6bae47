/** What the text at the caret may go on with: names of fields, then the values of one. */

import { type Family, type Field, values } from "../api/events";
import { written } from "./terms";

/** The word that is being typed. */
export interface Word {
  /** Where it begins in the text, behind a sign such as `-` or `(`. */
  readonly start: number;
  readonly end: number;
  /** The field before the colon; null while its name is typed. */
  readonly field: string | null;
  readonly typed: string;
}

export interface Suggestion {
  /** What is put in place of what was typed. */
  readonly insert: string;
  readonly label: string;
  readonly about: string;
}

export function wordAt(text: string, caret: number): Word {
  const before = /[^\s()[\]{}]*$/.exec(text.slice(0, caret))?.[0] ?? "";
  const word = before.replace(/^[-+]/, "");
  const colon = word.indexOf(":");
  const field = colon === -1 ? null : word.slice(0, colon);
  const typed = colon === -1 ? word : word.slice(colon + 1);
  return { start: caret - typed.length, end: caret, field, typed };
}

const MOST = 12;

export async function suggestions(family: Family, fields: readonly Field[], word: Word, signal: AbortSignal): Promise<Suggestion[]> {
  if (word.field === null) {
    return ofFields(fields, word.typed);
  }
  const field = fields.find(({ name, aliases }) => name === word.field || aliases.includes(word.field ?? ""));
  const prefix = word.typed.replace(/^"/, "");
  if (field === undefined || /^[<>[{(]/.test(prefix)) {
    return [];
  }
  if (field.choices !== undefined) {
    const choices = field.choices.filter((choice) => choice.toLowerCase().includes(prefix.toLowerCase()));
    return choices.map((choice) => ({ insert: `${choice} `, label: choice, about: "" }));
  }
  if (!field.countable) {
    return [];
  }
  const found = await values(family, field.name, prefix, signal);
  return found.values.map(({ value, count }) => ({ insert: `${written(value)} `, label: value, about: String(count) }));
}

/** Fields whose name begins with what is typed, then those that have it elsewhere. */
function ofFields(fields: readonly Field[], typed: string): Suggestion[] {
  const wanted = typed.toLowerCase();
  const rank = ({ name, aliases }: Field): number => {
    if (name.startsWith(wanted)) {
      return 0;
    }
    return aliases.some((alias) => alias.startsWith(wanted)) ? 1 : name.includes(wanted) ? 2 : 3;
  };
  return fields
    .filter((field) => rank(field) < 3)
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST)
    .map(({ name, about }) => ({ insert: `${name}:`, label: name, about }));
}
