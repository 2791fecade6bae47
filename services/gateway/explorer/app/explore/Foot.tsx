/** How many match, and of which moment that is. */

import type { Freshness } from "../api/client";
import { counted, exact } from "../ui/numbers";
import type { FamilyPage } from "./family";
import type { Listing } from "./listing";

/** Has its place also while the first answer is on its way, so that nothing jumps when it comes. */
export function Foot({ page, listing }: { page: FamilyPage; listing: Listing | null }) {
  if (listing === null) {
    return <footer class="explore-foot" />;
  }
  const { total, freshness, scanned, isComplete } = listing;
  return (
    <footer class="explore-foot" aria-label="Total and moment">
      <span>
        <strong>{total === null ? `At least ${counted(listing.length, page.noun)}` : counted(total, page.noun)}</strong>
        {!isComplete && " (not all that had to be read one by one was)"}
      </span>
      {scanned !== null && <span class="quiet">{exact(scanned)} read one by one</span>}
      {freshness !== null && <AsOf freshness={freshness} />}
      {listing.isStopped && (
        <button type="button" onClick={() => listing.more()}>
          Look further back
        </button>
      )}
    </footer>
  );
}

/** The first stream is that of the family: the others hold what else shows among its events. */
export function AsOf({ freshness: { asOf, lagMs, isStale } }: { freshness: Freshness }) {
  const sequence = /:(\d+)/.exec(asOf ?? "")?.[1];
  const behind = lagMs === null ? "" : `, ${(lagMs / 1000).toFixed(1)} s behind`;
  return (
    <span class={isStale ? "explore-stale" : "quiet"} title={asOf ?? undefined}>
      {sequence !== undefined && `as of sequence ${exact(Number(sequence))}${behind}`}
      {isStale && " · the log is away, so it may be further behind"}
    </span>
  );
}
