/** Values before and after a change, side by side. */

import { Text } from "./Text";
import "./difference.css";

export interface Difference {
  readonly path: string;
  /** Undefined: it was not there. */
  readonly before: unknown;
  /** Undefined: it is there no more. */
  readonly after: unknown;
}

export function DifferenceTable({ differences }: { differences: readonly Difference[] }) {
  return (
    <table class="differences">
      <thead>
        <tr>
          <th scope="col">field</th>
          <th scope="col">before</th>
          <th scope="col">after</th>
        </tr>
      </thead>
      <tbody>
        {differences.map((difference) => (
          <Line key={difference.path} {...difference} />
        ))}
      </tbody>
    </table>
  );
}

function Line({ path, before, after }: Difference) {
  return (
    <tr>
      <th scope="row">
        <Text value={path === "" ? "value" : path} />
      </th>
      <td>{before === undefined ? <span class="quiet">not there</span> : <del><Text value={written(before)} /></del>}</td>
      <td>{after === undefined ? <span class="quiet">gone</span> : <ins><Text value={written(after)} /></ins>}</td>
    </tr>
  );
}

const written = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
