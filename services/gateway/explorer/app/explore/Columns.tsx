/** Chooses which fields are columns, and in which order. */

import type { Field } from "../api/events";
import { Popover } from "../ui/Popover";

interface Props {
  readonly columns: readonly string[];
  readonly fields: readonly Field[];
  readonly usual: readonly string[];
  readonly onChange: (columns: readonly string[]) => void;
}

export function Columns({ columns, fields, usual, onChange }: Props) {
  const others = fields.filter(({ name }) => !columns.includes(name));
  const moved = (index: number): string[] => {
    const [before, column] = [columns[index - 1], columns[index]];
    return columns.map((one, at) => (at === index - 1 ? (column ?? one) : at === index ? (before ?? one) : one));
  };
  return (
    <Popover label="Columns" side="end">
      {() => (
        <>
          <ul class="columns">
            {columns.map((column, index) => (
              <li key={column}>
                <label>
                  <input
                    type="checkbox"
                    checked
                    disabled={columns.length === 1}
                    onChange={() => onChange(columns.filter((one) => one !== column))}
                  />
                  {column}
                </label>
                <button type="button" class="plain" disabled={index === 0} aria-label={`Move ${column} to the left`} onClick={() => onChange(moved(index))}>
                  ↑
                </button>
              </li>
            ))}
          </ul>
          <ul class="columns" aria-label="Not shown">
            {others.map(({ name, about }) => (
              <li key={name}>
                <label title={about}>
                  <input type="checkbox" checked={false} onChange={() => onChange([...columns, name])} />
                  {name}
                </label>
              </li>
            ))}
          </ul>
          <button type="button" onClick={() => onChange(usual)}>
            The usual ones
          </button>
        </>
      )}
    </Popover>
  );
}
