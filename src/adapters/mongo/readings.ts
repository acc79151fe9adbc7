/** Reads what is neither lent nor listed: counts and load, each of one moment of the store. */
import type { mongo } from "mongoose";
import { BILAN_COLUMNS, FLUX_STATES, type FluxState } from "../../domain/flux-state.ts";
import type { Load, StoreCounts, StoreLoad } from "../../keep/outbox.ts";
import type { Collections, TallyDocument } from "./documents.ts";
import type { Transactions } from "./transaction.ts";

const COUNTED_ENDS = ["acknowledged", "discarded"] as const;
/** States that fluxes leave: as many fluxes as wait, so they are counted in their index. */
const LIVE = FLUX_STATES.filter((state) => !COUNTED_ENDS.some((end) => end === state));
const BACKLOG: readonly FluxState[] = [...BILAN_COLUMNS.open, ...BILAN_COLUMNS.failed];

export async function readCounts(
  { fluxes, deliveries, tallies }: Collections,
  transactions: Transactions,
): Promise<StoreCounts> {
  // One snapshot: a flux that moves meanwhile is counted once, in one of its states.
  return transactions(async (session) => {
    const live = await fluxes
      .aggregate<{ _id: FluxState; n: number }>(
        [{ $match: { state: { $in: LIVE } } }, { $group: { _id: "$state", n: { $sum: 1 } } }],
        { session, hint: "state" },
      )
      .toArray();
    const sums = sumOf(await tallies.find({}, { session }).toArray());
    const deliveriesOwed = await deliveries.countDocuments({}, { session, hint: "_id_" });
    const [oldest] = await fluxes
      .find({ state: "kept" }, { session, projection: { _id: 0, receivedAt: 1 } })
      .sort({ receivedAt: 1 })
      .limit(1)
      .toArray();
    const counted = new Map<FluxState, number>(live.map(({ _id, n }) => [_id, n]));
    for (const end of COUNTED_ENDS) counted.set(end, sums[end] ?? 0);
    return {
      received: sums.received ?? 0,
      byState: Object.fromEntries(
        FLUX_STATES.map((state) => [state, counted.get(state) ?? 0]),
      ) as Record<FluxState, number>,
      repeats: sums.repeats ?? 0,
      deliveriesOwed,
      ...(oldest === undefined ? {} : { oldestKeptAt: oldest.receivedAt }),
    };
  });
}

export async function readLoad({ fluxes }: Collections): Promise<StoreLoad> {
  const groups = await fluxes
    .aggregate<{ _id: string | null; fluxes: number; bytes: number }>(
      [
        { $match: { state: { $in: BACKLOG } } },
        { $group: { _id: "$guichet", fluxes: { $sum: 1 }, bytes: { $sum: "$size" } } },
      ],
      { hint: "state" },
    )
    .toArray();
  const byGuichet: Record<string, Load> = {};
  const total = { fluxes: 0, bytes: 0 };
  for (const { _id, ...load } of groups) {
    total.fluxes += load.fluxes;
    total.bytes += load.bytes;
    if (_id !== null) byGuichet[_id] = load;
  }
  return { ...total, byGuichet };
}

function sumOf(tallies: readonly mongo.WithId<TallyDocument>[]): Partial<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [name, n] of Object.entries(tally)) {
      if (typeof n === "number") sums[name] = (sums[name] ?? 0) + n;
    }
  }
  return sums;
}
