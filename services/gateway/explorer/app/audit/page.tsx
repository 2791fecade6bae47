/** The page of audit events. */

import type { Page } from "../page";

function Audit() {
  return <h1>Audit</h1>;
}

export const audit: Page = { path: "audit", title: "Audit", scope: "audit:read", component: Audit };
