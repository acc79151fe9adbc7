/**
 * Adds to the journal of a flux that does not move. Promise: one conditional write of one document, so
 * that two gateways told the same at once write it once.
 */
import type { JournalRecord, RecordResult } from "../../keep/outbox.ts";
import type { Collections } from "./documents.ts";
import { fluxOf } from "./flux-documents.ts";
import type { StoreTime } from "./store-time.ts";

export async function recordOnce(
  { fluxes }: Collections,
  { fluxId, in: states, at, event }: JournalRecord,
  time: StoreTime,
): Promise<RecordResult> {
  const { matchedCount } = await fluxes.updateOne(
    { _id: fluxId, state: { $in: [...states] }, "journal.name": { $ne: event.name } },
    { $push: { journal: { at, ...event } } },
  );
  if (matchedCount === 1) return { kind: "recorded" };
  const doc = await fluxes.findOne({ _id: fluxId });
  if (doc === null) return { kind: "notFound" };
  const first = doc.journal?.find(({ name }) => name === event.name);
  return first === undefined
    ? { kind: "notRecorded", flux: fluxOf(doc, time) }
    : { kind: "already", first };
}
