/**
 * Moves fluxes from state to state. Promise: only as the table of moves allows, only from an
 * expected state, only by the borrower that still holds the lease; the state, its journal entry, the
 * files, what is owed and the lane's next head are one transaction.
 */
import type { mongo } from "mongoose";
import { gatewayError } from "../../domain/errors.ts";
import type { FluxState } from "../../domain/flux-state.ts";
import { canMove, holdsLane } from "../../domain/flux-state.ts";
import type { Move, MoveResult, Work } from "../../keep/outbox.ts";
import { owedDelivery } from "./delivery-documents.ts";
import type { Collections, DeliveryDocument, FileDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import {
  change,
  fluxOf,
  isBroughtTo,
  ownIdentity,
  sleepingAddress,
  type FluxChange,
  type FluxUpdate,
} from "./flux-documents.ts";
import type { ItemResult } from "./group-writer.ts";
import { settleLane } from "./lanes.ts";
import type { StoreTime } from "./store-time.ts";
import type { Tally } from "./tallies.ts";
import { insertAll, updateAll } from "./write-all.ts";

/** A move about to be made, its files already made into documents. */
export interface MoveItem {
  readonly move: Move;
  readonly files: readonly FileDocument[];
}

/** A flux in one of these has had no effect: its content may come again. */
const GIVES_IDENTITY_UP: readonly FluxState[] = ["refused", "discarded"];
/** Ends that tallies count: states that no flux leaves. */
const ENDS = ["acknowledged", "discarded"] as const;

export async function moveDocuments(
  items: readonly MoveItem[],
  session: mongo.ClientSession,
  at: {
    readonly collections: Collections;
    readonly time: StoreTime;
    readonly tally: Tally;
    readonly hint: (work: Work) => void;
  },
): Promise<readonly ItemResult<MoveResult>[]> {
  const { collections, time, tally, hint } = at;
  const { fluxes } = collections;
  const docs = await readFluxes(
    collections,
    items.map(({ move }) => move.fluxId),
    session,
  );
  const takers = await readIdentities(collections, items, docs, session);
  const updates: FluxUpdate[] = [];
  const deliveries: DeliveryDocument[] = [];
  const files: FileDocument[] = [];
  /** Lanes whose head may change, with the time from which it may be claimed at once. */
  const lanes = new Map<string, number>();

  function moveOne({ move, files: own }: MoveItem): MoveResult {
    const doc = docs.get(move.fluxId);
    if (doc === undefined) return { kind: "notFound" };
    const needsFence = doc.state === "inTransit" || move.fence !== undefined;
    const lostLease = needsFence && doc.fence !== move.fence;
    if (!move.from.includes(doc.state) || lostLease) {
      return { kind: "notMoved", flux: fluxOf(doc, time) };
    }
    if (move.attribute !== undefined) {
      const first = takers.get(`${doc.sha256} ${move.attribute.identity}`);
      if (first !== undefined) return { kind: "identityTaken", first: fluxOf(first, time) };
    }
    const moved = applyMove(doc, move, time);
    updates.push(...moved.updates);
    if (moved.lane !== undefined) lanes.set(moved.lane, move.at);
    if (moved.isClaimable) hint("forward");
    deliveries.push(...moved.deliveries);
    if (moved.deliveries.length > 0) hint("acknowledge");
    files.push(...own);
    const end = ENDS.find((state) => state === move.to);
    if (end !== undefined) tally.add(end);
    return { kind: "moved", flux: fluxOf(doc, time) };
  }

  const results = items.map((item): ItemResult<MoveResult> => {
    try {
      return { value: moveOne(item) };
    } catch (error) {
      return { refused: error };
    }
  });

  await updateAll(fluxes, updates, session);
  for (const [lane, now] of lanes) {
    const dueAt = await settleLane(fluxes, lane, session);
    if (dueAt !== undefined && dueAt <= time.toStore(now)) hint("forward");
  }
  await insertAll(collections.deliveries, deliveries, session);
  await updateAll(
    collections.files,
    files.map((file) => ({
      replaceOne: { filter: { _id: file._id }, replacement: file, upsert: true },
    })),
    session,
  );
  await tally.write(session);
  return results;
}

/** What a move changes, on the document in hand and in the database. */
export function applyMove(
  doc: FluxDocument,
  move: Move,
  time: StoreTime,
): {
  readonly updates: readonly FluxUpdate[];
  readonly deliveries: readonly DeliveryDocument[];
  /** The lane to settle: others wait there, or this flux enters it. */
  readonly lane?: string;
  /** It may be claimed now, whatever its lane. */
  readonly isClaimable: boolean;
} {
  const { to, at, attribute } = move;
  // Only a claim puts a flux in transit: without its lease nobody could take the flux back.
  if (!canMove(doc.state, to) || to === "inTransit") {
    throw gatewayError("INTERNAL_ERROR", {}, new Error(`no move from ${doc.state} to ${to}`));
  }
  const wasFront = doc.front === true;
  const wasFollowed = wasFront && doc.followed > 0;
  const lane = attribute === undefined ? doc.lane : attribute.lane;
  const holds = lane !== undefined && holdsLane(to);
  const entersLane = holds && doc.holds !== true;
  const owes = move.oweAcquittement === true;
  const addresses = [
    ...(doc.addresses ?? []),
    ...(isBroughtTo(attribute?.returnTo)
      ? [sleepingAddress(doc.addressed, attribute.returnTo, false)]
      : []),
  ];
  const deliveries = owes
    ? addresses.map((address) => owedDelivery(doc._id, address, time.toStore(at)))
    : [];
  const changes: FluxChange = {
    state: to,
    since: at,
    dueAt: time.toStore(Math.ceil(move.dueAt ?? at)),
    holds: holds ? true : undefined,
    // In front of its lane it stays, and may be claimed when kept, unless the lane must be settled.
    front: holds && wasFront ? true : undefined,
    head: to === "kept" && (lane === undefined || (holds && wasFront)) ? true : undefined,
    reason: move.reason,
    leaseUntil: undefined,
    claim: undefined,
    addresses: owes || addresses.length === 0 ? undefined : addresses,
    ...(holds ? {} : { followed: 0 }),
    ...(owes && doc.owedAt === undefined ? { owedAt: at } : {}),
    ...(move.verdict === undefined ? {} : { verdict: move.verdict }),
    ...(move.remarks === undefined ? {} : { remarks: move.remarks }),
    ...(GIVES_IDENTITY_UP.includes(to) ? { identity: ownIdentity(doc._id) } : {}),
    ...(doc.numUnique === undefined && move.verdict?.kind === "accepted"
      ? { numUnique: move.verdict.numeroUnique }
      : {}),
    ...(ENDS.some((end) => end === to) ? { endedAt: at } : {}),
    ...(attribute === undefined
      ? {}
      : {
          guichet: attribute.guichet,
          lane: attribute.lane,
          identity: attribute.identity,
          ...(attribute.returnTo === undefined ? {} : { returnsBy: attribute.returnTo.channel }),
          addressed: doc.addressed + (isBroughtTo(attribute.returnTo) ? 1 : 0),
        }),
  };
  const update = change(doc, changes, { at, ...move.event });
  return {
    updates: [update],
    deliveries,
    ...(lane !== undefined && (entersLane || wasFollowed) ? { lane } : {}),
    isClaimable: doc.head === true && doc.dueAt <= time.toStore(at),
  };
}

export async function readFluxes(
  { fluxes }: Collections,
  ids: readonly string[],
  session: mongo.ClientSession,
): Promise<Map<string, FluxDocument>> {
  const docs = await fluxes
    .find({ _id: { $in: [...new Set(ids)] } }, { session, projection: WITHOUT_JOURNAL })
    .toArray();
  return new Map(docs.map((doc) => [doc._id, doc]));
}

/** Who holds the identities that released fluxes would take. */
async function readIdentities(
  { fluxes }: Collections,
  items: readonly MoveItem[],
  docs: ReadonlyMap<string, FluxDocument>,
  session: mongo.ClientSession,
): Promise<ReadonlyMap<string, FluxDocument>> {
  const wanted = items.flatMap(({ move }) => {
    const doc = docs.get(move.fluxId);
    if (doc === undefined || move.attribute === undefined) return [];
    return [{ sha256: doc.sha256, identity: move.attribute.identity }];
  });
  if (wanted.length === 0) return new Map();
  const found = await fluxes
    .find({ $or: wanted }, { session, projection: WITHOUT_JOURNAL })
    .toArray();
  return new Map(found.map((doc) => [`${doc.sha256} ${doc.identity}`, doc]));
}
