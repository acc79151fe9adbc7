/**
 * Updates documents outside any transaction. Promise: one that another's open transaction holds (of a
 * gateway that was frozen or killed in the middle, which the server ends after a minute) is given up
 * soon, and keeps no other waiting.
 */
import type { mongo } from "mongoose";
import { isTimeLimit } from "./mongo-errors.ts";

/** How long one document is waited for, ms. */
const ONE_MS = 250;
/** How long many are, by one command, before each is tried by itself, ms. */
const MANY_MS = 500;
/** Commands at once: those that wait leave connections to the others. */
const AT_ONCE = 8;

export interface Update<T extends mongo.BSON.Document> {
  readonly filter: mongo.Filter<T>;
  readonly update: mongo.UpdateFilter<T>;
}

/**
 * All by one command, when nobody holds one of them.
 * @returns how many matched, undefined when the command did not say, and the places of those held
 */
export async function updateTogether<T extends mongo.BSON.Document>(
  collection: mongo.Collection<T>,
  updates: readonly Update<T>[],
): Promise<{ readonly matched: number | undefined; readonly held: ReadonlySet<number> }> {
  try {
    const { matchedCount } = await collection.bulkWrite(
      updates.map((updateOne) => ({ updateOne })),
      { ordered: false, maxTimeMS: MANY_MS },
    );
    return { matched: matchedCount, held: new Set() };
  } catch (error) {
    if (!isTimeLimit(error)) throw error;
    // What it had updated no longer matches, or is updated to the same.
    const { held } = await updateEach(collection, updates);
    return { matched: undefined, held };
  }
}

/** Each by itself. @returns how many were modified, and the places of those that are held */
export async function updateEach<T extends mongo.BSON.Document>(
  collection: mongo.Collection<T>,
  updates: readonly Update<T>[],
): Promise<{ readonly modified: number; readonly held: ReadonlySet<number> }> {
  const held = new Set<number>();
  let modified = 0;
  let next = 0;
  async function work(): Promise<void> {
    for (let place = next; place < updates.length; place = next) {
      next += 1;
      const { filter, update } = updates[place] ?? {};
      if (filter === undefined || update === undefined) continue;
      try {
        const { modifiedCount } = await collection.updateOne(filter, update, { maxTimeMS: ONE_MS });
        modified += modifiedCount;
      } catch (error) {
        if (!isTimeLimit(error)) throw error;
        held.add(place);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { modified, held };
}
