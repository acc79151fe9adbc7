/**
 * Every operation of the store, as the worker runs it on its database: the outbox port without its
 * promises of time. Each runs inside a transaction that `group-commit.ts` owns.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Outbox, StoreCounts, StoreLoad, Work } from "../../keep/outbox.ts";
import { makeClaimStatements } from "./claim-statements.ts";
import { makeDeliveryStatements } from "./delivery-statements.ts";
import { makeEraseStatements } from "./erase-statements.ts";
import { makeJournalStatements } from "./journal-statements.ts";
import { makeKeepStatements } from "./keep-statements.ts";
import { makeLaneStatements } from "./lane-statements.ts";
import { makeListStatements } from "./list-statements.ts";
import { makeMoveStatements } from "./move-statements.ts";
import { makeNoteStatements } from "./note-statements.ts";
import { makePauseStatements } from "./pause-statements.ts";
import { makeReadStatements } from "./read-statements.ts";
import { makeRoleStatements } from "./role-statements.ts";

/** The embedded store: the outbox, and what only it can say. */
export interface SqliteOutbox extends Outbox {
  /** The counts, counted row by row: slow; proves the counters. */
  recount(): Promise<StoreCounts>;
  /** The load, likewise. */
  recountLoad(): Promise<StoreLoad>;
}

export type OperationName = Exclude<keyof SqliteOutbox, "watch" | "stop">;
export type Arguments<N extends OperationName> = Parameters<SqliteOutbox[N]>;
export type Result<N extends OperationName> = Awaited<ReturnType<SqliteOutbox[N]>>;

export type Operations = {
  readonly [N in OperationName]: (...args: Arguments<N>) => Result<N>;
};

/** Those that write nothing: they need no commit. */
export const READS: ReadonlySet<OperationName> = new Set<OperationName>([
  "find",
  "holderOf",
  "list",
  "journal",
  "file",
  "counts",
  "recount",
  "load",
  "recountLoad",
  "noted",
  "pauses",
]);

/** What a step may find to do once the transaction is on disk. */
export interface WorkHints {
  add(work: Work): void;
  /** All that was due is lent: nothing is left for another claim. */
  delete(work: Work): void;
}

export function makeStoreOperations(db: DatabaseSync, hints: WorkHints): Operations {
  const hint = (work: Work): void => hints.add(work);
  const lanes = makeLaneStatements(db);
  const journal = makeJournalStatements(db);
  const deliveries = makeDeliveryStatements(db);
  const keeping = makeKeepStatements({ db, lanes, journal, deliveries, hint });
  const pauses = makePauseStatements(db);
  const claiming = makeClaimStatements({ db, journal, pauses });
  const moving = makeMoveStatements({ db, lanes, journal, deliveries, hint });
  const listing = makeListStatements(db);
  const reading = makeReadStatements(db);
  const notes = makeNoteStatements(db);
  const roles = makeRoleStatements(db);
  const erasing = makeEraseStatements({ db, journal });
  const probe = db.prepare("UPDATE probe SET count = count + 1");

  /** A claim that had fewer than it asked for has emptied what the operations before it added. */
  function emptying<T>(work: Work, max: number, claimed: readonly T[]): readonly T[] {
    if (claimed.length < max) hints.delete(work);
    return claimed;
  }

  return {
    keep: (batch) => keeping.keep(batch),
    claim: (request) => emptying("forward", request.max, claiming.claim(request)),
    renew: (held, leaseUntil) => claiming.renew(held, leaseUntil),
    move: (move) => moving.move(move),
    recordOnce: (record) => moving.recordOnce(record),
    claimDeliveries: (request) => emptying("acknowledge", request.max, deliveries.claim(request)),
    endDelivery: (delivery, at, end) => moving.endDelivery(delivery, at, end),
    takeBack: (now) => {
      const inDoubt = claiming.takeBack(now, now);
      const owedAgain = deliveries.takeBack(now, now);
      if (owedAgain > 0) hint("acknowledge");
      return { inDoubt, deliveries: owedAgain };
    },
    find: (fluxId) => reading.find(fluxId),
    holderOf: (lane) => reading.holderOf(lane),
    list: (query) => listing.list(query),
    journal: (fluxId) => journal.journal(fluxId),
    file: (fluxId, role) => reading.file(fluxId, role),
    counts: () => reading.counts(),
    recount: () => reading.recount(),
    load: () => reading.load(),
    recountLoad: () => reading.recountLoad(),
    note: (key, value) => notes.note(key, value),
    noted: (key) => notes.noted(key),
    noteIf: (key, expected, value) => notes.noteIf(key, expected, value),
    next: (sequence) => notes.next(sequence),
    pause: (pause) => pauses.pause(pause),
    resume: (scope) => {
      const resumed = pauses.resume(scope);
      if (resumed) hint("forward");
      return resumed;
    },
    pauses: () => pauses.pauses(),
    holdRole: (role, hold) => roles.hold(role, hold),
    leaveRole: (role, owner) => roles.leave(role, owner),
    eraseFiles: (request) => erasing.erase(request),
    probe: () => {
      probe.run();
    },
  };
}

/**
 * Takes back all that the former life of the store had lent: no other process can hold it, since
 * only one may open it.
 */
export function takeBackFormerLife(db: DatabaseSync, now: number): void {
  const journal = makeJournalStatements(db);
  db.exec("BEGIN IMMEDIATE");
  makeClaimStatements({ db, journal, pauses: makePauseStatements(db) }).takeBack(
    Number.MAX_SAFE_INTEGER,
    now,
  );
  makeDeliveryStatements(db).takeBack(Number.MAX_SAFE_INTEGER, now);
  db.exec("COMMIT");
}
