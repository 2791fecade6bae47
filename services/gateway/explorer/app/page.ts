/** What a page of the explorer is to its shell. */

import type { ComponentType } from "preact";
import type { Scope } from "./api/session";

export interface Page {
  /** Its path, below `/explorer/`. */
  readonly path: string;
  readonly title: string;
  /** The scope without which it shows nothing, or null where it shows something to everybody; `admin` has all of them. */
  readonly scope: Scope | null;
  readonly component: ComponentType;
}
