/** What the tail is at: whether it runs, how many wait to be shown, and that its connection is lost. */

import { useEffect, useState } from "preact/hooks";
import { counted, exact } from "../ui/numbers";
import { Text } from "../ui/Text";
import { CAPACITY, type Live } from "./live";

interface Props {
  readonly live: Live;
  /** What one of them is called. */
  readonly noun: string;
  /** Shows those that wait. */
  readonly onTake: () => void;
}

export function LiveBar({ live, noun, onTake }: Props) {
  const { connection, isPaused, waiting } = live;
  const isLost = connection.is === "lost" || connection.is === "ended";
  return (
    <div class={`live${isLost ? " live-lost" : ""}`}>
      <button type="button" aria-pressed={isPaused} onClick={() => live.pause(!isPaused)}>
        {isPaused ? "Go on" : "Pause"}
      </button>
      {waiting > 0 && (
        <button type="button" class="primary" onClick={onTake}>
          {waiting >= CAPACITY ? `The newest ${exact(CAPACITY)}` : `${exact(waiting)} new`}
        </button>
      )}
      {/* Changes with each event: said aloud, it would never be silent. */}
      <span role="status" aria-live="off">
        {isPaused ? `Paused, ${exact(waiting)} new` : said(live)}
      </span>
      {isLost && (
        <span role="alert">
          <Text value={connection.problem.message} />.{" "}
          {connection.is === "lost" && `Trying again in ${Math.round(connection.retryInMs / 1000)} s; nothing will be missing.`}
        </span>
      )}
      <span class="quiet">The newest {exact(CAPACITY)} are kept here; the period does not apply.</span>
      <Announced live={live} noun={noun} />
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

const ANNOUNCED_EACH_MS = 10_000;

/** Says how many have arrived, for screen readers: now and then, for each would be too much to be listened to. */
function Announced({ live, noun }: Omit<Props, "onTake">) {
  const [arrived, setArrived] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setArrived(live.arrived), ANNOUNCED_EACH_MS);
    return () => clearInterval(timer);
  }, [live]);
  return (
    <span class="unseen" aria-live="polite">
      {arrived > 0 && `${counted(arrived, noun)} arrived`}
    </span>
  );
}
