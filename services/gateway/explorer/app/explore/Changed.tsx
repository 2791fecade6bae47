/** What a change changed, before and after. */

import type { Item } from "../api/events";
import { DifferenceTable } from "../ui/DifferenceTable";
import { differenceOf } from "./difference";

export function Changed({ item }: { item: Item }) {
  const differences = differenceOf(item);
  if (differences === null) {
    return null;
  }
  return (
    <section class="panel-part" aria-label="What changed">
      <h3>What changed</h3>
      {differences.length === 0 ? <p class="quiet">Before and after are the same.</p> : <DifferenceTable differences={differences} />}
    </section>
  );
}
