/**
 * Takes back what was lent to the dead. Promise: a flux taken back is in doubt, never lent again by
 * itself, and one that its borrower renewed meanwhile stays with it; several gateways may do it at
 * once, and each loan is taken back by one. What the dead left in an open transaction is taken back
 * once the server has ended that.
 */
import { errorText } from "../../domain/errors.ts";
import type { Collections } from "./documents.ts";
import type { StoreTime } from "./store-time.ts";
import { updateEach } from "./update-unlocked.ts";

/** Leases taken back at once; the rest waits for the next time. */
const MANY = 500;

interface Ended {
  readonly leaseUntil: { readonly $lte: number };
}

/** @returns how many fluxes went in doubt, and how many acquittements are owed again */
export async function takeBack(
  { fluxes, deliveries }: Pick<Collections, "fluxes" | "deliveries">,
  time: StoreTime,
  now: number,
): Promise<{ readonly inDoubt: number; readonly deliveries: number }> {
  const ended = { leaseUntil: { $lte: time.toStore(now) } };
  const inDoubt = await putInDoubt(fluxes, ended, now);
  const owed = await oweAgain(deliveries, ended, time.toStore(now));
  return { inDoubt, deliveries: owed };
}

async function oweAgain(
  deliveries: Collections["deliveries"],
  ended: Ended,
  dueAt: number,
): Promise<number> {
  const lost = await deliveries
    .find(ended, { projection: { fence: 1 } })
    .limit(MANY)
    .toArray();
  const { modified } = await updateEach(
    deliveries,
    lost.map(({ _id, fence }) => ({
      filter: { _id, fence, state: "lent", ...ended },
      update: { $set: { state: "owed", dueAt }, $unset: { leaseUntil: 1, claim: 1 } },
    })),
  );
  return modified;
}

async function putInDoubt(
  fluxes: Collections["fluxes"],
  ended: Ended,
  now: number,
): Promise<number> {
  const reason = { code: "LEASE_ENDED", text: errorText("LEASE_ENDED") };
  const event = { at: now, name: "flux.putInDoubt", detail: { code: "LEASE_ENDED" } } as const;
  const lost = await fluxes
    .find(ended, { projection: { fence: 1 } })
    .limit(MANY)
    .toArray();
  const { modified } = await updateEach(
    fluxes,
    lost.map(({ _id, fence }) => ({
      // Asked again: its borrower may have renewed it since.
      filter: { _id, fence, state: "inTransit", ...ended },
      update: {
        $set: { state: "inDoubt", since: now, reason },
        $unset: { leaseUntil: 1, claim: 1 },
        $push: { journal: event },
      },
    })),
  );
  return modified;
}
