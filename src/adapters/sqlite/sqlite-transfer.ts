/**
 * A SQLite store as one end of a copy. Promise: from its opening to its close no other process can
 * open it, gateway or copy (`open-database.ts`); each write is on disk when it resolves.
 */
import { existsSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { gatewayError } from "../../domain/errors.ts";
import {
  COPIED_NOTE,
  OWN_NOTES,
  SEAL_NOTE,
  sealText,
  STORE_ID_NOTE,
} from "../../keep/store-seal.ts";
import type { StoreTransfer } from "../../keep/store-transfer.ts";
import { makeCheckpoint } from "./checkpoint.ts";
import { makeLaneStatements } from "./lane-statements.ts";
import { makeNoteStatements } from "./note-statements.ts";
import { openDatabase } from "./open-database.ts";
import { makePauseStatements } from "./pause-statements.ts";
import { makeReadStatements } from "./read-statements.ts";
import { makeRecordStatements } from "./record-statements.ts";
import { sealOf } from "./seal-statements.ts";
import { errorOf, faultOf } from "./sqlite-errors.ts";
import { takeBackFormerLife } from "./store-operations.ts";

/** Fluxes read together. */
const PAGE_FLUXES = 200;
/** Finds the arrivals of a flux: a running gateway never needs it, and would pay for it. */
const INDEX = "CREATE INDEX IF NOT EXISTS copy_arrival_flux ON arrival(flux)";
const NO_INDEX = "DROP INDEX IF EXISTS copy_arrival_flux";

/**
 * @param options.create - false: the file must be there
 * @throws STORE_IN_USE, STORE_TOO_NEW, STORE_UNAVAILABLE, STORE_FULL, STORE_COPY_REFUSED
 */
export function openSqliteTransfer({
  path,
  create,
  pageFluxes = PAGE_FLUXES,
}: {
  readonly path: string;
  readonly create: boolean;
  readonly pageFluxes?: number;
}): StoreTransfer {
  if (!create && !existsSync(path)) {
    throw gatewayError("STORE_COPY_REFUSED", { detail: `il n'y a pas de base ${path}` });
  }
  const db = openDatabase(path);
  let isOpen = true;
  const checkpoint = makeCheckpoint(db);
  const notes = makeNoteStatements(db);
  const pauses = makePauseStatements(db);
  const reading = makeReadStatements(db);
  const records = makeRecordStatements(db, makeLaneStatements(db), pageFluxes);
  const seqOf = db.prepare("SELECT seq FROM flux WHERE id = ?");
  const lastId = db.prepare("SELECT id FROM flux ORDER BY seq DESC LIMIT 1");
  const count = db.prepare("SELECT count(*) AS n FROM flux");
  const dropNote = db.prepare("DELETE FROM note WHERE key = ?");
  const copiedNotes = db.prepare("SELECT key, value FROM note WHERE key NOT GLOB ?");
  const dropNotes = db.prepare("DELETE FROM note WHERE key NOT GLOB ?");
  const ownNotes = `${OWN_NOTES}*`;

  /** Runs at once; what it throws is told in the words of the gateway. */
  function ask<T>(work: () => T): Promise<T> {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(errorOf(faultOf(error)));
    }
  }

  function write<T>(work: () => T): Promise<T> {
    return ask(() => {
      const result = inTransaction(db, work);
      checkpoint.run();
      return result;
    });
  }

  const takeSealOff = (copyId?: string): Promise<void> =>
    write(() => {
      db.exec(NO_INDEX);
      if (copyId !== undefined) notes.note(COPIED_NOTE, copyId);
      dropNote.run(SEAL_NOTE);
    });

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    checkpoint.finish();
    db.close();
  }

  return {
    place: path,
    storeId: (fresh) =>
      write(() => {
        notes.noteIf(STORE_ID_NOTE, undefined, fresh);
        return notes.noted(STORE_ID_NOTE) ?? fresh;
      }),
    seal: () => ask(() => sealOf(db)),
    setSeal: (expected, seal) =>
      write(() => {
        const before = expected === undefined ? undefined : sealText(expected);
        if (!notes.noteIf(SEAL_NOTE, before, sealText(seal))) return false;
        db.exec(seal.phase === "moved" ? NO_INDEX : INDEX);
        return true;
      }),
    unseal: () => takeSealOff(),
    putInService: (copyId) => takeSealOff(copyId),
    copiedBy: () => ask(() => notes.noted(COPIED_NOTE)),

    // The file is ours alone: nobody holds what its former life lent.
    leases: () => Promise.resolve(0),
    takeBack: (now) =>
      ask(() => {
        takeBackFormerLife(db, now);
      }),

    counts: () => ask(() => reading.counts()),
    size: () => ask(() => Number(count.get()?.["n"])),
    last: () =>
      ask(() => {
        const found = lastId.get();
        return found === undefined ? undefined : { fluxId: found["id"] as string };
      }),
    placeOf: (fluxId) =>
      ask(() => {
        const found = seqOf.get(fluxId);
        return found === undefined ? undefined : String(found["seq"]);
      }),
    page: async (after) => {
      // All here is done at once: a signal to stop is heard between two pages.
      await setImmediate();
      return ask(() => records.page(after === undefined ? 0 : Number(after)));
    },
    values: () =>
      ask(() => ({
        notes: new Map(
          copiedNotes.all(ownNotes).map(({ key, value }) => [key as string, value as string]),
        ),
        sequences: new Map(
          db
            .prepare("SELECT name, value FROM sequence")
            .all()
            .map(({ name, value }) => [name as string, value as number]),
        ),
        pauses: pauses.pauses(),
      })),

    import: (batch) =>
      write(() => {
        for (const record of batch) records.add(record);
      }),
    importValues: (values, counts) =>
      write(() => {
        dropNotes.run(ownNotes);
        for (const [key, value] of values.notes) notes.note(key, value);
        db.exec("DELETE FROM sequence; DELETE FROM pause");
        const sequence = db.prepare("INSERT INTO sequence VALUES (?, ?)");
        for (const [name, value] of values.sequences) sequence.run(name, value);
        for (const pause of values.pauses) pauses.pause(pause);
        const counter = db.prepare("UPDATE counter SET value = ? WHERE name = ?");
        counter.run(counts.received, "received");
        counter.run(counts.repeats, "repeats");
      }),
    wipe: () =>
      ask(() => {
        close();
        // The log first: without its database it could be taken for the log of the next one.
        for (const file of [`${path}-wal`, `${path}-journal`, path]) rmSync(file, { force: true });
      }),
    close: () => ask(close),
  };
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite may have rolled back by itself, as when the disk is full.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
