/** Draws stacked bars of counts by time with uPlot, on a canvas that nothing but the eye and the pointer can read. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Zone } from "./question";
import { tickLabels } from "./time";

export interface Layer {
  readonly label: string;
  /** A colour of CSS. */
  readonly colour: string;
  /** One for each bucket. */
  readonly counts: readonly number[];
}

export interface Drawing {
  /** When each bucket begins, in milliseconds since 1970. */
  readonly times: readonly number[];
  readonly widthMs: number;
  /** From the bottom of the stack to its top. */
  readonly layers: readonly Layer[];
  readonly zone: Zone;
  /** The first and the last bucket that a pointer was drawn across. */
  readonly onSelect: (first: number, last: number) => void;
  /** The bucket under the pointer; null: none. */
  readonly onPoint: (bucket: number | null) => void;
}

const HEIGHT = 140;

/** Draws into an element; the answer takes the drawing away again. */
export function draw(into: HTMLElement, drawing: Drawing): () => void {
  const { times, widthMs, layers, zone, onSelect, onPoint } = drawing;
  const first = times[0] ?? 0;
  const end = (times.at(-1) ?? 0) + widthMs;
  const bucketOf = (seconds: number): number => Math.min(Math.max(Math.floor((seconds * 1000 - first) / widthMs), 0), times.length - 1);
  const colour = (name: string): string => getComputedStyle(into).getPropertyValue(name);
  const axis = { stroke: colour("--quiet"), ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const bars = uPlot.paths.bars?.({ size: [0.92, Number.POSITIVE_INFINITY, 1], align: 1 });

  const plot = new uPlot(
    {
      width: into.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      padding: [6, 8, 0, 0],
      tzDate: (seconds) => (zone === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { range: [first / 1000, end / 1000] }, y: { range: (_plot, _low, high) => [0, Math.max(high * 1.05, 1)] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 36,
          space: 84,
          values: (_plot, ticks, _axis, _space, step) => tickLabels(ticks, step, zone),
        },
        { ...axis, grid: { stroke: colour("--line"), width: 1 }, size: 52, incrs: WHOLE, values: (_plot, ticks) => ticks.map(tick) },
      ],
      // The whole stack is drawn first, and then over it what is below its top layer, and so on.
      series: [
        {},
        ...[...layers].reverse().map((layer) => ({
          fill: layer.colour,
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars }),
        })),
      ],
      hooks: {
        setCursor: [({ cursor, posToVal }) => onPoint(cursor.left === undefined || cursor.left < 0 ? null : bucketOf(posToVal(cursor.left, "x")))],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width > 2) {
              onSelect(bucketOf(chart.posToVal(left, "x")), bucketOf(chart.posToVal(left + width, "x")));
            }
          },
        ],
      },
    },
    [times.map((time) => time / 1000), ...stacked(layers).reverse()],
    into,
  );
  const resized = new ResizeObserver(() => plot.setSize({ width: into.clientWidth, height: HEIGHT }));
  resized.observe(into);
  return () => {
    resized.disconnect();
    plot.destroy();
  };
}

/** Counts are whole: an axis with halves would be of something else. */
const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

const short = new Intl.NumberFormat("en", { notation: "compact" });
const tick = (value: number): string => short.format(value);

/** Each layer with all that is below it. */
function stacked(layers: readonly Layer[]): number[][] {
  let below: readonly number[] = [];
  return layers.map(({ counts }) => {
    const sums = counts.map((count, bucket) => count + (below[bucket] ?? 0));
    below = sums;
    return sums;
  });
}
