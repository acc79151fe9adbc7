/**
 * A MongoDB replica set of one or three nodes, whose nodes can be killed, frozen, and cut off.
 *
 * Promise: when `startReplicaSet` resolves, a majority write has a primary to go to; when `stop` does,
 * no process and no file of it is left; nor when we die before.
 *
 * With `throughProxies` the members name each other, and themselves to drivers, by the ports of
 * proxies: every connection of the set and to it passes one, and belongs to the party "members", to
 * the `appName` of its connection string, or to "clients".
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { findMongod } from "./find-mongod.ts";
import { makeNode } from "./replica-node.ts";
import type { NodeInHand, ReplicaNode } from "./replica-node.ts";

export type { ReplicaNode } from "./replica-node.ts";

export interface ReplicaSet {
  /** Names every node, and the set; no database. */
  readonly uri: string;
  readonly nodes: readonly ReplicaNode[];
  /** The primary, of the nodes that run and are not frozen; waits for one, a minute at most. */
  primary(): Promise<ReplicaNode>;
  /** The primary gives its place up for some seconds (a set of one: and takes it again after). */
  stepDown(seconds?: number): Promise<void>;
  /** Erases everything; may be called twice. */
  stop(): Promise<void>;
}

export interface ReplicaSetOptions {
  readonly nodes: 1 | 3;
  /** The program; the one that `findMongod` finds when absent. */
  readonly binary?: string;
  readonly throughProxies?: boolean;
  /** Where the files of a node go, by its place; not erased at the end (a small disk to fill…). */
  readonly dbPaths?: readonly (string | undefined)[];
  /** Where everything else goes; the system's temporary folder when absent. */
  readonly root?: string;
  /** Missing its primary for so long, a set elects another, ms; 3,000 when absent. */
  readonly electionTimeoutMs?: number;
  readonly cacheGb?: number;
  readonly oplogMb?: number;
  /** More server parameters, `ttlMonitorSleepSecs` for one. */
  readonly parameters?: Readonly<Record<string, string | number>>;
}

const SET_NAME = "passerelle";

export async function startReplicaSet(options: ReplicaSetOptions): Promise<ReplicaSet> {
  const binary = options.binary ?? (await ownBinary());
  const root = mkdtempSync(join(options.root ?? tmpdir(), "passerelle-mongo-"));
  const nodes: NodeInHand[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      rmSync(root, { recursive: true, force: true });
    })();
    return stopped;
  };

  try {
    for (let place = 0; place < options.nodes; place += 1) {
      nodes.push(
        await makeNode({
          setName: SET_NAME,
          place,
          binary,
          root,
          dbPath: options.dbPaths?.[place],
          throughProxy: options.throughProxies === true,
          cacheGb: options.cacheGb ?? 0.25,
          oplogMb: options.oplogMb ?? 256,
          parameters: options.parameters ?? {},
        }),
      );
    }
    // All of them, also when one fails: what is starting cannot be stopped.
    const starts = await Promise.allSettled(nodes.map((node) => node.start()));
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await initiate(nodes, options);
  } catch (error) {
    await stop();
    throw error;
  }

  const primary = (): Promise<ReplicaNode> =>
    eventually("a primary", () => primaryOf(nodes), {
      withinMs: 60_000,
    });
  return {
    uri: `mongodb://${nodes.map(({ host }) => host).join(",")}/?replicaSet=${SET_NAME}`,
    nodes,
    primary,
    stepDown: async (seconds = 10) => {
      const force = options.nodes === 1;
      const node = await primary();
      await node.admin({
        replSetStepDown: seconds,
        secondaryCatchUpPeriodSecs: force ? 0 : Math.min(seconds - 1, 10),
        force,
      });
    },
    stop,
  };
}

async function ownBinary(): Promise<string> {
  const found = await findMongod({ ownProcesses: true });
  if (found.kind === "binary") return found.path;
  throw new Error(
    `no mongod to run: ${found.kind === "none" ? found.tried.join("; ") : found.uri}`,
  );
}

async function initiate(nodes: readonly NodeInHand[], options: ReplicaSetOptions): Promise<void> {
  const [first] = nodes;
  const electionTimeoutMillis = options.electionTimeoutMs ?? 3_000;
  await first?.admin({
    replSetInitiate: {
      _id: SET_NAME,
      members: nodes.map(({ host }, _id) => ({ _id, host })),
      settings: { electionTimeoutMillis, heartbeatIntervalMillis: 500 },
    },
  });
  await eventually(
    "the set has its first primary",
    async () => {
      // At once, rather than after the election time-out.
      if (nodes.length > 1) await first?.admin({ replSetStepUp: 1 }).catch(() => undefined);
      return primaryOf(nodes);
    },
    { withinMs: 60_000 },
  );
}

/** The one elected last: a primary cut off from its set believes in itself for a while. */
async function primaryOf(nodes: readonly NodeInHand[]): Promise<ReplicaNode | undefined> {
  const said = await Promise.all(
    nodes.map(async (node) => {
      if (!node.isRunning || node.isFrozen()) return undefined;
      const hello = await node.admin({ hello: 1 }).catch(() => undefined);
      if (hello?.["isWritablePrimary"] !== true) return undefined;
      return { node, elected: String(hello["electionId"]) };
    }),
  );
  const primaries = said.filter((one) => one !== undefined);
  return primaries.sort((a, b) => a.elected.localeCompare(b.elected)).at(-1)?.node;
}
