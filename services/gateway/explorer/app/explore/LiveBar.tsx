/** What the tail is at: whether it runs, how many wait while it is paused, and that its connection is lost. */

import { exact } from "../ui/numbers";
import { Text } from "../ui/Text";
import { CAPACITY, type Live } from "./live";

export function LiveBar({ live }: { live: Live }) {
  const { connection, isPaused, waiting } = live;
  const isLost = connection.is === "lost" || connection.is === "ended";
  return (
    <div class={`live${isLost ? " live-lost" : ""}`}>
      <button type="button" aria-pressed={isPaused} onClick={() => live.pause(!isPaused)}>
        {isPaused ? "Go on" : "Pause"}
      </button>
      {waiting > 0 && isPaused && (
        <button type="button" class="primary" onClick={() => live.take()}>
          {waiting >= CAPACITY ? `The newest ${exact(CAPACITY)}` : `${exact(waiting)} new`}
        </button>
      )}
      <span role="status">{isPaused ? `Paused, ${exact(waiting)} new` : said(live)}</span>
      {isLost && (
        <span role="alert">
          <Text value={connection.problem.message} />{" "}
          {connection.is === "lost" && `Trying again in ${Math.round(connection.retryInMs / 1000)} s; nothing will be missing.`}
        </span>
      )}
      <span class="quiet">The newest {exact(CAPACITY)} are kept here; the period does not apply.</span>
    </div>
  );
}

function said({ connection, arrived }: Live): string {
  switch (connection.is) {
    case "connecting":
      return "Connecting …";
    case "open":
      return `Live, ${exact(arrived)} arrived`;
    case "lost":
      return "The connection is lost.";
    case "ended":
      return "Live has ended.";
  }
}
