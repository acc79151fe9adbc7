/**
 * Keeps fluxes: the arrival already told, the content already held, or a new flux. Promise: looked
 * for and written in the same transaction, guarded by unique indexes, so that a hundred copies at
 * once, through several gateways, make one flux.
 */
import type { mongo } from "mongoose";
import type { KeepResult, NewFlux, Work } from "../../keep/outbox.ts";
import type { Collections, DeliveryDocument, FileDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import {
  addressText,
  change,
  documentAtBirth,
  fluxOf,
  isBroughtTo,
  sleepingAddress,
  type FluxUpdate,
} from "./flux-documents.ts";
import type { ItemResult } from "./group-writer.ts";
import { owedDelivery } from "./delivery-documents.ts";
import { insertAll, updateAll } from "./write-all.ts";
import type { StoreTime } from "./store-time.ts";
import type { Tally } from "./tallies.ts";

/** A batch about to be kept, its files already made into documents. */
export interface KeepItem {
  readonly batch: readonly NewFlux[];
  readonly files: readonly FileDocument[];
}

export async function keepDocuments(
  items: readonly KeepItem[],
  session: mongo.ClientSession,
  at: {
    readonly collections: Collections;
    readonly time: StoreTime;
    readonly tally: Tally;
    readonly hint: (work: Work) => void;
  },
): Promise<readonly ItemResult<readonly KeepResult[]>[]> {
  const { collections, time, tally, hint } = at;
  const wanted = items.flatMap(({ batch }) => batch);
  const found = await readHeld(collections, wanted, session);
  const owed = await readOwed(collections, found.firsts, session);
  const born: FluxDocument[] = [];
  const files: FileDocument[] = [];
  const updates: FluxUpdate[] = [];
  const deliveries: DeliveryDocument[] = [];

  /** Adds an address; it is owed at once when the acquittement already is. */
  function address(doc: FluxDocument, flux: NewFlux, isRepeat: boolean): FluxUpdate | undefined {
    const to = flux.returnTo;
    if (!isBroughtTo(to)) return undefined;
    const sleeping = doc.addresses ?? [];
    if (isRepeat) {
      const text = addressText(to);
      const waiting = [...sleeping, ...(owed.get(doc._id) ?? [])];
      if (waiting.some((one) => addressText(one.to) === text)) return undefined;
    }
    const added = sleepingAddress(doc.addressed, to, isRepeat);
    const addressed = doc.addressed + 1;
    if (doc.owedAt === undefined)
      return change(doc, { addressed, addresses: [...sleeping, added] });
    const delivery = owedDelivery(doc._id, added, time.toStore(flux.receivedAt));
    deliveries.push(delivery);
    owed.set(doc._id, [...(owed.get(doc._id) ?? []), delivery]);
    hint("acknowledge");
    return change(doc, { addressed });
  }

  function toldAgain(flux: NewFlux): KeepResult | undefined {
    if (flux.arrivalKey === undefined) return undefined;
    const doc = found.byArrival.get(flux.arrivalKey);
    const arrival = doc?.arrivals?.find(({ key }) => key === flux.arrivalKey);
    if (doc === undefined || arrival === undefined) return undefined;
    const kind = arrival.sha256 === flux.sha256 ? "sameArrival" : "keyConflict";
    return { kind, first: fluxOf(doc, time) };
  }

  function repeated(flux: NewFlux): KeepResult | undefined {
    // A stranger must learn nothing of a landlord's flux, and get no acquittement of it.
    if (flux.identity === undefined || flux.state === "quarantined") return undefined;
    const doc = found.byContent.get(contentOf(flux.sha256, flux.identity));
    if (doc === undefined) return undefined;
    const entry = {
      at: flux.receivedAt,
      name: "flux.receivedAgain",
      detail: { channel: flux.channel, fileName: flux.fileName },
    } as const;
    const arrivals =
      flux.arrivalKey === undefined
        ? {}
        : { arrivals: [...(doc.arrivals ?? []), { key: flux.arrivalKey, sha256: flux.sha256 }] };
    if (born.includes(doc)) doc.journal = [...(doc.journal ?? []), entry];
    const noted = [
      change(doc, { repeats: doc.repeats + 1, ...arrivals }, entry),
      address(doc, flux, true),
    ];
    // One that is born in this very group is inserted as it has become.
    if (!born.includes(doc)) updates.push(...noted.filter((one) => one !== undefined));
    if (flux.arrivalKey !== undefined) found.byArrival.set(flux.arrivalKey, doc);
    tally.add("repeats");
    return { kind: "repeated", first: fluxOf(doc, time) };
  }

  /** Takes its place in its lane: in front of it when nobody is, else behind. */
  function enterLane(doc: FluxDocument): void {
    if (doc.lane === undefined || doc.holds === undefined) return;
    const front = found.fronts.get(doc.lane);
    if (front === undefined) {
      doc.front = true;
      doc.head = true;
      found.fronts.set(doc.lane, doc);
      return;
    }
    // Written, not only read: a move that takes the front away meanwhile conflicts with this.
    const behind = change(front, { followed: front.followed + 1 });
    if (!born.includes(front)) updates.push(behind);
  }

  function keepNew(flux: NewFlux): KeepResult {
    const doc = documentAtBirth(flux, time);
    born.push(doc);
    enterLane(doc);
    address(doc, flux, false);
    if (flux.arrivalKey !== undefined) found.byArrival.set(flux.arrivalKey, doc);
    if (doc.identity === flux.identity) {
      found.byContent.set(contentOf(flux.sha256, doc.identity), doc);
    }
    tally.add("received");
    if (doc.head === true) hint("forward");
    return { kind: "kept", flux: fluxOf(doc, time) };
  }

  const results = items.map((item) => {
    const value = item.batch.map((flux, n): KeepResult => {
      const held = toldAgain(flux) ?? repeated(flux);
      if (held !== undefined) return held;
      const file = item.files[n];
      if (file !== undefined) files.push(file);
      return keepNew(flux);
    });
    return { value };
  });

  await insertAll(collections.fluxes, born, session);
  await insertAll(collections.files, files, session);
  await updateAll(collections.fluxes, updates, session);
  await insertAll(collections.deliveries, deliveries, session);
  await tally.write(session);
  return results;
}

interface Held {
  readonly firsts: readonly FluxDocument[];
  readonly byArrival: Map<string, FluxDocument>;
  readonly byContent: Map<string, FluxDocument>;
  readonly fronts: Map<string, FluxDocument>;
}

/** All that the batch may meet, in one question: arrivals told before, contents, fronts of lanes. */
async function readHeld(
  { fluxes }: Collections,
  wanted: readonly NewFlux[],
  session: mongo.ClientSession,
): Promise<Held> {
  const keys = defined(wanted.map(({ arrivalKey }) => arrivalKey));
  const known = wanted.filter(({ identity }) => identity !== undefined);
  const lanes = defined(wanted.map(({ lane }) => lane));
  const docs = await fluxes
    .find(
      {
        $or: [
          ...(keys.length === 0 ? [] : [{ "arrivals.key": { $in: keys } }]),
          ...(known.length === 0
            ? []
            : [
                {
                  sha256: { $in: [...new Set(known.map(({ sha256 }) => sha256))] },
                  identity: { $in: defined(known.map(({ identity }) => identity)) },
                },
              ]),
          ...(lanes.length === 0 ? [] : [{ lane: { $in: lanes }, front: true as const }]),
          // Never an empty list, which is refused.
          { _id: { $in: [] as string[] } },
        ],
      },
      { session, projection: WITHOUT_JOURNAL },
    )
    .toArray();
  return {
    firsts: docs,
    byArrival: new Map(docs.flatMap((doc) => (doc.arrivals ?? []).map(({ key }) => [key, doc]))),
    byContent: new Map(docs.map((doc) => [contentOf(doc.sha256, doc.identity), doc])),
    fronts: new Map(
      docs.flatMap((doc) =>
        doc.front === true && doc.lane !== undefined ? [[doc.lane, doc]] : [],
      ),
    ),
  };
}

/** What is owed of fluxes whose acquittement already is: a repeat's address may be among it. */
async function readOwed(
  { deliveries }: Collections,
  firsts: readonly FluxDocument[],
  session: mongo.ClientSession,
): Promise<Map<string, readonly DeliveryDocument[]>> {
  const flux = firsts.filter(({ owedAt }) => owedAt !== undefined).map(({ _id }) => _id);
  if (flux.length === 0) return new Map();
  const docs = await deliveries.find({ flux: { $in: flux } }, { session }).toArray();
  return Map.groupBy(docs, (doc) => doc.flux);
}

function contentOf(sha256: string, identity: string): string {
  return `${sha256} ${identity}`;
}

function defined(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}
