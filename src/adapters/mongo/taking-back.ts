/**
 * Takes back what was lent to the dead. Promise: a flux taken back is in doubt, never lent again by
 * itself, and one that its borrower renewed meanwhile stays with it; several gateways may do it at
 * once, and each loan is taken back by one.
 */
import { errorText } from "../../domain/errors.ts";
import type { Collections } from "./documents.ts";
import type { StoreTime } from "./store-time.ts";

/** Leases taken back by one command. */
const MANY = 500;

/** @returns how many fluxes went in doubt, and how many acquittements are owed again */
export async function takeBack(
  { fluxes, deliveries }: Pick<Collections, "fluxes" | "deliveries">,
  time: StoreTime,
  now: number,
): Promise<{ readonly inDoubt: number; readonly deliveries: number }> {
  const ended = { leaseUntil: { $lte: time.toStore(now) } };
  const inDoubt = await putInDoubt(fluxes, ended, now);
  const { modifiedCount } = await deliveries.updateMany(
    { ...ended, state: "lent" },
    { $set: { state: "owed", dueAt: time.toStore(now) }, $unset: { leaseUntil: 1, claim: 1 } },
    { hint: "lease" },
  );
  return { inDoubt, deliveries: modifiedCount };
}

async function putInDoubt(
  fluxes: Collections["fluxes"],
  ended: { readonly leaseUntil: { readonly $lte: number } },
  now: number,
): Promise<number> {
  const reason = { code: "LEASE_ENDED", text: errorText("LEASE_ENDED") };
  const event = { at: now, name: "flux.putInDoubt", detail: { code: "LEASE_ENDED" } } as const;
  let total = 0;
  for (;;) {
    const lost = await fluxes
      .find(ended, { projection: { fence: 1 } })
      .limit(MANY)
      .toArray();
    if (lost.length === 0) return total;
    const { modifiedCount } = await fluxes.bulkWrite(
      lost.map(({ _id, fence }) => ({
        updateOne: {
          // Asked again: its borrower may have renewed it since.
          filter: { _id, fence, state: "inTransit", ...ended },
          update: {
            $set: { state: "inDoubt", since: now, reason },
            $unset: { leaseUntil: 1, claim: 1 },
            $push: { journal: event },
          },
        },
      })),
      { ordered: false },
    );
    total += modifiedCount;
    if (lost.length < MANY) return total;
  }
}
