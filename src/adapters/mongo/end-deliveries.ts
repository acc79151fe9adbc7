/**
 * Ends deliveries. Promise: only for the borrower that still holds the delivery, with the journal
 * entry of its flux, and the flux acknowledged when its sender has it, in the same transaction.
 */
import type { mongo } from "mongoose";
import type { DeliveryEnd, Move } from "../../keep/outbox.ts";
import type { Collections, DeliveryDocument } from "./documents.ts";
import { change, type FluxUpdate } from "./flux-documents.ts";
import type { ItemResult } from "./group-writer.ts";
import { applyMove, readFluxes } from "./move-documents.ts";
import type { StoreTime } from "./store-time.ts";
import type { Tally } from "./tallies.ts";
import { updateAll } from "./write-all.ts";

export interface EndItem {
  readonly deliveryId: string;
  readonly fence: number;
  readonly at: number;
  readonly end: DeliveryEnd;
}

export async function endDeliveries(
  items: readonly EndItem[],
  session: mongo.ClientSession,
  at: { readonly collections: Collections; readonly time: StoreTime; readonly tally: Tally },
): Promise<readonly ItemResult<boolean>[]> {
  const { collections, time, tally } = at;
  const ids = items.map(({ deliveryId }) => deliveryId);
  const found = await collections.deliveries
    .find({ _id: { $in: ids }, state: "lent" }, { session })
    .toArray();
  const lent = new Map(found.map((delivery) => [delivery._id, delivery]));
  const fluxes = await readFluxes(
    collections,
    found.map(({ flux }) => flux),
    session,
  );
  const updates: FluxUpdate[] = [];
  const ended: mongo.AnyBulkWriteOperation<DeliveryDocument>[] = [];

  function endOne({ deliveryId, fence, at: when, end }: EndItem): boolean {
    const delivery = lent.get(deliveryId);
    const doc = delivery === undefined ? undefined : fluxes.get(delivery.flux);
    if (delivery?.fence !== fence || doc === undefined) return false;
    lent.delete(deliveryId);
    const untold = doc.state === "accepted" || doc.state === "refused";
    if (end.kind === "postponed") {
      const event = { at: when, name: "acquittement.postponed", detail: end.detail } as const;
      // The reason says why the flux is not acknowledged yet; once told, a repeat's does not.
      updates.push(change(doc, untold ? { reason: end.reason } : {}, event));
      ended.push({
        updateOne: {
          filter: { _id: deliveryId },
          update: {
            $set: { state: "owed", dueAt: time.toStore(Math.ceil(end.dueAt)) },
            $unset: { leaseUntil: 1, claim: 1 },
          },
        },
      });
      return true;
    }
    ended.push({ deleteOne: { filter: { _id: deliveryId } } });
    const event = { name: "acquittement.delivered", detail: end.detail } as const;
    if (untold) {
      const move: Move = { fluxId: doc._id, from: [], to: "acknowledged", at: when, event };
      updates.push(...applyMove(doc, move, time).updates);
      tally.add("acknowledged");
    } else {
      updates.push(change(doc, {}, { at: when, ...event }));
    }
    return true;
  }

  const results = items.map((item) => ({ value: endOne(item) }));
  await updateAll(collections.deliveries, ended, session);
  await updateAll(collections.fluxes, updates, session);
  await tally.write(session);
  return results;
}
