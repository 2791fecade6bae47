/** What a change changed, before and after. */

import type { Item } from "../api/events";
import { Text } from "../ui/Text";
import { type Difference, differenceOf } from "./difference";

export function Changed({ item }: { item: Item }) {
  const differences = differenceOf(item);
  if (differences === null) {
    return null;
  }
  return (
    <section class="panel-part" aria-label="What changed">
      <h3>What changed</h3>
      {differences.length === 0 ? (
        <p class="quiet">Before and after are the same.</p>
      ) : (
        <table class="panel-changed">
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
      )}
    </section>
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
