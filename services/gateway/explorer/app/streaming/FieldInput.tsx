/** One key of a configuration, with what it is and what is wrong with it. */

import { useId } from "preact/hooks";
import { Text } from "../ui/Text";
import { Families } from "./Families";
import { Headers } from "./Headers";
import type { Field } from "./platforms";

interface Props {
  readonly field: Field;
  readonly value: string;
  readonly isStored: boolean;
  /** Of a secret that is stored, and is to go. */
  readonly isRemoved: boolean;
  /** What is wrong with it, in the service's words. */
  readonly mistake: string | null;
  readonly onChange: (value: string) => void;
  readonly onRemove: () => void;
}

export function FieldInput(props: Props) {
  const { field, mistake } = props;
  const id = useId();
  const isGroup = field.kind === "families" || field.kind === "headers";
  const notes = (
    <>
      {field.hint !== undefined && (
        <p id={`${id}-hint`} class="quiet">
          {field.hint}
        </p>
      )}
      {mistake !== null && (
        <p id={`${id}-mistake`} class="streaming-mistake">
          <Text value={mistake} />
        </p>
      )}
    </>
  );
  const name = (
    <>
      {field.label}
      {field.isNeeded === true && <span class="quiet"> (needed)</span>}
    </>
  );
  if (isGroup) {
    const attributes = { "aria-describedby": described(id, props), "aria-invalid": mistake !== null } as const;
    return (
      <fieldset class="streaming-field" tabIndex={mistake === null ? undefined : -1} {...attributes}>
        <legend>{name}</legend>
        {field.kind === "families" ? <Families {...props} /> : <Headers {...props} />}
        {notes}
      </fieldset>
    );
  }
  return (
    <div class="streaming-field">
      <label for={id}>{name}</label>
      <Control {...props} id={id} />
      {notes}
    </div>
  );
}

function Control({ field, value, isStored, isRemoved, mistake, onChange, onRemove, id }: Props & { id: string }) {
  const attributes = {
    id,
    value,
    required: field.isNeeded === true && !isStored,
    "aria-invalid": mistake !== null,
    "aria-describedby": described(id, { field, mistake }),
  } as const;
  switch (field.kind) {
    case "choice":
      return (
        <select {...attributes} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">not set</option>
          {field.choices?.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      );
    case "template":
      return (
        <textarea {...attributes} class="mono" rows={5} spellcheck={false} placeholder={field.example} onInput={(event) => onChange(event.currentTarget.value)} />
      );
    case "secret":
      return (
        <span class="streaming-secret">
          <input
            {...attributes}
            type="password"
            autocomplete="new-password"
            disabled={isRemoved}
            placeholder={isRemoved ? "taken away" : isStored ? "stored; empty keeps it" : field.example}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {isStored && field.isNeeded !== true && (
            <button type="button" aria-pressed={isRemoved} onClick={onRemove}>
              Take away<span class="unseen"> {field.label}</span>
            </button>
          )}
        </span>
      );
    default:
      return (
        <input {...attributes} type="text" spellcheck={false} autocapitalize="off" placeholder={field.example} onInput={(event) => onChange(event.currentTarget.value)} />
      );
  }
}

/** The ids of what describes the control. */
function described(id: string, { field, mistake }: Pick<Props, "field" | "mistake">): string | undefined {
  const ids = [mistake === null ? "" : `${id}-mistake`, field.hint === undefined ? "" : `${id}-hint`].filter((one) => one !== "");
  return ids.length === 0 ? undefined : ids.join(" ");
}
