/**
 * A MongoDB store as one end of a copy. Promise: while it is sealed, the database refuses whatever a
 * gateway would write, also one that has it open (`seal.ts`); what is written here is on the disk of a
 * majority when it resolves.
 */
import { mongo } from "mongoose";
import { errorText } from "../../domain/errors.ts";
import {
  COPIED_NOTE,
  OWN_NOTES,
  SEAL_NOTE,
  sealText,
  STORE_ID_NOTE,
} from "../../keep/store-seal.ts";
import type { RecordPage, StoreTransfer } from "../../keep/store-transfer.ts";
import type { Clock } from "../../runtime/clock.ts";
import { shownStore } from "../../runtime/store-address.ts";
import { connect } from "./connect.ts";
import type { DeliveryDocument, FluxDocument } from "./documents.ts";
import { makeFiles } from "./files.ts";
import { recordOf, roleOf } from "./flux-records.ts";
import { COPY_TALLY, importRecords } from "./import-records.ts";
import { BLOBS } from "./indexes.ts";
import { storeError } from "./mongo-errors.ts";
import { pauseId } from "./notes.ts";
import { readCounts } from "./readings.ts";
import { lowerFence, raiseFence, sealOf, withRights } from "./seal.ts";
import { makeTransactions } from "./transaction.ts";

/** Fluxes read together. */
const PAGE_FLUXES = 200;
/** Bytes of originals read together, unless one alone has more. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** Leases taken back by one command. */
const MANY = 500;
/** The order of keeping: a gateway never asks for it, and would pay for it. */
const ORDER = { name: "copyOrder", key: { seq: 1, _id: 1 } } as const;
/** What a wipe drops; the fence and the seal go last. */
const WIPED = [
  ...[`${BLOBS}.chunks`, `${BLOBS}.files`, "files", "deliveries", "sequences", "pauses", "roles"],
  ...["tallies", "fluxes", "notes"],
] as const;
const COPIED_NOTES = { _id: { $not: new RegExp(`^${OWN_NOTES.replace(".", "\\.")}`) } };
/** The fence is ours. */
const BYPASS = { bypassDocumentValidation: true } as const;
const NAMESPACE_NOT_FOUND = 26;
const INDEX_NOT_FOUND = 27;

