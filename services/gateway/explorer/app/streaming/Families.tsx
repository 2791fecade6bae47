/** Which families of events are delivered: `both`, or their names, separated by commas. */

const FAMILIES = ["audit", "traffic", "reads"] as const;
const LABELS = { audit: "Audit events", traffic: "Traffic reports", reads: "Reads" } as const;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function Families({ value, onChange }: Props) {
  const chosen = new Set(value === "" || value === "both" ? ["audit", "traffic"] : value.split(",").map((name) => name.trim()));
  const choose = (family: string, isChosen: boolean): void => {
    const names = FAMILIES.filter((name) => (name === family ? isChosen : chosen.has(name)));
    // With none, the service would deliver both: the last one stays.
    if (names.length > 0) {
      onChange(names.join(","));
    }
  };
  return (
    <div class="streaming-families">
      {FAMILIES.map((family) => (
        <label key={family}>
          <input
            type="checkbox"
            checked={chosen.has(family)}
            disabled={chosen.size === 1 && chosen.has(family)}
            onChange={(event) => choose(family, event.currentTarget.checked)}
          />
          {LABELS[family]}
        </label>
      ))}
    </div>
  );
}
