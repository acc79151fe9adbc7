/**
 * Writes whatever has queued in one transaction: one journal flush for many senders. Promises: an
 * answer leaves only after the commit; an item that fails hurts no other; what is rejected has left
 * nothing, but for a commit that stayed unknown (`transaction.ts`).
 */
import type { mongo } from "mongoose";
import type { Transactions } from "./transaction.ts";
import {
  isDuplicateKey,
  isTransientTransaction,
  isUnknownCommit,
  storeError,
} from "./mongo-errors.ts";

/** What became of one item: its result, or why it alone is refused. */
export type ItemResult<R> = { readonly value: R } | { readonly refused: unknown };

export interface GroupWriter<I, R> {
  write(item: I): Promise<R>;
  /** Resolves when all that was asked is answered. */
  idle(): Promise<void>;
}

interface Waiting<I, R> {
  readonly item: I;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** A content or a lane taken meanwhile by another gateway: read again, and again. */
const DUPLICATE_ATTEMPTS = 8;

export function makeGroupWriter<I, R>(options: {
  readonly transactions: Transactions;
  /** Transactions at once; each has its own number, from 0. */
  readonly slots: number;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly bytesOf: (item: I) => number;
  /** Writes the items; may be run again from the start, so it keeps nothing between two runs. */
  readonly run: (
    items: readonly I[],
    session: mongo.ClientSession,
    slot: number,
  ) => Promise<readonly ItemResult<R>[]>;
  /** Called after a commit, before its answers leave. */
  readonly committed: () => void;
}): GroupWriter<I, R> {
  const { transactions, slots, maxItems, maxBytes, bytesOf, run, committed } = options;
  let queue: Waiting<I, R>[] = [];
  const free = Array.from({ length: slots }, (_, slot) => slot);
  let idlers: (() => void)[] = [];

  function nextGroup(): readonly Waiting<I, R>[] {
    let bytes = 0;
    let count = 0;
    for (const { item } of queue) {
      bytes += bytesOf(item);
      if (count > 0 && (bytes > maxBytes || count === maxItems)) break;
      count += 1;
    }
    const group = queue.slice(0, count);
    queue = queue.slice(count);
    return group;
  }

  async function writeTogether(
    group: readonly Waiting<I, R>[],
    slot: number,
    attempt = 0,
  ): Promise<void> {
    let results: readonly ItemResult<R>[];
    try {
      results = await transactions((session) =>
        run(
          group.map(({ item }) => item),
          session,
          slot,
        ),
      );
    } catch (error) {
      const [first] = group;
      if (group.length > 1 && !isAway(error)) {
        const middle = Math.ceil(group.length / 2);
        await writeTogether(group.slice(0, middle), slot);
        await writeTogether(group.slice(middle), slot);
      } else if (isDuplicateKey(error) && attempt < DUPLICATE_ATTEMPTS) {
        await writeTogether(group, slot, attempt + 1);
      } else if (first !== undefined) {
        const told = storeError(error);
        for (const { reject } of group) reject(told);
      }
      return;
    }
    committed();
    group.forEach(({ resolve, reject }, n) => {
      const result = results[n];
      if (result !== undefined && "value" in result) resolve(result.value);
      else reject(result?.refused ?? storeError(new Error("an item had no result")));
    });
  }

  /** The fault is not of one item: all of them share it. */
  function isAway(error: unknown): boolean {
    return (
      isTransientTransaction(error) ||
      isUnknownCommit(error) ||
      (!isDuplicateKey(error) && storeError(error).code === "STORE_UNAVAILABLE")
    );
  }

  async function turn(slot: number): Promise<void> {
    // What is asked in one turn of the loop goes together.
    await new Promise(setImmediate);
    while (queue.length > 0) await writeTogether(nextGroup(), slot);
    free.push(slot);
    if (free.length === slots) {
      for (const resolve of idlers) resolve();
      idlers = [];
    }
  }

  return {
    write: (item) =>
      new Promise<R>((resolve, reject) => {
        queue.push({ item, resolve, reject });
        const slot = free.shift();
        if (slot !== undefined) void turn(slot);
      }),
    idle: () =>
      free.length === slots
        ? Promise.resolve()
        : new Promise((resolve) => {
            idlers.push(resolve);
          }),
  };
}
