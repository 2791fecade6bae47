/** The page of one family of events: filter, period, histogram, facets, the list or another view of it, and one event. */

import { useEffect, useRef, useState } from "preact/hooks";
import { usePlace } from "../router";
import { EventList } from "./EventList";
import { Facets } from "./Facets";
import { FilterLine } from "./FilterLine";
import type { FamilyPage } from "./family";
import { Histogram } from "./Histogram";
import { KeyMap, useKeys } from "./Keys";
import { Panel } from "./Panel";
import { type Change, changeQuestion, questionOf, selectionOf } from "./question";
import type { TableHandle } from "./Table";
import { excluding, including } from "./terms";
import { TimePicker } from "./TimePicker";
import { Tools } from "./Tools";
import { useFields } from "./useFields";
import { useListing } from "./useListing";
import { useLive } from "./useLive";
import "./explore.css";

/** How often counts are asked again while events arrive. */
const COUNTED_EACH_MS = 10_000;

export function Explore({ page }: { page: FamilyPage }) {
  const { path, query } = usePlace();
  const question = questionOf(query);
  const { q, live: isLive, id } = question;
  const fields = useFields(page.family);
  const [round, setRound] = useState(0);
  const [isMapOpen, setIsMapOpen] = useState(false);
  const table = useRef<TableHandle>(null);

  const view = page.views.find(({ name }) => name === question.view);
  const isList = view === undefined;
  const selection = selectionOf(question);
  const listing = useListing(page.family, isList && !isLive ? selection : null, round);
  const live = useLive(page.family, isList && isLive ? selection : null);
  const rows = isLive ? live : listing;

  useEffect(() => {
    // Counts follow what arrives, but not those of reads: the page's own would bring the next.
    if (live === null || question.reads) {
      return undefined;
    }
    let counted = live.arrived;
    const timer = setInterval(() => {
      if (live.arrived !== counted) {
        counted = live.arrived;
        setRound((before) => before + 1);
      }
    }, COUNTED_EACH_MS);
    return () => clearInterval(timer);
  }, [live, question.reads]);

  const change = (change: Change): void => changeQuestion(path, question, change);
  const onTerm = (term: string, isExcluded: boolean): void => change({ q: isExcluded ? excluding(q, term) : including(q, term) });
  const ask = (asked: string): void => (asked === q ? setRound(round + 1) : change({ q: asked }));
  const close = (): void => {
    change({ id: "" });
    table.current?.focus();
  };

  useKeys({
    j: () => table.current?.move(1),
    k: () => table.current?.move(-1),
    Enter: () => table.current?.openActive(),
    Escape: () => id !== "" && close(),
    "/": () => document.getElementById("filter")?.focus(),
    "?": () => setIsMapOpen(true),
    p: () => live?.pause(!live.isPaused),
    r: () => setRound(round + 1),
  });

  const problem = isLive ? (live?.connection.is === "ended" ? live.connection.problem : null) : (listing?.problem ?? null);
  const isMistake = problem?.member?.name === "q";
  const Other = view?.component;
  return (
    <div class={`explore${id === "" ? "" : " explore-open"}`}>
      <h1 class="unseen">{page.title}</h1>
      <div class="explore-top">
        <FilterLine page={page} q={q} problem={isMistake ? problem : null} onAsk={ask} />
        <div class="explore-controls">
          <TimePicker question={question} onChange={change} />
          <button type="button" aria-label="Ask again" title="Ask again (r)" onClick={() => setRound(round + 1)}>
            ⟳
          </button>
          <button type="button" aria-pressed={isLive} onClick={() => change({ live: !isLive, view: "" })}>
            Live
          </button>
        </div>
      </div>
      <details class="explore-side" open={matchMedia("(min-width: 900px)").matches}>
        <summary>Facets</summary>
        <Facets page={page} question={question} fields={fields} round={round} onTerm={onTerm} onChange={change} />
      </details>
      <div class="explore-main">
        <Histogram
          page={page}
          question={question}
          split={question.split === "" ? page.split : question.split}
          round={round}
          onZoom={(from, to) => change({ from, to, live: false })}
          onTerm={onTerm}
        />
        <Tools page={page} question={question} fields={fields} onChange={change} onKeys={() => setIsMapOpen(true)} />
        {Other !== undefined ? (
          <Other question={question} round={round} onTerm={onTerm} onChange={change} />
        ) : (
          <EventList
            page={page}
            question={question}
            rows={rows}
            listing={listing}
            live={live}
            problem={problem}
            table={table}
            onTerm={onTerm}
            onChange={change}
            onRetry={() => setRound(round + 1)}
          />
        )}
      </div>
      {id !== "" && (
        <Panel page={page} question={question} item={rows?.find(id) ?? null} onTerm={onTerm} onOpen={(other) => change({ id: other })} onClose={close} />
      )}
      {isMapOpen && <KeyMap onClose={() => setIsMapOpen(false)} />}
    </div>
  );
}
