/** The page of audit events. */

import { Explore } from "../explore/Explore";
import type { Page } from "../page";
import { auditFamily } from "./family";

export const audit: Page = { path: "audit", title: "Audit", scope: "audit:read", component: () => <Explore page={auditFamily} /> };
