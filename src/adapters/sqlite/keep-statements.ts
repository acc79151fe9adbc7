/**
 * Keeps fluxes: the arrival already told, the content already held, or a new flux. Promise: looked
 * for and written in the same transaction, so that a hundred copies at once make one flux.
 */
import type { DatabaseSync } from "node:sqlite";
import { holdsLane } from "../../domain/flux-state.ts";
import type { KeepResult, NewFlux, Work } from "../../keep/outbox.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { FluxRow } from "./flux-rows.ts";
import { arrivalText, fluxAtBirth, fluxOf, fluxRow, jsonOrNull } from "./flux-rows.ts";
import type { JournalStatements } from "./journal-statements.ts";
import type { LaneStatements } from "./lane-statements.ts";

export interface KeepStatements {
  keep(batch: readonly NewFlux[]): readonly KeepResult[];
}

export function makeKeepStatements(options: {
  readonly db: DatabaseSync;
  readonly lanes: LaneStatements;
  readonly journal: JournalStatements;
  readonly deliveries: DeliveryStatements;
  /** Told which step may have work once all is on disk. */
  readonly hint: (work: Work) => void;
}): KeepStatements {
  const { db, lanes, journal, deliveries, hint } = options;
  const arrivalByKey = db.prepare("SELECT flux, sha256 FROM arrival WHERE key = ?");
  const addArrival = db.prepare("INSERT INTO arrival (key, flux, sha256) VALUES (?, ?, ?)");
  const fluxBySeq = db.prepare("SELECT * FROM flux WHERE seq = ?");
  const fluxByIdentity = db.prepare("SELECT * FROM flux WHERE sha256 = ? AND identity = ?");
  const countRepeat = db.prepare(
    "UPDATE flux SET repeats = repeats + 1, events = events + 1 WHERE seq = ? RETURNING *",
  );
  const insertFlux = db.prepare(
    `INSERT INTO flux (id, state, channel, guichet, lane, holds, head, identity, num_unique, sha256,
       size, file_name, arrival, received_at, since, due_at, owed_at, reason, verdict, remarks)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertFile = db.prepare(
    "INSERT INTO file (flux, role, name, bytes) VALUES (?, 'original', ?, ?)",
  );

  function toldAgain(flux: NewFlux): KeepResult | undefined {
    if (flux.arrivalKey === undefined) return undefined;
    const arrival = arrivalByKey.get(flux.arrivalKey);
    if (arrival === undefined) return undefined;
    const first = fluxOf(fluxRow(fluxBySeq.get(arrival["flux"] as number) ?? {}));
    const kind = arrival["sha256"] === flux.sha256 ? "sameArrival" : "keyConflict";
    return { kind, first };
  }

  function repeated(flux: NewFlux): KeepResult | undefined {
    // A stranger must learn nothing of a landlord's flux, and get no acquittement of it.
    if (flux.identity === undefined || flux.state === "quarantined") return undefined;
    const found = fluxRow(fluxByIdentity.get(flux.sha256, flux.identity));
    if (found === undefined) return undefined;
    const first = fluxRow(countRepeat.get(found.seq) ?? {});
    journal.append(first, flux.receivedAt, {
      name: "flux.receivedAgain",
      detail: { channel: flux.channel, fileName: flux.fileName },
    });
    remember(flux, first.seq);
    const owedAt = first.owed_at === null ? null : flux.receivedAt;
    const added = deliveries.add(first.seq, flux.returnTo, { isRepeat: true, owedAt });
    if (added && owedAt !== null) hint("acknowledge");
    return { kind: "repeated", first: fluxOf(first) };
  }

  function remember(flux: NewFlux, seq: FluxRow["seq"]): void {
    if (flux.arrivalKey !== undefined) addArrival.run(flux.arrivalKey, seq, flux.sha256);
  }

  function keepNew(flux: NewFlux): KeepResult {
    const { state, lane, receivedAt } = flux;
    const kept = state === "kept";
    const holds = lane !== undefined && holdsLane(state);
    const head = kept && (lane === undefined || lanes.isFree(lane));
    const owedAt = state === "refused" ? receivedAt : null;
    const { lastInsertRowid } = insertFlux.run(
      flux.id,
      state,
      flux.channel,
      flux.guichet ?? null,
      lane ?? null,
      holds ? 1 : 0,
      head ? 1 : 0,
      // Only what is alive, or had its effect, holds its content's name.
      kept ? (flux.identity ?? null) : null,
      flux.envelope?.numUnique ?? null,
      flux.sha256,
      flux.bytes.byteLength,
      flux.fileName,
      arrivalText(flux),
      receivedAt,
      receivedAt,
      receivedAt,
      owedAt,
      jsonOrNull(flux.reason),
      jsonOrNull(flux.verdict),
      jsonOrNull(flux.remarks),
    );
    const seq = Number(lastInsertRowid);
    insertFile.run(seq, flux.fileName, flux.bytes);
    journal.append({ seq, events: 1 }, receivedAt, flux.event);
    remember(flux, seq);
    const owes = deliveries.add(seq, flux.returnTo, { isRepeat: false, owedAt });
    if (head) hint("forward");
    if (owes && owedAt !== null) hint("acknowledge");
    return { kind: "kept", flux: fluxAtBirth(flux) };
  }

  return {
    keep: (batch) => batch.map((flux) => toldAgain(flux) ?? repeated(flux) ?? keepNew(flux)),
  };
}
