/**
 * Time and chance, injected everywhere so that tests own them. Nothing else in `src/` reads the
 * clock of the machine or makes random numbers.
 */
import { randomBytes, randomInt } from "node:crypto";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits, or less when the signal aborts; never rejects. @param ms - milliseconds */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Chance {
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  fraction(): number;
}

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    // Not timers/promises: it makes an error with its stack for every wait cut short, and nearly all
    // of ours are (time limits that are not reached, sleeps that are woken).
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal?.addEventListener("abort", end, { once: true });
      }),
  };
}

/** Random bytes are made this many at a time: each request to the system's generator costs. */
const POOL_BYTES = 4_096;

export function systemChance(): Chance {
  let pool = new Uint8Array();
  let used = 0;
  return {
    bytes: (count) => {
      if (count > POOL_BYTES) return randomBytes(count);
      if (used + count > pool.length) {
        // Given bytes are never given twice: a new pool, not the same memory filled again.
        pool = new Uint8Array(randomBytes(POOL_BYTES));
        used = 0;
      }
      used += count;
      return pool.subarray(used - count, used);
    },
    fraction: () => randomInt(2 ** 32) / 2 ** 32,
  };
}
