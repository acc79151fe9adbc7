/**
 * The outbox on MongoDB: several gateways on one replica set, none of them trusted to survive. Keeps
 * what the port promises (`keep/outbox.ts`) by transactions that a majority has on its disk, by
 * leases with fences, and by unique indexes; `docs/decisions/0012-mongodb-store.md` says why so.
 */
import type { mongo } from "mongoose";
import { gatewayError, messageOf } from "../../domain/errors.ts";
import type { KeepResult, MoveResult, Outbox, Work } from "../../keep/outbox.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { shownStore } from "../../runtime/store-address.ts";
import { makeClaims } from "./claims.ts";
import { connect } from "./connect.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import { endDeliveries, type EndItem } from "./end-deliveries.ts";
import { eraseFiles } from "./erasing.ts";
import { bytesIn, makeFiles } from "./files.ts";
import { fluxOf } from "./flux-documents.ts";
import { makeGroupWriter, type GroupWriter, type ItemResult } from "./group-writer.ts";
import { keepDocuments, type KeepItem } from "./keep-documents.ts";
import { listFluxes } from "./lists.ts";
import { storeError } from "./mongo-errors.ts";
import { moveDocuments, type MoveItem } from "./move-documents.ts";
import { makeNotes } from "./notes.ts";
import { readCounts, readLoad } from "./readings.ts";
import { refuseSealed } from "./seal.ts";
import { recordOnce } from "./record-once.ts";
import { makeStoreTime } from "./store-time.ts";
import { foldTallies, makeTally, type Tally } from "./tallies.ts";
import { makeTransactions } from "./transaction.ts";
import { watchWork } from "./work-watch.ts";

/** Transactions of one kind at once: one writes while the other waits for the disks. */
const SLOTS = 2;
const GROUP_ITEMS = 200;
/** Bytes of files in one transaction, unless one item alone has more. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** How often the clocks are compared, ms. */
const MEASURE_EVERY_MS = 30_000;
/** How often large objects that no flux names are looked for, ms. */
const SWEEP_EVERY_MS = 10 * 60_000;
const SWEEP_ROLE = "store.sweep";

/**
 * Opens the store. Several gateways may, each under its own name.
 * @param options.owner - names this gateway
 * @throws STORE_UNAVAILABLE, STORE_NOT_REPLICATED, STORE_TOO_NEW, STORE_MOVED, STORE_INCOMPLETE
 */
