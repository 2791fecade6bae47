/** The head of the list, and one row of it. */

import { counted } from "../ui/numbers";
import { Cells, isNumber } from "./Cells";
import type { FamilyPage } from "./family";
import type { Zone } from "./question";
import type { Row } from "./rows";

export function Head({ columns }: { columns: readonly string[] }) {
  return (
    <div role="rowgroup" class="table-head">
      <div role="row" aria-rowindex={1} class="table-row">
        {columns.map((column, index) => (
          <div role="columnheader" key={column} aria-colindex={index + 1} class={isNumber(column) ? "table-number" : ""}>
            {column}
          </div>
        ))}
      </div>
    </div>
  );
}

interface Props {
  readonly page: FamilyPage;
  /** Null: it is on its way. */
  readonly row: Row | null;
  readonly index: number;
  /** Where it stands, in pixels below the head. */
  readonly start: number;
  readonly columns: readonly string[];
  readonly zone: Zone;
  /** Whether its event is shown beside the list. */
  readonly isOpen: boolean;
  /** The column whose cell takes the focus; null: the active row is another one. */
  readonly activeColumn: number | null;
}

export function TableRow({ page, row, index, start, columns, zone, isOpen, activeColumn }: Props) {
  return (
    <div
      role="row"
      data-row={index}
      // The head is the first row.
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      class={`table-row${activeColumn === null ? "" : " table-active"}`}
      style={{ transform: `translateY(${start}px)` }}
    >
      {row?.is === "event" ? (
        <Cells page={page} item={row.item} columns={columns} zone={zone} focusable={activeColumn} />
      ) : (
        <div role="gridcell" class="table-gap quiet">
          {row?.is === "overflow" ? `${counted(row.lost, page.noun)} came faster than they were shown` : "…"}
        </div>
      )}
    </div>
  );
}
