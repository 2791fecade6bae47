/** Saved searches: those that the reader sees, and a way to save the present question as one. */

import { useState } from "preact/hooks";
import { asProblem } from "../api/problem";
import { type SavedSearch, deleteSearch, saveSearch, searches, shareSearch } from "../api/searches";
import { useSession } from "../shell/session";
import { notify } from "../ui/notice";
import { Popover } from "../ui/Popover";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import type { FamilyPage } from "./family";
import type { Change, Question } from "./question";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly onChange: (change: Change) => void;
}

export function Searches(props: Props) {
  return (
    <Popover label="Searches" side="end">
      {(close) => (
        <SearchList
          {...props}
          onChange={(change) => {
            props.onChange(change);
            close();
          }}
        />
      )}
    </Popover>
  );
}

function SearchList({ page, question, onChange }: Props) {
  const [round, setRound] = useState(0);
  const { answer, problem } = useAnswer(`${page.family} ${round}`, (signal) => searches(page.family, signal));
  const act = (action: Promise<unknown>, done: string): void => {
    action
      .then(() => {
        notify(done);
        setRound((before) => before + 1);
      })
      .catch((thrown: unknown) => notify(asProblem(thrown).message));
  };
  return (
    <>
      {problem !== null && <ProblemView problem={problem} />}
      {answer?.length === 0 && <p class="quiet">None is saved yet.</p>}
      <ul class="searches" aria-label="Saved searches">
        {answer?.map((search) => (
          <Line key={search.id} search={search} onChange={onChange} act={act} />
        ))}
      </ul>
      <Save page={page} question={question} act={act} />
    </>
  );
}

type Act = (action: Promise<unknown>, done: string) => void;

function Line({ search, onChange, act }: { search: SavedSearch; onChange: Props["onChange"]; act: Act }) {
  const { user, scopes } = useSession();
  const isMine = search.owner.id === user.id || scopes.includes("admin");
  const { id, name, q, from, to, columns, shared } = search;
  const apply = (): void => onChange({ q, from: from ?? "", to: to ?? "", columns: columns ?? [], live: false, id: "" });
  return (
    <li>
      <button type="button" class="plain searches-name" onClick={apply}>
        <Text value={name} />
        <span class="quiet mono">
          <Text value={q === "" ? "everything" : q} />
        </span>
      </button>
      {isMine && (
        <>
          <label class="quiet">
            <input type="checkbox" checked={shared} onChange={() => act(shareSearch(id, !shared), shared ? "Now private." : "Now shared.")} />
            shared
          </label>
          <button type="button" class="plain" aria-label={`Delete ${visible(name)}`} onClick={() => act(deleteSearch(id), "Deleted.")}>
            ×
          </button>
        </>
      )}
    </li>
  );
}

function Save({ page, question: { q, from, to, columns }, act }: { page: FamilyPage; question: Question; act: Act }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const entered = new FormData(form);
    const content = {
      name: String(entered.get("name") ?? "").trim(),
      q,
      from: from === "" ? null : from,
      to: to === "" ? null : to,
      columns: columns.length === 0 ? null : columns,
      shared: entered.get("shared") !== null,
    };
    act(
      saveSearch(page.family, content).then(() => form.reset()),
      "Saved.",
    );
  };
  return (
    <form class="searches-save" onSubmit={submit}>
      <label>
        Save what is asked now as
        <input name="name" required maxLength={100} autocomplete="off" />
      </label>
      <label class="searches-shared">
        <input type="checkbox" name="shared" /> Others in the account see it, too
      </label>
      <button type="submit">Save</button>
    </form>
  );
}
