/** Saved searches: questions under a name, of one person or shared in the account. */

import { ask, send } from "./client";
import type { Family } from "./events";

export interface SearchContent {
  readonly name: string;
  readonly q: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly columns: readonly string[] | null;
  readonly shared: boolean;
}

export interface SavedSearch extends SearchContent {
  readonly id: string;
  readonly family: Family;
  readonly owner: { readonly id: string; readonly name?: string | null; readonly email?: string | null };
}

const PATH = "/flowtrail/v1/searches";

export async function searches(family: Family, signal: AbortSignal): Promise<readonly SavedSearch[]> {
  return (await ask<{ items: readonly SavedSearch[] }>(PATH, { query: { family }, signal })).value.items;
}

export async function saveSearch(family: Family, content: SearchContent): Promise<SavedSearch> {
  return (await ask<SavedSearch>(PATH, { method: "POST", body: { family, ...content } })).value;
}

export async function shareSearch(id: string, shared: boolean): Promise<void> {
  await send(`${PATH}/${encodeURIComponent(id)}`, { method: "PUT", body: { shared } });
}

export async function deleteSearch(id: string): Promise<void> {
  await send(`${PATH}/${encodeURIComponent(id)}`, { method: "DELETE" });
}
