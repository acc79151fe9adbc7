/**
 * What the stand-in writes down to remember after a restart: one line of JSON per verdict, with the
 * file, appended before the answer goes out. Handed to the system at each line (it survives the
 * death of the process), not forced to the disk (it need not survive a power cut).
 *
 * A last line cut short by such a death is dropped, with a word; any other line that cannot be read
 * stops the start: a half-read memory would lie.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
} from "node:fs";
import { OPERATION_NAMES, type OperationName } from "./operations-table.ts";

export interface DiaryEntry {
  readonly result: "taken" | "refused";
  readonly operation: OperationName;
  /** ms since the epoch */
  readonly at: number;
  readonly numUnique?: string;
  readonly file: Uint8Array;
}

export interface Diary {
  write(entry: DiaryEntry): void;
  /** Empties it. */
  forget(): void;
  close(): void;
}

/** Remembers nothing. */
export const NO_DIARY: Diary = {
  write: () => undefined,
  forget: () => undefined,
  close: () => undefined,
};

/** Opens the file to append; read it first with `readDiary`. */
export function openDiary(path: string): Diary {
  const file = openSync(path, "a");
  let closed = false;
  return {
    write: ({ file: bytes, ...facts }) => {
      const line = JSON.stringify({ ...facts, file: Buffer.from(bytes).toString("base64") });
      appendFileSync(file, `${line}\n`);
    },
    forget: () => ftruncateSync(file),
    close: () => {
      if (closed) return;
      closed = true;
      closeSync(file);
    },
  };
}

/** The entries of a diary, oldest first; a torn last line is cut off the file. */
export function readDiary(path: string): { entries: DiaryEntry[]; torn: boolean } {
  if (!existsSync(path)) return { entries: [], torn: false };
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(10) + 1;
  const torn = end < bytes.length;
  if (torn) truncateSync(path, end);
  const entries: DiaryEntry[] = [];
  let from = 0;
  while (from < end) {
    const next = bytes.indexOf(10, from) + 1;
    entries.push(readEntry(bytes.toString("utf8", from, next - 1), entries.length + 1));
    from = next;
  }
  return { entries, torn };
}

function readEntry(line: string, number: number): DiaryEntry {
  const value: unknown = JSON.parse(line);
  const operation =
    typeof value === "object" && value !== null && "operation" in value
      ? OPERATION_NAMES.find((name) => name === value.operation)
      : undefined;
  if (
    operation !== undefined &&
    typeof value === "object" &&
    value !== null &&
    "result" in value &&
    (value.result === "taken" || value.result === "refused") &&
    "at" in value &&
    typeof value.at === "number" &&
    "file" in value &&
    typeof value.file === "string"
  ) {
    const numUnique =
      "numUnique" in value && typeof value.numUnique === "string" ? value.numUnique : undefined;
    return {
      result: value.result,
      operation,
      at: value.at,
      ...(numUnique === undefined ? {} : { numUnique }),
      file: Buffer.from(value.file, "base64"),
    };
  }
  throw new Error(`line ${number} of the data file is not one of the stand-in's`);
}
