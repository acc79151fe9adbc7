/**
 * Opens the database of the store. Promises: what is written is on the disk of a majority when a
 * write resolves; a server without replica set, which could promise neither that nor transactions, is
 * refused with the way to make it one; a database written by a later program is left alone.
 */
import mongoose from "mongoose";
import type { mongo } from "mongoose";
import { gatewayError } from "../../domain/errors.ts";
import type { Collections } from "./documents.ts";
import { INDEXES } from "./indexes.ts";
import { storeError } from "./mongo-errors.ts";

/** The edition of documents and indexes this program writes. */
const EDITION = 1;
const EDITION_NOTE = "store.edition";

/** How long a server is looked for before the store is told unavailable, ms. */
const FIND_SERVER_MS = 5_000;
/** A connection on which nothing came for so long while an answer is awaited is given up, ms. */
const SILENCE_MS = 15_000;
/** How often servers are asked how they are, ms: what an election costs beside its own time. */
const HEARTBEAT_MS = 2_000;
/** A majority that does not answer within it makes a write's outcome unknown, ms. */
const MAJORITY_MS = 10_000;
const CONNECTIONS = 20;

export interface MongoDatabase {
  readonly client: mongo.MongoClient;
  readonly db: mongo.Db;
  readonly collections: Collections;
  /** The primary's time, ms since the epoch. */
  readonly serverNow: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** @throws STORE_UNAVAILABLE, STORE_NOT_REPLICATED, STORE_TOO_NEW */
export async function connect(uri: string): Promise<MongoDatabase> {
  const connection = await openConnection(uri);
  try {
    return await prepare(connection);
  } catch (error) {
    await connection.close();
    throw storeError(error);
  }
}

/** A connection that promises what the store needs; nothing is read nor written. */
export async function openConnection(uri: string): Promise<mongoose.Connection> {
  try {
    return await mongoose
      .createConnection(uri, {
        ...limitsNotIn(uri),
        readPreference: "primary",
        writeConcern: { w: "majority", journal: true, wtimeoutMS: MAJORITY_MS },
        retryWrites: true,
        ignoreUndefined: true,
        promoteBuffers: true,
        autoIndex: false,
        autoCreate: false,
      })
      .asPromise();
  } catch (error) {
    throw storeError(error);
  }
}

/** Our name and limits, but for those that the administrator's own connection string gives. */
function limitsNotIn(uri: string): mongoose.ConnectOptions {
  const limits = {
    appName: "passerelle-sne",
    serverSelectionTimeoutMS: FIND_SERVER_MS,
    connectTimeoutMS: FIND_SERVER_MS,
    socketTimeoutMS: SILENCE_MS,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    maxPoolSize: CONNECTIONS,
  };
  const query = new URLSearchParams(uri.split("?")[1] ?? "");
  // Names of options are told apart without regard to case (MongoDB connection string format).
  const given = new Set([...query.keys()].map((name) => name.toLowerCase()));
  return Object.fromEntries(
    Object.entries(limits).filter(([name]) => !given.has(name.toLowerCase())),
  );
}

async function prepare(connection: mongoose.Connection): Promise<MongoDatabase> {
  const client = connection.getClient();
  const db = client.db(connection.name);
  const hello = await db.command({ hello: 1 });
  // A router of a sharded cluster has replica sets behind it.
  if (hello["setName"] === undefined && hello["msg"] !== "isdbgrid") {
    throw gatewayError("STORE_NOT_REPLICATED", {});
  }
  const collections: Collections = {
    fluxes: db.collection("fluxes"),
    deliveries: db.collection("deliveries"),
    files: db.collection("files"),
    tallies: db.collection("tallies"),
    notes: db.collection("notes"),
    sequences: db.collection("sequences"),
    roles: db.collection("roles"),
    pauses: db.collection("pauses"),
  };
  await prepareEdition(collections);
  await prepareIndexes(db);
  return {
    client,
    db,
    collections,
    serverNow: async () => Number((await db.command({ hello: 1 }))["localTime"]),
    close: () => connection.close(),
  };
}

async function prepareEdition({ notes }: Collections): Promise<void> {
  const noted = await notes.findOne({ _id: EDITION_NOTE });
  const found = Number(noted?.value ?? EDITION);
  if (found > EDITION) throw gatewayError("STORE_TOO_NEW", { found, known: EDITION });
  if (noted === null) {
    await notes.updateOne(
      { _id: EDITION_NOTE },
      { $setOnInsert: { value: String(EDITION) } },
      { upsert: true },
    );
  }
}

/** Makes what is missing; one that stands with another definition is an error, never replaced. */
async function prepareIndexes(db: mongo.Db): Promise<void> {
  const byCollection = Map.groupBy(INDEXES, ({ collection }) => collection);
  await Promise.all(
    [...byCollection].map(([collection, indexes]) =>
      db
        .collection(collection)
        .createIndexes(indexes.map(({ name, key, options }) => ({ name, key, ...options }))),
    ),
  );
}
