/**
 * Tells when a file has stopped changing. Only the gateway's own clock and what it has seen count:
 * a file dated 1970, or next year, settles like any other.
 */
import { sameStand, type FileStand } from "./drop-entries.ts";

export interface Settling {
  /** How long until the file may be taken, ms; 0 when it has settled. */
  remaining(key: string, stand: FileStand, now: number): number;
  /** Since when this file has been seen under this name, ms since the epoch. */
  seenSince(key: string): number | undefined;
  /** Forgets the files that are no longer there. */
  keepOnly(keys: ReadonlySet<string>): void;
}

/** An empty file is often one about to be written: it waits this many times longer. */
const EMPTY_FACTOR = 5;

export function makeSettling(settleMs: number): Settling {
  const seen = new Map<string, { stand: FileStand; since: number; firstSeen: number }>();
  return {
    remaining: (key, stand, now) => {
      const before = seen.get(key);
      // A clock set back must not make a file wait for the time to come round again.
      if (before === undefined || !sameStand(before.stand, stand) || now < before.since) {
        seen.set(key, { stand, since: now, firstSeen: before?.firstSeen ?? now });
        return wait(stand);
      }
      return Math.max(0, before.since + wait(stand) - now);
    },
    seenSince: (key) => seen.get(key)?.firstSeen,
    keepOnly: (keys) => {
      for (const key of seen.keys()) if (!keys.has(key)) seen.delete(key);
    },
  };

  function wait(stand: FileStand): number {
    return stand.size === 0n ? settleMs * EMPTY_FACTOR : settleMs;
  }
}
