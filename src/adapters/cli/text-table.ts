/**
 * Lays rows out in columns. Promise: a table never is wider than its terminal as long as its columns
 * can shrink; what is cut shows it was (…). Identifiers are never cut: they are to be copied.
 */
import { stripVTControlCharacters } from "node:util";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** The least width it may shrink to; absent: it never shrinks. */
  readonly shrinkTo?: number;
  /** Shown only where the terminal has at least that many columns. */
  readonly from?: number;
}

const GAP = "  ";

/** @param width - columns of the terminal; Infinity when nothing needs to be cut */
export function layTable(
  allColumns: readonly Column[],
  allRows: readonly (readonly string[])[],
  width: number,
): string[] {
  const isShown = (i: number): boolean => (allColumns[i]?.from ?? 0) <= width;
  const columns = allColumns.filter((_, i) => isShown(i));
  const rows = allRows.map((row) => row.filter((_, i) => isShown(i)));
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => visibleWidth(row[i] ?? ""))));
  shrink(columns, widths, width);
  const lay = (row: readonly string[]): string =>
    columns
      .map((column, i) => cell(row[i] ?? "", widths[i] ?? 0, column.align ?? "left"))
      .join(GAP)
      .trimEnd();
  return [lay(columns.map((column) => column.title)), ...rows.map(lay)];
}

/** Takes columns from the widest that may shrink, one by one, until the table fits or none may. */
function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const total = (): number =>
    widths.reduce((sum, one) => sum + one, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    let widest = -1;
    columns.forEach((column, i) => {
      const size = widths[i] ?? 0;
      if (column.shrinkTo === undefined || size <= column.shrinkTo) return;
      if (widest < 0 || size > (widths[widest] ?? 0)) widest = i;
    });
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function cell(text: string, width: number, align: "left" | "right"): string {
  const shown = visibleWidth(text) > width ? cut(text, width) : text;
  const pad = " ".repeat(Math.max(0, width - visibleWidth(shown)));
  return align === "right" ? pad + shown : shown + pad;
}

/** Cuts a text to a width, its last character an ellipsis. Colours are lost with what is cut. */
export function cut(text: string, width: number): string {
  const characters = Array.from(stripVTControlCharacters(text));
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Columns a text takes; every character we write takes one. */
export function visibleWidth(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

/** Breaks a text at its spaces into lines of at most that width. */
export function wrap(text: string, width: number): string[] {
  if (width === Infinity) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && visibleWidth(line) + 1 + visibleWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
