/**
 * Reads base64 as XML carries it (xs:base64Binary, XML Schema part 2 section 3.2.16; RFC 4648
 * section 4): line breaks and blanks are passed over.
 *
 * Promise: the bytes are those that were written, or it is said where they are not; a character out
 * of the alphabet is never skipped. Linear time, and no backtracking on large texts.
 */

export type Base64Reading =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** French; it never quotes the text, which is a file of someone. */
  | { readonly kind: "wrong"; readonly reason: string };

const STRANGER = /[^A-Za-z0-9+/= \t\r\n]/;
const BLANK = /[ \t\r\n]/;

export function readBase64(text: string): Base64Reading {
  const stranger = text.search(STRANGER);
  if (stranger >= 0) {
    return wrong(`caractère étranger au base64 en position ${stranger + 1}`);
  }
  const packed = BLANK.test(text) ? text.replace(/[ \t\r\n]+/g, "") : text;
  const padding = packed.indexOf("=");
  if (padding >= 0 && !/^==?$/.test(packed.slice(padding, padding + 3))) {
    return wrong("remplissage « = » ailleurs qu'à la fin");
  }
  if (packed.length % 4 !== 0) {
    return wrong(`base64 tronqué (${packed.length} caractères, pas un multiple de quatre)`);
  }
  return { kind: "bytes", bytes: Buffer.from(packed, "base64") };
}

function wrong(reason: string): Base64Reading {
  return { kind: "wrong", reason };
}
