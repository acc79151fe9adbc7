/** Sums what several partitions count, so that there is one bilan over all (capability E5). */
import { FLUX_STATES, type FluxState } from "../../domain/flux-state.ts";
import type { Load, StoreCounts, StoreLoad } from "../outbox.ts";

/** @param all - at least one */
export function sumCounts(all: readonly StoreCounts[]): StoreCounts {
  const byState: Record<FluxState, number> = {
    ...{ kept: 0, inTransit: 0, inDoubt: 0, accepted: 0, refused: 0 },
    ...{ acknowledged: 0, failed: 0, quarantined: 0, discarded: 0 },
  };
  let [received, repeats, deliveriesOwed] = [0, 0, 0];
  let oldestKeptAt: number | undefined;
  for (const counts of all) {
    for (const state of FLUX_STATES) byState[state] += counts.byState[state];
    received += counts.received;
    repeats += counts.repeats;
    deliveriesOwed += counts.deliveriesOwed;
    if (counts.oldestKeptAt !== undefined) {
      oldestKeptAt = Math.min(oldestKeptAt ?? counts.oldestKeptAt, counts.oldestKeptAt);
    }
  }
  return {
    ...{ received, byState, repeats, deliveriesOwed },
    ...(oldestKeptAt === undefined ? {} : { oldestKeptAt }),
  };
}

export function sumLoads(all: readonly StoreLoad[]): StoreLoad {
  const byGuichet = new Map<string, Load>();
  for (const [guichet, load] of all.flatMap((one) => Object.entries(one.byGuichet))) {
    byGuichet.set(guichet, add(byGuichet.get(guichet), load));
  }
  const total = all.reduce<Load>(add, { fluxes: 0, bytes: 0 });
  return { ...total, byGuichet: Object.fromEntries(byGuichet) };
}

function add(a: Load | undefined, b: Load): Load {
  return { fluxes: (a?.fluxes ?? 0) + b.fluxes, bytes: (a?.bytes ?? 0) + b.bytes };
}
