/**
 * Time and chance, injected everywhere so that tests own them. Nothing else in `src/` reads the
 * clock of the machine or makes random numbers.
 */
import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

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
    wait: async (ms, signal) => {
      try {
        await sleep(ms, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        if (signal?.aborted !== true) throw error;
      }
    },
  };
}

export function systemChance(): Chance {
  return { bytes: (count) => randomBytes(count), fraction: () => randomInt(2 ** 32) / 2 ** 32 };
}
