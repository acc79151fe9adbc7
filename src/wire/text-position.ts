/**
 * Says where a place in a text is, as an editor shows it: line and column from 1, one column per
 * character (not per UTF-16 unit), a line ended by LF, CR LF or CR.
 */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** @param index - UTF-16 index in the text; past its end, the place after its last character. */
export function positionAt(text: string, index: number): Position {
  const end = Math.max(0, Math.min(index, text.length));
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < end; i += 1) {
    const unit = text.charCodeAt(i);
    // Of CR LF, the LF alone counts; a CR that ends the text before us is a line end of its own.
    if (unit === 0x0a || (unit === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) {
      line += 1;
      lineStart = i + 1;
    }
  }
  let column = 1;
  for (let i = lineStart; i < end; i += 1) {
    // A low surrogate is the second half of the character its high one counted.
    if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) column += 1;
  }
  return { line, column };
}
