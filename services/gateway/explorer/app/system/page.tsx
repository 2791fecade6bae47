/** The page of the service itself, and of who looks at it. */

import { may } from "../api/session";
import { readiness } from "../api/system";
import type { Page } from "../page";
import { useSession } from "../shell/session";
import { ProblemView } from "../ui/ProblemView";
import { usePolled } from "../ui/usePolled";
import { DeadLetters } from "./DeadLetters";
import { SessionView } from "./SessionView";
import { Views } from "./Views";
import "../ui/sheet.css";

export const system: Page = { path: "system", title: "System", scope: null, component: System };

const EVERY_MS = 5_000;

function System() {
  const session = useSession();
  const isAdmin = may(session, "admin");
  return (
    <div class="sheet">
      <h1>System</h1>
      <Readiness />
      {isAdmin && <Views />}
      {isAdmin && <DeadLetters />}
      <SessionView session={session} />
      <p class="quiet">
        The API is described at <a href="/docs">/docs</a>, for programs at <a href="/openapi.json">/openapi.json</a>.
      </p>
    </div>
  );
}

function Readiness() {
  const { answer, problem } = usePolled("readiness", EVERY_MS, readiness);
  if (problem !== null) {
    return <ProblemView problem={problem} />;
  }
  return <p role="status">{answer === null ? "Asking …" : "Reads and writes work, and reads are complete."}</p>;
}
