/** Puts a text into the clipboard, and says so. */

import { notify } from "./notice";

export function copy(text: string, what: string): void {
  navigator.clipboard
    .writeText(text)
    .then(() => notify(`${what} copied.`))
    .catch(() => notify("The browser did not allow copying. Over plain http it does so on this machine alone."));
}
