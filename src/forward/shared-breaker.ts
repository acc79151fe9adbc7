/**
 * One breaker for all the gateways on a store: each has its own, and a note in the store makes them
 * one. Who opens its breaker notes it; the others read the note and open too; when its time has come
 * one of them tries the link, and what it finds is noted for all.
 *
 * Promises:
 *  - an outage known to one costs the others no attempt: one call tries the link at a time;
 *  - no breaker stays open for ever: another's word opens it for a limited time from when it was
 *    read (clocks may differ), after which it competes to try;
 *  - a gateway whose own way to the SNE is broken cannot keep the others from theirs: who opened
 *    tries last; and closed on another's word, it opens for itself alone until a call of its own
 *    has worked.
 *
 * The note is compared and written in one operation (`noteIf`) by who wants to try, and holds the end
 * of its turn: a gateway that dies while it tries is replaced then. While the store is away a half-open
 * breaker waits for it, as every claim does.
 */
import { messageOf } from "../domain/errors.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/part.ts";
import { makeWakeableLoop } from "../runtime/wakeable-loop.ts";
import type { Breaker, BreakerMark, LocalBreaker } from "./breaker.ts";

/** Ms since the epoch until when it is open, or 0: closed. */
const NOTE = "breaker.openUntil";
const CLOSED = "0";

/** How often the note is read, ms; more often when a breaker opens for less than ten seconds. */
const MAX_POLL_MS = 1_000;
const MIN_POLL_MS = 50;

export interface SharedBreaker {
  readonly breaker: Breaker;
  /** Follows what the others note while it runs. */
  readonly part: Part;
}

export async function openSharedBreaker(options: {
  readonly outbox: Pick<Outbox, "note" | "noted" | "noteIf">;
  /** How long a breaker stays open before the link is tried again, ms; the same for all. */
  readonly resetMs: number;
  readonly makeLocal: (as: {
    readonly restore: BreakerMark;
    readonly save: (mark: BreakerMark) => Promise<void>;
  }) => LocalBreaker;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<SharedBreaker> {
  const { outbox, resetMs, clock, log } = options;
  const pollMs = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, resetMs / 10));
  // Shorter than who opened waits, by the time others take to read: the turn to try goes round.
  const followMs = Math.max(resetMs / 2, resetMs - 2 * pollMs);

  /** The note as last read or written: only a change of it is news. */
  let seen = await outbox.noted(NOTE);
  /** Until when the turn to try the link is ours, ms since the epoch. */
  let turnUntil = 0;
  /** True after it closed on another's word, until a call of our own has worked. */
  let closedOnWord = false;
  /** Calls in hand. */
  let trying = 0;
  /** What our own breaker found and is not noted yet. */
  let unsaved = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** One thing at a time with the note, so that an old reading never passes for news. */
  function inOrder<T>(task: () => Promise<T>): Promise<T> {
    const done = last.then(task);
    last = done.catch(() => undefined);
    return done;
  }

  async function write(mark: BreakerMark): Promise<void> {
    if (mark.openUntil !== undefined && closedOnWord) {
      log.warn("breaker.openedAlone", { openUntil: mark.openUntil });
      return;
    }
    const value = String(mark.openUntil ?? CLOSED);
    if (value === CLOSED && openUntilOf(seen) === undefined) return;
    await outbox.note(NOTE, value);
    seen = value;
  }

  async function read(): Promise<void> {
    const noted = await outbox.noted(NOTE);
    // What we have found meanwhile, and are about to note, is newer than what we read.
    if (noted === seen || unsaved > 0) return;
    seen = noted;
    turnUntil = 0;
    if (openUntilOf(noted) === undefined) {
      closedOnWord ||= !isClosed();
      local.follow({ openUntil: undefined });
    } else {
      local.follow({ openUntil: clock.now() + followMs });
    }
  }

  /** Takes the turn to try, or lengthens it; false when another was first. */
  async function take(): Promise<boolean> {
    const until = clock.now() + resetMs;
    if (!(await outbox.noteIf(NOTE, seen, String(until)))) return false;
    seen = String(until);
    turnUntil = until;
    return true;
  }

  const isClosed = (): boolean => local.state === "closed";

  async function mayTry(): Promise<boolean> {
    if (local.state !== "halfOpen") return isClosed();
    // Opened for ourselves alone: nobody else waits for what we find.
    if (clock.now() < turnUntil || openUntilOf(seen) === undefined) return true;
    if (await take()) return true;
    await read();
    return isClosed();
  }

  async function mayCall(): Promise<boolean> {
    if (local.state !== "halfOpen") return isClosed();
    try {
      return await inOrder(mayTry);
    } catch (error) {
      log.warn("breaker.turnNotTaken", { error: messageOf(error) });
      return false;
    }
  }

  const restored = openUntilOf(seen);
  const local = options.makeLocal({
    restore: { openUntil: restored },
    save: async (mark) => {
      turnUntil = 0;
      unsaved += 1;
      try {
        await inOrder(() => write(mark));
      } finally {
        unsaved -= 1;
      }
    },
  });

  const loop = makeWakeableLoop({
    name: "breaker",
    clock,
    log,
    idleMs: pollMs,
    turn: async () => {
      await inOrder(async () => {
        await read();
        // A call that hangs is still the one call: nobody else should hang beside it.
        if (trying > 0 && turnUntil > 0 && clock.now() > turnUntil - resetMs / 2) await take();
      });
      return false;
    },
  });

  const breaker: Breaker = {
    get state() {
      return local.state;
    },
    get retryAt() {
      return local.retryAt;
    },
    mayCall,
    run: async (call, linkWorks) => {
      if (!(await mayCall())) return undefined;
      trying += 1;
      try {
        return await local.run(call, (result) => {
          const works = linkWorks(result);
          if (works) closedOnWord = false;
          // Another may know why: it is asked before more attempts are spent.
          else if (works === false) loop.wake();
          return works;
        });
      } finally {
        trying -= 1;
      }
    },
    onChange: (listener) => {
      local.onChange(listener);
    },
  };
  return {
    breaker,
    part: {
      name: "breaker",
      start: () => {
        loop.start();
        return Promise.resolve();
      },
      stop: async () => {
        await loop.stop();
        await last;
        local.stop();
      },
    },
  };
}

/** Until when a note says it is open; undefined when it says closed, or nothing. */
function openUntilOf(note: string | undefined): number | undefined {
  const until = Number(note ?? CLOSED);
  return until > 0 ? until : undefined;
}
