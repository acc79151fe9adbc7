/**
 * Claims work and handles it, several pieces at once, never more than its concurrency. Promise: a
 * piece claimed is always handed to `handle`, and `stop()` returns once every piece in hand is done.
 */
import { messageWithCauseOf } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { makeWakeableLoop } from "./wakeable-loop.ts";

/** Longest sleep when nobody wakes the pool, ms: retries that fall due are seen within it. */
const IDLE_MS = 250;

export interface WorkerPool {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
}

export function makeWorkerPool<T>(options: {
  readonly name: string;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Log;
  /** At most `max` pieces, from 1. */
  readonly claim: (max: number) => Promise<readonly T[]>;
  /** Must end every piece durably; what it throws is logged, and the piece's lease runs out. */
  readonly handle: (piece: T) => Promise<void>;
  /** How many pieces may be in hand now, when that is less than the concurrency (a breaker). */
  readonly allowance?: () => number;
}): WorkerPool {
  const { name, concurrency, clock, log, claim, handle } = options;
  const inHand = new Set<Promise<void>>();

  async function run(piece: T): Promise<void> {
    try {
      await handle(piece);
    } catch (error) {
      log.error("pool.handleFailed", { pool: name, error: messageWithCauseOf(error) });
    }
  }

  const loop = makeWakeableLoop({
    name,
    clock,
    log,
    idleMs: IDLE_MS,
    turn: async (stopping) => {
      const allowed = Math.min(concurrency, options.allowance?.() ?? concurrency);
      const free = allowed - inHand.size;
      if (free <= 0 || stopping.aborted) return false;
      const claimed = await claim(free);
      for (const piece of claimed) {
        const work = run(piece).finally(() => {
          inHand.delete(work);
          loop.wake();
        });
        inHand.add(work);
      }
      return claimed.length > 0;
    },
  });

  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop();
      await Promise.all(inHand);
    },
  };
}
