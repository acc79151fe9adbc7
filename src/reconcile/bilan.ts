/**
 * The bilan (capability E5): received = acknowledged + open + failed + discarded. One line an
 * operator can trust: `received` is counted apart from the states, so that a flux that vanished, or
 * one counted twice, shows as a difference.
 */
import { BILAN_COLUMNS, type FluxState } from "../domain/flux-state.ts";
import type { StoreCounts } from "../keep/outbox.ts";

export interface Bilan {
  readonly received: number;
  readonly acknowledged: number;
  readonly open: number;
  readonly failed: number;
  readonly discarded: number;
  /** received − (acknowledged + open + failed + discarded): zero, or something is wrong. */
  readonly difference: number;
  readonly balanced: boolean;
  readonly byState: Readonly<Record<FluxState, number>>;
  /** The same files received again: they are no fluxes of their own. */
  readonly repeats: number;
  /** Acquittements owed and not yet delivered, all addresses. */
  readonly acquittementsOwed: number;
  /** Arrival of the oldest flux still waiting to be forwarded, ms since the epoch. */
  readonly oldestKeptAt?: number;
}

export function readBilan(counts: StoreCounts): Bilan {
  const sum = (states: readonly FluxState[]): number =>
    states.reduce((total, state) => total + counts.byState[state], 0);
  const acknowledged = sum(BILAN_COLUMNS.acknowledged);
  const open = sum(BILAN_COLUMNS.open);
  const failed = sum(BILAN_COLUMNS.failed);
  const discarded = sum(BILAN_COLUMNS.discarded);
  const difference = counts.received - (acknowledged + open + failed + discarded);
  return {
    received: counts.received,
    acknowledged,
    open,
    failed,
    discarded,
    difference,
    balanced: difference === 0,
    byState: counts.byState,
    repeats: counts.repeats,
    acquittementsOwed: counts.deliveriesOwed,
    ...(counts.oldestKeptAt === undefined ? {} : { oldestKeptAt: counts.oldestKeptAt }),
  };
}
