/**
 * The events as a grid (https://www.w3.org/WAI/ARIA/apg/patterns/grid/), of which only the rows in view are there. A
 * click on a value filters by it, a click elsewhere in the row opens the event; keys do the same.
 */

import type { Ref } from "preact";
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useVirtual } from "../ui/useVirtual";
import type { FamilyPage } from "./family";
import type { Zone } from "./question";
import { type Rows, itemOf } from "./rows";
import { Head, TableRow } from "./TableRow";
import "./table.css";

/** What keys that work everywhere on the page do here. */
export interface TableHandle {
  move: (rows: number) => void;
  openActive: () => void;
  focus: () => void;
  toTop: () => void;
}

interface Props {
  readonly page: FamilyPage;
  readonly rows: Rows;
  /** How many rows there are in all; null: not known. */
  readonly total: number | null;
  readonly columns: readonly string[];
  readonly zone: Zone;
  readonly openId: string;
  readonly isAsking: boolean;
  readonly handle: Ref<TableHandle>;
  readonly onOpen: (id: string) => void;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
  readonly onShow: (first: number, last: number) => void;
}

const ROW = 30;

export function Table(props: Props) {
  const { page, rows, total, columns, zone, openId, isAsking, handle, onOpen, onTerm, onShow } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtual(scroller, rows.length, ROW, ROW);
  const [active, setActive] = useState({ row: 0, column: 0 });
  /** Whether the active cell is to have the focus once it is drawn. */
  const wantsFocus = useRef(false);
  const seen = virtual.getVirtualItems();
  const { startIndex: first, endIndex: last } = virtual.range ?? { startIndex: 0, endIndex: 0 };
  useEffect(() => onShow(first, last), [first, last, rows, rows.length]);
  useLayoutEffect(() => {
    if (wantsFocus.current) {
      const cell = scroller.current?.querySelector<HTMLElement>(`[data-row="${active.row}"] [data-column="${active.column}"]`);
      cell?.focus({ preventScroll: true });
      wantsFocus.current = cell === null || cell === undefined;
    }
  });

  const open = (row: number): void => {
    const item = itemOf(rows.at(row));
    if (item !== null) {
      onOpen(item.id);
    }
  };
  const moveTo = (row: number, column: number): void => {
    if (rows.length === 0) {
      return;
    }
    const next = { row: Math.min(Math.max(row, 0), rows.length - 1), column: Math.min(Math.max(column, 0), columns.length - 1) };
    wantsFocus.current = true;
    setActive(next);
    virtual.scrollToIndex(next.row, { align: "auto" });
    if (openId !== "" && next.row !== active.row) {
      open(next.row);
    }
  };
  useImperativeHandle(handle, () => ({
    move: (by) => moveTo(active.row + by, active.column),
    openActive: () => open(active.row),
    focus: () => moveTo(active.row, active.column),
    toTop: () => virtual.scrollToOffset(0),
  }));
  const choose = (cell: HTMLElement, isExcluded: boolean): void => {
    const { term } = cell.dataset;
    if (term !== undefined) {
      onTerm(term, isExcluded);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const cell = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-column]") : null;
    if (cell === null || event.ctrlKey || event.metaKey) {
      return;
    }
    const { row, column } = active;
    const view = Math.max(Math.floor((scroller.current?.clientHeight ?? 0) / ROW) - 2, 1);
    const moves: Record<string, () => void> = {
      ArrowDown: () => moveTo(row + 1, column),
      ArrowUp: () => moveTo(row - 1, column),
      ArrowRight: () => moveTo(row, column + 1),
      ArrowLeft: () => moveTo(row, column - 1),
      PageDown: () => moveTo(row + view, column),
      PageUp: () => moveTo(row - view, column),
      Home: () => moveTo(row, 0),
      End: () => moveTo(row, columns.length - 1),
      Enter: () => open(row),
      f: () => choose(cell, false),
      x: () => choose(cell, true),
    };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      move();
    }
  };
  const onClick = (event: MouseEvent): void => {
    const target = event.target instanceof HTMLElement ? event.target : null;
    const row = Number(target?.closest<HTMLElement>("[data-row]")?.dataset["row"] ?? Number.NaN);
    const cell = target?.closest<HTMLElement>("[data-column]") ?? null;
    // Text that is being selected is to be copied.
    if (Number.isNaN(row) || getSelection()?.type === "Range") {
      return;
    }
    setActive({ row, column: Number(cell?.dataset["column"] ?? 0) });
    if (cell?.dataset["term"] !== undefined && target?.closest(".table-value") !== null) {
      choose(cell, event.altKey);
    } else {
      open(row);
    }
  };
  const template = columns.map((column) => page.widths[column] ?? "minmax(8rem, 1fr)").join(" ");
  return (
    <div
      ref={scroller}
      class="table"
      role="grid"
      aria-label={`${page.title} ${page.noun}s`}
      aria-rowcount={total === null ? -1 : total + 1}
      aria-colcount={columns.length}
      aria-busy={isAsking}
      // Without a cell that takes the focus, whoever uses keys could not scroll to its columns.
      tabIndex={rows.length === 0 ? 0 : undefined}
      onKeyDown={onKeyDown}
      onClick={onClick}
    >
      <div class="table-inner" role="presentation" style={{ "--columns": template }}>
        <Head columns={columns} />
        <div role="rowgroup" class="table-body" style={{ height: `${virtual.getTotalSize()}px` }}>
          {seen.map(({ index, start }) => {
            const row = rows.at(index);
            return (
              <TableRow
                key={index}
                page={page}
                row={row}
                index={index}
                start={start}
                columns={columns}
                zone={zone}
                isOpen={openId !== "" && itemOf(row)?.id === openId}
                activeColumn={index === active.row ? active.column : null}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
