/** The cells of one event. */

import type { Item } from "../api/events";
import { bytes, exact } from "../ui/numbers";
import { Text, visible } from "../ui/Text";
import { type FamilyPage, textOf, valueOf } from "./family";
import type { Zone } from "./question";
import { term } from "./terms";
import { moment } from "./time";

interface Props {
  readonly page: FamilyPage;
  readonly item: Item;
  readonly columns: readonly string[];
  readonly zone: Zone;
  /** The column whose cell takes the focus; null: none of this row. */
  readonly focusable: number | null;
}

const BYTES = new Set(["bytes", "rx_bytes", "tx_bytes"]);
const TIMES = new Set(["time", "received", "window_start", "window_end"]);
const NUMBERS = new Set([...BYTES, "packets", "rx_packets", "tx_packets", "starts", "ends", "drops", "latency_ms"]);

export function isNumber(field: string): boolean {
  return NUMBERS.has(field);
}

export function Cells({ page, item, columns, zone, focusable }: Props) {
  return (
    <>
      {columns.map((field, index) => {
        const value = valueOf(page, item, field);
        const meant = termOf(field, value);
        return (
          <div
            role="gridcell"
            key={field}
            aria-colindex={index + 1}
            tabIndex={index === focusable ? 0 : -1}
            data-column={index}
            data-term={meant}
            class={`${isNumber(field) ? "table-number " : ""}${toneOf(field, value)}`}
          >
            <span class="table-value" title={meant === undefined ? undefined : visible(meant)}>
              <Text value={shown(field, value, zone)} />
            </span>
          </div>
        );
      })}
    </>
  );
}

/** The term for events with the same; undefined where a value is no single one, or a click is to open the event. */
function termOf(field: string, value: unknown): string | undefined {
  const single = Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
  const text = textOf(single);
  return TIMES.has(field) || text === null || typeof single === "object" ? undefined : term(field, text);
}

function shown(field: string, value: unknown, zone: Zone): string {
  const text = textOf(value);
  if (text === null) {
    return "–";
  }
  if (TIMES.has(field)) {
    return moment(text, zone);
  }
  if (typeof value === "number") {
    return BYTES.has(field) ? bytes(value) : isNumber(field) ? exact(value) : text;
  }
  return text;
}

/** A colour for how it ended; the word says the same. */
function toneOf(field: string, value: unknown): string {
  if (field !== "status" && field !== "type") {
    return "";
  }
  const text = textOf(value) ?? "";
  return /fail|error|denied|drop/.test(text) ? "table-bad" : "";
}
