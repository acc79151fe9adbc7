/** Writes times, spans and sizes as a French reader expects them. Pure: the zone is given. */

export interface Readable {
  /** `12/03/2026 09:14:07`. @param ms - since the epoch */
  time(ms: number): string;
  /** `09:14:07`. @param ms - since the epoch */
  hour(ms: number): string;
}

/** @param timeZone - an IANA name; one that the system does not know falls back to Paris */
export function makeReadable(timeZone: string): Readable {
  const zone = isKnown(timeZone) ? timeZone : "Europe/Paris";
  const hour = new Intl.DateTimeFormat("fr-FR", { timeStyle: "medium", timeZone: zone });
  const day = new Intl.DateTimeFormat("fr-FR", {
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
    timeZone: zone,
  });
  return { time: (ms) => `${day.format(ms)} ${hour.format(ms)}`, hour: (ms) => hour.format(ms) };
}

function isKnown(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat("fr-FR", { timeZone });
    return true;
  } catch {
    return false;
  }
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `350 ms`, `4,2 s`, `3 min 20 s`, `5 h 10 min`, `2 j 3 h`. @param ms - milliseconds */
export function readableSpan(ms: number): string {
  if (ms < 0) return "0 ms";
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1).replace(".", ",")} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return two(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return two(ms, HOUR, "h", MINUTE, "min");
  return two(ms, DAY, "j", HOUR, "h");
}

function two(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % big) / small);
  const first = `${Math.floor(ms / big)} ${bigName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** `812 o`, `9,8 Ko`, `1,2 Mo`. */
export function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} o`;
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, "Ko"] : [bytes / 1024 ** 2, "Mo"];
  return `${value.toFixed(1).replace(".", ",")} ${unit}`;
}
