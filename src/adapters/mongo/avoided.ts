/**
 * Names of documents that somebody's transaction holds: not asked for, for a while, longer each time.
 * Promise: a name is asked for again within the longest while, whatever became of the transaction.
 */
import type { Clock } from "../../runtime/clock.ts";

/** How long a document that somebody's transaction holds is not asked for, ms. */
const AVOID_FIRST_MS = 1_000;
const AVOID_MAX_MS = 16_000;

export interface Avoided {
  add(id: string): void;
  /** Those of this moment. */
  now(): string[];
}

export function makeAvoided(clock: Clock): Avoided {
  const all = new Map<string, { readonly until: number; readonly forMs: number }>();
  return {
    add: (id) => {
      const forMs = Math.min(AVOID_MAX_MS, 2 * (all.get(id)?.forMs ?? AVOID_FIRST_MS / 2));
      all.set(id, { until: clock.now() + forMs, forMs });
    },
    now: () => {
      const now = clock.now();
      // Long past its time: it was lent, by us or another.
      for (const [id, { until }] of all) if (until + AVOID_MAX_MS < now) all.delete(id);
      return [...all].flatMap(([id, { until }]) => (until > now ? [id] : []));
    },
  };
}
