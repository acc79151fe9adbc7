/**
 * The journal of a flux: entries numbered from 1, written in the transaction of what they tell and
 * never changed. The number of the last one stands in the flux (`events`).
 */
import type { DatabaseSync } from "node:sqlite";
import type { EventDetail, JournalEntry, JournalEventName } from "../../domain/events.ts";

export interface JournalStatements {
  append(
    flux: { readonly seq: number; readonly events: number },
    at: number,
    event: { readonly name: JournalEventName; readonly detail: EventDetail },
  ): void;
  journal(fluxId: string): readonly JournalEntry[];
}

export function makeJournalStatements(db: DatabaseSync): JournalStatements {
  const insert = db.prepare(
    "INSERT INTO journal (flux, n, at, name, detail) VALUES (?, ?, ?, ?, ?)",
  );
  const read = db.prepare(
    `SELECT journal.at, journal.name, journal.detail FROM flux JOIN journal ON journal.flux = flux.seq
     WHERE flux.id = ? ORDER BY journal.n`,
  );
  return {
    append: ({ seq, events }, at, { name, detail }) => {
      insert.run(seq, events, at, name, JSON.stringify(detail));
    },
    journal: (fluxId) =>
      read.all(fluxId).map((row) => ({
        at: row["at"] as number,
        name: row["name"] as JournalEventName,
        detail: JSON.parse(row["detail"] as string) as EventDetail,
      })),
  };
}
