/** Between a document and a Flux. The only place that knows how one is written as the other. */
import { mongo } from "mongoose";
import { holdsLane } from "../../domain/flux-state.ts";
import { isFetched, type Flux, type ReturnAddress } from "../../domain/flux.ts";
import type { NewFlux } from "../../keep/outbox.ts";
import type { FluxDocument, SleepingAddress } from "./documents.ts";
import type { StoreTime } from "./store-time.ts";

export function fluxOf(doc: FluxDocument, time: StoreTime): Flux {
  return {
    id: doc._id,
    state: doc.state,
    channel: doc.channel,
    ...(doc.guichet === undefined ? {} : { guichet: doc.guichet }),
    ...(doc.envelope === undefined ? {} : { envelope: doc.envelope }),
    fileName: doc.fileName,
    ...(doc.lane === undefined ? {} : { lane: doc.lane }),
    sha256: doc.sha256,
    size: doc.size,
    origin: doc.origin,
    ...(doc.returnsBy === undefined ? {} : { returnsBy: doc.returnsBy }),
    receivedAt: doc.receivedAt,
    since: doc.since,
    attempts: doc.attempts,
    ...(doc.state === "kept" ? { dueAt: time.toOwn(doc.dueAt) } : {}),
    ...(doc.reason === undefined ? {} : { reason: doc.reason }),
    ...(doc.verdict === undefined ? {} : { verdict: doc.verdict }),
    ...(doc.remarks === undefined ? {} : { remarks: doc.remarks }),
    repeats: doc.repeats,
    ...(doc.erasedAt === undefined ? {} : { erasedAt: doc.erasedAt }),
  };
}

/** The document of a flux at birth; its place in its lane is for the keeper to say. */
export function documentAtBirth(flux: NewFlux, time: Pick<StoreTime, "toStore">): FluxDocument {
  const { state, lane, receivedAt } = flux;
  const kept = state === "kept";
  const owed = state === "refused";
  return {
    _id: flux.id,
    seq: new mongo.Timestamp(0n),
    state,
    channel: flux.channel,
    ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
    ...(flux.envelope === undefined ? {} : { envelope: flux.envelope }),
    ...(lane === undefined ? {} : { lane }),
    ...(lane !== undefined && holdsLane(state) ? { holds: true as const } : {}),
    ...(kept && lane === undefined ? { head: true as const } : {}),
    followed: 0,
    // Only what is alive, or had its effect, holds its content's name.
    identity: kept && flux.identity !== undefined ? flux.identity : ownIdentity(flux.id),
    ...(flux.envelope?.numUnique === undefined ? {} : { numUnique: flux.envelope.numUnique }),
    sha256: flux.sha256,
    size: flux.bytes.byteLength,
    fileName: flux.fileName,
    origin: flux.origin,
    ...(flux.returnTo === undefined ? {} : { returnsBy: flux.returnTo.channel }),
    addressed: 0,
    ...(flux.arrivalKey === undefined
      ? {}
      : { arrivals: [{ key: flux.arrivalKey, sha256: flux.sha256 }] }),
    receivedAt,
    since: receivedAt,
    dueAt: time.toStore(receivedAt),
    attempts: 0,
    repeats: 0,
    ...(owed ? { owedAt: receivedAt } : {}),
    fence: 0,
    ...(flux.reason === undefined ? {} : { reason: flux.reason }),
    ...(flux.verdict === undefined ? {} : { verdict: flux.verdict }),
    ...(flux.remarks === undefined ? {} : { remarks: flux.remarks }),
    journal: [{ at: receivedAt, ...flux.event }],
  };
}

/** What stands for an identity given up: equal to no other's. */
export function ownIdentity(fluxId: string): string {
  return `-${fluxId}`;
}

/** One address always gives the same text, whatever the order of its properties. */
export function addressText(address: ReturnAddress): string {
  return JSON.stringify(address, Object.keys(address).sort());
}

/** True for an address that an acquittement is brought to; a sender that collects is owed nothing. */
export function isBroughtTo(to: ReturnAddress | undefined): to is ReturnAddress {
  return to !== undefined && !isFetched(to.channel);
}

export function sleepingAddress(n: number, to: ReturnAddress, isRepeat: boolean): SleepingAddress {
  return { n, to, isRepeat };
}

/**
 * A change of a document: what is set, what is taken away (undefined), what is appended. Applied to
 * the document in hand as to the one in the database, so that what follows in the same transaction
 * sees it.
 */
export type FluxChange = { [K in keyof FluxDocument]?: FluxDocument[K] | undefined };

export type FluxUpdate = mongo.AnyBulkWriteOperation<FluxDocument>;

/** Changes the document in hand, and gives the update that does the same to the stored one. */
export function change(
  doc: FluxDocument,
  changes: FluxChange,
  event?: NonNullable<FluxDocument["journal"]>[number],
): FluxUpdate {
  const set: Record<string, unknown> = {};
  const unset: Record<string, 1> = {};
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) {
      if (Reflect.get(doc, name) !== undefined) unset[name] = 1;
      Reflect.deleteProperty(doc, name);
    } else {
      set[name] = value;
      Reflect.set(doc, name, value);
    }
  }
  return {
    updateOne: {
      filter: { _id: doc._id },
      update: {
        ...(Object.keys(set).length === 0 ? {} : { $set: set }),
        ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }),
        ...(event === undefined ? {} : { $push: { journal: event } }),
      },
    },
  };
}
