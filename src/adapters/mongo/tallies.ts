/**
 * What a writer counts in each transaction. Promise: counted with what is counted or not at all;
 * writers never wait for one another, each having its own document.
 */
import type { mongo } from "mongoose";
import type { Work } from "../../keep/outbox.ts";
import type { Collections } from "./documents.ts";
import type { Transactions } from "./transaction.ts";

export type Counted = "received" | "repeats" | "acknowledged" | "discarded";

export interface Tally {
  add(counted: Counted): void;
  /** Says to the other gateways, which watch tallies, that a step has work. */
  tell(work: Work): void;
  write(session: mongo.ClientSession): Promise<void>;
}

/** @param name - of the writer: gateway, kind and slot */
export function makeTally({ tallies }: Collections, name: string): Tally {
  const sums: Partial<Record<Counted | Work, number>> = {};
  const add = (what: Counted | Work): void => {
    sums[what] = (sums[what] ?? 0) + 1;
  };
  return {
    add,
    tell: add,
    write: async (session) => {
      if (Object.keys(sums).length === 0) return;
      await tallies.updateOne({ _id: name }, { $inc: sums }, { upsert: true, session });
    },
  };
}

/** From so many tallies on, those of other lives become one. */
const FOLD_FROM = 60;
const FOLDED = "folded";

/**
 * Adds up the tallies of gateways that went. One that is still alive loses nothing: it begins a new
 * tally, or conflicts and one of the two runs again.
 */
export async function foldTallies(
  { tallies }: Collections,
  transactions: Transactions,
): Promise<void> {
  if ((await tallies.countDocuments({}, { limit: FOLD_FROM })) < FOLD_FROM) return;
  await transactions(async (session) => {
    const docs = await tallies.find({ _id: { $ne: FOLDED } }, { session }).toArray();
    const sums: Record<string, number> = {};
    for (const [name, n] of docs.flatMap((doc) => Object.entries(doc))) {
      if (typeof n === "number") sums[name] = (sums[name] ?? 0) + n;
    }
    if (Object.keys(sums).length === 0) return;
    await tallies.updateOne({ _id: FOLDED }, { $inc: sums }, { upsert: true, session });
    await tallies.deleteMany({ _id: { $in: docs.map(({ _id }) => _id) } }, { session });
  });
}
