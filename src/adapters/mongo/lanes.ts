/**
 * Who is in front of a lane. Promise: of one lane, at most one flux is claimable, the oldest that
 * holds it, and none while one of the lane is in transit or in doubt.
 *
 * The front flux stands for its lane: whoever comes behind it writes it (`followed`), so that two
 * transactions on one lane always conflict, and one that nobody follows leaves its lane by a write
 * of its own document alone. A unique index forbids two fronts.
 */
import type { mongo } from "mongoose";
import type { FluxDocument } from "./documents.ts";

/**
 * Names the front of a lane after one of its fluxes entered or changed state, and says from when it
 * may be claimed, in the database's time, ms; undefined when it may not.
 */
export async function settleLane(
  fluxes: mongo.Collection<FluxDocument>,
  lane: string,
  session: mongo.ClientSession,
): Promise<number | undefined> {
  const projection = { state: 1, dueAt: 1, followed: 1, front: 1, head: 1 } as const;
  const [oldest, second] = await fluxes
    .find({ lane, holds: true }, { session, projection })
    .sort({ seq: 1 })
    .limit(2)
    .toArray();
  if (oldest === undefined) return undefined;
  const front = await fluxes.findOne({ lane, front: true }, { session, projection });
  const inFlight = front?.state === "inTransit" || front?.state === "inDoubt";
  const next = inFlight ? front : oldest;
  if (front !== null && front._id !== next._id) {
    await fluxes.updateOne({ _id: front._id }, { $unset: { front: 1, head: 1 } }, { session });
  }
  const isHead = next.state === "kept";
  await fluxes.updateOne(
    { _id: next._id },
    {
      $set: {
        front: true,
        followed: second === undefined ? 0 : next.followed + 1,
        ...(isHead ? { head: true as const } : {}),
      },
      ...(isHead ? {} : { $unset: { head: 1 as const } }),
    },
    { session },
  );
  return isHead ? next.dueAt : undefined;
}
