/** The pages that there are, in the order of the navigation. A page is a folder, and a line here. */

import { audit } from "./audit/page";
import type { Page } from "./page";
import { streaming } from "./streaming/page";
import { system } from "./system/page";
import { traffic } from "./traffic/page";

export const pages: readonly Page[] = [audit, traffic, streaming, system];
