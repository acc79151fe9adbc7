/**
 * Forwards fluxes to the SNE: claims those that are due and head of their lane, several at once, and
 * makes one attempt for each. An open breaker claims nothing, so that an outage costs no attempt. The
 * concurrency is that of calls: a flux whose call is over makes room while its outcome is written.
 *
 * `stop()` takes nothing new and gives the calls in hand until a deadline; past it they are aborted
 * and their fluxes put in doubt, in the journal, before the process ends.
 */
import { messageWithCauseOf } from "../domain/errors.ts";
import type { Events } from "../domain/events.ts";
import type { ClaimedFlux, Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/part.ts";
import { makeWorkerPool } from "../runtime/worker-pool.ts";
import type { Attempt } from "./attempt.ts";
import type { Breaker } from "./breaker.ts";

/** How often leases that ended are looked for, ms. */
const TAKE_BACK_EVERY_MS = 5_000;

export function makeForwarder(options: {
  readonly outbox: Outbox;
  readonly breaker: Breaker;
  readonly attempt: Attempt;
  readonly owner: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** How long `stop` lets calls in hand end by themselves, ms. */
  readonly stopMs: number;
  readonly clock: Clock;
  readonly events: Events;
  readonly log: Log;
}): Part {
  const { outbox, breaker, attempt, owner, concurrency, leaseMs, clock, events, log } = options;
  const aborting = new AbortController();
  const stopped = new AbortController();
  let unwatch: (() => void) | undefined;
  let takingBack: Promise<void> | undefined;

  const pool = makeWorkerPool<ClaimedFlux>({
    name: "forwarder",
    concurrency,
    clock,
    log,
    allowance: () =>
      breaker.state === "closed" ? concurrency : breaker.state === "halfOpen" ? 1 : 0,
    claim: async (max) =>
      (await breaker.mayCall()) ? outbox.claim({ owner, now: clock.now(), leaseMs, max }) : [],
    handle: (claimed, givePlaceBack) => attempt(claimed, aborting.signal, givePlaceBack),
  });

  /** Puts in doubt what a paused or dead borrower left (the store does the rest when it opens). */
  async function takeBackForEver(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const { inDoubt } = await outbox.takeBack(clock.now());
        if (inDoubt > 0) events.emit("flux.putInDoubt", { detail: { count: inDoubt } });
      } catch (error) {
        log.error("forwarder.takeBackFailed", { error: messageWithCauseOf(error) });
      }
      await clock.wait(TAKE_BACK_EVERY_MS, stopped.signal);
    }
  }

  return {
    name: "forwarder",
    start: () => {
      unwatch = outbox.watch((work) => {
        if (work === "forward") pool.wake();
      });
      breaker.onChange(() => pool.wake());
      pool.start();
      takingBack = takeBackForEver();
      return Promise.resolve();
    },
    stop: async () => {
      unwatch?.();
      stopped.abort();
      const deadline = new AbortController();
      const late = clock.wait(options.stopMs, deadline.signal).then(() => {
        if (!deadline.signal.aborted) aborting.abort();
      });
      await pool.stop();
      deadline.abort();
      await Promise.all([late, takingBack]);
    },
  };
}
