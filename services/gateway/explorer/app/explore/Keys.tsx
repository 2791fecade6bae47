/** Keys that work everywhere on the page, and the map of them. */

import { useEffect } from "preact/hooks";
import { Dialog } from "../ui/Dialog";

const MAP: readonly [string, string][] = [
  ["/", "go to the filter"],
  ["j, k", "the next, the previous row"],
  ["← → ↑ ↓", "move between cells"],
  ["Enter", "open the row"],
  ["Esc", "close what is open"],
  ["f, x", "show only, or hide, events with the cell's value"],
  ["p", "pause or go on, while Live"],
  ["r", "ask again"],
  ["?", "this map"],
  ["On the histogram", "arrows move, with Shift they span, Enter zooms"],
];

export function KeyMap({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <table class="keys">
        <tbody>
          {MAP.map(([keys, does]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}

/** Calls what belongs to a key, wherever the focus is, but for where one types. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      const isIn = (selector: string): boolean => target?.closest(selector) != null;
      const isTyping = event.key !== "Escape" && isIn("input, select, textarea");
      const isPressing = event.key === "Enter" && isIn("button, a, summary");
      const isOther = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
      const act = keys[event.key];
      if (act === undefined || isTyping || isPressing || isOther || isIn("dialog")) {
        return;
      }
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  });
}
