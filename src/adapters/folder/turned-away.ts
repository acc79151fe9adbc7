/**
 * Files that could not be taken now: each is tried again later and later, and told once, not at each
 * look.
 */
import type { Events } from "../../domain/events.ts";
import { safeFileName } from "../../domain/file-name.ts";
import { backoffDelay, type Backoff } from "../../runtime/backoff.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";

export interface TurnedAway {
  /** Tells that a file stays where it is, and why: once for each file and reason. */
  tell(key: string, name: string, code: string): void;
  /** Puts a file off, longer each time. */
  putOff(key: string): void;
  /** How long it is put off for, ms; 0 when it may be tried. */
  remaining(key: string): number;
  /** Forgets the files that are no longer there. */
  keepOnly(keys: ReadonlySet<string>): void;
}

export function makeTurnedAway(options: {
  readonly guichet: string;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
}): TurnedAway {
  const { guichet, backoff, clock, chance, events } = options;
  const told = new Map<string, Set<string>>();
  const late = new Map<string, { attempts: number; until: number }>();
  return {
    tell: (key, name, code) => {
      const codes = told.get(key) ?? new Set();
      if (codes.has(code)) return;
      told.set(key, codes.add(code));
      const detail = { channel: "file", code, fileName: safeFileName(name) };
      events.emit("arrival.turnedAway", { guichet, detail });
    },
    putOff: (key) => {
      const attempts = (late.get(key)?.attempts ?? 0) + 1;
      const until = clock.now() + backoffDelay(backoff, attempts, chance.fraction());
      late.set(key, { attempts, until });
    },
    remaining: (key) => {
      const left = (late.get(key)?.until ?? 0) - clock.now();
      // Longer than any delay: the clock was set back, and nobody waits for it to come round again.
      return left > backoff.maxMs ? 0 : Math.max(0, left);
    },
    keepOnly: (keys) => {
      for (const key of told.keys()) if (!keys.has(key)) told.delete(key);
      for (const key of late.keys()) if (!keys.has(key)) late.delete(key);
    },
  };
}
