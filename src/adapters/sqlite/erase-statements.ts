/**
 * Erases the files of fluxes that reached an end long enough ago (capability B8). Promises: never
 * those of a flux of which anything is still owed; the journal says it, in the same transaction; and
 * what is erased is overwritten in the database file, not only forgotten by it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Outbox } from "../../keep/outbox.ts";
import { fluxRow } from "./flux-rows.ts";
import type { JournalStatements } from "./journal-statements.ts";

export interface EraseStatements {
  erase(request: Parameters<Outbox["eraseFiles"]>[0]): number;
}

export function makeEraseStatements({
  db,
  journal,
}: {
  readonly db: DatabaseSync;
  readonly journal: JournalStatements;
}): EraseStatements {
  // Steps over the few that ended and whose acquittement to a repeat is still owed.
  const erasable = db.prepare(
    `SELECT seq FROM flux INDEXED BY flux_erasable
     WHERE erased_at IS NULL AND state IN ('acknowledged', 'discarded') AND since < ?
       AND NOT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_flux
                       WHERE delivery.flux = flux.seq AND delivery.state <> 'delivered')
     ORDER BY since LIMIT ?`,
  );
  const weigh = db.prepare(
    "SELECT count(*) AS files, coalesce(sum(length(bytes)), 0) AS bytes FROM file WHERE flux = ?",
  );
  const remove = db.prepare("DELETE FROM file WHERE flux = ?");
  const mark = db.prepare(
    "UPDATE flux SET erased_at = ?, events = events + 1 WHERE seq = ? RETURNING *",
  );

  function eraseOne(seq: number, now: number): void {
    const { files, bytes } = weigh.get(seq) as { files: number; bytes: number };
    remove.run(seq);
    const marked = fluxRow(mark.get(now, seq) ?? {});
    journal.append(marked, now, { name: "flux.filesErased", detail: { files, bytes } });
  }

  return {
    erase: ({ endedBefore, now, max }) => {
      const found = erasable.all(endedBefore, Math.max(0, max));
      // Without it SQLite frees the pages with all they hold. On at all times, it would zero what
      // every move rewrites. This PRAGMA acts when it is compiled: it cannot be prepared once.
      db.exec("PRAGMA secure_delete = ON");
      try {
        for (const { seq } of found) eraseOne(seq as number, now);
      } finally {
        db.exec("PRAGMA secure_delete = OFF");
      }
      return found.length;
    },
  };
}
