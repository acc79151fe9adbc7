/**
 * Bounds what is open or failed in the store (capability B5): fluxes and bytes, for each guichet and
 * for all. Promise: over a bound nothing new is taken, and its sender is told to come again, before
 * memory or disk is full; what was taken before is never touched.
 *
 * The store is asked every few seconds, beside the arrivals and not before them; what is taken
 * meanwhile is added here. Several gateways may together go over a bound by what they take between
 * two answers.
 */
import { gatewayError, messageOf } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Load, NewFlux, Outbox, StoreLoad } from "./outbox.ts";

/** How old an answer of the store may be before it is asked again, ms. */
const FRESH_MS = 5_000;
const NOTHING: Load = { fluxes: 0, bytes: 0 };

/** 0: no bound. */
export interface QueueBounds {
  readonly fluxes: number;
  readonly bytes: number;
  readonly guichetFluxes: number;
  readonly guichetBytes: number;
}

export interface FlowControl {
  /** Counts a batch as taken. @throws QUEUE_FULL when it would go over a bound: nothing is counted */
  admit(batch: readonly NewFlux[]): Promise<void>;
}

/** What was taken since some moment: for all, and by guichet. */
interface Taken {
  all: Load;
  readonly byGuichet: Map<string, Load>;
}

export function makeFlowControl(options: {
  readonly outbox: Pick<Outbox, "load">;
  readonly bounds: QueueBounds;
  readonly clock: Clock;
  readonly log: Log;
}): FlowControl {
  const { outbox, bounds, clock, log } = options;
  const isBounded = Object.values(bounds).some((bound) => bound > 0);
  let known: StoreLoad | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let taken = nothingTaken();
  /** Taken since the question under way was asked: its answer may not have it. */
  let takenSince = nothingTaken();

  async function ask(): Promise<void> {
    askedAt = clock.now();
    takenSince = nothingTaken();
    try {
      known = await outbox.load();
      taken = takenSince;
    } finally {
      asking = undefined;
    }
  }

  async function refresh(): Promise<void> {
    if (clock.now() - askedAt >= FRESH_MS) asking ??= ask();
    if (asking === undefined) return;
    if (known === undefined) await asking;
    else {
      // What was known serves meanwhile; a store that does not answer refuses to keep all the same.
      asking.catch((error: unknown) => {
        log.warn("queue.notMeasured", { error: messageOf(error) });
      });
    }
  }

  function mustFit(
    { fluxes, bytes }: Load,
    most: { readonly fluxes: number; readonly bytes: number },
    of: string,
  ): void {
    if (most.fluxes > 0 && fluxes > most.fluxes) {
      throw gatewayError("QUEUE_FULL", { of, limit: most.fluxes, unit: "flux" });
    }
    if (most.bytes > 0 && bytes > most.bytes) {
      throw gatewayError("QUEUE_FULL", { of, limit: most.bytes, unit: "octets" });
    }
  }

  return {
    admit: async (batch) => {
      if (!isBounded || batch.length === 0) return;
      await refresh();
      const coming = nothingTaken();
      for (const { guichet, bytes } of batch) add(coming, guichet, bytes.byteLength);
      mustFit(sum(known, taken.all, coming.all), bounds, "tous guichets");
      const most = { fluxes: bounds.guichetFluxes, bytes: bounds.guichetBytes };
      for (const [guichet, load] of coming.byGuichet) {
        const before = sum(known?.byGuichet[guichet], taken.byGuichet.get(guichet), load);
        mustFit(before, most, `guichet ${guichet}`);
      }
      for (const { guichet, bytes } of batch) {
        for (const counted of new Set([taken, takenSince])) {
          add(counted, guichet, bytes.byteLength);
        }
      }
    },
  };
}

function nothingTaken(): Taken {
  return { all: NOTHING, byGuichet: new Map() };
}

function add(to: Taken, guichet: string | undefined, bytes: number): void {
  to.all = sum(to.all, { fluxes: 1, bytes });
  if (guichet === undefined) return;
  to.byGuichet.set(guichet, sum(to.byGuichet.get(guichet), { fluxes: 1, bytes }));
}

function sum(...loads: readonly (Load | undefined)[]): Load {
  return loads.reduce<Load>(
    (total, load) => ({
      fluxes: total.fluxes + (load?.fluxes ?? 0),
      bytes: total.bytes + (load?.bytes ?? 0),
    }),
    NOTHING,
  );
}
