/**
 * Reads and writes `multipart/related` bodies (RFC 2387, RFC 2046 section 5.1) for MTOM/XOP.
 *
 * Promise: reading costs time linear in the size of the body, whatever its bytes (node-soap's own
 * reader is quadratic on CR), copies nothing, and a body without its closing boundary is told apart
 * from a whole one: a truncated answer must never pass for a success.
 */

export interface Part {
  /** Header names in lower case, unfolded values. */
  readonly headers: ReadonlyMap<string, string>;
  /** A view on the body read: bytes exactly as they travelled. */
  readonly bytes: Uint8Array;
}

export type MultipartReading =
  | { readonly kind: "read"; readonly parts: readonly Part[] }
  | { readonly kind: "unreadable"; readonly reason: string };

const CR = 13;
const LF = 10;
const DASH = 45;

/** The most parts one body may have, unless the caller says otherwise: our answers have three. */
const MAX_PARTS = 32;
/** The most bytes the headers of one part may take. */
const MAX_HEADER_BYTES = 16 * 1024;

/** What a caller other than MTOM may need: mail has more parts, and mailers write empty ones short. */
export interface MultipartLimits {
  readonly maxParts?: number;
  /** Takes a part that has headers and no empty line after them for an empty part. */
  readonly bareHeaders?: boolean;
}

/**
 * Splits a body by its boundary.
 * @param boundary - the `boundary` parameter, without the leading dashes
 */
export function readMultipart(
  body: Uint8Array,
  boundary: string,
  { maxParts = MAX_PARTS, bareHeaders = false }: MultipartLimits = {},
): MultipartReading {
  if (boundary === "" || boundary.length > 200) {
    return { kind: "unreadable", reason: "boundary absent or too long" };
  }
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  const parts: Part[] = [];
  let partStart: number | undefined;
  let from = 0;
  for (;;) {
    const at = buffer.indexOf(delimiter, from);
    if (at < 0) {
      return {
        kind: "unreadable",
        reason: partStart === undefined ? "boundary not found" : "closing boundary missing",
      };
    }
    from = at + delimiter.length;
    // A delimiter counts only at the start of a line; elsewhere it is content.
    if (at > 0 && buffer[at - 1] !== LF) continue;
    const closing = buffer[from] === DASH && buffer[from + 1] === DASH;
    let lineEnd = closing ? from + 2 : from;
    while (buffer[lineEnd] === 32 || buffer[lineEnd] === 9) lineEnd += 1;
    const ended =
      lineEnd >= buffer.length
        ? closing
        : buffer[lineEnd] === LF || (buffer[lineEnd] === CR && buffer[lineEnd + 1] === LF);
    // `--boundaryXYZ` is another delimiter, or content.
    if (!ended) continue;
    if (partStart !== undefined) {
      let end = at - 1;
      if (end > partStart && buffer[end - 1] === CR) end -= 1;
      const part = readPart(buffer.subarray(partStart, Math.max(partStart, end)), bareHeaders);
      if (part === undefined) return { kind: "unreadable", reason: "part headers unreadable" };
      parts.push(part);
      if (parts.length > maxParts) return { kind: "unreadable", reason: "too many parts" };
    }
    if (closing) {
      return parts.length === 0
        ? { kind: "unreadable", reason: "no part" }
        : { kind: "read", parts };
    }
    partStart = buffer[lineEnd] === CR ? lineEnd + 2 : lineEnd + 1;
    from = partStart;
  }
}

function readPart(raw: Buffer, bareHeaders: boolean): Part | undefined {
  // A part without headers begins with its empty line (RFC 2046 section 5.1).
  // Its last line break may be the delimiter's own: an empty part may be no byte at all.
  if (raw.length === 0) return { headers: new Map(), bytes: raw };
  if (raw[0] === LF) return { headers: new Map(), bytes: raw.subarray(1) };
  if (raw[0] === CR && raw[1] === LF) return { headers: new Map(), bytes: raw.subarray(2) };
  const crlf = raw.subarray(0, MAX_HEADER_BYTES).indexOf("\r\n\r\n");
  const lf = raw.subarray(0, MAX_HEADER_BYTES).indexOf("\n\n");
  const useCrlf = crlf >= 0 && (lf < 0 || crlf < lf);
  const found = useCrlf ? crlf : lf;
  // Headers all ended, then the delimiter: no body, and the empty line is the delimiter's line break.
  const allEnded = raw.at(-1) === LF;
  const isBare = found < 0 && (bareHeaders || allEnded) && raw.length <= MAX_HEADER_BYTES;
  if (found < 0 && !isBare) return undefined;
  const end = isBare ? raw.length : found;
  const headers = new Map<string, string>();
  const unfolded = raw
    .subarray(0, end)
    .toString("latin1")
    .replace(/\r?\n[ \t]+/g, " ");
  for (const line of unfolded.split(/\r?\n/)) {
    if (isBare && line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return { headers, bytes: raw.subarray(isBare ? end : end + (useCrlf ? 4 : 2)) };
}

/** A Content-ID or `start` without its angle brackets (libsne writes `start` without them). */
export function bareContentId(value: string): string {
  return value.trim().replace(/^<(.*)>$/, "$1");
}

/** The root part: the one `start` names, or the first (RFC 2387 section 3.2); undefined if absent. */
export function rootPart(parts: readonly Part[], start: string | undefined): Part | undefined {
  if (start === undefined) return parts[0];
  return partById(parts, start);
}

/** The part a `cid:` URL or a Content-ID names. */
export function partById(parts: readonly Part[], id: string): Part | undefined {
  const wanted = bareContentId(id);
  return parts.find((part) => bareContentId(part.headers.get("content-id") ?? "") === wanted);
}

/** Writes a body with its closing boundary; headers are written as given. */
export function writeMultipart(
  boundary: string,
  parts: readonly { headers: Readonly<Record<string, string>>; bytes: Uint8Array }[],
): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const { headers, bytes } of parts) {
    const head = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    pieces.push(Buffer.from(`--${boundary}\r\n${head}\r\n`, "latin1"), bytes, Buffer.from("\r\n"));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`, "latin1"));
  return Buffer.concat(pieces);
}
