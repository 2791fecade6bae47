/** The page of network traffic. */

import { Explore } from "../explore/Explore";
import type { Page } from "../page";
import { trafficFamily } from "./family";

export const traffic: Page = { path: "traffic", title: "Traffic", scope: "traffic:read", component: () => <Explore page={trafficFamily} /> };
