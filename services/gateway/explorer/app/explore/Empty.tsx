/** What to do where nothing matches: ask for less, or publish a first event. */

import { copy } from "../ui/copy";
import { Text } from "../ui/Text";
import type { FamilyPage } from "./family";
import type { Change, Question } from "./question";
import { period } from "./time";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly onChange: (change: Change) => void;
}

export function Empty({ page, question, onChange }: Props) {
  const { q, from, to, zone } = question;
  if (q === "" && from === "" && to === "") {
    return <FirstEvent page={page} />;
  }
  return (
    <div class="explore-empty">
      <h2>No {page.noun} matches</h2>
      {q !== "" && (
        <p>
          The filter is <code><Text value={q} /></code>.{" "}
          <button type="button" onClick={() => onChange({ q: "" })}>
            Ask without it
          </button>
        </p>
      )}
      {(from !== "" || to !== "") && (
        <p>
          The period is {period(from, to, zone)}.{" "}
          <button type="button" onClick={() => onChange({ from: "", to: "" })}>
            Ask for all time
          </button>
        </p>
      )}
    </div>
  );
}

function FirstEvent({ page }: { page: FamilyPage }) {
  const command = `curl -H "Authorization: Token $FLOWTRAIL_TOKEN" ${location.origin}${page.publishPath} \\\n     -d '${JSON.stringify(page.example)}'`;
  return (
    <div class="explore-empty">
      <h2>Nothing was published yet</h2>
      <p>A first {page.noun} is one command away; with Live on, it appears here at once:</p>
      <pre tabIndex={0}>{command}</pre>
      <button type="button" onClick={() => copy(command, "Command")}>
        Copy
      </button>
      <p class="quiet">
        The token is in <code>admin.token</code> in the data folder, if nobody gave you another one. Sample events of real logs come with{" "}
        <code>flowtrail up --demo</code>.
      </p>
    </div>
  );
}
