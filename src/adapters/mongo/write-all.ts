/** Writes several documents in one command, in order, in a transaction; none costs nothing. */
import type { mongo } from "mongoose";

export async function insertAll<T extends mongo.BSON.Document>(
  collection: mongo.Collection<T>,
  docs: readonly T[],
  session: mongo.ClientSession,
): Promise<void> {
  if (docs.length === 0) return;
  await collection.insertMany(docs as unknown as mongo.OptionalUnlessRequiredId<T>[], {
    session,
    ordered: true,
  });
}

export async function updateAll<T extends mongo.BSON.Document>(
  collection: mongo.Collection<T>,
  updates: readonly mongo.AnyBulkWriteOperation<T>[],
  session: mongo.ClientSession,
): Promise<void> {
  if (updates.length === 0) return;
  await collection.bulkWrite(updates, { session, ordered: true });
}
