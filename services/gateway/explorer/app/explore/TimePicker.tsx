/** Chooses the period: up to now, or from one moment to another; and the zone in which times are shown. */

import { useState } from "preact/hooks";
import { Popover } from "../ui/Popover";
import type { Change, Question, Zone } from "./question";
import { RANGES, inputOf, period, timeOf, zoneName } from "./time";

interface Props {
  readonly question: Question;
  readonly onChange: (change: Change) => void;
}

export function TimePicker({ question, onChange }: Props) {
  const { from, to, zone } = question;
  const shown = period(from, to, zone);
  return (
    <Popover label={<span class="time-label">{shown}</span>} name={`Period: ${shown}, times in ${zoneName(zone)}`} side="end">
      {(close) => (
        <>
          <div class="time-ranges" role="group" aria-label="Up to now">
            {RANGES.map((range) => (
              <button
                type="button"
                key={range.label}
                aria-pressed={range.from === from && to === ""}
                onClick={() => (onChange({ from: range.from, to: "" }), close())}
              >
                {range.label}
              </button>
            ))}
          </div>
          <Absolute question={question} onChange={(change) => (onChange(change), close())} />
          <fieldset class="time-zone">
            <legend>Times are shown in</legend>
            {(["local", "utc"] as const).map((one: Zone) => (
              <label key={one}>
                <input type="radio" name="zone" checked={zone === one} onChange={() => onChange({ zone: one })} />
                {zoneName(one)} {one === "local" && <span class="quiet">(here)</span>}
              </label>
            ))}
          </fieldset>
        </>
      )}
    </Popover>
  );
}

function Absolute({ question: { from, to, zone }, onChange }: Props) {
  const [wrong, setWrong] = useState("");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement);
    const time = (name: string): string => timeOf(String(entered.get(name) ?? ""), zone);
    const [begin, end] = [time("from"), time("to")];
    if (begin !== "" && end !== "" && begin > end) {
      setWrong("The end is before the beginning.");
    } else {
      onChange({ from: begin, to: end });
    }
  };
  return (
    <form class="time-absolute" onSubmit={submit}>
      <label>
        From
        <input type="datetime-local" name="from" step="1" defaultValue={inputOf(from, zone)} />
      </label>
      <label>
        To
        <input type="datetime-local" name="to" step="1" defaultValue={inputOf(to, zone)} />
      </label>
      {wrong !== "" && <p role="alert">{wrong}</p>}
      <button type="submit">Show this period</button>
    </form>
  );
}
