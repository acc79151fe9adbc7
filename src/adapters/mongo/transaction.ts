/**
 * Runs work in a transaction until its outcome is known. Promises: it resolves when a majority of the
 * replica set has the commit in its journal; a conflict or an election runs the work again from its
 * reads; a commit whose answer was lost is asked for again, never assumed either way.
 */
import type { mongo } from "mongoose";
import type { Clock } from "../../runtime/clock.ts";
import { isConflict, isTransientTransaction, isUnknownCommit } from "./mongo-errors.ts";

/** How long the work may be run again while the database refuses it, ms. */
export const RETRY_FOR_MS = 20_000;
/**
 * How long an unknown commit is asked about, ms. Past it the caller is told STORE_UNAVAILABLE: a
 * sender who was not confirmed sends again, and a copy of what was kept all the same is a repeat.
 */
const RESOLVE_FOR_MS = 20_000;
const WAIT_MAX_MS = 200;

/** @param conflictsMax - how often it may meet a document that another transaction holds */
export type Transactions = <T>(
  work: (session: mongo.ClientSession) => Promise<T>,
  conflictsMax?: number,
) => Promise<T>;

export function makeTransactions({
  client,
  clock,
}: {
  readonly client: mongo.MongoClient;
  readonly clock: Clock;
}): Transactions {
  const pause = (attempt: number): Promise<void> =>
    clock.wait(Math.min(WAIT_MAX_MS, 2 ** Math.min(attempt, 10)));

  async function commit(session: mongo.ClientSession): Promise<void> {
    const until = clock.now() + RESOLVE_FOR_MS;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await session.commitTransaction();
        return;
      } catch (error) {
        if (!isUnknownCommit(error) || clock.now() >= until) throw error;
        await pause(attempt);
      }
    }
  }

  async function abort(session: mongo.ClientSession): Promise<void> {
    if (!session.inTransaction()) return;
    try {
      await session.abortTransaction();
    } catch {
      // The server that cannot be told ends it by itself.
    }
  }

  return async (work, conflictsMax = Infinity) => {
    const until = clock.now() + RETRY_FOR_MS;
    let conflicts = 0;
    for (let attempt = 0; ; attempt += 1) {
      const session = client.startSession();
      let isCommitting = false;
      try {
        // The write concern is the connection's (`connect.ts`): the disk of a majority.
        session.startTransaction({ readConcern: { level: "snapshot" } });
        const value = await work(session);
        isCommitting = true;
        await commit(session);
        return value;
      } catch (error) {
        await abort(session);
        // What may have been committed is not run again.
        if (isCommitting && isUnknownCommit(error)) throw error;
        if (!isTransientTransaction(error) || clock.now() >= until) throw error;
        if (isConflict(error)) conflicts += 1;
        if (conflicts >= conflictsMax) throw error;
        await pause(attempt);
      } finally {
        await session.endSession();
      }
    }
  };
}
