/**
 * Turns the bytes of an XML file into text, exactly as its byte order mark and its declaration say
 * (XML 1.0, section 4.3.3 and appendix F). Promise: never a replacement character: bytes that are
 * not what the file declares are an error with their line and column, not a guess.
 *
 * iso-8859-1 is decoded as such: bytes 0x80-0x9F are the C1 controls, where a browser would read
 * windows-1252. A file of windows-1252 mislabelled so is read all the same (those characters are
 * legal in XML); only a key that holds one is refused, and the bytes sent on are the sender's own.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { positionAt, type Position } from "../../wire/text-position.ts";

export type XmlText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unsupported"; readonly encoding: string }
  | { readonly kind: "wrong"; readonly encoding: string; readonly position: Position }
  /** The last character is cut: the file was truncated. */
  | { readonly kind: "truncated"; readonly position: Position };

type Encoding =
  "utf-8" | "utf-16le" | "utf-16be" | "us-ascii" | "iso-8859-1" | "iso-8859-15" | "windows-1252";

/** Names a declaration may use (IANA names and aliases, and two that Java writes); "utf-16" apart. */
const DECLARED: ReadonlyMap<string, Encoding> = new Map([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["utf-16le", "utf-16le"],
  ["utf-16be", "utf-16be"],
  ["us-ascii", "us-ascii"],
  ["ascii", "us-ascii"],
  ["iso646-us", "us-ascii"],
  ["iso-8859-1", "iso-8859-1"],
  ["iso_8859-1", "iso-8859-1"],
  ["iso8859-1", "iso-8859-1"],
  ["iso8859_1", "iso-8859-1"],
  ["latin1", "iso-8859-1"],
  ["l1", "iso-8859-1"],
  ["iso-8859-15", "iso-8859-15"],
  ["iso_8859-15", "iso-8859-15"],
  ["iso8859-15", "iso-8859-15"],
  ["latin-9", "iso-8859-15"],
  ["windows-1252", "windows-1252"],
  ["cp1252", "windows-1252"],
]);

/** First bytes of what we do not read, before any declaration can be read in it. */
const FOREIGN: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ["UTF-32", [0x00, 0x00, 0xfe, 0xff]],
  ["UTF-32", [0xff, 0xfe, 0x00, 0x00]],
  ["UTF-32", [0x00, 0x00, 0x00, 0x3c]],
  ["UTF-32", [0x3c, 0x00, 0x00, 0x00]],
  ["EBCDIC", [0x4c, 0x6f, 0xa7, 0x94]],
];

