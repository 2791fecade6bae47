/** Numbers as people read them. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** All digits, in groups: `1,234,567`. */
export function exact(number: number): string {
  return whole.format(number);
}

/** Three digits: `1.23M`. */
export function rough(number: number): string {
  return number < 10_000 ? whole.format(number) : short.format(number);
}

/** Bytes in units of 1000: `33.6 MB`. */
export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  let rest = number;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toPrecision(3)} ${units[unit] ?? ""}`;
}

/** The plural where there is not one: `1 event`, `2 events`. */
export function counted(number: number, noun: string): string {
  return `${exact(number)} ${noun}${number === 1 ? "" : "s"}`;
}
