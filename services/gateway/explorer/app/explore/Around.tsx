/** What happened around an event: before and after it, and what belongs to the same request or flow. */

import { type Item, type Selection, list } from "../api/events";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import { type FamilyPage, textOf, valueOf } from "./family";
import { type Question, changedUrl, selectionOf } from "./question";
import { term } from "./terms";
import { moment } from "./time";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly item: Item;
  readonly onOpen: (id: string) => void;
}

const EACH = 5;
const TIED = 20;

/** The next events of the whole log in time, whatever the filter is. */
export function Around({ page, question, item, onOpen }: Props) {
  const selection: Selection = { q: "", from: "", to: "", reads: selectionOf(question).reads };
  // The event itself is at the end of both periods.
  const limit = EACH + 1;
  const { answer } = useAnswer(item.id, async (signal) => {
    const [before, after] = await Promise.all([
      list(page.family, { ...selection, to: item.time }, { limit }, signal),
      list(page.family, { ...selection, from: item.time }, { limit, order: "time" }, signal),
    ]);
    const others = (items: readonly Item[]): Item[] => items.filter(({ id }) => id !== item.id).slice(0, EACH);
    const earlier = others(before.value.items);
    const later = others(after.value.items).filter(({ id }) => earlier.every((other) => other.id !== id));
    return [...later.reverse(), item, ...earlier];
  });
  return (
    <section class="panel-part" aria-label="Before and after">
      <h3>Before and after</h3>
      <Lines page={page} question={question} items={answer ?? []} present={item.id} onOpen={onOpen} />
    </section>
  );
}

/** Events that have the same id of a request, a session or a flow. */
export function Tied({ page, question, item, onOpen }: Props) {
  const ties = page.ties.flatMap((field) => {
    const text = textOf(valueOf(page, item, field));
    return text === null ? [] : [term(field, text)];
  });
  return (
    <>
      {ties.map((tie) => (
        <OfTie key={tie} tie={tie} page={page} question={question} item={item} onOpen={onOpen} />
      ))}
    </>
  );
}

function OfTie({ tie, page, question, item, onOpen }: Props & { tie: string }) {
  const { answer } = useAnswer(tie, (signal) => list(page.family, { q: tie, from: "", to: "" }, { limit: TIED }, signal));
  const items = answer?.value.items ?? [];
  const all = changedUrl(location.pathname, question, { q: tie, from: "", to: "", live: false, view: "" });
  return (
    <section class="panel-part" aria-label={`With ${visible(tie)}`}>
      <h3>
        <a href={all}>
          <Text value={tie} />
        </a>
      </h3>
      {answer !== null && items.length < 2 ? (
        <p class="quiet">No other {page.noun} has it.</p>
      ) : (
        <Lines page={page} question={question} items={items} present={item.id} onOpen={onOpen} />
      )}
    </section>
  );
}

interface LinesProps extends Omit<Props, "item"> {
  readonly items: readonly Item[];
  readonly present: string;
}

function Lines({ page, question, items, present, onOpen }: LinesProps) {
  return (
    <ol class="panel-lines">
      {items.map((item) => (
        <li key={item.id} aria-current={item.id === present ? "true" : undefined}>
          <button type="button" class="plain" disabled={item.id === present} onClick={() => onOpen(item.id)}>
            <span class="quiet">{moment(item.time, question.zone)}</span> <Text value={page.headline(item)} />
          </button>
        </li>
      ))}
    </ol>
  );
}
