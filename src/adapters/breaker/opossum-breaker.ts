/**
 * The circuit breaker on opossum. Opossum keeps the circuit (closed, open, one call through when half
 * open); three things are decided here, because it would decide them otherwise:
 *
 * - It opens on a percentage of a rolling ten seconds of real time. At night one flux a minute would
 *   never fill that window, and a burst would open on two failures of three. Failures of the link in
 *   a row are counted here, and `open()` is called; its own threshold is set out of reach.
 * - It half-opens by a real timer. The injected clock rules instead: the circuit open past its time
 *   is remade half open, a state opossum can be born in. That also retires the timer, which opossum
 *   leaves running, and makes late results of earlier calls speak to a circuit that is gone.
 * - Its state dies with the process. When it opens or closes, `save` is told; `restore` is believed
 *   at start, so that a restart in the middle of an outage costs no attempt.
 */
import CircuitBreaker from "opossum";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import type { BreakerMark, BreakerState, LocalBreaker } from "../../forward/breaker.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";

export interface BreakerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Failures of the link in a row that open the circuit. */
  readonly failureThreshold: number;
  /** How long it stays open before one call is let through, ms. */
  readonly resetMs: number;
  readonly restore?: BreakerMark;
  /** Called in order, one at a time; a failure is logged and changes nothing. */
  save(mark: BreakerMark): void | Promise<void>;
}

type Work = () => Promise<unknown>;
type Circuit = CircuitBreaker<[Work]>;

/** Never, for opossum's timer: the longest delay a timer takes, 24.8 days, ms. */
const NEVER_MS = 2 ** 31 - 1;

/** Tells opossum that a call which came back counts as a failure. */
class LinkFailure extends Error {}

/** Tells it that one came back without a word about the link. */
class NothingSaid extends Error {}

export function makeOpossumBreaker(options: BreakerOptions): LocalBreaker {
  const { clock, log, failureThreshold, resetMs } = options;
  const listeners: ((state: BreakerState) => void)[] = [];
  let circuit = makeCircuit("closed");
  let openUntil: number | undefined;
  let failuresInARow = 0;
  let saving = Promise.resolve();

  const restored = options.restore?.openUntil;
  if (restored !== undefined) {
    // Never longer than a delay of our own: the clock may have been set back since.
    openUntil = Math.min(restored, clock.now() + resetMs);
    circuit.open();
  }

  function state(): BreakerState {
    if (openUntil === undefined) return "closed";
    return circuit.halfOpen || clock.now() >= openUntil ? "halfOpen" : "open";
  }

  function remake(as: "closed" | "halfOpen"): void {
    circuit.shutdown();
    circuit = makeCircuit(as);
  }

  function open(): void {
    openUntil = clock.now() + resetMs;
    circuit.open();
    save({ openUntil });
    tell("open");
  }

  function close(): void {
    forget();
    save({ openUntil });
    tell("closed");
  }

  function forget(): void {
    openUntil = undefined;
    failuresInARow = 0;
    remake("closed");
  }

  function follow(mark: BreakerMark): void {
    const before = state();
    if (mark.openUntil === undefined) {
      if (before === "closed") return;
      forget();
      tell("closed");
    } else {
      openUntil = mark.openUntil;
      circuit.open();
      if (before !== "open") tell("open");
    }
  }

  function tell(now: BreakerState): void {
    for (const listener of listeners) listener(now);
  }

  function save(saved: BreakerMark): void {
    saving = saving.then(async () => {
      try {
        await options.save(saved);
      } catch (error) {
        log.warn("breaker.notSaved", { error: messageOf(error) });
      }
    });
  }

  async function run<T>(
    call: () => Promise<T>,
    linkWorks: (result: T) => boolean | undefined,
  ): Promise<T | undefined> {
    if (openUntil !== undefined && circuit.opened && clock.now() >= openUntil) {
      remake("halfOpen");
      tell("halfOpen");
    }
    const mine = circuit;
    const trial = mine.halfOpen;
    let back: { readonly result: T } | undefined;
    const work = async (): Promise<void> => {
      back = { result: await call() };
      const works = linkWorks(back.result);
      if (works === undefined) throw new NothingSaid();
      if (!works) throw new LinkFailure();
    };
    try {
      await mine.fire(work);
      // A result of before the last opening says nothing of the link now.
      if (mine === circuit) {
        failuresInARow = 0;
        if (trial) close();
      }
    } catch (error) {
      if (isRefusal(error)) return undefined;
      // Of a trial, opossum has opened its circuit, past its time: the next call is one again.
      if (error instanceof NothingSaid) return back?.result;
      // A half-open circuit must not wait for ever for a call that threw: it opens again.
      // Unless another's word has closed it since.
      if (trial && mine === circuit) open();
      if (!(error instanceof LinkFailure)) throw error;
      if (mine === circuit && !trial) {
        failuresInARow += 1;
        if (failuresInARow >= failureThreshold && openUntil === undefined) open();
      }
    }
    return back?.result;
  }

  return {
    get state() {
      return state();
    },
    get retryAt() {
      return openUntil;
    },
    run,
    follow,
    onChange: (listener) => {
      listeners.push(listener);
    },
    stop: () => {
      circuit.shutdown();
    },
  };
}

function makeCircuit(as: "closed" | "halfOpen"): Circuit {
  return new CircuitBreaker<[Work]>((work) => work(), {
    name: "sne",
    // A time-out of opossum's would not stop the call: the call has its own deadline.
    timeout: false,
    // Never by itself while closed: a rate cannot pass 100.
    errorThresholdPercentage: 100,
    resetTimeout: NEVER_MS,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    // The published types lack it; opossum reads it (its README, "Initial state").
    ...{ state: { closed: as === "closed", halfOpen: as === "halfOpen" } },
  });
}

/** True when opossum refused to make the call: open, a trial already under way, or stopped. */
function isRefusal(error: unknown): boolean {
  const code = systemCodeOf(error);
  return (
    error instanceof Error &&
    CircuitBreaker.isOurError(error) &&
    (code === "EOPENBREAKER" || code === "ESHUTDOWN")
  );
}
