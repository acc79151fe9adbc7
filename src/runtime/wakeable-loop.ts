/**
 * A loop that works while there is work, sleeps when there is none, and wakes on a call or after a
 * delay, whichever comes first. Promise: a wake that comes during a turn is never lost (another turn
 * follows), and `stop()` returns once the turn in hand is over.
 */
import { messageWithCauseOf } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** A reason of our own: without one, an abort makes an error with its stack, at every wake. */
const WOKEN = "woken";

export interface WakeableLoop {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
}

export function makeWakeableLoop(options: {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Longest sleep, ms: the safety net when nobody wakes the loop. */
  readonly idleMs: number;
  /** One turn; true when it did something and another turn should follow at once. */
  readonly turn: (signal: AbortSignal) => Promise<boolean>;
}): WakeableLoop {
  const { name, clock, log, idleMs, turn } = options;
  const stopping = new AbortController();
  let sleeping: AbortController | undefined;
  let wanted = false;
  let running: Promise<void> | undefined;

  async function sleep(): Promise<void> {
    if (wanted || stopping.signal.aborted) return;
    sleeping = new AbortController();
    await clock.wait(idleMs, sleeping.signal);
    sleeping = undefined;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      wanted = false;
      let busy = false;
      try {
        busy = await turn(stopping.signal);
      } catch (error) {
        // A surprise in one turn (store unreachable…) must not end the loop: it sleeps, then tries.
        log.error("loop.turnFailed", { loop: name, error: messageWithCauseOf(error) });
      }
      if (!busy) await sleep();
    }
  }

  return {
    start: () => {
      running ??= run();
    },
    wake: () => {
      wanted = true;
      sleeping?.abort(WOKEN);
    },
    stop: async () => {
      stopping.abort();
      sleeping?.abort(WOKEN);
      await running;
    },
  };
}
