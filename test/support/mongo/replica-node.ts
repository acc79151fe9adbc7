/**
 * One node of a replica set, with its proxy when it has one: a mongod that can be killed, frozen and
 * run again on the same files and port.
 */
import { randomInt } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import mongoose from "mongoose";
import { startCutProxy } from "../cut-proxy.ts";
import type { CutProxy } from "../cut-proxy.ts";
import { mongoPartyOf } from "./mongo-party.ts";
import { startMongod } from "./mongod-process.ts";
import type { MongodProcess } from "./mongod-process.ts";

export type Command = Readonly<Record<string, unknown>>;
export type CommandAnswer = Readonly<Record<string, unknown>>;

export interface ReplicaNode {
  /** Where mongod listens. */
  readonly port: number;
  /** As the set knows it: `127.0.0.1:port`, of the proxy when there is one. */
  readonly host: string;
  readonly proxy: CutProxy | undefined;
  readonly dbPath: string;
  readonly logPath: string;
  /** Of its last life. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** kill -9; resolves when it is dead. */
  kill(): Promise<void>;
  /** SIGSTOP: alive, answers nothing. */
  freeze(): void;
  thaw(): void;
  /** Runs it again, on the same files and port; resolves when it listens. */
  start(): Promise<void>;
  /** A command to this node and no other, past the proxy: `configureFailPoint`, `replSetGetStatus`… */
  admin(command: Command): Promise<CommandAnswer>;
}

export interface NodeOptions {
  readonly setName: string;
  /** Its place in the set, from 0. */
  readonly place: number;
  readonly binary: string;
  /** The folder of the set: the log goes there, and the files unless `dbPath` says otherwise. */
  readonly root: string;
  readonly dbPath: string | undefined;
  readonly throughProxy: boolean;
  readonly cacheGb: number;
  readonly oplogMb: number;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** A node in the hands of its set. */
export interface NodeInHand extends ReplicaNode {
  isFrozen(): boolean;
  stop(): Promise<void>;
}

export async function makeNode(options: NodeOptions): Promise<NodeInHand> {
  const { setName, place, binary, root, cacheGb, oplogMb } = options;
  const port = await freePort();
  const proxy = options.throughProxy
    ? await startCutProxy({ to: port, partyOf: mongoPartyOf })
    : undefined;
  const dbPath = options.dbPath ?? join(root, `node-${place}`);
  const logPath = join(root, `node-${place}.log`);
  mkdirSync(dbPath, { recursive: true });
  const parameters = {
    enableTestCommands: 1,
    diagnosticDataCollectionEnabled: "false",
    ...options.parameters,
  };
  const args = [
    ...["--replSet", setName, "--storageEngine", "wiredTiger", "--nounixsocket"],
    ...["--wiredTigerCacheSizeGB", `${cacheGb}`, "--oplogSize", `${oplogMb}`],
    ...Object.entries(parameters).flatMap(([name, value]) => [
      "--setParameter",
      `${name}=${value}`,
    ]),
  ];
  let mongod: MongodProcess | undefined;
  let isFrozen = false;

  async function kill(): Promise<void> {
    mongod?.signal("SIGKILL");
    isFrozen = false;
    await mongod?.ended;
  }
  return {
    port,
    host: `127.0.0.1:${proxy?.port ?? port}`,
    proxy,
    dbPath,
    logPath,
    get pid() {
      return mongod?.pid ?? 0;
    },
    get isRunning() {
      return mongod?.isRunning === true;
    },
    isFrozen: () => isFrozen,
    kill,
    freeze: () => {
      mongod?.signal("SIGSTOP");
      isFrozen = true;
    },
    thaw: () => {
      mongod?.signal("SIGCONT");
      isFrozen = false;
    },
    start: async () => {
      if (mongod?.isRunning === true) return;
      mongod = await startMongod({ binary, port, dbPath, logPath, args, eraseIfWeDie: root });
    },
    admin: (command) => runOn(port, command),
    stop: async () => {
      await kill();
      await proxy?.stop();
    },
  };
}

async function runOn(port: number, command: Command): Promise<CommandAnswer> {
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}`, {
    directConnection: true,
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
  });
  try {
    return await client.db("admin").command(command);
  } finally {
    await client.close();
  }
}

/** A port outside the range that outgoing connections are given: it stays free while a node is dead. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.on("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
