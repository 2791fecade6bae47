/** Asks from where events are to be delivered again. */

import { useId, useState } from "preact/hooks";
import { type ReplayFrom, replay } from "../api/integrations";
import { type Problem, asProblem } from "../api/problem";
import { timeOf, zoneName } from "../explore/time";
import { Dialog } from "../ui/Dialog";
import { ProblemView } from "../ui/ProblemView";

interface Props {
  readonly id: number;
  /** The streams that it delivers from; none before its first delivery. */
  readonly streams: readonly string[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

type Means = "time" | "sequence";

export function ReplayDialog({ id, streams, onClose, onDone }: Props) {
  const [means, setMeans] = useState<Means>("time");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setIsBusy(true);
    setProblem(null);
    replay(id, placeOf(new FormData(form), means))
      .then(() => {
        onDone();
        // Closed by itself, the dialog gives the focus back to the button that opened it.
        form.closest("dialog")?.close();
      })
      .catch((thrown: unknown) => {
        setProblem(asProblem(thrown));
        setIsBusy(false);
      });
  };
  return (
    <Dialog title="Deliver again" onClose={onClose}>
      <form class="streaming-dialog" onSubmit={submit}>
        <p>Delivery goes on from there: the receiver gets events that it had once more, in order, and those that its filter passed over before.</p>
        <fieldset class="streaming-means">
          <legend class="unseen">From</legend>
          <label>
            <input type="radio" name="means" checked={means === "time"} onChange={() => setMeans("time")} />
            From a time
          </label>
          <label>
            <input type="radio" name="means" checked={means === "sequence"} onChange={() => setMeans("sequence")} />
            From a sequence in the log
          </label>
        </fieldset>
        {means === "time" ? <Time /> : <Sequence streams={streams} />}
        {problem !== null && <ProblemView problem={problem} />}
        <button type="submit" class="primary" disabled={isBusy}>
          Deliver again
        </button>
      </form>
    </Dialog>
  );
}

function placeOf(entered: FormData, means: Means): ReplayFrom {
  if (means === "time") {
    return timeOf(String(entered.get("time")), "local");
  }
  const [stream, sequence] = [String(entered.get("stream") ?? ""), String(entered.get("sequence"))];
  return stream === "" ? Number(sequence) : `${stream}:${sequence}`;
}

function Time() {
  const id = useId();
  return (
    <div class="streaming-field">
      <label for={id}>Time ({zoneName("local")})</label>
      <input id={id} name="time" type="datetime-local" step="1" required />
    </div>
  );
}

function Sequence({ streams }: { streams: readonly string[] }) {
  const id = useId();
  return (
    <>
      <div class="streaming-field">
        <label for={`${id}-stream`}>Stream</label>
        <select id={`${id}-stream`} name="stream">
          <option value="">Audit events and traffic reports</option>
          {streams.map((stream) => (
            <option key={stream}>{stream}</option>
          ))}
        </select>
      </div>
      <div class="streaming-field">
        <label for={`${id}-sequence`}>Sequence</label>
        <input id={`${id}-sequence`} name="sequence" type="number" min="0" required />
        <p class="quiet">0: from the beginning of what the log still holds.</p>
      </div>
    </>
  );
}
