/** What can be done with what is asked: seen in another way, by other columns, exported, saved. */

import type { Field } from "../api/events";
import { Columns } from "./Columns";
import { Export } from "./Export";
import type { FamilyPage } from "./family";
import type { Change, Question } from "./question";
import { Searches } from "./Searches";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly fields: readonly Field[];
  readonly onChange: (change: Change) => void;
  readonly onKeys: () => void;
}

export function Tools({ page, question, fields, onChange, onKeys }: Props) {
  const columns = question.columns.length > 0 ? question.columns : page.columns;
  const split = question.split === "" ? page.split : question.split;
  return (
    <div class="explore-tools">
      {page.views.length > 0 && (
        <div role="group" aria-label="Seen as" class="explore-views">
          {[{ name: "", title: "Records" }, ...page.views].map(({ name, title }) => (
            <button type="button" key={name} aria-pressed={question.view === name} onClick={() => onChange({ view: name, live: false })}>
              {title}
            </button>
          ))}
        </div>
      )}
      <label>
        Split by
        <select value={split} onChange={(event) => onChange({ split: event.currentTarget.value })}>
          {(fields.length === 0 ? [{ name: split, countable: true }] : fields)
            .filter(({ countable }) => countable)
            .map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </select>
      </label>
      {page.merges ? (
        <label>
          <input type="checkbox" checked={question.merge} onChange={() => onChange({ merge: !question.merge })} />
          One row for a flow
        </label>
      ) : (
        <label>
          <input type="checkbox" checked={question.reads} onChange={() => onChange({ reads: !question.reads })} />
          Reads, too
        </label>
      )}
      <span class="explore-gap" />
      <Columns columns={columns} fields={fields} usual={page.columns} onChange={(chosen) => onChange({ columns: chosen })} />
      <Export page={page} question={question} />
      <Searches page={page} question={question} onChange={onChange} />
      <button type="button" aria-label="Keys" title="Keys (?)" onClick={onKeys}>
        ?
      </button>
    </div>
  );
}
