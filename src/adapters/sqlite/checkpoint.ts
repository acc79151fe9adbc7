/**
 * Moves the WAL into the database file, when nobody waits if it can be. It costs about half of the
 * slowest answers when it runs inside a COMMIT, so it runs after the answers have left: as soon as
 * the queue is empty and a little has gathered, or at once when the WAL has grown large. Promise:
 * the WAL stays under `MAX_FRAMES` and one group.
 */
import type { DatabaseSync } from "node:sqlite";

/** Frames of 4 KiB: 4 MiB, worth a pause of the queue. */
const WORTHWHILE_FRAMES = 1_024;
/** 64 MiB: not put off any longer. */
const MAX_FRAMES = 16_384;

export interface Checkpoint {
  /** After a group; may throw when the disk is full or failing: the WAL then keeps all of it. */
  run(queueIsEmpty: boolean): void;
  /** The last one: empties the WAL. */
  finish(): void;
}

export function makeCheckpoint(db: DatabaseSync): Checkpoint {
  const size = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  const passive = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  const truncate = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  return {
    run: (queueIsEmpty) => {
      const { log, checkpointed } = size.get() as { log: number; checkpointed: number };
      const waiting = log - checkpointed;
      if (waiting >= (queueIsEmpty ? WORTHWHILE_FRAMES : MAX_FRAMES)) passive.get();
    },
    finish: () => {
      truncate.get();
    },
  };
}
