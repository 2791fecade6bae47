/** The terms of the filter that is asked, each with a way to take it away. */

import { Text, visible } from "../ui/Text";
import { termsOf, without } from "./terms";

export function Chips({ q, onAsk }: { q: string; onAsk: (q: string) => void }) {
  const terms = termsOf(q);
  if (terms.length === 0) {
    return null;
  }
  return (
    <ul class="filter-chips" aria-label="Terms of the filter">
      {terms.map((term, index) => (
        <li key={`${index} ${term}`}>
          <Text value={term} />
          <button type="button" class="plain" aria-label={`Remove ${visible(term)}`} onClick={() => onAsk(without(q, index))}>
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
