/**
 * Claims work and handles it, several pieces at once, never more than its concurrency. Promise: a
 * piece claimed is always handed to `handle`, and `stop()` returns once every piece in hand is done.
 *
 * A piece may give its place back before its end: what its place is for (a call to another system)
 * is then over, and only its outcome is left to be written. Outcomes that are being written are
 * bounded too, so that a slow store slows the claims.
 */
import { messageWithCauseOf } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { makeWakeableLoop } from "./wakeable-loop.ts";

/** Longest sleep when nobody wakes the pool, ms: retries that fall due are seen within it. */
const IDLE_MS = 250;
/** Pieces in hand, those that gave their place back included, for each place. */
const IN_HAND_PER_PLACE = 4;

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
  /**
   * At most `max` pieces, from 1. Fewer means that no more are due: the pool then asks again when it
   * is woken, or after its longest sleep, not each time a piece ends.
   */
  readonly claim: (max: number) => Promise<readonly T[]>;
  /** Must end every piece durably; what it throws is logged, and the piece's lease runs out. */
  readonly handle: (piece: T, givePlaceBack: () => void) => Promise<void>;
  /** How many pieces may be in hand now, when that is less than the concurrency (a breaker). */
  readonly allowance?: () => number;
}): WorkerPool {
  const { name, concurrency, clock, log, claim, handle } = options;
  const inHand = new Set<Promise<void>>();
  let placesTaken = 0;
  /** The last claim got all it asked for, or there was no room to ask. */
  let moreDue = false;

  async function run(piece: T, givePlaceBack: () => void): Promise<void> {
    try {
      await handle(piece, givePlaceBack);
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
      const free = Math.min(allowed - placesTaken, concurrency * IN_HAND_PER_PLACE - inHand.size);
      if (free <= 0 || stopping.aborted) {
        moreDue = true;
        return false;
      }
      const claimed = await claim(free);
      moreDue = claimed.length === free;
      for (const piece of claimed) take(piece);
      // A place may have come free meanwhile.
      return moreDue;
    },
  });

  function wakeForMore(): void {
    if (moreDue) loop.wake();
  }

  function take(piece: T): void {
    let hasPlace = true;
    placesTaken += 1;
    const givePlaceBack = (): void => {
      if (!hasPlace) return;
      hasPlace = false;
      placesTaken -= 1;
      wakeForMore();
    };
    const work = run(piece, givePlaceBack).finally(() => {
      inHand.delete(work);
      givePlaceBack();
      wakeForMore();
    });
    inHand.add(work);
  }

  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop();
      await Promise.all(inHand);
    },
  };
}
