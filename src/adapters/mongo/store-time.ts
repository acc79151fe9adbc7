/**
 * One time for all gateways: the database's. Promise: a gateway whose clock is a minute off neither
 * takes back what others hold nor keeps what is no longer its own, since times that gateways compare
 * (leases, due times, roles) are written in the database's time and read back in one's own.
 *
 * The difference is rounded to whole seconds: clocks that are kept in step, as they should be, differ
 * by nothing, and times are then written as they are.
 */
import type { Clock } from "../../runtime/clock.ts";

const ROUND_MS = 1_000;

export interface StoreTime {
  /** A time of this gateway, in the database's time; ms since the epoch. */
  toStore(at: number): number;
  /** The reverse. */
  toOwn(at: number): number;
  /** Compares the clocks again; the difference, ms. */
  readonly measure: () => Promise<number>;
}

/** @param serverNow - asks the primary for its time, ms since the epoch */
export function makeStoreTime({
  clock,
  serverNow,
}: {
  readonly clock: Clock;
  readonly serverNow: () => Promise<number>;
}): StoreTime {
  let offset = 0;
  return {
    toStore: (at) => at + offset,
    toOwn: (at) => at - offset,
    measure: async () => {
      const before = clock.now();
      const theirs = await serverNow();
      // As if asked half-way between the question and the answer.
      const difference = theirs - (before + clock.now()) / 2;
      offset = Math.abs(difference) < ROUND_MS ? 0 : Math.round(difference / ROUND_MS) * ROUND_MS;
      return offset;
    },
  };
}
