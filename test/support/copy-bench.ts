/** Stores to copy from and to, of both kinds, each fresh for one test and gone after it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { copyStores } from "../../src/copy-stores.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import type { CopyEnd, CopyStep } from "../../src/operate/store-copy.ts";
import { type Clock, systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { storeKind, type StoreKind } from "../../src/runtime/store-address.ts";
import { liveInStore, portrait } from "./lived-store.ts";
import { dropDatabase, freshDatabaseUri } from "./mongo/shared-replica-set.ts";

/** Few: a small store is copied in many batches. */
export const PAGE_FLUXES = 20;

export interface CopyBench {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
  readonly newAddress: (kind: StoreKind) => Promise<string>;
  /** As a gateway does; closed at the end of the test. */
  readonly openStore: (address: string) => Promise<Outbox>;
  /** A store in full life, closed, with what it showed. */
  readonly lived: (kind: StoreKind, count: number) => Promise<{ address: string; was: unknown }>;
  /** Runs a copy to its end, or asks it to stop at a step. */
  readonly copy: (
    from: string,
    to: string,
    stopAt?: (step: CopyStep) => boolean | Promise<boolean>,
    clock?: Clock,
    pageFluxes?: number,
  ) => Promise<CopyEnd>;
}

export function makeCopyBench(): CopyBench {
  let folder: string;
  let uris: string[] = [];
  let open: Outbox[] = [];
  let files = 0;

  async function newAddress(kind: StoreKind): Promise<string> {
    files += 1;
    if (kind === "sqlite") return join(folder, `${files}.db`);
    const uri = await freshDatabaseUri();
    uris.push(uri);
    return uri;
  }

  async function openStore(address: string): Promise<Outbox> {
    const outbox =
      storeKind(address) === "mongodb"
        ? await openMongoOutbox({
            ...{ uri: address, owner: "gateway-1", log: SILENT_LOG },
            ...{ clock: systemClock(), chance: systemChance() },
          })
        : await openSqliteOutbox({ path: address });
    open.push(outbox);
    return outbox;
  }

  return {
    begin: async () => {
      folder = await mkdtemp(join(tmpdir(), "passerelle-copy-"));
    },
    end: async () => {
      await Promise.all(open.map((outbox) => outbox.stop()));
      await Promise.all(uris.map(dropDatabase));
      await rm(folder, { recursive: true });
      open = [];
      uris = [];
    },
    newAddress,
    openStore,
    lived: async (kind, count) => {
      const address = await newAddress(kind);
      const outbox = await openStore(address);
      await liveInStore(outbox, count);
      await outbox.takeBack(Number.MAX_SAFE_INTEGER);
      const was = await portrait(outbox);
      await outbox.stop();
      return { address, was };
    },
    copy: async (
      from,
      to,
      stopAt = () => false,
      clock = systemClock(),
      pageFluxes = PAGE_FLUXES,
    ) => {
      const stop = new AbortController();
      const stopAsked = stop.signal;
      const copying = copyStores({
        ...{ from, to, clock, chance: systemChance(), stopAsked },
        pageFluxes,
      });
      for (;;) {
        const step = await copying.next();
        if (step.done === true) return step.value;
        if (await stopAt(step.value)) stop.abort();
      }
    },
  };
}
