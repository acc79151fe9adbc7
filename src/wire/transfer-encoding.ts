/**
 * Decodes the transfer encodings of MIME (RFC 2045 section 6): mail, and the parts of MTOM.
 *
 * Promise: the bytes that come out are those that were attached, or nothing: an encoding that is
 * broken or cut short gives undefined, never a file that is nearly right.
 */

const EQUALS = 0x3d;
const LF = 0x0a;
const CR = 0x0d;

/** @returns the bytes, or undefined when they cannot be trusted; always a copy of its own. */
export function decodeTransfer(encoded: Uint8Array, encoding: string): Uint8Array | undefined {
  switch (encoding.replace(/\s.*$/s, "").toLowerCase()) {
    case "":
    case "7bit":
    case "8bit":
    case "binary":
      return new Uint8Array(encoded);
    case "base64":
      return decodeBase64(encoded);
    case "quoted-printable":
      return decodeQuotedPrintable(encoded);
    default:
      return undefined;
  }
}

function decodeBase64(encoded: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const bytes = Buffer.from(text.toString("latin1"), "base64");
  // Buffer reads the URL alphabet as well; a mail that holds it (`-- ` of a list's footer) is spoilt.
  if (text.includes(0x2d) || text.includes(0x5f)) return undefined;
  const { length } = bytes;
  const isWhole =
    length === decodedLength(lettersOfEvenLines(text), text) ||
    length === decodedLength(lettersOf(text), text);
  return isWhole ? new Uint8Array(bytes) : undefined;
}

/**
 * How many bytes so many letters make; Buffer passes over strangers without a word, so that less
 * than this was decoded when there are any. Four letters make three bytes (RFC 4648 section 3.2): a number
 * of letters that was cut short makes a fraction, which no length equals. Padding stands at the end.
 */
function decodedLength(letters: number | undefined, text: Buffer): number | undefined {
  if (letters === undefined) return undefined;
  const first = text.indexOf(EQUALS);
  if (first < 0) return (letters / 4) * 3;
  const padding = text.toString("latin1", first).replace(/\s+/g, "");
  return padding === "=" || padding === "==" ? (letters / 4) * 3 - padding.length : undefined;
}

/** The letters of lines of one width, as mailers write them, without looking at each. */
function lettersOfEvenLines(text: Buffer): number | undefined {
  const width = text.indexOf(LF) + 1;
  if (width === 0) return text.length;
  const ending = text[width - 2] === CR ? 2 : 1;
  let lines = 0;
  for (let end = width; end <= text.length; end += width) {
    if (text[end - 1] !== LF) return undefined;
    lines += 1;
  }
  return text.length - lines * ending;
}

/** The letters of lines of any width. */
function lettersOf(text: Buffer): number {
  let letters = 0;
  for (const byte of text) {
    if (byte !== LF && byte !== CR && byte !== 0x20 && byte !== 0x09) letters += 1;
  }
  return letters;
}

function decodeQuotedPrintable(encoded: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(encoded.length);
  let length = 0;
  let at = 0;
  while (at < encoded.length) {
    const byte = encoded[at] ?? 0;
    if (byte === EQUALS) {
      const high = hexValue(encoded[at + 1]);
      const low = hexValue(encoded[at + 2]);
      if (high >= 0 && low >= 0) {
        out[length] = high * 16 + low;
        length += 1;
        at += 3;
        continue;
      }
      const next = afterBlanks(encoded, at + 1);
      // A soft line break; at the very end, its line end belongs to the boundary.
      if (next === undefined) return undefined;
      at = next;
      continue;
    }
    if (byte === 0x20 || byte === 0x09) {
      // Blanks at the end of a line were added on the way (RFC 2045 section 6.7, rule 3).
      let end = at;
      while (encoded[end] === 0x20 || encoded[end] === 0x09) end += 1;
      const isTrailing =
        end >= encoded.length ||
        encoded[end] === LF ||
        (encoded[end] === CR && encoded[end + 1] === LF);
      if (!isTrailing) {
        out.set(encoded.subarray(at, end), length);
        length += end - at;
      }
      at = end;
      continue;
    }
    out[length] = byte;
    length += 1;
    at += 1;
  }
  return out.slice(0, length);
}

/** Where the next line begins, when only blanks stand before it; undefined when something else does. */
function afterBlanks(bytes: Uint8Array, from: number): number | undefined {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1;
  if (at >= bytes.length) return at;
  if (bytes[at] === LF) return at + 1;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : undefined;
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  // Lower case is out of the norm, and common.
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
}
