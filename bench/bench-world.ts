/**
 * What every measure of a run shares: a working folder on this disk, the guichets, how long things
 * last, and the settings of the gateway under test, which are its defaults but for what is here.
 */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSqliteOutbox } from "../src/adapters/sqlite/sqlite-outbox.ts";
import type { Outbox } from "../src/keep/outbox.ts";
import type { LoadProgram } from "./programs.ts";
import { BENCH_GUICHET, BENCH_SENDER } from "./sample-flows.ts";

/** Of the one guichet. */
export const BENCH_KEY = "cle-du-banc-d-essai";

/** How long and how much; the quick form only shows that everything runs. */
export interface Scale {
  readonly rounds: number;
  readonly intakeMs: number;
  readonly chainMs: number;
  readonly standinMs: number;
  readonly paceMs: number;
  readonly warmUpMs: number;
  readonly backlog: number;
  readonly idleMs: number;
  readonly drainMs: number;
  readonly claimSmall: number;
  readonly claimLarge: number;
  readonly claimRounds: number;
  readonly diskMs: number;
  readonly profileMs: number;
}

export const FULL: Scale = {
  rounds: 2,
  intakeMs: 12_000,
  chainMs: 20_000,
  standinMs: 10_000,
  paceMs: 12_000,
  warmUpMs: 4_000,
  backlog: 100_000,
  idleMs: 10_000,
  drainMs: 8_000,
  claimSmall: 1_000,
  claimLarge: 1_000_000,
  claimRounds: 12,
  diskMs: 3_000,
  profileMs: 8_000,
};

export const QUICK: Scale = {
  rounds: 1,
  intakeMs: 3_000,
  chainMs: 4_000,
  standinMs: 2_000,
  paceMs: 3_000,
  warmUpMs: 1_500,
  backlog: 5_000,
  idleMs: 1_000,
  drainMs: 1_500,
  claimSmall: 1_000,
  claimLarge: 20_000,
  claimRounds: 4,
  diskMs: 500,
  profileMs: 0,
};

export interface BenchWorld {
  readonly scale: Scale;
  readonly folder: string;
  readonly load: LoadProgram;
  /** Connections of the mail generator. */
  readonly connections: number;
  /** The address of a new store: a path in the working folder, or a database. */
  newStore(name: string): string;
  /** The outbox of a store that no program has open, or that several may. */
  openStore(address: string): Promise<Outbox>;
  /** Frees the disk of a store. */
  dropStore(address: string): Promise<void>;
  /** The settings of the gateway under test. */
  settings(store: string, more?: Readonly<Record<string, string>>): Record<string, string>;
  readonly say: (line: string) => void;
}

export function makeBenchWorld(options: {
  readonly scale: Scale;
  readonly folder: string;
  readonly load: LoadProgram;
  readonly say: (line: string) => void;
}): BenchWorld {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const guichets = join(folder, "guichets.json");
  const guichet = {
    code: BENCH_GUICHET,
    name: "Bailleur du banc d'essai",
    senders: [BENCH_SENDER],
    returnBy: "same",
    apiKeySha256: createHash("sha256").update(BENCH_KEY).digest("hex"),
    language: "fr",
  };
  writeFileSync(guichets, JSON.stringify({ guichets: [guichet] }));
  let stores = 0;
  return {
    ...options,
    connections: 50,
    newStore: (name) => {
      stores += 1;
      return join(folder, `${name}-${stores}.db`);
    },
    openStore: (path) => openSqliteOutbox({ path }),
    dropStore: (path) => {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      return Promise.resolve();
    },
    settings: (store, more = {}) => ({
      GATEWAY_STORE: store,
      GATEWAY_GUICHETS: guichets,
      // Any free port, and no line per flux on a log that nobody reads.
      GATEWAY_HTTP_PORT: "0",
      GATEWAY_SMTP_PORT: "0",
      GATEWAY_LOG_LEVEL: "warn",
      ...more,
    }),
  };
}
