/** All members of an event with their values, those of parts by their paths. */

import type { Item } from "../api/events";
import { Text, visible } from "../ui/Text";
import type { FamilyPage } from "./family";
import { term } from "./terms";

interface Props {
  readonly page: FamilyPage;
  readonly item: Item;
  readonly onTerm: (term: string, isExcluded: boolean) => void;
}

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

export function FieldList({ page, item, onTerm }: Props) {
  return (
    <section class="panel-part" aria-label="Fields">
      <h3>Fields</h3>
      <dl class="panel-fields">
        {leaves(item, "").map(({ path, value }, index) => {
          const meant = termOf(page, path, value);
          const text = typeof value === "string" ? value : JSON.stringify(value);
          return (
            <div key={`${path} ${index}`}>
              <dt>
                <Text value={path} />
              </dt>
              <dd>
                <Text value={text} />
                {meant !== null && <Choose term={meant} onTerm={onTerm} />}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

function Choose({ term: meant, onTerm }: { term: string } & Pick<Props, "onTerm">) {
  const [only, not] = [`Only ${visible(meant)}`, `Not ${visible(meant)}`];
  return (
    <span class="panel-choose">
      <button type="button" class="plain" aria-label={only} title={only} onClick={() => onTerm(meant, false)}>
        +
      </button>
      <button type="button" class="plain" aria-label={not} title={not} onClick={() => onTerm(meant, true)}>
        −
      </button>
    </span>
  );
}

/** What is there: empty members say nothing. Elements of a list stand under its own path, as the language has them. */
function leaves(value: unknown, path: string): Leaf[] {
  if (value === null || value === "" || value === undefined) {
    return [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((element: unknown) => leaves(element, path));
  }
  if (typeof value === "object") {
    return Object.entries(value).flatMap(([name, part]) => leaves(part, path === "" ? name : `${path}.${name}`));
  }
  return [{ path, value }];
}

/** The term for events with the same; null where the language has no field for it. */
function termOf(page: FamilyPage, path: string, value: unknown): string | null {
  const field = page.fieldOf(path);
  return field === null ? null : term(field, String(value));
}
