/**
 * One MongoDB for a whole mocha run: the server that was given, or a set of one node, started when it
 * is first asked for and stopped at the end. A test gets a database of its own, never a server.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, statfsSync } from "node:fs";
import mongoose from "mongoose";
import { findMongod } from "./find-mongod.ts";
import { startReplicaSet } from "./replica-set.ts";
import type { ReplicaSet } from "./replica-set.ts";

let shared: Promise<{ readonly uri: string; readonly set?: ReplicaSet }> | undefined;

// At the root of the run: every test file that imports this shares it.
after(async function () {
  const running = await shared?.catch(() => undefined);
  await running?.set?.stop();
});

/** The connection string of the shared server, without a database. */
export async function sharedMongoUri(): Promise<string> {
  shared ??= start();
  return (await shared).uri;
}

/** A database that was never there, on the shared server. */
export async function freshDatabaseUri(): Promise<string> {
  return withDatabase(await sharedMongoUri(), `passerelle_test_${randomBytes(6).toString("hex")}`);
}

/** Drops the database that a connection string names. */
export async function dropDatabase(uri: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri);
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}

/** The same server, another database; who logs in is still checked against the former one. */
export function withDatabase(uri: string, name: string): string {
  const parts = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(uri);
  if (parts === null) throw new Error("not a MongoDB connection string");
  const [, server = "", former = "", query = ""] = parts;
  const options = new URLSearchParams(query);
  if (former !== "" && !options.has("authSource")) options.set("authSource", former);
  return `${server}/${name}${options.size === 0 ? "" : `?${options.toString()}`}`;
}

async function start(): Promise<{ readonly uri: string; readonly set?: ReplicaSet }> {
  const found = await findMongod();
  if (found.kind === "none") throw new Error(`no MongoDB: ${found.tried.join("; ")}`);
  if (found.kind === "server") return { uri: found.uri };
  const root = memoryFolder();
  const set = await startReplicaSet({
    nodes: 1,
    binary: found.path,
    ...(root === undefined ? {} : { root }),
  });
  return { uri: set.uri, set };
}

/** Memory where there is plenty: many small databases are made and dropped, and disks are shared. */
function memoryFolder(): string | undefined {
  const folder = "/dev/shm";
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 4 * 1024 ** 3 ? folder : undefined;
  } catch {
    return undefined;
  }
}
