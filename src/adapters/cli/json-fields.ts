/** Opens JSON that came from outside, field by field: what has not the shape expected is undefined. */

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export function object(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * A text fit for a terminal: line ends and control characters become spaces, so that nothing a
 * sender or the SNE wrote can move the cursor or forge a line.
 */
export function text(value: unknown): string | undefined {
  return typeof value === "string"
    ? value.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()
    : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** ISO 8601, or milliseconds since the epoch. */
export function time(value: unknown): number | undefined {
  const at = typeof value === "string" ? Date.parse(value) : value;
  return number(at);
}

/** One field of an object, or none when there is no value. */
export function given<Name extends string, T>(
  name: Name,
  value: T | undefined,
): Partial<Readonly<Record<Name, T>>> {
  return (value === undefined ? {} : { [name]: value }) as Partial<Readonly<Record<Name, T>>>;
}
