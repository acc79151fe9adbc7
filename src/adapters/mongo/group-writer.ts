/**
 * Writes whatever has queued in one transaction: one journal flush for many senders. Promises: an
 * answer leaves only after the commit; an item that fails hurts no other; what is rejected has left
 * nothing, but for a commit that stayed unknown (`transaction.ts`).
 */
import type { mongo } from "mongoose";
import type { Clock } from "../../runtime/clock.ts";
import { RETRY_FOR_MS, type Transactions } from "./transaction.ts";
import {
  isConflict,
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
  /** ms since the epoch. */
  readonly askedAt: number;
}

/** A content or a lane taken meanwhile by another gateway: read again, and again. */
const DUPLICATE_ATTEMPTS = 8;
/**
 * How often a group may meet a document that another transaction holds before its items are tried
 * apart: two gateways that meet part at once, a gateway that died in the middle holds for a minute.
 */
const CONFLICTS = 4;
/** Rest between two tries of what is held, ms. */
const HELD_REST_MS = 100;

export function makeGroupWriter<I, R>(options: {
  readonly transactions: Transactions;
  readonly clock: Clock;
  /** Transactions at once; each has its own number, from 0; what is held by others, the last. */
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
  const { transactions, slots, maxItems, maxBytes, bytesOf, run, committed, clock } = options;
  let queue: Waiting<I, R>[] = [];
  /** Those that met a document held by another transaction, tried apart: nobody waits for them. */
  let held: Waiting<I, R>[] = [];
  let isTryingHeld = false;
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
      results = await transactions(
        (session) =>
          run(
            group.map(({ item }) => item),
            session,
            slot,
          ),
        CONFLICTS,
      );
    } catch (error) {
      const [first] = group;
      if (group.length === 1 && first !== undefined && isConflict(error)) {
        tryApart(first, error);
      } else if (group.length > 1 && (isConflict(error) || !isAway(error))) {
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

  /** Tries an item again and again, apart from the others, for as long as a transaction may last. */
  function tryApart(waiting: Waiting<I, R>, error: unknown): void {
    if (clock.now() >= waiting.askedAt + RETRY_FOR_MS) {
      waiting.reject(storeError(error));
      return;
    }
    held.push(waiting);
    if (!isTryingHeld) void tryHeld();
  }

  async function tryHeld(): Promise<void> {
    isTryingHeld = true;
    while (held.length > 0) {
      await clock.wait(HELD_REST_MS);
      const round = held;
      held = [];
      for (const one of round) await writeTogether([one], slots);
    }
    isTryingHeld = false;
    tellIdle();
  }

  function tellIdle(): void {
    if (free.length < slots || isTryingHeld) return;
    for (const resolve of idlers) resolve();
    idlers = [];
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
    tellIdle();
  }

  return {
    write: (item) =>
      new Promise<R>((resolve, reject) => {
        queue.push({ item, resolve, reject, askedAt: clock.now() });
        const slot = free.shift();
        if (slot !== undefined) void turn(slot);
      }),
    idle: () =>
      free.length === slots && !isTryingHeld
        ? Promise.resolve()
        : new Promise((resolve) => {
            idlers.push(resolve);
          }),
  };
}
