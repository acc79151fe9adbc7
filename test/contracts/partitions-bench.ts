/** Two databases made one outbox, each of which can be made to fail; opened again as often as needed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import { makePartitionedOutbox } from "../../src/keep/partitioned-outbox.ts";
import { readBilan } from "../../src/reconcile/bilan.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Log, LogFacts } from "../../src/runtime/log.ts";
import { type FaultyOutbox, makeFaultyOutbox } from "../support/faulty-outbox.ts";

export type PartitionName = "base" | "nord" | "sud";

export interface LogLine {
  readonly level: keyof Log;
  readonly name: string;
  readonly facts: LogFacts;
}

export interface PartitionsBench {
  readonly outbox: Outbox;
  readonly parts: Readonly<Record<PartitionName, FaultyOutbox>>;
  readonly logged: LogLine[];
  /** How long it was ready to wait for an answer, ms, each time it asked to borrow. */
  readonly waits: number[];
  /** Closes all and opens again, as a new process would. */
  reopen(options?: { readonly homes?: Readonly<Record<string, PartitionName>> }): Promise<Outbox>;
  /** Makes another outbox over the same stores, as another process would: it has met nothing. */
  another(): Promise<Outbox>;
  /** Throws when the bilan over all does not balance. */
  assertBalanced(): Promise<void>;
  remove(): Promise<void>;
}

/** How long a claim waits for a database that does not answer. */
export const PATIENCE_MS = 400;

/** 75001 lives in `nord`, 69002 in `sud`, the others and strangers that name nobody in `base`. */
const HOMES: Readonly<Record<string, PartitionName>> = { "75001": "nord", "69002": "sud" };

export async function openPartitions(): Promise<PartitionsBench> {
  const folder = await mkdtemp(join(tmpdir(), "passerelle-partitions-"));
  const logged: LogLine[] = [];
  const line =
    (level: keyof Log) =>
    (name: string, facts: LogFacts = {}) => {
      logged.push({ level, name, facts });
    };
  const log: Log = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
  };
  const clock = systemClock();
  const waits: number[] = [];
  let homes = HOMES;

  async function openPart(name: PartitionName): Promise<FaultyOutbox> {
    return makeFaultyOutbox(await openSqliteOutbox({ path: join(folder, `${name}.db`) }));
  }
  async function openParts(): Promise<Record<PartitionName, FaultyOutbox>> {
    const [base, nord, sud] = await Promise.all([
      openPart("base"),
      openPart("nord"),
      openPart("sud"),
    ]);
    return { base, nord, sud };
  }
  const make = (): Promise<Outbox> =>
    makePartitionedOutbox({
      partitions: (["base", "nord", "sud"] as const).map((name) => ({
        name,
        outbox: parts[name].outbox,
      })),
      byGuichet: (guichet) => homes[guichet] ?? "base",
      default: "base",
      guichets: ["75001", "69002", "13055"],
      patienceMs: PATIENCE_MS,
      clock: {
        now: () => clock.now(),
        wait: (ms, signal) => {
          waits.push(ms);
          return clock.wait(ms, signal);
        },
      },
      log,
    });

  let parts = await openParts();
  let outbox = await make();
  return {
    get outbox() {
      return outbox;
    },
    get parts() {
      return parts;
    },
    logged,
    waits,
    reopen: async (options = {}) => {
      await outbox.stop();
      homes = options.homes ?? homes;
      parts = await openParts();
      outbox = await make();
      return outbox;
    },
    another: make,
    assertBalanced: async () => {
      const bilan = readBilan(await outbox.counts());
      if (!bilan.balanced) throw new Error(`the bilan is off by ${bilan.difference}`);
    },
    remove: async () => {
      for (const part of Object.values(parts)) part.recover();
      await outbox.stop();
      await rm(folder, { recursive: true });
    },
  };
}
