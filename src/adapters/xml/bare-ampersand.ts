/**
 * Finds the `&` that was written for itself, the commonest fault of files made by hand-written
 * exports. Linear in the text, whatever it holds.
 */

/** Where `&` may stand for itself, and what ends it. */
const LITERAL: readonly (readonly [start: string, end: string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
];

/** UTF-16 index of the first `&` that begins no reference; undefined when there is none. */
export function bareAmpersand(text: string): number | undefined {
  const next = /[&<]/g;
  const reference = /&(?:#[0-9]+|#x[0-9A-Fa-f]+|[\p{L}_:][\p{L}\p{N}._:-]*);/uy;
  for (let found = next.exec(text); found !== null; found = next.exec(text)) {
    if (found[0] === "&") {
      reference.lastIndex = found.index;
      if (!reference.test(text)) return found.index;
      continue;
    }
    const literal = LITERAL.find(([start]) => text.startsWith(start, found.index));
    if (literal === undefined) continue;
    const end = text.indexOf(literal[1], found.index + literal[0].length);
    if (end < 0) return undefined;
    next.lastIndex = end + literal[1].length;
  }
  return undefined;
}
