/**
 * Moves fluxes from state to state. Promise: only as the table of moves allows, only from an
 * expected state, only by the borrower that still holds the lease, with the event in the same
 * transaction.
 */
import type { DatabaseSync } from "node:sqlite";
import { gatewayError } from "../../domain/errors.ts";
import type { FluxState } from "../../domain/flux-state.ts";
import { canMove, holdsLane } from "../../domain/flux-state.ts";
import type {
  DeliveryEnd,
  JournalRecord,
  Move,
  MoveResult,
  RecordResult,
  Work,
} from "../../keep/outbox.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { FluxRow } from "./flux-rows.ts";
import { arrivalReturningBy, fluxOf, fluxRow, jsonOrNull } from "./flux-rows.ts";
import type { JournalStatements } from "./journal-statements.ts";
import type { LaneStatements } from "./lane-statements.ts";

export interface MoveStatements {
  move(move: Move): MoveResult;
  recordOnce(record: JournalRecord): RecordResult;
  endDelivery(
    delivery: { deliveryId: string; fence: number },
    at: number,
    end: DeliveryEnd,
  ): boolean;
}

/** A flux in one of these has had no effect: its content may come again. */
const GIVES_IDENTITY_UP: readonly FluxState[] = ["refused", "discarded"];

export function makeMoveStatements(options: {
  readonly db: DatabaseSync;
  readonly lanes: LaneStatements;
  readonly journal: JournalStatements;
  readonly deliveries: DeliveryStatements;
  readonly hint: (work: Work) => void;
}): MoveStatements {
  const { db, lanes, journal, deliveries, hint } = options;
  const fluxById = db.prepare("SELECT * FROM flux WHERE id = ?");
  const fluxBySeq = db.prepare("SELECT * FROM flux WHERE seq = ?");
  const fluxByIdentity = db.prepare("SELECT * FROM flux WHERE sha256 = ? AND identity = ?");
  // Each names only what it changes: SQLite writes again every index of a column that is named.
  const update = db.prepare(
    `UPDATE flux SET state = ?, since = ?, due_at = ?, head = ?, holds = ?, owed_at = ?, reason = ?,
       verdict = ?, remarks = ?, lease_until = NULL, events = events + 1
     WHERE seq = ? RETURNING *`,
  );
  const attributeTo = db.prepare(
    "UPDATE flux SET guichet = ?, lane = ?, identity = ?, arrival = ? WHERE seq = ?",
  );
  const giveIdentityUp = db.prepare("UPDATE flux SET identity = NULL WHERE seq = ?");
  const nameNumber = db.prepare("UPDATE flux SET num_unique = ? WHERE seq = ?");
  const putFile = db.prepare(
    `INSERT INTO file (flux, role, name, bytes) VALUES (?, ?, ?, ?)
     ON CONFLICT (flux, role) DO UPDATE SET name = excluded.name, bytes = excluded.bytes`,
  );
  const noteEvent = db.prepare(
    "UPDATE flux SET events = events + 1, reason = ? WHERE seq = ? RETURNING *",
  );

  function write(row: FluxRow, move: Move): FluxRow {
    const { to, at, attribute } = move;
    // Only a claim puts a flux in transit: without its lease nobody could take the flux back.
    if (!canMove(row.state, to) || to === "inTransit") {
      throw gatewayError("INTERNAL_ERROR", {}, new Error(`no move from ${row.state} to ${to}`));
    }
    if (attribute !== undefined) {
      const { guichet, identity, returnTo } = attribute;
      const arrival = arrivalReturningBy(row.arrival, returnTo);
      attributeTo.run(guichet, attribute.lane ?? null, identity, arrival, row.seq);
    }
    if (GIVES_IDENTITY_UP.includes(to)) giveIdentityUp.run(row.seq);
    if (row.num_unique === null && move.verdict?.kind === "accepted") {
      nameNumber.run(move.verdict.numeroUnique, row.seq);
    }
    const lane = attribute === undefined ? row.lane : (attribute.lane ?? null);
    const moved = fluxRow(
      update.get(
        to,
        at,
        Math.ceil(move.dueAt ?? at),
        lane === null && to === "kept" ? 1 : 0,
        lane !== null && holdsLane(to) ? 1 : 0,
        row.owed_at ?? (move.oweAcquittement === true ? at : null),
        jsonOrNull(move.reason),
        jsonOrNull(move.verdict) ?? row.verdict,
        jsonOrNull(move.remarks) ?? row.remarks,
        row.seq,
      ) ?? {},
    );
    journal.append(moved, at, move.event);
    return moved;
  }

  /** When a flux that this move made claimable may be claimed: itself, or the next of its lane. */
  function claimableAt(row: FluxRow, moved: FluxRow): number | undefined {
    if (moved.lane === null) return moved.head === 1 ? moved.due_at : undefined;
    return row.holds === 1 || moved.holds === 1 ? lanes.settle(moved.lane) : undefined;
  }

  /** What follows a move: the lane's next head, the files, the acquittement owed. */
  function follow(row: FluxRow, moved: FluxRow, move: Move): void {
    const dueAt = claimableAt(row, moved);
    if (dueAt !== undefined && dueAt <= move.at) hint("forward");
    for (const role of ["answer", "attestation"] as const) {
      const file = move.files?.[role];
      if (file !== undefined) putFile.run(moved.seq, role, file.name, file.bytes);
    }
    deliveries.add(moved.seq, move.attribute?.returnTo, { isRepeat: false, owedAt: null });
    if (move.oweAcquittement === true && deliveries.wake(moved.seq, move.at) > 0) {
      hint("acknowledge");
    }
  }

  return {
    move: (move) => {
      const row = fluxRow(fluxById.get(move.fluxId));
      if (row === undefined) return { kind: "notFound" };
      const needsFence = row.state === "inTransit" || move.fence !== undefined;
      const lostLease = needsFence && row.fence !== move.fence;
      if (!move.from.includes(row.state) || lostLease) {
        return { kind: "notMoved", flux: fluxOf(row) };
      }
      if (move.attribute !== undefined) {
        const first = fluxRow(fluxByIdentity.get(row.sha256, move.attribute.identity));
        if (first !== undefined) return { kind: "identityTaken", first: fluxOf(first) };
      }
      const moved = write(row, move);
      follow(row, moved, move);
      // Settling the lane may have made this very flux its head; nothing a Flux shows changed.
      return { kind: "moved", flux: fluxOf(moved) };
    },

    recordOnce: ({ fluxId, in: states, at, event }) => {
      const row = fluxRow(fluxById.get(fluxId));
      if (row === undefined) return { kind: "notFound" };
      const first = journal.journal(fluxId).find(({ name }) => name === event.name);
      if (first !== undefined) return { kind: "already", first };
      if (!states.includes(row.state)) return { kind: "notRecorded", flux: fluxOf(row) };
      journal.append(fluxRow(noteEvent.get(row.reason, row.seq) ?? {}), at, event);
      return { kind: "recorded" };
    },

    endDelivery: ({ deliveryId, fence }, at, end) => {
      const delivery = deliveries.lent(deliveryId, fence);
      if (delivery === undefined) return false;
      const row = fluxRow(fluxBySeq.get(delivery.flux) ?? {});
      const untold = row.state === "accepted" || row.state === "refused";
      if (end.kind === "postponed") {
        deliveries.postpone(delivery.id, end.dueAt);
        // The reason says why the flux is not acknowledged yet; once told, a repeat's does not.
        const reason = untold ? JSON.stringify(end.reason) : row.reason;
        const noted = fluxRow(noteEvent.get(reason, row.seq) ?? {});
        journal.append(noted, at, { name: "acquittement.postponed", detail: end.detail });
        return true;
      }
      deliveries.delivered(delivery.id, at);
      const event = { name: "acquittement.delivered", detail: end.detail } as const;
      if (untold) {
        const move: Move = { fluxId: row.id, from: [row.state], to: "acknowledged", at, event };
        follow(row, write(row, move), move);
      } else {
        journal.append(fluxRow(noteEvent.get(row.reason, row.seq) ?? {}), at, event);
      }
      return true;
    },
  };
}