/** `<?xml version="1.0" encoding="…"`: within the first kilobyte, or it is no declaration of ours. */
const DECLARATION =
  /^<\?xml[ \t\r\n][^>]{0,900}?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*(["'])(.*?)\1/s;

/** The text of an XML file, without its byte order mark. */
export function decodeXml(bytes: Uint8Array): XmlText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const foreign = FOREIGN.find(([, first]) => startsWith(buffer, first));
  if (foreign !== undefined) return { kind: "unsupported", encoding: foreign[0] };

  if (startsWith(buffer, [0xff, 0xfe])) return decodeUtf16(buffer.subarray(2), "utf-16le");
  if (startsWith(buffer, [0xfe, 0xff])) return decodeUtf16(buffer.subarray(2), "utf-16be");
  if (startsWith(buffer, [0x3c, 0x00])) return decodeUtf16(buffer, "utf-16le");
  if (startsWith(buffer, [0x00, 0x3c])) return decodeUtf16(buffer, "utf-16be");

  const marked = startsWith(buffer, [0xef, 0xbb, 0xbf]);
  const body = marked ? buffer.subarray(3) : buffer;
  const declared = declaredIn(body.toString("latin1", 0, 1024));
  const name = declared?.name ?? "utf-8";
  const encoding = DECLARED.get(name.toLowerCase());
  const utf16 = name.toLowerCase() === "utf-16" || encoding?.startsWith("utf-16") === true;
  if (encoding === undefined && !utf16) return { kind: "unsupported", encoding: name };
  // The mark or the very bytes say otherwise than the declaration: one of the two is wrong, and
  // readers differ on which they believe.
  if (utf16 || encoding === undefined || (marked && encoding !== "utf-8")) {
    const position = positionAt(body.toString("latin1", 0, 1024), declared?.at ?? 0);
    return { kind: "wrong", encoding: name, position };
  }
  return decodeBytes(body, encoding, name);
}

function decodeBytes(bytes: Buffer, encoding: Encoding, name: string): XmlText {
  if (isAscii(bytes)) return { kind: "text", text: bytes.toString("latin1") };
  switch (encoding) {
    case "utf-8":
      return isUtf8(bytes)
        ? { kind: "text", text: bytes.toString("utf8") }
        : wrongUtf8(bytes, name);
    case "us-ascii": {
      const at = bytes.findIndex((byte) => byte > 0x7f);
      const position = positionAt(bytes.toString("latin1", 0, at + 1), at);
      return { kind: "wrong", encoding: name, position };
    }
    case "iso-8859-1":
      return { kind: "text", text: bytes.toString("latin1") };
    default:
      return { kind: "text", text: new TextDecoder(encoding).decode(bytes) };
  }
}

function decodeUtf16(bytes: Buffer, encoding: "utf-16le" | "utf-16be"): XmlText {
  const cut = bytes.length % 2 !== 0;
  const units = cut ? bytes.subarray(0, bytes.length - 1) : bytes;
  const text = (encoding === "utf-16le" ? units : Buffer.from(units).swap16()).toString("utf16le");
  if (cut) return { kind: "truncated", position: positionAt(text, text.length) };
  const declared = declaredIn(text.slice(0, 1024));
  const name = declared?.name.toLowerCase() ?? "utf-16";
  if (name !== "utf-16" && DECLARED.get(name) !== encoding) {
    return { kind: "wrong", encoding: name, position: positionAt(text, declared?.at ?? 0) };
  }
  if (text.isWellFormed()) return { kind: "text", text };
  const alone = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
  return { kind: "wrong", encoding: "utf-16", position: positionAt(text, text.search(alone)) };
}

function wrongUtf8(bytes: Buffer, name: string): XmlText {
  const { at, cut } = firstBadUtf8(bytes);
  const before = bytes.toString("utf8", 0, at);
  const position = positionAt(before, before.length);
  return cut ? { kind: "truncated", position } : { kind: "wrong", encoding: name, position };
}

const BLOCK = 4096;

/** Where UTF-8 stops being so; by blocks first, since a hostile file may be long. */
function firstBadUtf8(bytes: Buffer): { readonly at: number; readonly cut: boolean } {
  let at = 0;
  for (;;) {
    let end = Math.min(at + BLOCK, bytes.length);
    // A block ends before a character, never inside one (at most three bytes back).
    while (end < bytes.length && end > at + BLOCK - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80)
      end -= 1;
    if (end >= bytes.length || !isUtf8(bytes.subarray(at, end))) break;
    at = end;
  }
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (at + length > bytes.length) {
      // Only a sequence that was right as far as it goes was cut; anything else is wrong.
      const tail = bytes.subarray(at);
      const right =
        lead >= 0xc2 && lead < 0xf5 && tail.subarray(1).every((b) => (b & 0xc0) === 0x80);
      return { at, cut: right };
    }
    if (!isUtf8(bytes.subarray(at, at + length))) return { at, cut: false };
    at += length;
  }
  return { at, cut: false };
}

function declaredIn(start: string): { readonly name: string; readonly at: number } | undefined {
  const found = DECLARATION.exec(start);
  const name = found?.[2];
  if (found === null || name === undefined) return undefined;
  return { name, at: found[0].length - name.length - 1 };
}

function startsWith(bytes: Buffer, first: readonly number[]): boolean {
  return bytes.length >= first.length && first.every((byte, i) => bytes[i] === byte);
}
