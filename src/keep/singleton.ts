/**
 * A job that one gateway does at a time, of all those on one store: it runs, again and again, while
 * this gateway holds a role, and the gateway that holds it renews it at each third of its lease.
 *
 * Promises: the job is told to stop (its signal) when the role is lost, and when it could not be
 * renewed a third of the lease before the end, since the clock of another may be ahead by as much;
 * the role is left when the part stops, so that another takes it at once.
 *
 * BUGS: a process that was frozen past its lease does one more step of its job before it sees so:
 * the job must be one that two may do for a moment without harm.
 */
import { messageOf } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/part.ts";
import type { Outbox, RoleHolding } from "./outbox.ts";

/** Three minutes: a third of it covers clocks that differ by a minute. */
const LEASE_MS = 180_000;
/** Tries to renew before the role is given up, in the third of the lease that is left for it. */
const RENEW_TRIES = 10;
/** A reason of our own: without one, an abort makes an error with its stack. */
const OVER = "over";

export function makeSingleton(options: {
  readonly role: string;
  /** Names this gateway among those on the store. */
  readonly owner: string;
  readonly outbox: Pick<Outbox, "holdRole" | "leaveRole">;
  /** Once through; must end soon after its signal aborts. What it throws is logged. */
  readonly job: (signal: AbortSignal) => Promise<void>;
  /** Rest between two runs of the job, ms. */
  readonly everyMs: number;
  /** How long the role outlives a holder that died, ms. @defaultValue 180000 */
  readonly leaseMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}): Part {
  const { role, owner, outbox, job, everyMs, leaseMs = LEASE_MS, clock, log } = options;
  const thirdMs = leaseMs / 3;
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let running: Promise<void> | undefined;

  /** Asks for the role; undefined when the store does not say, in time or at all. */
  async function hold(withinMs: number): Promise<RoleHolding | undefined> {
    const late = new AbortController();
    try {
      return await Promise.race([
        outbox.holdRole(role, { owner, now: clock.now(), leaseMs }),
        clock.wait(withinMs, AbortSignal.any([late.signal, stopping.signal])).then(() => undefined),
      ]);
    } catch (error) {
      log.warn("role.notRenewed", { role, error: messageOf(error) });
      return undefined;
    } finally {
      late.abort(OVER);
    }
  }

  /** Runs the job again and again until its signal aborts. */
  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await job(signal);
      } catch (error) {
        log.error("role.jobFailed", { role, error: messageOf(error) });
      }
      await clock.wait(everyMs, signal);
    }
  }

  /** Resolves when the role is no longer surely ours, or the part stops. */
  async function renewUntilLost(held: RoleHolding): Promise<void> {
    let sureUntil = held.until - thirdMs;
    await clock.wait(thirdMs, stopping.signal);
    while (!isStopping() && clock.now() < sureUntil) {
      const renewed = await hold(sureUntil - clock.now());
      if (renewed?.held === false) return;
      if (renewed !== undefined) sureUntil = renewed.until - thirdMs;
      const leftMs = sureUntil - clock.now();
      if (leftMs <= 0) return;
      const restMs = renewed === undefined ? thirdMs / RENEW_TRIES : thirdMs;
      await clock.wait(Math.min(leftMs, restMs), stopping.signal);
    }
  }

  async function run(): Promise<void> {
    while (!isStopping()) {
      const held = await hold(thirdMs);
      if (held?.held !== true) {
        await clock.wait(thirdMs, stopping.signal);
        continue;
      }
      log.info("role.taken", { role, term: held.term });
      const over = new AbortController();
      const working = work(over.signal);
      await renewUntilLost(held);
      over.abort(OVER);
      await working;
      if (!isStopping()) log.warn("role.lost", { role });
    }
    try {
      await outbox.leaveRole(role, owner);
    } catch (error) {
      // Its lease ends by itself.
      log.warn("role.notLeft", { role, error: messageOf(error) });
    }
  }

  return {
    name: `role ${role}`,
    start: () => {
      running ??= run();
      return Promise.resolve();
    },
    stop: async () => {
      stopping.abort(OVER);
      await running;
    },
  };
}
