/** A moment in the reader's zone, to the second; what a pointer rests on says it in UTC. */

import { shortMoment } from "../explore/time";

export function Moment({ time }: { time: string }) {
  const date = new Date(time);
  return (
    <time dateTime={time} title={`${shortMoment(date, "utc")} UTC`} class="moment">
      {shortMoment(date, "local")}
    </time>
  );
}
