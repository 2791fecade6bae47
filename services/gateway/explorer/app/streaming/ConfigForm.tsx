/** The form of an integration's configuration: a field for each of the platform's keys. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Config } from "../api/integrations";
import { type Problem, asProblem } from "../api/problem";
import { ProblemView } from "../ui/ProblemView";
import { type Typed, beginning, changesOf, mistakeOf, storedKey } from "./config";
import { FieldInput } from "./FieldInput";
import type { Field, Platform } from "./platforms";

interface Props {
  readonly platform: Platform;
  /** What is stored; empty for a new integration. */
  readonly config: Config;
  readonly enabled: boolean;
  readonly mayWrite: boolean;
  readonly submitLabel: string;
  readonly onSubmit: (changes: Config, enabled: boolean) => Promise<void>;
}

export function ConfigForm({ platform, config, enabled, mayWrite, submitLabel, onSubmit }: Props) {
  const { fields } = platform;
  const [typed, setTyped] = useState(() => beginning(fields, config));
  const [isEnabled, setIsEnabled] = useState(enabled);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const mistake = mistakeOf(problem, fields);

  useEffect(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus(), [problem]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setIsBusy(true);
    setProblem(null);
    onSubmit(changesOf(fields, config, typed), isEnabled)
      .catch((thrown: unknown) => setProblem(asProblem(thrown)))
      .finally(() => setIsBusy(false));
  };
  const input = (field: Field) => (
    <FieldInput
      key={field.key}
      field={field}
      value={typed.values[field.key] ?? ""}
      isStored={storedKey(field, config) in config}
      isRemoved={typed.removed.has(field.key)}
      mistake={mistake?.key === field.key ? mistake.reason : null}
      onChange={(value) => setTyped((before) => withValue(before, field.key, value))}
      onRemove={() => setTyped((before) => withRemoved(before, field.key))}
    />
  );
  const rare = fields.filter((field) => field.isRare);
  const isRareOpen = rare.some((field) => storedKey(field, config) in config || mistake?.key === field.key);
  return (
    <form ref={form} class="streaming-form" onSubmit={submit} aria-busy={isBusy} autocomplete="off">
      <fieldset disabled={!mayWrite}>
        <legend class="unseen">Settings of {platform.label}</legend>
        {fields.filter((field) => !field.isRare).map(input)}
        {rare.length > 0 && (
          <details open={isRareOpen}>
            <summary>More settings</summary>
            <div class="streaming-rare">{rare.map(input)}</div>
          </details>
        )}
        <label class="streaming-check">
          <input type="checkbox" checked={isEnabled} onChange={(event) => setIsEnabled(event.currentTarget.checked)} />
          Enabled: a test event is delivered first; what its receiver refuses is not stored
        </label>
        {problem !== null && mistake === null && <ProblemView problem={problem} />}
        {mayWrite && (
          <button type="submit" class="primary" disabled={isBusy}>
            {submitLabel}
          </button>
        )}
      </fieldset>
    </form>
  );
}

function withValue({ values, removed }: Typed, key: string, value: string): Typed {
  return { values: { ...values, [key]: value }, removed };
}

/** Takes a stored secret away, or keeps it after all. */
function withRemoved({ values, removed }: Typed, key: string): Typed {
  const changed = new Set(removed);
  if (!changed.delete(key)) {
    changed.add(key);
  }
  return { values, removed: changed };
}
