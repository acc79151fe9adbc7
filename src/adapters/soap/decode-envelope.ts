/**
 * Turns the bytes of an envelope into text: by its byte order mark, then the charset its
 * Content-Type says (RFC 7303 section 3), then its own declaration, then as UTF-8.
 *
 * Promise: never a replacement character; bytes that are not in the encoding they claim are refused,
 * since a name that is nearly right is worse than none.
 */
import { isAscii } from "node:buffer";

export type EnvelopeText =
  | { readonly kind: "text"; readonly text: string }
  /** French. */
  | { readonly kind: "undecodable"; readonly reason: string };

const LABELS: ReadonlyMap<string, Encoding> = new Map([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["utf-16", "utf-16"],
  ["utf-16le", "utf-16le"],
  ["utf-16be", "utf-16be"],
  ["us-ascii", "us-ascii"],
  ["ascii", "us-ascii"],
  ["iso-8859-1", "iso-8859-1"],
  ["iso8859-1", "iso-8859-1"],
  ["iso8859_1", "iso-8859-1"],
  ["iso_8859-1", "iso-8859-1"],
  ["latin1", "iso-8859-1"],
  ["iso-8859-15", "iso-8859-15"],
  ["windows-1252", "windows-1252"],
  ["cp1252", "windows-1252"],
]);
type Encoding =
  | "utf-8"
  | "utf-16"
  | "utf-16le"
  | "utf-16be"
  | "us-ascii"
  | "iso-8859-1"
  | "iso-8859-15"
  | "windows-1252";

const DECLARATION = /^<\?xml\s[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;

/** @param charset - of the Content-Type; "" or absent when it says none */
export function decodeEnvelope(bytes: Uint8Array, charset?: string): EnvelopeText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first, second, third] = buffer;
  if (first === 0xef && second === 0xbb && third === 0xbf)
    return decodeAs("utf-8", buffer.subarray(3));
  if (first === 0xff && second === 0xfe) return decodeAs("utf-16le", buffer.subarray(2));
  if (first === 0xfe && second === 0xff) return decodeAs("utf-16be", buffer.subarray(2));
  // Without its mark, the zero of the first `<` tells (XML 1.0 appendix F).
  if (first === 0x3c && second === 0) return decodeAs("utf-16le", buffer);
  if (first === 0 && second === 0x3c) return decodeAs("utf-16be", buffer);
  const label =
    charset === undefined || charset.trim() === ""
      ? (DECLARATION.exec(buffer.toString("latin1", 0, 300))?.[1] ?? "utf-8")
      : charset.trim();
  const encoding = LABELS.get(label.toLowerCase());
  if (encoding === undefined) {
    return { kind: "undecodable", reason: `encodage « ${label.slice(0, 40)} » non accepté` };
  }
  // UTF-16 would have shown itself above.
  return encoding.startsWith("utf-16") ? wrong(encoding) : decodeAs(encoding, buffer);
}

function decodeAs(encoding: Encoding, bytes: Buffer): EnvelopeText {
  if (!encoding.startsWith("utf-16") && isAscii(bytes)) {
    return { kind: "text", text: bytes.toString("latin1") };
  }
  switch (encoding) {
    case "iso-8859-1":
      // Not TextDecoder, which reads windows-1252 under that name.
      return { kind: "text", text: bytes.toString("latin1") };
    case "utf-8":
    case "utf-16le":
    case "utf-16be":
    case "iso-8859-15":
    case "windows-1252":
      try {
        return {
          kind: "text",
          text: new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes),
        };
      } catch {
        // The decoder says no more than that.
        return wrong(encoding);
      }
    default:
      return wrong(encoding);
  }
}

function wrong(encoding: string): EnvelopeText {
  return { kind: "undecodable", reason: `octets qui ne sont pas du ${encoding.toUpperCase()}` };
}
