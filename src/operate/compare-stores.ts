/**
 * Compares two stores flux by flux, in the order they were kept, then by their counts and small
 * values. Promise: both are read again from their disks, files included, and memory holds one page of
 * each, however large they are.
 */
import { canonical, digestOf, isOriginalIntact } from "../keep/flux-digest.ts";
import type { StoreCounts } from "../keep/outbox.ts";
import type { FluxRecord, StoreTransfer, StoreValues } from "../keep/store-transfer.ts";

/** Differences told one by one; the rest is counted. */
const TOLD = 20;

/** One thing that is not the same at both ends. */
export type Difference =
  | { readonly kind: "missing" | "foreign" | "changed"; readonly fluxId: string }
  | { readonly kind: "count"; readonly name: string; readonly from: number; readonly to: number }
  /** Notes, sequences or pauses. */
  | { readonly kind: "values"; readonly name: string };

export interface Comparison {
  readonly compared: number;
  /** The first ones. */
  readonly differences: readonly Difference[];
  /** All of them. */
  readonly different: number;
  /** Fluxes whose original was already lost or altered in the store they come from. */
  readonly damaged: readonly string[];
}

/** Yields how many fluxes were compared. */
export async function* compareStores(
  from: StoreTransfer,
  to: StoreTransfer,
): AsyncGenerator<number, Comparison> {
  const differences: Difference[] = [];
  const damaged: string[] = [];
  let different = 0;
  let compared = 0;
  const note = (difference: Difference): void => {
    different += 1;
    if (differences.length < TOLD) differences.push(difference);
  };

  const theirs = recordsOf(from);
  const ours = recordsOf(to);
  let [left, right] = await Promise.all([theirs.next(), ours.next()]);
  while (left.done !== true || right.done !== true) {
    if (left.done === true) {
      if (right.done !== true) note({ kind: "foreign", fluxId: right.value.flux.id });
      right = await ours.next();
    } else if (right.done === true) {
      note({ kind: "missing", fluxId: left.value.flux.id });
      left = await theirs.next();
    } else if (left.value.flux.id !== right.value.flux.id) {
      // One is not there, or not in its place: told once, and the comparison goes on where both meet.
      const isAhead = (await from.placeOf(right.value.flux.id)) === undefined;
      if (isAhead) {
        note({ kind: "foreign", fluxId: right.value.flux.id });
        right = await ours.next();
      } else {
        note({ kind: "missing", fluxId: left.value.flux.id });
        left = await theirs.next();
      }
    } else {
      const intact = isOriginalIntact(left.value);
      if (!intact && damaged.length < TOLD) damaged.push(left.value.flux.id);
      const isSame = digestOf(left.value) === digestOf(right.value);
      if (!isSame || (intact && !isOriginalIntact(right.value))) {
        note({ kind: "changed", fluxId: left.value.flux.id });
      }
      compared += 1;
      yield compared;
      [left, right] = await Promise.all([theirs.next(), ours.next()]);
    }
  }

  const [ownCounts, copiedCounts] = await Promise.all([from.counts(), to.counts()]);
  for (const name of differentCounts(ownCounts, copiedCounts)) note(name);
  const [ownValues, copiedValues] = await Promise.all([from.values(), to.values()]);
  for (const name of differentValues(ownValues, copiedValues)) note({ kind: "values", name });
  return { compared, differences, different, damaged };
}

async function* recordsOf(store: StoreTransfer): AsyncGenerator<FluxRecord, undefined> {
  let after: string | undefined;
  do {
    const { records, next } = await store.page(after);
    yield* records;
    after = next;
  } while (after !== undefined);
}

function differentCounts(from: StoreCounts, to: StoreCounts): Difference[] {
  const flat = ({ byState, oldestKeptAt = 0, ...sums }: StoreCounts): [string, number][] =>
    Object.entries({ ...sums, ...byState, oldestKeptAt });
  const copied = new Map(flat(to));
  return flat(from).flatMap(([name, count]) => {
    const other = copied.get(name) ?? 0;
    return other === count ? [] : [{ kind: "count" as const, name, from: count, to: other }];
  });
}

function differentValues(from: StoreValues, to: StoreValues): string[] {
  const sorted = (values: ReadonlyMap<string, unknown>): string =>
    canonical(Object.fromEntries(values));
  const pauses = ({ pauses: held }: StoreValues): string => canonical(held.map(canonical).sort());
  return [
    ...(sorted(from.notes) === sorted(to.notes) ? [] : ["notes"]),
    ...(sorted(from.sequences) === sorted(to.sequences) ? [] : ["sequences"]),
    ...(pauses(from) === pauses(to) ? [] : ["pauses"]),
  ];
}
