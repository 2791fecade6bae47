/** The events themselves: those of the log that match, or those that arrive, with what is to be said of them. */

import type { RefObject } from "preact";
import type { Problem } from "../api/problem";
import { ProblemView } from "../ui/ProblemView";
import { Empty } from "./Empty";
import type { FamilyPage } from "./family";
import { Foot } from "./Foot";
import { LiveBar } from "./LiveBar";
import type { Listing } from "./listing";
import type { Live } from "./live";
import type { Change, Question } from "./question";
import type { Rows } from "./rows";
import { Table, type TableHandle } from "./Table";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly rows: Rows | null;
  readonly listing: Listing | null;
  readonly live: Live | null;
  readonly problem: Problem | null;
  readonly table: RefObject<TableHandle | null>;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
  readonly onChange: (change: Change) => void;
  readonly onRetry: () => void;
}

const NONE: Rows = { length: 0, at: () => null, find: () => null };

export function EventList({ page, question, rows, listing, live, problem, table, onTerm, onChange, onRetry }: Props) {
  // What is wrong with the filter is said at the filter.
  const isMistake = problem?.member?.name === "q";
  const isEmpty = listing !== null && listing.length === 0 && problem === null && !listing.isStopped;
  const take = (): void => {
    live?.take();
    table.current?.toTop();
  };
  return (
    <>
      {live !== null && <LiveBar live={live} noun={page.noun} onTake={take} />}
      {problem !== null && !isMistake && live === null && <ProblemView problem={problem} onRetry={onRetry} />}
      {isEmpty ? (
        <Empty page={page} question={question} onChange={onChange} />
      ) : (
        <Table
          key={page.family}
          page={page}
          rows={rows ?? NONE}
          total={listing?.total ?? live?.length ?? null}
          columns={question.columns.length > 0 ? question.columns : page.columns}
          zone={question.zone}
          openId={question.id}
          isAsking={listing?.isAsking ?? live === null}
          handle={table}
          onOpen={(id) => onChange({ id })}
          onTerm={onTerm}
          onShow={(first, last) => {
            listing?.show(first, last);
            live?.hold(first > 0);
          }}
        />
      )}
      {live === null && <Foot page={page} listing={listing} />}
    </>
  );
}