/** @throws STORE_UNAVAILABLE, STORE_NOT_REPLICATED, STORE_TOO_NEW */
export async function openMongoTransfer({
  uri,
  clock,
  pageFluxes = PAGE_FLUXES,
}: {
  readonly uri: string;
  readonly clock: Clock;
  readonly pageFluxes?: number;
}): Promise<StoreTransfer> {
  const place = shownStore(uri);
  const database = await connect(uri);
  const { client, db, collections, serverNow } = database;
  const { fluxes, deliveries, notes, sequences, pauses, tallies } = collections;
  const transactions = makeTransactions({ client, clock });
  const files = makeFiles(db, collections);
  const inOrder = db.collection<FluxDocument>("fluxes", { readConcern: { level: "majority" } });

  async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storeError(error);
    }
  }

  async function put(key: string, value: string): Promise<void> {
    await notes.updateOne({ _id: key }, { $set: { value } }, { upsert: true, ...BYPASS });
  }

  async function writeSeal(expected: string | undefined, value: string): Promise<boolean> {
    if (expected === undefined) {
      const { upsertedCount } = await notes.updateOne(
        { _id: SEAL_NOTE },
        { $setOnInsert: { value } },
        { upsert: true, ...BYPASS },
      );
      return upsertedCount === 1;
    }
    const { matchedCount } = await notes.updateOne(
      { _id: SEAL_NOTE, value: expected },
      { $set: { value } },
      BYPASS,
    );
    return matchedCount === 1;
  }

  async function takeSealOff(): Promise<void> {
    await dropOrder();
    await lowerFence(db, clock);
    await notes.deleteOne({ _id: SEAL_NOTE });
  }

  async function dropOrder(): Promise<void> {
    await fluxes.dropIndex(ORDER.name).catch(ignoring(INDEX_NOT_FOUND));
  }

  async function page(after: string | undefined): Promise<RecordPage> {
    const read = await inOrder
      .find(after === undefined ? {} : behind(after))
      .sort(ORDER.key)
      .hint(ORDER.name)
      .limit(pageFluxes + 1)
      .toArray();
    const docs: FluxDocument[] = [];
    let bytes = 0;
    for (const doc of read.slice(0, pageFluxes)) {
      bytes += doc.erasedAt === undefined ? doc.size : 0;
      if (docs.length > 0 && bytes > PAGE_BYTES) break;
      docs.push(doc);
    }
    const ids = docs.map(({ _id }) => _id);
    const own = await deliveries.find({ flux: { $in: ids } }).toArray();
    const owed = Map.groupBy(own, (delivery: DeliveryDocument) => delivery.flux);
    const named = await collections.files
      .find({ flux: { $in: ids }, eraseAt: { $exists: false } })
      .toArray();
    const held = Map.groupBy(named, ({ flux }) => flux);
    const records = await Promise.all(
      docs.map(async (doc) => {
        const found = (held.get(doc._id) ?? []).map(async (file) => ({
          role: roleOf(file._id),
          name: file.name,
          bytes: await files.bytesOf(file),
        }));
        return recordOf(doc, owed.get(doc._id) ?? [], await Promise.all(found));
      }),
    );
    const last = docs.at(-1);
    return {
      records,
      ...(last === undefined || docs.length === read.length ? {} : { next: placeIn(last) }),
    };
  }

  async function takeBack(now: number): Promise<void> {
    const reason = { code: "LEASE_ENDED", text: errorText("LEASE_ENDED") };
    const event = { at: now, name: "flux.putInDoubt", detail: { code: "LEASE_ENDED" } } as const;
    for (;;) {
      const lent = await fluxes
        .find({ leaseUntil: { $exists: true } }, { projection: { _id: 1 } })
        .limit(MANY)
        .toArray();
      if (lent.length === 0) break;
      await fluxes.updateMany(
        { _id: { $in: lent.map(({ _id }) => _id) }, state: "inTransit" },
        {
          $set: { state: "inDoubt", since: now, reason },
          $unset: { leaseUntil: 1, claim: 1 },
          $push: { journal: event },
        },
        BYPASS,
      );
    }
    await deliveries.updateMany(
      { state: "lent" },
      { $set: { state: "owed", dueAt: now }, $unset: { leaseUntil: 1, claim: 1 } },
      BYPASS,
    );
  }

  return {
    place,
    storeId: (fresh) =>
      ask(async () => {
        const found = await notes.findOneAndUpdate(
          { _id: STORE_ID_NOTE },
          { $setOnInsert: { value: fresh } },
          { upsert: true, returnDocument: "after" },
        );
        return found?.value ?? fresh;
      }),
    seal: () => ask(() => sealOf(collections)),
    setSeal: (expected, seal) =>
      ask(async () => {
        const before = expected === undefined ? undefined : sealText(expected);
        const isWritten = await writeSeal(before, sealText(seal)).catch(withRights(place));
        if (!isWritten) return false;
        await raiseFence(db, clock).catch(withRights(place));
        if (seal.phase === "moved") await dropOrder();
        else await fluxes.createIndexes([ORDER]);
        return true;
      }),
    unseal: () => ask(takeSealOff),
    putInService: (copyId) =>
      ask(async () => {
        await put(COPIED_NOTE, copyId);
        await takeSealOff();
      }),
    copiedBy: () => ask(async () => (await notes.findOne({ _id: COPIED_NOTE }))?.value),

    leases: () =>
      ask(async () => {
        const live = { leaseUntil: { $gt: await serverNow() } };
        return (await fluxes.countDocuments(live)) + (await deliveries.countDocuments(live));
      }),
    takeBack: (now) => ask(() => takeBack(now)),

    counts: () => ask(() => readCounts(collections, transactions)),
    size: () => ask(() => fluxes.countDocuments({}, { hint: "_id_" })),
    last: () =>
      ask(async () => {
        const [found] = await inOrder
          .find({}, { projection: { _id: 1 } })
          .sort({ seq: -1, _id: -1 })
          .limit(1)
          .toArray();
        return found === undefined ? undefined : { fluxId: found._id };
      }),
    placeOf: (fluxId) =>
      ask(async () => {
        const found = await fluxes.findOne({ _id: fluxId }, { projection: { seq: 1 } });
        return found === null ? undefined : placeIn(found);
      }),
    page: (after) => ask(() => page(after)),
    values: () =>
      ask(async () => {
        const noted = await notes.find(COPIED_NOTES).toArray();
        const numbers = await sequences.find({}).toArray();
        const held = await pauses.find({}).toArray();
        return {
          notes: new Map(noted.map(({ _id, value }) => [_id, value])),
          sequences: new Map(numbers.map(({ _id, last }) => [_id, last])),
          pauses: held.map(({ scope, at, by, reason }) => ({ scope, at, by, reason })),
        };
      }),

    import: (records) => ask(() => importRecords(records, { collections, files, transactions })),
    importValues: (values, counts) =>
      ask(async () => {
        await transactions(async (session) => {
          const options = { session, ...BYPASS };
          await notes.deleteMany(COPIED_NOTES, { session });
          await sequences.deleteMany({}, { session });
          await pauses.deleteMany({}, { session });
          const noted = [...values.notes].map(([_id, value]) => ({ _id, value }));
          if (noted.length > 0) await notes.insertMany(noted, options);
          const numbers = [...values.sequences].map(([_id, last]) => ({ _id, last }));
          if (numbers.length > 0) await sequences.insertMany(numbers, options);
          const held = values.pauses.map((pause) => ({ _id: pauseId(pause.scope), ...pause }));
          if (held.length > 0) await pauses.insertMany(held, options);
        });
        const now = await readCounts(collections, transactions);
        await tallies.updateOne(
          { _id: COPY_TALLY },
          {
            $inc: {
              received: counts.received - now.received,
              repeats: counts.repeats - now.repeats,
            },
          },
          { upsert: true },
        );
      }),
    wipe: () =>
      ask(async () => {
        for (const name of WIPED) {
          await db.collection(name).drop().catch(ignoring(NAMESPACE_NOT_FOUND));
        }
        await database.close();
      }),
    close: () => database.close(),
  };
}

/** A place in the order of keeping, as text. */
function placeIn({ seq, _id }: Pick<FluxDocument, "seq" | "_id">): string {
  return `${seq.toBigInt()}:${_id}`;
}

function behind(place: string): mongo.Filter<FluxDocument> {
  const [number = "0", id = ""] = place.split(":");
  const seq = new mongo.Timestamp(BigInt(number));
  return { $or: [{ seq: { $gt: seq } }, { seq, _id: { $gt: id } }] };
}

function ignoring(code: number): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof mongo.MongoServerError && error.code === code) return undefined;
    throw error;
  };
}
