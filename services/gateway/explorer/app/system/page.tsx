/** The page of the service itself. */

import type { Page } from "../page";

export const system: Page = { path: "system", title: "System", scope: null, component: () => null };
