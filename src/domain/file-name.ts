/**
 * Names of files received: never trusted, and read for the sequence they carry. A name that follows
 * no convention is no error: it carries no sequence.
 */

/** `DEM<guichet>-YYYYMMDDHHMM-NNNNNN.xml`, as libsne makes it; that NNNNNN is a sequence is inferred. */
const CONVENTIONAL = /^[A-Z]{3}([0-9A-Z]{1,5})-(\d{12})-(\d{6})\.xml$/i;

export interface ReadFileName {
  readonly guichet?: string;
  readonly sequence?: number;
}

/** What a conventional file name says; empty when it follows no convention. */
export function readFileName(name: string): ReadFileName {
  const found = CONVENTIONAL.exec(name);
  if (found === null) return {};
  const [, guichet, , sequence] = found;
  return {
    ...(guichet === undefined ? {} : { guichet: guichet.toUpperCase() }),
    ...(sequence === undefined ? {} : { sequence: Number(sequence) }),
  };
}

/**
 * A name that is safe to write to disk, to a MIME header and to a log: the last path segment, no
 * control character, no leading dot, none of the characters file systems refuse; at most 120
 * characters, its ending kept.
 */
export function safeFileName(name: string, otherwise = "flux.xml"): string {
  const last = name.normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const clean = last
    // Controls, direction marks and separators could hide what the name is (RFC 3987 section 4.1).
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .replace(/[<>:"|?*]/g, "_")
    .replace(/^[.\s]+/, "")
    .replace(/[.\s]+$/, "");
  if (clean === "") return otherwise;
  if (clean.length <= 120) return clean;
  const dot = clean.lastIndexOf(".");
  const ending = dot > 0 && clean.length - dot <= 10 ? clean.slice(dot) : "";
  return clean.slice(0, 120 - ending.length) + ending;
}