export async function openMongoOutbox(options: {
  readonly uri: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}): Promise<Outbox> {
  const { owner, clock, chance, log } = options;
  const database = await connect(options.uri);
  try {
    await refuseSealed(database.collections, shownStore(options.uri));
  } catch (error) {
    await database.close();
    throw storeError(error);
  }
  const { client, db, collections } = database;
  const { fluxes } = collections;
  const time = makeStoreTime({ clock, serverNow: database.serverNow });
  const transactions = makeTransactions({ client, clock });
  const files = makeFiles(db, collections);
  const notes = makeNotes(collections, time);
  const listeners = new Set<(work: Work) => void>();
  const stopping = new AbortController();
  let asked = 0;
  let drained: (() => void) | undefined;
  // A restarted gateway keeps its name: what its former life wrote is no longer its own.
  const life = Buffer.from(chance.bytes(6)).toString("hex");
  let lastClaim = 0;

  const hint = (work: Work): void => {
    for (const listener of listeners) listener(work);
  };
  const claims = makeClaims({
    collections,
    time,
    clock,
    chance,
    pauses: notes.pauses,
    hint,
    newClaimName: () => {
      lastClaim += 1;
      return `${owner}/${life}/${lastClaim}`;
    },
  });

  type Run<I, R> = (
    items: readonly I[],
    session: mongo.ClientSession,
    at: {
      collections: typeof collections;
      time: typeof time;
      tally: Tally;
      hint: (work: Work) => void;
    },
  ) => Promise<readonly ItemResult<R>[]>;

  function writer<I, R>(kind: string, run: Run<I, R>, bytesOf: (item: I) => number) {
    const told = new Set<Work>();
    const made: GroupWriter<I, R> = makeGroupWriter<I, R>({
      transactions,
      clock,
      slots: SLOTS,
      maxItems: GROUP_ITEMS,
      maxBytes: GROUP_BYTES,
      bytesOf,
      run: (items, session, slot) => {
        const tally = makeTally(collections, `${owner}/${kind}/${slot}`);
        const tell = (work: Work): void => {
          told.add(work);
          tally.tell(work);
        };
        return run(items, session, { collections, time, tally, hint: tell });
      },
      committed: () => {
        // A group of another slot may be told of a little early: a hint.
        for (const work of told) hint(work);
        told.clear();
      },
    });
    return made;
  }

  const sizeOf = ({ files: own }: KeepItem | MoveItem): number =>
    own.reduce((sum, { bytes }) => sum + bytesIn(bytes), 0);
  const keeper = writer<KeepItem, readonly KeepResult[]>("keep", keepDocuments, sizeOf);
  const mover = writer<MoveItem, MoveResult>("move", moveDocuments, sizeOf);
  const ender = writer<EndItem, boolean>("deliver", endDeliveries, () => 0);

  /** Counts what is asked, refuses it once stopping, and tells the database's errors as ours. */
  async function ask<T>(work: () => Promise<T>): Promise<T> {
    if (stopping.signal.aborted) throw gatewayError("STOPPING", {});
    asked += 1;
    try {
      return await work();
    } catch (error) {
      throw storeError(error);
    } finally {
      asked -= 1;
      if (asked === 0) drained?.();
    }
  }

  async function everySoOften(everyMs: number, what: string, work: () => Promise<unknown>) {
    for (;;) {
      await clock.wait(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        log.warn(what, { error: messageOf(error) });
      }
    }
  }

  async function sweep(): Promise<void> {
    const now = clock.now();
    const { held } = await notes.holdRole(SWEEP_ROLE, { owner, now, leaseMs: SWEEP_EVERY_MS });
    if (!held) return;
    const swept = await files.sweep(time.toStore(now));
    if (swept > 0) log.info("store.orphansSwept", { swept });
  }

  await time.measure();
  await foldTallies(collections, transactions);
  const watch = watchWork({ collections, ownWriters: `${owner}/`, hint, clock, log });
  const background = [
    everySoOften(MEASURE_EVERY_MS, "store.clockNotMeasured", time.measure),
    everySoOften(SWEEP_EVERY_MS, "store.notSwept", sweep),
  ];
  let stopped: Promise<void> | undefined;

  async function finish(): Promise<void> {
    stopping.abort();
    if (asked > 0) {
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
    }
    await watch.stop();
    await Promise.all(background);
    await database.close();
  }

  return {
    keep: (batch) =>
      ask(async () => {
        const own = await Promise.all(
          batch.map(({ id, fileName: name, bytes }) =>
            files.prepare(id, "original", { name, bytes }),
          ),
        );
        return keeper.write({ batch, files: own });
      }),
    claim: (request) => ask(() => claims.claim(request)),
    renew: (held, leaseUntil) => ask(() => claims.renew(held, leaseUntil)),
    move: (move) =>
      ask(async () => {
        const own = await Promise.all(
          (["answer", "attestation"] as const).flatMap((role) => {
            const file = move.files?.[role];
            return file === undefined ? [] : [files.prepare(move.fluxId, role, file)];
          }),
        );
        return mover.write({ move, files: own });
      }),
    recordOnce: (record) => ask(() => recordOnce(collections, record, time)),
    claimDeliveries: (request) => ask(() => claims.claimDeliveries(request)),
    endDelivery: (delivery, at, end) => ask(() => ender.write({ ...delivery, at, end })),
    takeBack: (now) => ask(() => claims.takeBack(now)),
    find: (fluxId) =>
      ask(async () => {
        const doc = await fluxes.findOne({ _id: fluxId }, { projection: WITHOUT_JOURNAL });
        return doc === null ? undefined : fluxOf(doc, time);
      }),
    holderOf: (lane) =>
      ask(async () => {
        const [doc] = await fluxes
          .find({ lane, holds: true }, { projection: WITHOUT_JOURNAL })
          .sort({ seq: 1 })
          .limit(1)
          .toArray();
        return doc === undefined ? undefined : fluxOf(doc, time);
      }),
    list: (query) => ask(() => listFluxes(collections, query, time)),
    journal: (fluxId) =>
      ask(async () => {
        const doc = await fluxes.findOne({ _id: fluxId }, { projection: { journal: 1 } });
        return doc?.journal ?? [];
      }),
    file: (fluxId, role) => ask(() => files.read(fluxId, role)),
    counts: () => ask(() => readCounts(collections, transactions)),
    load: () => ask(() => readLoad(collections)),
    note: (key, value) => ask(() => notes.note(key, value)),
    noted: (key) => ask(() => notes.noted(key)),
    noteIf: (key, expected, value) => ask(() => notes.noteIf(key, expected, value)),
    next: (sequence) => ask(() => notes.next(sequence)),
    pause: (pause) => ask(() => notes.pause(pause)),
    resume: (scope) =>
      ask(async () => {
        const resumed = await notes.resume(scope);
        if (resumed) hint("forward");
        return resumed;
      }),
    pauses: () => ask(() => notes.pauses()),
    holdRole: (role, hold) => ask(() => notes.holdRole(role, hold)),
    leaveRole: (role, leaver) => ask(() => notes.leaveRole(role, leaver)),
    eraseFiles: (request) =>
      ask(() => eraseFiles(request, { db, collections, transactions, time })),
    probe: () => ask(() => notes.note("store.probe", String(clock.now()))),
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => {
      stopped ??= finish();
      return stopped;
    },
  };
}
