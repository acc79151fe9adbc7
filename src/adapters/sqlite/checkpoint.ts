/**
 * Moves the WAL into the database file. It costs about half of the slowest answers when it runs
 * inside a COMMIT that senders wait for, so it runs here, after the answers of a group have left,
 * little by little. Promise: the WAL stays under `WORTHWHILE_FRAMES` and one group.
 */
import type { DatabaseSync } from "node:sqlite";

/** Frames of 4 KiB: 8 MiB. More would make a longer pause, less would write the same pages more often. */
const WORTHWHILE_FRAMES = 2_048;

export interface Checkpoint {
  /** After a group. Throws when the disk is full or failing: the WAL then still holds all of it. */
  run(): void;
  /** The last one: empties the WAL. */
  finish(): void;
}

export function makeCheckpoint(db: DatabaseSync): Checkpoint {
  const size = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  const passive = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  const truncate = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  return {
    run: () => {
      const { log, checkpointed } = size.get() as { log: number; checkpointed: number };
      if (log - checkpointed >= WORTHWHILE_FRAMES) passive.get();
    },
    finish: () => {
      truncate.get();
    },
  };
}
