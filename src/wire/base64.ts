/**
 * Reads base64 as XML carries it (xs:base64Binary, XML Schema part 2 section 3.2.16; RFC 4648
 * section 4): line breaks and blanks are passed over.
 *
 * Promise: the bytes are those that were written, or it is said where they are not; a character out
 * of the alphabet is never skipped. A file of several megabytes is not looked at character by
 * character, unless something is wrong with it.
 */

export type Base64Reading =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** French; it never quotes the text, which is a file of someone. */
  | { readonly kind: "wrong"; readonly reason: string };

const BLANKS = [" ", "\t", "\r", "\n"];
/** The URL alphabet (RFC 4648 section 5), which Buffer reads as well. */
const OTHER_ALPHABET = ["-", "_"];

export function readBase64(text: string): Base64Reading {
  const padding = text.indexOf("=");
  const body = padding < 0 ? text.length : padding;
  const end = text.slice(body);
  const letters = body - BLANKS.reduce((count, blank) => count + countOf(blank, text, body), 0);
  const length = letters + countOf("=", end, end.length);
  // Buffer skips strangers without a word, and then makes fewer bytes than the letters are worth; it
  // reads a character beyond Latin-1 by its low byte.
  const bytes = Buffer.from(text, "base64");
  const isWhole =
    length % 4 === 0 &&
    bytes.length === Math.floor((letters * 3) / 4) &&
    (end === "" || /^=[ \t\r\n]*(?:=[ \t\r\n]*)?$/.test(end)) &&
    Buffer.byteLength(text) === text.length &&
    !OTHER_ALPHABET.some((stranger) => text.includes(stranger));
  return isWhole ? { kind: "bytes", bytes } : { kind: "wrong", reason: whatIsWrong(text, length) };
}

/** How many times a character stands in the text before a place. */
function countOf(char: string, text: string, before: number): number {
  let count = 0;
  for (let at = text.indexOf(char); at >= 0 && at < before; at = text.indexOf(char, at + 1)) {
    count += 1;
  }
  return count;
}

function whatIsWrong(text: string, length: number): string {
  const stranger = text.search(/[^A-Za-z0-9+/= \t\r\n]/);
  if (stranger >= 0) return `caractère étranger au base64 en position ${stranger + 1}`;
  return length % 4 === 0
    ? "remplissage « = » ailleurs qu'à la fin"
    : `base64 tronqué (${length} caractères, pas un multiple de quatre)`;
}
