/**
 * Between documents and a flux whole, for a copy of the store (`keep/store-transfer.ts`). Times go
 * over as they are: what gateways compare is written in the time of its database from then on.
 */
import { mongo } from "mongoose";
import { holdsLane } from "../../domain/flux-state.ts";
import { FILE_ROLES, type FileRole } from "../../keep/outbox.ts";
import type { DeliveryRecord, FluxRecord } from "../../keep/store-transfer.ts";
import { owedDelivery } from "./delivery-documents.ts";
import type { DeliveryDocument, FluxDocument } from "./documents.ts";
import { fluxOf, ownIdentity, sleepingAddress } from "./flux-documents.ts";
import type { StoreTime } from "./store-time.ts";

const AS_IT_IS: StoreTime = {
  toStore: (at) => at,
  toOwn: (at) => at,
  measure: () => Promise.resolve(0),
};

export function recordOf(
  doc: FluxDocument,
  owed: readonly DeliveryDocument[],
  files: FluxRecord["files"],
): FluxRecord {
  const numbered = [
    ...(doc.addresses ?? []).map(({ n, to, isRepeat }) => {
      const record: DeliveryRecord = {
        ...{ to, isRepeat, state: "asleep" },
        ...{ dueAt: 0, attempts: 0, fence: 0 },
      };
      return { n, record };
    }),
    ...owed.map(({ _id, to, isRepeat, dueAt, attempts, fence }) => {
      const record: DeliveryRecord = { to, isRepeat, state: "owed", dueAt, attempts, fence };
      return { n: Number(_id.slice(_id.lastIndexOf(":") + 1)), record };
    }),
  ];
  return {
    flux: fluxOf(doc, AS_IT_IS),
    dueAt: doc.dueAt,
    ...(doc.identity === ownIdentity(doc._id) ? {} : { identity: doc.identity }),
    ...(doc.numUnique === undefined ? {} : { numUnique: doc.numUnique }),
    ...(doc.owedAt === undefined ? {} : { owedAt: doc.owedAt }),
    fence: doc.fence,
    journal: doc.journal ?? [],
    arrivals: doc.arrivals ?? [],
    deliveries: numbered.sort((a, b) => a.n - b.n).map(({ record }) => record),
    files,
  };
}

/** The document of a record; its place in its lane is for the importer to say. */
export function documentOf(record: FluxRecord): FluxDocument {
  const { flux } = record;
  const { id, envelope, guichet, lane, returnsBy, reason, verdict, remarks, erasedAt } = flux;
  const asleep = record.deliveries.flatMap(({ state, to, isRepeat }, n) =>
    state === "asleep" ? [sleepingAddress(n, to, isRepeat)] : [],
  );
  const hasEnded = flux.state === "acknowledged" || flux.state === "discarded";
  return {
    _id: id,
    seq: new mongo.Timestamp(0n),
    state: flux.state,
    channel: flux.channel,
    ...(guichet === undefined ? {} : { guichet }),
    ...(envelope === undefined ? {} : { envelope }),
    ...(lane === undefined ? {} : { lane }),
    ...(lane !== undefined && holdsLane(flux.state) ? { holds: true as const } : {}),
    ...(lane === undefined && flux.state === "kept" ? { head: true as const } : {}),
    followed: 0,
    identity: record.identity ?? ownIdentity(id),
    ...(record.numUnique === undefined ? {} : { numUnique: record.numUnique }),
    sha256: flux.sha256,
    size: flux.size,
    fileName: flux.fileName,
    origin: flux.origin,
    ...(returnsBy === undefined ? {} : { returnsBy }),
    ...(asleep.length === 0 ? {} : { addresses: asleep }),
    addressed: record.deliveries.length,
    ...(record.arrivals.length === 0 ? {} : { arrivals: [...record.arrivals] }),
    receivedAt: flux.receivedAt,
    since: flux.since,
    dueAt: record.dueAt,
    attempts: flux.attempts,
    repeats: flux.repeats,
    ...(record.owedAt === undefined ? {} : { owedAt: record.owedAt }),
    fence: record.fence,
    ...(reason === undefined ? {} : { reason }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(remarks === undefined ? {} : { remarks }),
    ...(hasEnded && erasedAt === undefined ? { endedAt: flux.since } : {}),
    ...(erasedAt === undefined ? {} : { erasedAt }),
    journal: [...record.journal],
  };
}

/** What is owed of a record. */
export function deliveriesOf({ flux, deliveries }: FluxRecord): DeliveryDocument[] {
  return deliveries.flatMap(({ state, to, isRepeat, dueAt, attempts, fence }, n) =>
    state === "owed"
      ? [{ ...owedDelivery(flux.id, { n, to, isRepeat }, dueAt), attempts, fence }]
      : [],
  );
}

/** The role in the name of a file document, which is its flux and its role. */
export function roleOf(fileId: string): FileRole {
  const name = fileId.slice(fileId.lastIndexOf(":") + 1);
  const role = FILE_ROLES.find((one) => one === name);
  if (role === undefined) throw new Error(`a file named ${fileId} has no role of ours`);
  return role;
}
