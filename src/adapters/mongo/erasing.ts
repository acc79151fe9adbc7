/**
 * Retention: erases the files of fluxes that ended. Promise: the journal says so in the same
 * transaction, and stays; from then on nobody reads the files, and the database removes them in its
 * own time (TTL, within about a minute).
 */
import type { Outbox } from "../../keep/outbox.ts";
import type { Collections, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import { change } from "./flux-documents.ts";
import { BLOBS } from "./indexes.ts";
import type { StoreTime } from "./store-time.ts";
import type { Transactions } from "./transaction.ts";
import { updateAll } from "./write-all.ts";
import type { mongo } from "mongoose";

export async function eraseFiles(
  request: Parameters<Outbox["eraseFiles"]>[0],
  at: {
    readonly db: mongo.Db;
    readonly collections: Collections;
    readonly transactions: Transactions;
    readonly time: StoreTime;
  },
): Promise<number> {
  const { db, collections, transactions, time } = at;
  const { endedBefore, now, max } = request;
  const eraseAt = new Date(time.toStore(now));

  return transactions(async (session) => {
    const docs: FluxDocument[] = [];
    const ended = collections.fluxes
      .find({ endedAt: { $lt: endedBefore } }, { session, projection: WITHOUT_JOURNAL })
      .sort({ endedAt: 1 })
      .batchSize(Math.max(1, max));
    for await (const doc of ended) {
      if (docs.length >= max) break;
      const owed = await collections.deliveries.findOne(
        { flux: doc._id },
        { session, projection: { _id: 1 } },
      );
      if (owed === null) docs.push(doc);
    }
    await ended.close();
    if (docs.length === 0) return 0;
    const ids = docs.map(({ _id }) => _id);
    const files = await collections.files
      .find({ flux: { $in: ids }, eraseAt: { $exists: false } }, { session })
      .project<{ flux: string; blob?: mongo.ObjectId; size: number }>({
        flux: 1,
        blob: 1,
        size: { $cond: [{ $ifNull: ["$blob", false] }, 0, { $binarySize: "$bytes" }] },
      })
      .toArray();
    const blobs = files.flatMap(({ blob }) => (blob === undefined ? [] : [blob]));
    const sizes = await db
      .collection<{ _id: mongo.ObjectId; length: number }>(`${BLOBS}.files`)
      .find({ _id: { $in: blobs } }, { session, projection: { length: 1 } })
      .toArray();
    const lengths = new Map(sizes.map(({ _id, length }) => [_id.toHexString(), length]));
    const byFlux = Map.groupBy(files, ({ flux }) => flux);
    await updateAll(
      collections.fluxes,
      docs.map((doc) => {
        const own = byFlux.get(doc._id) ?? [];
        const bytes = own.reduce(
          (sum, { blob, size }) =>
            sum + (blob === undefined ? size : (lengths.get(blob.toHexString()) ?? 0)),
          0,
        );
        const detail = { files: own.length, bytes };
        const event = { at: now, name: "flux.filesErased", detail } as const;
        return change(doc, { endedAt: undefined, erasedAt: now }, event);
      }),
      session,
    );
    await collections.files.updateMany({ flux: { $in: ids } }, { $set: { eraseAt } }, { session });
    if (blobs.length > 0) {
      await db
        .collection<{ _id: mongo.ObjectId }>(`${BLOBS}.files`)
        .updateMany({ _id: { $in: blobs } }, { $set: { eraseAt } }, { session });
      await db
        .collection(`${BLOBS}.chunks`)
        .updateMany({ files_id: { $in: blobs } }, { $set: { eraseAt } }, { session });
    }
    return docs.length;
  });
}
