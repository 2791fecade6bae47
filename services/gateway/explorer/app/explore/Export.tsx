/** Downloads all that the question is about, as one file. */

import { type Format, exportUrl } from "../api/events";
import { Popover } from "../ui/Popover";
import type { FamilyPage } from "./family";
import { type Question, selectionOf } from "./question";

const FORMATS: readonly [Format, string][] = [
  ["csv", "CSV, for spreadsheets"],
  ["ndjson", "NDJSON, an event in each line"],
  ["parquet", "Parquet, typed columns"],
];

export function Export({ page, question }: { page: FamilyPage; question: Question }) {
  return (
    <Popover label="Export" side="end">
      {(close) => (
        <>
          <p class="quiet">All that matches, newest first, as of the moment it begins.</p>
          {question.merge && <p>An export has each reporter’s record: rows are not merged in it.</p>}
          {FORMATS.map(([format, label]) => (
            <a
              key={format}
              class="button"
              href={exportUrl(page.family, selectionOf(question), format)}
              download={`${page.family}.${format}`}
              onClick={close}
            >
              {label}
            </a>
          ))}
        </>
      )}
    </Popover>
  );
}
