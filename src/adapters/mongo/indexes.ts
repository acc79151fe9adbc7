/**
 * Every index of the store and the queries it serves. They are made, and checked, each time a gateway
 * opens the store; `docs/mongodb.md` lists them from here, and a test explains every query the store
 * makes and fails on a scan of a collection or a sort in memory.
 */
import type { mongo } from "mongoose";
import type { Collections } from "./documents.ts";

/** Collections of the large objects (GridFS). */
export const BLOBS = "blobs";

export interface StoreIndex {
  readonly collection: keyof Collections | `${typeof BLOBS}.files` | `${typeof BLOBS}.chunks`;
  readonly name: string;
  readonly key: Readonly<Record<string, 1>>;
  readonly options?: Pick<
    mongo.CreateIndexesOptions,
    "unique" | "partialFilterExpression" | "expireAfterSeconds"
  >;
  /** What it is for. */
  readonly serves: string;
}

export const INDEXES: readonly StoreIndex[] = [
  {
    collection: "fluxes",
    name: "claimable",
    key: { dueAt: 1, seq: 1, guichet: 1, lane: 1 },
    options: { partialFilterExpression: { head: true } },
    serves: "claims: heads of lanes that are due, oldest first; pauses step over keys of it",
  },
  {
    collection: "fluxes",
    name: "front",
    key: { lane: 1 },
    options: { unique: true, partialFilterExpression: { front: true } },
    serves: "keep: who is in front of a lane; forbids two",
  },
  {
    collection: "fluxes",
    name: "lane",
    key: { lane: 1, seq: 1 },
    options: { partialFilterExpression: { holds: true } },
    serves: "moves: the next of a lane; `holderOf`",
  },
  {
    collection: "fluxes",
    name: "content",
    key: { sha256: 1, identity: 1 },
    options: { unique: true },
    serves: "keep and release: repeats of a content; forbids two of one identity; list by content",
  },
  {
    collection: "fluxes",
    name: "arrival",
    key: { "arrivals.key": 1 },
    options: { unique: true, partialFilterExpression: { "arrivals.key": { $exists: true } } },
    serves: "keep: an arrival told again; forbids two of one key",
  },
  {
    collection: "fluxes",
    name: "lease",
    key: { leaseUntil: 1 },
    options: { partialFilterExpression: { leaseUntil: { $exists: true } } },
    serves: "take back: leases that ended",
  },
  {
    collection: "fluxes",
    name: "state",
    key: { state: 1, receivedAt: 1, seq: 1, guichet: 1, size: 1 },
    serves: "list by state; counts and load, which read nothing else",
  },
  {
    collection: "fluxes",
    name: "guichet",
    key: { guichet: 1, state: 1, receivedAt: 1, seq: 1 },
    options: { partialFilterExpression: { guichet: { $exists: true } } },
    serves: "list by guichet and state",
  },
  {
    collection: "fluxes",
    name: "numUnique",
    key: { numUnique: 1, receivedAt: 1, seq: 1 },
    options: { partialFilterExpression: { numUnique: { $exists: true } } },
    serves: "list by number",
  },
  {
    collection: "fluxes",
    name: "sentAs",
    key: { guichet: 1, fileName: 1, receivedAt: 1, seq: 1 },
    options: { partialFilterExpression: { guichet: { $exists: true } } },
    serves: "list by name of file: what a bordereau announces",
  },
  {
    collection: "fluxes",
    name: "ended",
    key: { endedAt: 1 },
    options: { partialFilterExpression: { endedAt: { $exists: true } } },
    serves: "retention: ended fluxes that still have their files, oldest end first",
  },
  {
    collection: "deliveries",
    name: "owed",
    key: { state: 1, dueAt: 1, _id: 1 },
    serves: "claims of acquittements: owed and due, oldest first",
  },
  {
    collection: "deliveries",
    name: "lease",
    key: { leaseUntil: 1 },
    options: { partialFilterExpression: { leaseUntil: { $exists: true } } },
    serves: "take back: leases that ended",
  },
  {
    collection: "deliveries",
    name: "flux",
    key: { flux: 1 },
    serves: "repeats: addresses that wait already; retention: fluxes to which nothing is owed",
  },
  {
    collection: "files",
    name: "flux",
    key: { flux: 1 },
    serves: "retention: the files of a flux",
  },
  {
    collection: "files",
    name: "blob",
    key: { blob: 1 },
    options: { partialFilterExpression: { blob: { $exists: true } } },
    serves: "sweep: large objects that no file names",
  },
  {
    collection: "files",
    name: "erase",
    key: { eraseAt: 1 },
    options: { expireAfterSeconds: 0 },
    serves: "the database removes what was erased (TTL)",
  },
  {
    collection: `${BLOBS}.files`,
    name: "uploaded",
    key: { uploadDate: 1 },
    serves: "sweep: large objects old enough to be judged",
  },
  {
    collection: `${BLOBS}.files`,
    name: "erase",
    key: { eraseAt: 1 },
    options: { expireAfterSeconds: 0 },
    serves: "the database removes what was erased (TTL)",
  },
  {
    collection: `${BLOBS}.chunks`,
    name: "chunk",
    key: { files_id: 1, n: 1 },
    options: { unique: true },
    serves: "the bytes of a large object, in order",
  },
  {
    collection: `${BLOBS}.chunks`,
    name: "erase",
    key: { eraseAt: 1 },
    options: { expireAfterSeconds: 0 },
    serves: "the database removes what was erased (TTL)",
  },
];
