/** The page of traffic events. */

import type { Page } from "../page";

function Traffic() {
  return <h1>Traffic</h1>;
}

export const traffic: Page = { path: "traffic", title: "Traffic", scope: "traffic:read", component: Traffic };
