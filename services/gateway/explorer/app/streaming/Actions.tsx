/** What can be done to an integration, and what came of it. */

import { useState } from "preact/hooks";
import { type Guarantee, type Integration, type Status, change, pause, resume, test } from "../api/integrations";
import { type Problem, asProblem } from "../api/problem";
import { notify } from "../ui/notice";
import { ProblemView } from "../ui/ProblemView";
import { DeleteDialog } from "./DeleteDialog";
import { ReplayDialog } from "./ReplayDialog";

interface Props {
  readonly integration: Integration;
  readonly status: Status;
  readonly onDone: () => void;
}

export function Actions({ integration, status, onDone }: Props) {
  const { id } = integration;
  const [open, setOpen] = useState<"replay" | "delete" | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [answer, setAnswer] = useState("");

  function act<T>(action: Promise<T>, say: (value: T) => string): void {
    setIsBusy(true);
    setProblem(null);
    setAnswer("");
    action
      .then((value) => setAnswer(say(value)))
      .catch((thrown: unknown) => setProblem(asProblem(thrown)))
      .finally(() => {
        setIsBusy(false);
        onDone();
      });
  }
  return (
    <>
      <div class="streaming-actions" role="group" aria-label="Actions">
        <button type="button" disabled={isBusy} onClick={() => act(test(id), tested)}>
          Test
        </button>
        {!status.enabled && (
          <button type="button" disabled={isBusy} onClick={() => act(change(id, { enabled: true }), () => "Enabled.")}>
            Enable
          </button>
        )}
        {status.enabled && status.state !== "paused" && (
          <button type="button" disabled={isBusy} onClick={() => act(pause(id), () => "Paused. It goes on from the same place.")}>
            Pause
          </button>
        )}
        {status.enabled && status.state !== "active" && (
          <button type="button" disabled={isBusy} onClick={() => act(resume(id), () => "Resumed.")}>
            {status.state === "failing" ? "Try now" : "Resume"}
          </button>
        )}
        <button type="button" onClick={() => setOpen("replay")}>
          Replay…
        </button>
        <button type="button" class="danger" onClick={() => setOpen("delete")}>
          Delete…
        </button>
      </div>
      <p role="status" class={answer === "" ? "unseen" : "streaming-answer"}>
        {answer}
      </p>
      {problem !== null && <ProblemView problem={problem} />}
      {open === "replay" && (
        <ReplayDialog
          id={id}
          streams={Object.keys(status.position)}
          onClose={() => setOpen(null)}
          onDone={() => {
            notify("Delivered again from there.");
            onDone();
          }}
        />
      )}
      {open === "delete" && <DeleteDialog integration={integration} onClose={() => setOpen(null)} />}
    </>
  );
}

const tested = ({ guarantee }: { readonly guarantee: Guarantee }): string => `The receiver took the test event. It has events ${guarantee}.`;
