/** Asks whether an integration is to be deleted, and deletes it. */

import { useState } from "preact/hooks";
import { type Integration, remove } from "../api/integrations";
import { type Problem, asProblem } from "../api/problem";
import { go } from "../router";
import { Dialog } from "../ui/Dialog";
import { notify } from "../ui/notice";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { destinationOf, listUrl, platformLabel } from "./integration";

export function DeleteDialog({ integration, onClose }: { integration: Integration; onClose: () => void }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const name = `${platformLabel(integration.platform)} ${integration.id}`;

  const confirm = (): void => {
    setIsBusy(true);
    remove(integration.id)
      .then(() => {
        notify(`${name} is deleted.`);
        go(listUrl, { replace: true });
      })
      .catch((thrown: unknown) => {
        setProblem(asProblem(thrown));
        setIsBusy(false);
      });
  };
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <div class="streaming-dialog">
        <p>
          Nothing more is delivered to <strong><Text value={destinationOf(integration)} /></strong>. The place that delivery has reached,
          its dead letters and its secrets are gone for good; the audit trail keeps who deleted it.
        </p>
        {problem !== null && <ProblemView problem={problem} />}
        <button type="button" class="danger" disabled={isBusy} onClick={confirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
