/**
 * Reads dates as XML Schema writes them (XSD 1.0 part 2, 3.2.7 and 3.2.9), and nothing else: what
 * JavaScript would guess from another text is refused.
 */

const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?$/;
const DATE = /^(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?$/;
const PARIS = "Europe/Paris";

/** ms since the epoch; a time without offset is one of Paris. Undefined: not an xs:dateTime. */
export function readDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (match === null) return undefined;
  const [, local = "", offset] = match;
  // JavaScript would take the 30th of February for the 2nd of March.
  if (readDate(local.slice(0, 10)) === undefined) return undefined;
  const at = Date.parse(`${local}${offset ?? "Z"}`);
  if (Number.isNaN(at)) return undefined;
  return offset === undefined ? at - parisOffset(at) : at;
}

/** `YYYY-MM-DD`, comparable as text; its offset says nothing here. Undefined: not an xs:date. */
export function readDate(text: string): string | undefined {
  const [, day] = DATE.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day) ? day : undefined;
}

/** How far Paris is ahead, ms. @param wall - its wall clock, read as if it were UTC */
function parisOffset(wall: number): number {
  const shown = new Intl.DateTimeFormat("sv-SE", {
    timeZone: PARIS,
    dateStyle: "short",
    timeStyle: "medium",
  });
  // Right but for the hour after each of the two changes a year.
  const at = wall - 3_600_000;
  return Date.parse(`${shown.format(at).replace(" ", "T")}Z`) - Math.floor(at / 1_000) * 1_000;
}
