/**
 * Counts by time, split by a field. A pointer drawn across it zooms; with keys, arrows move from bucket to bucket, with
 * Shift they span several, and Enter zooms.
 */

import { useEffect, useRef, useState } from "preact/hooks";
import { type Histogram as Counts, histogram } from "../api/events";
import { counted, exact, rough } from "../ui/numbers";
import { ProblemView } from "../ui/ProblemView";
import { Text, visible } from "../ui/Text";
import { useAnswer } from "../ui/useAnswer";
import { type Layer, draw } from "./chart";
import type { FamilyPage } from "./family";
import { type Question, selectionOf } from "./question";
import { useScheme } from "./scheme";
import { term } from "./terms";
import { shortMoment, span } from "./time";
import "./histogram.css";

interface Props {
  readonly page: FamilyPage;
  readonly question: Question;
  readonly split: string;
  /** Changes when the same is to be asked again. */
  readonly round: number;
  readonly onZoom: (from: string, to: string) => void;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
}

interface Part extends Omit<Layer, "colour"> {
  /** The variable of CSS that holds its colour. */
  readonly variable: string;
  readonly total: number;
  /** The term that means it; null where no term does. */
  readonly term: string | null;
}

export function Histogram({ page, question, split, round, onZoom, onTerm }: Props) {
  const { noun } = page;
  const selection = selectionOf(question);
  const key = JSON.stringify([selection, split, round]);
  const { answer, problem, isAsking } = useAnswer(key, (signal) => histogram(page.family, selection, split, signal));
  const [at, setAt] = useState<number | null>(null);
  const counts = answer?.value ?? null;
  useEffect(() => setAt(null), [counts]);
  // What is wrong with the filter is said at the filter.
  const isOwn = problem !== null && problem.status !== 400;
  const zoom = (first: number, last: number): void => {
    const begin = counts?.buckets[first];
    const end = counts?.buckets[last];
    if (counts !== null && begin !== undefined && end !== undefined) {
      const to = new Date(new Date(end.time).getTime() + counts.width_ms - 1);
      onZoom(new Date(begin.time).toISOString(), to.toISOString());
    }
  };
  const parts = counts === null ? [] : partsOf(counts, page);
  return (
    <section class="histogram" aria-label={`Number of ${noun}s by time`} aria-busy={isAsking}>
      {isOwn && <ProblemView problem={problem} />}
      {counts !== null && <p class="unseen">{summary(counts, noun, question)}</p>}
      <p class="histogram-at" aria-hidden="true">
        {counts !== null && (at === null ? overview(counts, noun) : bucketText(counts, parts, at, question))}
      </p>
      {counts !== null && counts.buckets.length > 0 ? (
        <Chart counts={counts} parts={parts} question={question} at={at} onAt={setAt} onZoom={zoom} />
      ) : (
        <div class="histogram-chart" />
      )}
      <ul class="histogram-legend" aria-label={`Split by ${split}`}>
        {parts.map((part) => (
          <li key={part.label}>
            <span class="histogram-swatch" aria-hidden="true" style={{ background: `var(${part.variable})` }} />
            <LegendLabel part={part} onTerm={onTerm} />
            <span class="quiet">{rough(part.total)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function LegendLabel({ part, onTerm }: { part: Part } & Pick<Props, "onTerm">) {
  const { term: meant } = part;
  if (meant === null) {
    return <span>{part.label}</span>;
  }
  return (
    <button type="button" class="plain" title={`${visible(meant)}; with Alt: not`} onClick={(event) => onTerm(meant, event.altKey)}>
      <Text value={part.label} />
    </button>
  );
}

interface ChartProps {
  readonly counts: Counts;
  readonly parts: readonly Part[];
  readonly question: Question;
  readonly at: number | null;
  readonly onAt: (bucket: number | null) => void;
  readonly onZoom: (first: number, last: number) => void;
}

function Chart({ counts, parts, question, at, onAt, onZoom }: ChartProps) {
  const canvas = useRef<HTMLDivElement>(null);
  const [anchor, setAnchor] = useState<number | null>(null);
  const scheme = useScheme();
  useEffect(() => {
    const into = canvas.current;
    if (into === null) {
      return undefined;
    }
    const layers = parts.map((part) => ({ ...part, colour: getComputedStyle(into).getPropertyValue(part.variable) }));
    const times = counts.buckets.map(({ time }) => new Date(time).getTime());
    return draw(into, { times, widthMs: counts.width_ms, layers, zone: question.zone, onSelect: onZoom, onPoint: onAt });
  }, [counts, question.zone, scheme]);

  const last = counts.buckets.length - 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -last, End: last }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAnchor(event.shiftKey ? (anchor ?? at ?? 0) : null);
      onAt(Math.min(Math.max((at ?? (step > 0 ? -1 : last + 1)) + step, 0), last));
    } else if (event.key === "Enter" && at !== null) {
      event.preventDefault();
      onZoom(Math.min(anchor ?? at, at), Math.max(anchor ?? at, at));
    }
  };
  const spanned = anchor === null || at === null ? "" : `, ${Math.abs(anchor - at) + 1} bars spanned`;
  return (
    <div
      class="histogram-chart"
      role="slider"
      tabIndex={0}
      aria-label="Bar of the histogram; Enter zooms to it, with Shift arrows span several"
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at ?? 0}
      aria-valuetext={bucketText(counts, parts, at ?? 0, question) + spanned}
      onKeyDown={onKeyDown}
    >
      <div ref={canvas} class="histogram-canvas" />
      {at !== null && <Marker first={Math.min(anchor ?? at, at)} last={Math.max(anchor ?? at, at)} of={counts.buckets.length} />}
    </div>
  );
}

/** Shows which bars the keys are at: drawn over the canvas, between its axes. */
function Marker({ first, last, of }: { first: number; last: number; of: number }) {
  const style = { "--first": String(first / of), "--width": String((last - first + 1) / of) };
  return <div class="histogram-marker" style={style} />;
}

const OTHERS = "--series-6";

function partsOf({ split, buckets, total }: Counts, page: FamilyPage): Part[] {
  if (split === undefined || split === null) {
    return [{ label: "all", variable: "--series-1", counts: buckets.map(({ count }) => count), total, term: null }];
  }
  const named = split.values.map(({ value, count, counts }, index) => ({
    label: page.label(split.field, value),
    variable: `--series-${index + 1}`,
    counts,
    total: count,
    term: term(split.field, value),
  }));
  const { others, without } = split;
  const rest: Part[] = [
    { label: counted(others.values, "other value"), variable: OTHERS, counts: others.counts, total: others.count, term: null },
    { label: `no ${split.field}`, variable: OTHERS, counts: without.counts, total: without.count, term: term(split.field, null) },
  ];
  return [...named, ...rest.filter((part) => part.total > 0)];
}

function overview({ total, buckets, width_ms: width }: Counts, noun: string): string {
  return buckets.length === 0 ? counted(total, noun) : `${counted(total, noun)}, bars of ${span(width)}`;
}

function bucketText(counts: Counts, parts: readonly Part[], at: number, { zone }: Question): string {
  const bucket = counts.buckets[at];
  if (bucket === undefined) {
    return "";
  }
  const shares = parts.filter((part) => (part.counts[at] ?? 0) > 0).map((part) => `${visible(part.label)} ${exact(part.counts[at] ?? 0)}`);
  return [`${shortMoment(new Date(bucket.time), zone)}: ${exact(bucket.count)}`, ...shares].join(" · ");
}

function summary({ total, buckets, width_ms: width }: Counts, noun: string, { zone }: Question): string {
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (first === undefined || last === undefined) {
    return `No ${noun}s.`;
  }
  const most = buckets.reduce((best, bucket) => (bucket.count > best.count ? bucket : best));
  const when = (time: string): string => shortMoment(new Date(time), zone);
  return `${counted(total, noun)} from ${when(first.time)} to ${when(last.time)}, in bars of ${span(width)}; most, ${exact(most.count)}, from ${when(most.time)} on.`;
}
