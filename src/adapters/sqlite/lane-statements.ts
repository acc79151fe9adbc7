/**
 * Who is at the head of a lane. Promise: of one lane, at most one flux is claimable, the oldest that
 * holds it, and none while one of the lane is in transit or in doubt.
 *
 * `head` is kept up to date by whoever changes a lane, in the same transaction, so that a claim
 * reads one small index and costs the same whatever waits.
 */
import type { DatabaseSync } from "node:sqlite";
import type { FluxRow } from "./flux-rows.ts";

type Waiting = Pick<FluxRow, "seq" | "state" | "head" | "due_at">;

export interface LaneStatements {
  /** True when no flux holds the lane. */
  isFree(lane: string): boolean;
  /**
   * Names the head of a lane after one of its fluxes entered or changed state (that flux itself
   * having been written with head 0), and says when that head may be claimed, ms since the epoch.
   */
  settle(lane: string): number | undefined;
}

export function makeLaneStatements(db: DatabaseSync): LaneStatements {
  const oldest = db.prepare(
    `SELECT seq, state, head, due_at FROM flux INDEXED BY flux_lane
     WHERE lane = ? AND holds = 1 ORDER BY seq LIMIT 2`,
  );
  const inFlight = db.prepare(
    `SELECT 1 FROM flux INDEXED BY flux_lane_in_flight
     WHERE lane = ? AND state IN ('inTransit', 'inDoubt')`,
  );
  const setHead = db.prepare("UPDATE flux SET head = ? WHERE seq = ?");
  return {
    isFree: (lane) => oldest.get(lane) === undefined,
    settle: (lane) => {
      const [first, second] = oldest.all(lane) as unknown as Waiting[];
      if (first === undefined) return undefined;
      // Only a flux released from quarantine can enter before the others: the head it displaces was
      // the oldest until now, so it is the second.
      if (second?.head === 1) setHead.run(0, second.seq);
      // The released one still waits for a younger flux that was lent before it came.
      if (first.state !== "kept" || inFlight.get(lane) !== undefined) return undefined;
      if (first.head === 0) setHead.run(1, first.seq);
      return first.due_at;
    },
  };
}
