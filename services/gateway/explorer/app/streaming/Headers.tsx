/**
 * Headers of requests, a line each; stored they are a JSON object. The service shows of their values at most the scheme
 * (`Bearer ****`), and keeps what is sent back to it so.
 */

import { useState } from "preact/hooks";

interface Header {
  /** Tells lines apart while their names are typed. */
  readonly line: number;
  readonly name: string;
  readonly value: string;
  /** What the service shows of the stored value; null for a new header. */
  readonly shown: string | null;
}

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Headers({ value, onChange }: Props) {
  const [headers, setHeaders] = useState<readonly Header[]>(() => headersOf(value));
  const set = (next: readonly Header[]): void => {
    setHeaders(next);
    onChange(textOf(next));
  };
  const edit = (line: number, change: Partial<Header>): void =>
    set(headers.map((header) => (header.line === line ? { ...header, ...change } : header)));
  const add = (): void => set([...headers, { line: Math.max(-1, ...headers.map(({ line }) => line)) + 1, name: "", value: "", shown: null }]);
  return (
    <>
      <ul class="streaming-headers">
        {headers.map(({ line, name, value: typed, shown }, index) => (
          <li key={line}>
            <input
              type="text"
              aria-label={`Name of header ${index + 1}`}
              placeholder="Authorization"
              spellcheck={false}
              value={name}
              readOnly={shown !== null}
              onInput={(event) => edit(line, { name: event.currentTarget.value })}
            />
            <input
              type="password"
              autocomplete="new-password"
              aria-label={`Value of header ${index + 1}`}
              placeholder={shown === null ? "value" : `${shown}, stored`}
              value={typed}
              onInput={(event) => edit(line, { value: event.currentTarget.value })}
            />
            <button type="button" aria-label={`Remove header ${index + 1}`} onClick={() => set(headers.filter((header) => header.line !== line))}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="streaming-add" onClick={add}>
        Add a header
      </button>
    </>
  );
}

function headersOf(text: string): readonly Header[] {
  const stored: unknown = text === "" ? {} : JSON.parse(text);
  return Object.entries(stored as Record<string, string>).map(([name, shown], line) => ({ line, name, value: "", shown }));
}

/** Empty where there is none, so that the key is taken away. */
function textOf(headers: readonly Header[]): string {
  const named = headers.filter(({ name }) => name !== "");
  const kept = ({ value, shown }: Header): string => (value === "" ? (shown ?? "") : value);
  return named.length === 0 ? "" : JSON.stringify(Object.fromEntries(named.map((header) => [header.name, kept(header)])));
}
