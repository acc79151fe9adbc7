/**
 * Reads and writes fluxes whole, for a copy of the store (`keep/store-transfer.ts`). Promise: what is
 * written is all that is read, lanes and counters come out as if each flux had been kept here.
 */
import type { DatabaseSync } from "node:sqlite";
import type { EventDetail, JournalEventName } from "../../domain/events.ts";
import { holdsLane } from "../../domain/flux-state.ts";
import type { FileRole } from "../../keep/outbox.ts";
import type { DeliveryRecord, FluxRecord, RecordPage } from "../../keep/store-transfer.ts";
import type { ArrivalFacts, FluxRow } from "./flux-rows.ts";
import { addressOf, addressText, fluxOf, fluxRow, jsonOrNull } from "./flux-rows.ts";
import type { LaneStatements } from "./lane-statements.ts";

/** Bytes of files read together, unless one flux alone has more. */
const PAGE_BYTES = 8 * 1024 * 1024;

export interface RecordStatements {
  /** Fluxes after a number of the order of keeping, 0 for the first. */
  page(after: number): RecordPage;
  /** False when it is there already: nothing was written. */
  add(record: FluxRecord): boolean;
}

export function makeRecordStatements(
  db: DatabaseSync,
  lanes: Pick<LaneStatements, "isFree">,
  pageFluxes: number,
): RecordStatements {
  const nextRows = db.prepare("SELECT * FROM flux WHERE seq > ? ORDER BY seq LIMIT ?");
  const weigh = db.prepare("SELECT sum(length(bytes)) AS bytes FROM file WHERE flux = ?");
  const journalOf = db.prepare("SELECT at, name, detail FROM journal WHERE flux = ? ORDER BY n");
  const arrivalsOf = db.prepare("SELECT key, sha256 FROM arrival WHERE flux = ?");
  const filesOf = db.prepare("SELECT role, name, bytes FROM file WHERE flux = ?");
  const deliveriesOf = db.prepare(
    `SELECT address, is_repeat, state, due_at, attempts, fence FROM delivery
     WHERE flux = ? AND state <> 'delivered' ORDER BY id`,
  );
  const isThere = db.prepare("SELECT 1 FROM flux WHERE id = ?");
  const insertFlux = db.prepare(
    `INSERT INTO flux (id, state, channel, guichet, lane, holds, head, identity, num_unique, sha256,
       size, file_name, arrival, received_at, since, due_at, attempts, events, owed_at, fence, reason,
       verdict, remarks, erased_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // Counted by a trigger that looks at changes only.
  const repeat = db.prepare("UPDATE flux SET repeats = ? WHERE seq = ?");
  const noHead = db.prepare("UPDATE flux SET head = 0 WHERE lane = ? AND holds = 1 AND head = 1");
  const insertJournal = db.prepare(
    "INSERT INTO journal (flux, n, at, name, detail) VALUES (?, ?, ?, ?, ?)",
  );
  const insertArrival = db.prepare("INSERT INTO arrival (key, flux, sha256) VALUES (?, ?, ?)");
  const insertFile = db.prepare("INSERT INTO file (flux, role, name, bytes) VALUES (?, ?, ?, ?)");
  const insertDelivery = db.prepare(
    `INSERT INTO delivery (flux, address, is_repeat, state, due_at, attempts, fence)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );

  function recordOf(row: FluxRow): FluxRecord {
    const { seq } = row;
    return {
      flux: fluxOf(row),
      dueAt: row.due_at,
      ...(row.identity === null ? {} : { identity: row.identity }),
      ...(row.num_unique === null ? {} : { numUnique: row.num_unique }),
      ...(row.owed_at === null ? {} : { owedAt: row.owed_at }),
      fence: row.fence,
      journal: journalOf.all(seq).map((entry) => ({
        at: entry["at"] as number,
        name: entry["name"] as JournalEventName,
        detail: JSON.parse(entry["detail"] as string) as EventDetail,
      })),
      arrivals: arrivalsOf.all(seq).map((arrival) => ({
        key: arrival["key"] as string,
        sha256: arrival["sha256"] as string,
      })),
      deliveries: deliveriesOf.all(seq).map((delivery): DeliveryRecord => {
        const isAsleep = delivery["state"] === "asleep";
        return {
          to: addressOf(delivery["address"] as string),
          isRepeat: delivery["is_repeat"] === 1,
          state: isAsleep ? "asleep" : "owed",
          dueAt: isAsleep ? 0 : (delivery["due_at"] as number),
          attempts: delivery["attempts"] as number,
          fence: delivery["fence"] as number,
        };
      }),
      files: filesOf.all(seq).map((file) => ({
        role: file["role"] as FileRole,
        name: file["name"] as string,
        bytes: file["bytes"] as Uint8Array,
      })),
    };
  }

  function arrivalText({ flux }: FluxRecord): string {
    const facts: ArrivalFacts = {
      envelope: flux.envelope,
      origin: flux.origin,
      returnsBy: flux.returnsBy,
    };
    return JSON.stringify(facts);
  }

  /** Its place in its lane, when all that were kept before it are there. */
  function placeInLane({ state, lane }: FluxRecord["flux"]): { holds: boolean; head: boolean } {
    if (lane === undefined) return { holds: false, head: state === "kept" };
    const holds = holdsLane(state);
    // Lent before an older one was released from quarantine: that one waits for it.
    if (state === "inDoubt") noHead.run(lane);
    return { holds, head: state === "kept" && lanes.isFree(lane) };
  }

  return {
    page: (after) => {
      const records: FluxRecord[] = [];
      let bytes = 0;
      let seq = after;
      // One more than a page: is there a next one?
      const rows = nextRows.all(after, pageFluxes + 1).map((row) => fluxRow(row));
      for (const row of rows.slice(0, pageFluxes)) {
        bytes += Number(weigh.get(row.seq)?.["bytes"] ?? 0);
        if (records.length > 0 && bytes > PAGE_BYTES) break;
        records.push(recordOf(row));
        seq = row.seq;
      }
      return { records, ...(records.length < rows.length ? { next: String(seq) } : {}) };
    },

    add: (record) => {
      const { flux } = record;
      if (isThere.get(flux.id) !== undefined) return false;
      const { holds, head } = placeInLane(flux);
      const { lastInsertRowid: seq } = insertFlux.run(
        flux.id,
        flux.state,
        flux.channel,
        flux.guichet ?? null,
        flux.lane ?? null,
        holds ? 1 : 0,
        head ? 1 : 0,
        record.identity ?? null,
        record.numUnique ?? null,
        flux.sha256,
        flux.size,
        flux.fileName,
        arrivalText(record),
        flux.receivedAt,
        flux.since,
        Math.ceil(record.dueAt),
        flux.attempts,
        record.journal.length,
        record.owedAt ?? null,
        record.fence,
        jsonOrNull(flux.reason),
        jsonOrNull(flux.verdict),
        jsonOrNull(flux.remarks),
        flux.erasedAt ?? null,
      );
      if (flux.repeats > 0) repeat.run(flux.repeats, seq);
      for (const [n, { at, name, detail }] of record.journal.entries()) {
        insertJournal.run(seq, n + 1, at, name, JSON.stringify(detail));
      }
      for (const { key, sha256 } of record.arrivals) insertArrival.run(key, seq, sha256);
      for (const { role, name, bytes } of record.files) insertFile.run(seq, role, name, bytes);
      for (const { to, isRepeat, state, dueAt, attempts, fence } of record.deliveries) {
        const address = addressText(to);
        insertDelivery.run(seq, address, isRepeat ? 1 : 0, state, dueAt, attempts, fence);
      }
      return true;
    },
  };
}
