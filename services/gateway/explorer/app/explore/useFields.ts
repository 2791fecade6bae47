/** The fields of the language. They are the same for everybody and all the time, and so asked for once. */

import { useEffect, useState } from "preact/hooks";
import { type Family, type Field, fields } from "../api/events";

const known = new Map<Family, Promise<readonly Field[]>>();

export function knownFields(family: Family): Promise<readonly Field[]> {
  const asked = known.get(family) ?? fields(family);
  known.set(family, asked);
  // A failure is not kept: the next who needs them asks again.
  asked.catch(() => known.delete(family));
  return asked;
}

/** None until they are there: what needs them can do without for a moment. */
export function useFields(family: Family): readonly Field[] {
  const [found, setFound] = useState<readonly Field[]>([]);
  useEffect(() => {
    knownFields(family).then(setFound, () => setFound([]));
  }, [family]);
  return found;
}
