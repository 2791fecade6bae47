/** One integration: what can be done to it, and one of the sides that it is seen from. */

import { type Integration, type Status, integration, statusOf } from "../api/integrations";
import { ProblemView } from "../ui/ProblemView";
import { Text } from "../ui/Text";
import { usePolled } from "../ui/usePolled";
import { Actions } from "./Actions";
import { DeadLetters } from "./DeadLetters";
import { History } from "./History";
import { TABS, type Tab, destinationOf, integrationUrl, listUrl, platformLabel } from "./integration";
import { Settings } from "./Settings";
import { StateMark } from "./StateMark";
import { StatusView } from "./StatusView";

const EVERY_MS = 3_000;

interface Props {
  readonly id: number;
  readonly tab: Tab;
  readonly mayWrite: boolean;
}

async function standing(id: number, signal: AbortSignal): Promise<readonly [Integration, Status]> {
  return Promise.all([integration(id, signal), statusOf(id, signal)]);
}

export function Detail({ id, tab, mayWrite }: Props) {
  const { answer, problem, again } = usePolled(`integration ${id}`, EVERY_MS, (signal) => standing(id, signal));
  return (
    <div class="sheet">
      <nav aria-label="Up">
        <a href={listUrl}>← All integrations</a>
      </nav>
      {problem !== null && (
        <>
          {answer === null && <h1>Integration {id}</h1>}
          <ProblemView problem={problem} onRetry={again} />
        </>
      )}
      {answer !== null && <Known integration={answer[0]} status={answer[1]} tab={tab} mayWrite={mayWrite} onDone={again} />}
    </div>
  );
}

interface KnownProps {
  readonly integration: Integration;
  readonly status: Status;
  readonly tab: Tab;
  readonly mayWrite: boolean;
  readonly onDone: () => void;
}

function Known({ integration, status, tab, mayWrite, onDone }: KnownProps) {
  const { id, platform } = integration;
  return (
    <>
      <header class="streaming-head">
        <h1>
          {platformLabel(platform)} {id}
        </h1>
        <StateMark status={status} />
        <span class="quiet streaming-destination">
          <Text value={destinationOf(integration)} />
        </span>
      </header>
      {mayWrite && <Actions integration={integration} status={status} onDone={onDone} />}
      <nav aria-label="Sides of this integration">
        <ul class="streaming-tabs">
          {(Object.keys(TABS) as Tab[]).map((name) => (
            <li key={name}>
              <a href={integrationUrl(id, name)} aria-current={name === tab ? "page" : undefined}>
                {TABS[name]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {tab === "status" && <StatusView status={status} />}
      {/* What was typed is gone when a change is stored, and stays when the same is read again. */}
      {tab === "settings" && <Settings key={integration.updated_at} integration={integration} mayWrite={mayWrite} onDone={onDone} />}
      {tab === "dead-letters" && <DeadLetters id={id} count={status.dead_lettered} mayWrite={mayWrite} onDone={onDone} />}
      {tab === "history" && <History id={id} />}
    </>
  );
}
