/**
 * Adds fluxes of another store behind those that are here, in one transaction. Promise: each takes its
 * place in its lane as if it had been kept, lent and moved here; one that is here already is left as it
 * is, so that a batch whose commit stayed unknown may be given again.
 */
import type { mongo } from "mongoose";
import type { FluxRecord } from "../../keep/store-transfer.ts";
import type { Collections, FileDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import type { Files } from "./files.ts";
import { change, type FluxUpdate } from "./flux-documents.ts";
import { deliveriesOf, documentOf } from "./flux-records.ts";
import type { Transactions } from "./transaction.ts";

/** The tally of what came by copy. */
export const COPY_TALLY = "copy";
/** The fence is ours (`seal.ts`). */
const BEHIND_THE_FENCE = { bypassDocumentValidation: true, ordered: true } as const;

export async function importRecords(
  records: readonly FluxRecord[],
  at: {
    readonly collections: Collections;
    readonly files: Files;
    readonly transactions: Transactions;
  },
): Promise<void> {
  const { collections, files, transactions } = at;
  const wanted = await notHere(collections, records);
  // Large files are on the disk of a majority before the flux that names them, as when one is kept.
  const prepared = new Map<string, readonly FileDocument[]>();
  for (const { flux, files: own } of wanted) {
    const docs = await Promise.all(own.map((file) => files.prepare(flux.id, file.role, file)));
    prepared.set(flux.id, docs);
  }
  await transactions(async (session) => {
    const coming = await notHere(collections, wanted, session);
    if (coming.length === 0) return;
    const docs = coming.map(documentOf);
    const updates = await placeInLanes(collections, docs, session);
    const options = { session, ...BEHIND_THE_FENCE };
    if (updates.length > 0) await collections.fluxes.bulkWrite(updates, options);
    await collections.fluxes.insertMany(docs, options);
    const own = coming.flatMap(({ flux }) => prepared.get(flux.id) ?? []);
    if (own.length > 0) await collections.files.insertMany(own, options);
    const owed = coming.flatMap(deliveriesOf);
    if (owed.length > 0) await collections.deliveries.insertMany(owed, options);
    const inState = (state: string): number => docs.filter((doc) => doc.state === state).length;
    const counted = {
      received: docs.length,
      repeats: docs.reduce((sum, { repeats }) => sum + repeats, 0),
      acknowledged: inState("acknowledged"),
      discarded: inState("discarded"),
    };
    await collections.tallies.updateOne(
      { _id: COPY_TALLY },
      { $inc: counted },
      { upsert: true, session },
    );
  });
}

async function notHere(
  { fluxes }: Collections,
  records: readonly FluxRecord[],
  session?: mongo.ClientSession,
): Promise<readonly FluxRecord[]> {
  const here = await fluxes
    .find(
      { _id: { $in: records.map(({ flux }) => flux.id) } },
      { projection: { _id: 1 }, ...(session === undefined ? {} : { session }) },
    )
    .toArray();
  const ids = new Set(here.map(({ _id }) => _id));
  return records.filter(({ flux }) => !ids.has(flux.id));
}

/** Names the fronts of lanes (`lanes.ts`); gives what changes of fluxes that are here already. */
async function placeInLanes(
  { fluxes }: Collections,
  docs: readonly FluxDocument[],
  session: mongo.ClientSession,
): Promise<FluxUpdate[]> {
  const updates: FluxUpdate[] = [];
  const holding = docs.filter(({ holds }) => holds === true);
  const lanes = [...new Set(holding.flatMap(({ lane }) => (lane === undefined ? [] : [lane])))];
  const found = await fluxes
    .find({ lane: { $in: lanes }, front: true }, { session, projection: WITHOUT_JOURNAL })
    .toArray();
  const fronts = new Map(found.map((doc) => [doc.lane, doc as FluxDocument]));
  const write = (doc: FluxDocument, changes: Parameters<typeof change>[1]): void => {
    const update = change(doc, changes);
    if (!docs.includes(doc)) updates.push(update);
  };
  for (const doc of holding) {
    const front = fronts.get(doc.lane);
    if (front !== undefined && doc.state !== "inDoubt") {
      write(front, { followed: front.followed + 1 });
      continue;
    }
    // Lent before an older one was released from quarantine: that one waits for it.
    if (front !== undefined) write(front, { front: undefined, head: undefined, followed: 0 });
    doc.front = true;
    doc.followed = front === undefined ? 0 : 1;
    if (doc.state === "kept") doc.head = true;
    fronts.set(doc.lane, doc);
  }
  return updates;
}
