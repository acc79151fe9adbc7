/**
 * Small durable values of the gateway itself, and sequences. Promise: a value noted under a condition
 * is compared and written in one transaction, and a number is given once.
 */
import type { DatabaseSync } from "node:sqlite";

export interface NoteStatements {
  note(key: string, value: string): void;
  noted(key: string): string | undefined;
  noteIf(key: string, expected: string | undefined, value: string): boolean;
  next(sequence: string): number;
}

export function makeNoteStatements(db: DatabaseSync): NoteStatements {
  const note = db.prepare(
    "INSERT INTO note VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const noted = db.prepare("SELECT value FROM note WHERE key = ?");
  const noteFirst = db.prepare("INSERT INTO note VALUES (?, ?) ON CONFLICT (key) DO NOTHING");
  const noteOver = db.prepare("UPDATE note SET value = ? WHERE key = ? AND value = ?");
  const next = db.prepare(
    `INSERT INTO sequence VALUES (?, 1)
     ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`,
  );
  return {
    note: (key, value) => {
      note.run(key, value);
    },
    noted: (key) => noted.get(key)?.["value"] as string | undefined,
    noteIf: (key, expected, value) => {
      const done =
        expected === undefined ? noteFirst.run(key, value) : noteOver.run(value, key, expected);
      return done.changes === 1;
    },
    next: (sequence) => next.get(sequence)?.["value"] as number,
  };
}
