/** One event, beside the list: all that it says, what it changed, and what happened around it. */

import { useEffect, useRef } from "preact/hooks";
import { type Item, one, onePath } from "../api/events";
import { copy } from "../ui/copy";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import { Around, Tied } from "./Around";
import { Changed } from "./Changed";
import { FieldList } from "./FieldList";
import type { FamilyPage } from "./family";
import { indented } from "./json";
import type { Question } from "./question";
import { moment } from "./time";
import "./panel.css";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  /** The event as the list has it; null where it is not there. */
  readonly item: Item | null;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}

export function Panel({ page, question, item, onTerm, onOpen, onClose }: Props) {
  const { id, zone } = question;
  const { answer, problem } = useAnswer(id, (signal) => one(page.family, id, signal));
  const body = useRef<HTMLDivElement>(null);
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    body.current?.scrollTo(0, 0);
    // Where there is no room beside the list, the panel stands over it: the focus must not stay beneath.
    if (matchMedia("(max-width: 1200px)").matches) {
      close.current?.focus();
    }
  }, [id]);
  // The answer before is that of another event.
  const asked = answer !== null && answer.item.id === id ? answer : null;
  const shown = asked?.item ?? (item?.id === id ? item : null);
  const text = asked?.text ?? (shown === null ? null : JSON.stringify(shown));
  return (
    <aside class="panel" aria-label={`The ${page.noun} that is open`}>
      <header class="panel-head">
        <h2>{shown === null ? <Text value={id} /> : <Text value={page.headline(shown)} />}</h2>
        <button ref={close} type="button" onClick={onClose}>
          Close <kbd aria-hidden="true">Esc</kbd>
        </button>
        <p class="quiet">{shown !== null && moment(shown.time, zone)}</p>
      </header>
      <div class="panel-body" ref={body}>
        {problem !== null && shown === null && <ProblemView problem={problem} />}
        {shown !== null && text !== null && (
          <>
            <div class="panel-actions">
              <button type="button" onClick={() => copy(indented(text), "JSON")}>
                Copy JSON
              </button>
              <button type="button" onClick={() => copy(curlOf(page, id), "Command")}>
                Copy as curl
              </button>
              <button type="button" onClick={() => copy(permalink(question), "Link")}>
                Copy link
              </button>
            </div>
            <Changed item={shown} />
            <FieldList page={page} item={shown} onTerm={onTerm} />
            <Tied page={page} question={question} item={shown} onOpen={onOpen} />
            <Around page={page} question={question} item={shown} onOpen={onOpen} />
            <details class="panel-part">
              <summary>Raw</summary>
              <pre class="panel-raw" tabIndex={0}>
                {indented(text).split("\n").map(visible).join("\n")}
              </pre>
            </details>
          </>
        )}
      </div>
    </aside>
  );
}

/** A link to this event alone, whatever else is asked. */
function permalink({ id, zone }: Question): string {
  const query = new URLSearchParams({ id, ...(zone === "utc" ? { zone } : {}) });
  return `${location.origin}${location.pathname}?${query.toString()}`;
}

/** A command for a shell. The token is named by a variable: the page does not know it, and nobody should paste it. */
function curlOf(page: FamilyPage, id: string): string {
  return `curl -H "Authorization: Token $FLOWTRAIL_TOKEN" '${location.origin}${onePath(page.family, id)}'`;
}
