/**
 * Retention (capability B8): erases the files of fluxes that ended long enough ago, on one gateway at
 * a time, every hour. Promise: nothing that is still owed to anybody loses its files, and every
 * journal stays; what is erased is told in it.
 */
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/part.ts";
import type { Outbox } from "./outbox.ts";
import { makeSingleton } from "./singleton.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const EVERY_MS = 60 * 60 * 1_000;
/** Fluxes erased at once: an arrival that comes meanwhile waits for no more than these. */
const BATCH = 100;
/** Rest between two batches, ms: erasing a year's arrears leaves the store to those who send. */
const REST_MS = 100;

export function makeRetention(options: {
  /** Days that files are kept after the end of their flux, from 1. */
  readonly days: number;
  readonly owner: string;
  readonly outbox: Pick<Outbox, "eraseFiles" | "holdRole" | "leaveRole">;
  readonly clock: Clock;
  readonly log: Log;
}): Part {
  const { days, owner, outbox, clock, log } = options;

  async function eraseAll(signal: AbortSignal): Promise<void> {
    let fluxes = 0;
    let found: number;
    do {
      const now = clock.now();
      found = await outbox.eraseFiles({ endedBefore: now - days * DAY_MS, now, max: BATCH });
      fluxes += found;
      if (found === BATCH) await clock.wait(REST_MS, signal);
    } while (found === BATCH && !signal.aborted);
    if (fluxes > 0) log.info("retention.filesErased", { fluxes, days });
  }

  return makeSingleton({
    role: "retention",
    owner,
    outbox,
    job: eraseAll,
    everyMs: EVERY_MS,
    clock,
    log,
  });
}
