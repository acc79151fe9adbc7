/**
 * Acquittements owed: one row per flux and address. A delivery sleeps until its flux has a verdict,
 * is then owed, lent, and delivered; a borrower whose lease was taken back can write nothing.
 *
 * A sender that collects (`rest`) is owed nothing: it makes no row.
 */
import type { DatabaseSync } from "node:sqlite";
import { isFetched, type ReturnAddress } from "../../domain/flux.ts";
import type { ClaimedDelivery, ClaimRequest } from "../../keep/outbox.ts";
import { addressOf, addressText, fluxOf, fluxRow } from "./flux-rows.ts";

export interface LentDelivery {
  readonly id: number;
  readonly flux: number;
}

export interface DeliveryStatements {
  /**
   * Adds an address, sleeping, or owed from `owedAt` on; nothing when the same address already
   * waits.
   */
  add(
    flux: number,
    to: ReturnAddress | undefined,
    about: { isRepeat: boolean; owedAt: number | null },
  ): boolean;
  /** Wakes what slept; how many. */
  wake(flux: number, at: number): number;
  claim(request: ClaimRequest): readonly ClaimedDelivery[];
  /** The delivery, while this lease holds it. */
  lent(deliveryId: string, fence: number): LentDelivery | undefined;
  delivered(id: number, at: number): void;
  postpone(id: number, dueAt: number): void;
  /** Owes again what was lent until `until` or before; how many. */
  takeBack(until: number, now: number): number;
}

export function makeDeliveryStatements(db: DatabaseSync): DeliveryStatements {
  const same = db.prepare(
    "SELECT 1 FROM delivery WHERE flux = ? AND address = ? AND state <> 'delivered'",
  );
  const insert = db.prepare(
    "INSERT INTO delivery (flux, address, is_repeat, state, due_at) VALUES (?, ?, ?, ?, ?)",
  );
  const wake = db.prepare(
    "UPDATE delivery SET state = 'owed', due_at = ? WHERE flux = ? AND state = 'asleep'",
  );
  const due = db.prepare(
    `SELECT id FROM delivery INDEXED BY delivery_owed
     WHERE state = 'owed' AND due_at <= ? ORDER BY due_at, id LIMIT ?`,
  );
  const lend = db.prepare(
    `UPDATE delivery SET state = 'lent', attempts = attempts + 1, fence = fence + 1, lease_until = ?
     WHERE id = ? RETURNING flux, address, is_repeat, attempts, fence`,
  );
  const fluxBySeq = db.prepare("SELECT * FROM flux WHERE seq = ?");
  const lent = db.prepare(
    "SELECT id, flux FROM delivery WHERE id = ? AND fence = ? AND state = 'lent'",
  );
  const delivered = db.prepare(
    "UPDATE delivery SET state = 'delivered', delivered_at = ?, lease_until = NULL WHERE id = ?",
  );
  const postpone = db.prepare(
    "UPDATE delivery SET state = 'owed', due_at = ?, lease_until = NULL WHERE id = ?",
  );
  const takeBack = db.prepare(
    `UPDATE delivery INDEXED BY delivery_lent SET state = 'owed', due_at = ?, lease_until = NULL
     WHERE state = 'lent' AND lease_until <= ?`,
  );

  function lendOne(id: number, leaseUntil: number): ClaimedDelivery {
    const row = lend.get(leaseUntil, id) as {
      flux: number;
      address: string;
      is_repeat: number;
      attempts: number;
      fence: number;
    };
    const flux = fluxRow(fluxBySeq.get(row.flux));
    if (flux === undefined) throw new Error(`delivery ${id} names a flux that is not there`);
    return {
      deliveryId: String(id),
      flux: fluxOf(flux),
      to: addressOf(row.address),
      attempts: row.attempts - 1,
      isRepeat: row.is_repeat === 1,
      fence: row.fence,
    };
  }

  return {
    add: (flux, to, { isRepeat, owedAt }) => {
      if (to === undefined || isFetched(to.channel)) return false;
      const address = addressText(to);
      if (isRepeat && same.get(flux, address) !== undefined) return false;
      const state = owedAt === null ? "asleep" : "owed";
      insert.run(flux, address, isRepeat ? 1 : 0, state, owedAt ?? 0);
      return true;
    },
    wake: (flux, at) => Number(wake.run(at, flux).changes),
    claim: ({ now, leaseMs, max }) =>
      due.all(now, Math.max(0, max)).map((row) => lendOne(row["id"] as number, now + leaseMs)),
    lent: (deliveryId, fence) =>
      lent.get(Number(deliveryId), fence) as unknown as LentDelivery | undefined,
    delivered: (id, at) => {
      delivered.run(at, id);
    },
    postpone: (id, dueAt) => {
      postpone.run(Math.ceil(dueAt), id);
    },
    takeBack: (until, now) => Number(takeBack.run(now, until).changes),
  };
}
