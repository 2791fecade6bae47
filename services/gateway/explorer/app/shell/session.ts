/** Who is signed in, for every part of the page. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../api/session";

export const SessionContext = createContext<Session | null>(null);

/** The session that the page is shown in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) {
    throw new Error("nothing that needs a session is shown without one");
  }
  return session;
}
