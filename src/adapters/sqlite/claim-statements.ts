/**
 * Lends fluxes, lengthens their leases, and takes back what was lent to the dead. Promise: a flux is
 * lent to one borrower; each loan has its own fence; a flux taken back is in doubt, never lent again
 * by itself.
 */
import type { DatabaseSync } from "node:sqlite";
import { errorText } from "../../domain/errors.ts";
import type { ClaimedFlux, ClaimRequest } from "../../keep/outbox.ts";
import { fluxOf, fluxRow } from "./flux-rows.ts";
import type { JournalStatements } from "./journal-statements.ts";
import type { PauseStatements } from "./pause-statements.ts";

export interface ClaimStatements {
  claim(request: ClaimRequest): readonly ClaimedFlux[];
  renew(held: readonly { fluxId: string; fence: number }[], leaseUntil: number): readonly string[];
  /** Puts in doubt what was lent until `until` or before; how many. */
  takeBack(until: number, now: number): number;
}

export function makeClaimStatements(options: {
  readonly db: DatabaseSync;
  readonly journal: JournalStatements;
  readonly pauses: Pick<PauseStatements, "extent">;
}): ClaimStatements {
  const { db, journal, pauses } = options;
  const claimable = db.prepare(
    `SELECT seq FROM flux INDEXED BY flux_claimable
     WHERE head = 1 AND due_at <= ? ORDER BY due_at, seq LIMIT ?`,
  );
  // Steps over what is paused, row by row: a guichet paused with a great backlog makes every claim
  // longer by that backlog (70 ms by 100,000, measured) until it is resumed. Nothing paused, this
  // statement is not used.
  const claimableBesidePauses = db.prepare(
    `SELECT seq FROM flux INDEXED BY flux_claimable
     WHERE head = 1 AND due_at <= ?
       AND NOT EXISTS (SELECT 1 FROM pause WHERE kind = 'guichet' AND name = flux.guichet)
       AND NOT EXISTS (SELECT 1 FROM pause WHERE kind = 'lane' AND name = flux.lane)
     ORDER BY due_at, seq LIMIT ?`,
  );
  const lend = db.prepare(
    `UPDATE flux SET state = 'inTransit', head = 0, since = ?, attempts = attempts + 1,
       events = events + 1, fence = fence + 1, lease_until = ?, reason = NULL
     WHERE seq = ? RETURNING *`,
  );
  const renew = db.prepare(
    "UPDATE flux SET lease_until = ? WHERE id = ? AND state = 'inTransit' AND fence = ?",
  );
  const ended = db.prepare(
    `SELECT seq FROM flux INDEXED BY flux_state WHERE state = 'inTransit' AND lease_until <= ?`,
  );
  const putInDoubt = db.prepare(
    `UPDATE flux SET state = 'inDoubt', since = ?, events = events + 1, lease_until = NULL, reason = ?
     WHERE seq = ? RETURNING *`,
  );

  function dueNow(now: number, max: number): readonly { readonly seq?: unknown }[] {
    switch (pauses.extent()) {
      case "none":
        return claimable.all(now, max);
      case "some":
        return claimableBesidePauses.all(now, max);
      case "all":
        return [];
    }
  }

  return {
    claim: ({ owner, now, leaseMs, max }) =>
      dueNow(now, Math.max(0, max)).map((found) => {
        const leaseUntil = now + leaseMs;
        const row = fluxRow(lend.get(now, leaseUntil, found.seq as number) ?? {});
        journal.append(row, now, {
          name: "flux.claimed",
          detail: { owner, attempt: row.attempts },
        });
        return { flux: fluxOf(row), fence: row.fence, leaseUntil };
      }),
    renew: (held, leaseUntil) =>
      held
        .filter(({ fluxId, fence }) => renew.run(leaseUntil, fluxId, fence).changes === 1)
        .map(({ fluxId }) => fluxId),
    takeBack: (until, now) => {
      const reason = JSON.stringify({ code: "LEASE_ENDED", text: errorText("LEASE_ENDED") });
      const lost = ended.all(until);
      for (const { seq } of lost) {
        const row = fluxRow(putInDoubt.get(now, reason, seq ?? null) ?? {});
        journal.append(row, now, { name: "flux.putInDoubt", detail: { code: "LEASE_ENDED" } });
      }
      return lost.length;
    },
  };
}
