/** Who is signed in. The token itself is in a cookie that no script reads. */

import { ask, send } from "./client";

export type Scope = "audit:read" | "traffic:read" | "integrations:read" | "integrations:write" | "events:write" | "admin";

export interface Session {
  readonly account: string;
  readonly user: { readonly id: string; readonly name?: string | null; readonly email?: string | null };
  readonly scopes: readonly Scope[];
  /** RFC 3339; null: never. */
  readonly expires_at: string | null;
}

export type Credentials = { readonly token: string } | { readonly username: string; readonly password: string };

const PATH = "/flowtrail/v1/session";

export async function currentSession(): Promise<Session> {
  return (await ask<Session>(PATH)).value;
}

export async function signIn(credentials: Credentials): Promise<Session> {
  return (await ask<Session>(PATH, { method: "POST", body: credentials })).value;
}

export async function signOut(): Promise<void> {
  await send(PATH, { method: "DELETE" });
}

/** Whether the session may do what takes this scope. */
export function may(session: Session, scope: Scope): boolean {
  return session.scopes.includes(scope) || session.scopes.includes("admin");
}
