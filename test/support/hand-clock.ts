/**
 * A clock moved by hand: whoever waits on it wakes when the test says that time has passed, in the
 * order of their times, and never before.
 */
import type { Outbox } from "../../src/keep/outbox.ts";
import type { Clock } from "../../src/runtime/clock.ts";

export interface HandClock extends Clock {
  /**
   * Lets time pass, from one waiter's time to the next; after each, `settle` lets what woke do its
   * work (a store that is asked something answers after all it was asked before).
   */
  pass(ms: number): Promise<void>;
  /** How many wait. */
  waiting(): number;
}

/** Enough round trips for what an answer leads to, and what that leads to in its turn. */
const ROUNDS = 5;

/** Lets all that was asked of a store be answered, and what follows from the answers be asked. */
export async function settleOn(outbox: Pick<Outbox, "noted">): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await outbox.noted("");
    await new Promise(setImmediate);
  }
}

export function makeHandClock(start: number, settle: () => Promise<void>): HandClock {
  let now = start;
  let waiters: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => now,
    waiting: () => waiters.length,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const wake = (): void => {
          waiters = waiters.filter((other) => other !== waiter);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const waiter = { at: now + ms, wake };
        waiters.push(waiter);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    pass: async (ms) => {
      const end = now + ms;
      await settle();
      for (;;) {
        const [first] = waiters.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (first === undefined) break;
        now = Math.max(now, first.at);
        first.wake();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}
