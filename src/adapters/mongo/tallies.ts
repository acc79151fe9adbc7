/**
 * What a writer counts in each transaction. Promise: counted with what is counted or not at all;
 * writers never wait for one another, each having its own document.
 */
import type { mongo } from "mongoose";
import type { Work } from "../../keep/outbox.ts";
import type { Collections } from "./documents.ts";

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
