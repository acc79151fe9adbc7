/**
 * Opens the stores of the settings and gives the one outbox over them: GATEWAY_STORE alone, or with the
 * partitions of GATEWAY_STORE_PARTITIONS. Promise: all are open when it resolves; when one cannot be,
 * the others are closed again, and the error says which, never with a credential.
 */
import { openSqliteOutbox } from "./adapters/sqlite/sqlite-outbox.ts";
import { GatewayError, gatewayError } from "./domain/errors.ts";
import type { Guichets } from "./domain/guichet.ts";
import type { Outbox } from "./keep/outbox.ts";
import { makePartitionedOutbox, type NamedOutbox } from "./keep/partitioned-outbox.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import type { Log } from "./runtime/log.ts";
import type { Settings } from "./runtime/settings.ts";
import {
  DEFAULT_STORE,
  type NamedStore,
  readPartitions,
  shownStore,
  storeKind,
  UNKNOWN_STORE,
} from "./runtime/store-address.ts";

interface Openers {
  readonly settings: Pick<Settings, "store" | "storePartitions">;
  /** Names this life of this gateway. */
  readonly owner: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Told when a store can work no more until the process is started again. */
  readonly onFatal: (error: Error) => void;
}

/** @throws the error of the store that cannot be opened */
export async function openStores(
  options: Openers & { readonly guichets: Guichets },
): Promise<Outbox> {
  const { settings, guichets, clock, log } = options;
  const stores = storesOf(settings);
  const [only] = stores;
  if (only !== undefined && stores.length === 1) return openStore(only.address, options);

  const partitions: NamedOutbox[] = [];
  try {
    for (const { name, address } of stores) {
      partitions.push({ name, outbox: await named(name, address, options) });
    }
    return await makePartitionedOutbox({
      partitions,
      byGuichet: (code) => guichets.byCode(code)?.store ?? DEFAULT_STORE,
      default: DEFAULT_STORE,
      guichets: guichets.all.map(({ code }) => code),
      clock,
      log,
    });
  } catch (error) {
    // The first error tells; those of closing what was open would hide it.
    await Promise.allSettled(partitions.map(({ outbox }) => outbox.stop()));
    throw error;
  }
}

/** Every store of the settings, GATEWAY_STORE first. @throws INVALID_SETTING */
export function storesOf({
  store,
  storePartitions,
}: Pick<Settings, "store" | "storePartitions">): readonly NamedStore[] {
  const partitions = readPartitions(storePartitions ?? "", store);
  if (partitions.kind === "invalid") {
    throw gatewayError("INVALID_SETTING", {
      env: "GATEWAY_STORE_PARTITIONS",
      detail: partitions.problem,
    });
  }
  return [{ name: DEFAULT_STORE, address: store }, ...partitions.stores];
}

/** The names a guichet may give as its store, besides the default. @throws INVALID_SETTING */
export function partitionNames(
  settings: Pick<Settings, "store" | "storePartitions">,
): readonly string[] {
  return storesOf(settings)
    .slice(1)
    .map(({ name }) => name);
}

/** What people read of the stores: `data/passerelle.db ; nord : mongodb://serveur/passerelle`. */
export function shownStores(settings: Pick<Settings, "store" | "storePartitions">): string {
  return storesOf(settings)
    .map(({ name, address }) =>
      name === DEFAULT_STORE ? shownStore(address) : `${name} : ${shownStore(address)}`,
    )
    .join(" ; ");
}

async function named(name: string, address: string, options: Openers): Promise<Outbox> {
  try {
    return await openStore(address, options);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw gatewayError(error.code, { ...error.details, where: ` « ${name} »` }, error);
  }
}

/** Opens one store by its kind. */
async function openStore(
  address: string,
  { owner, clock, chance, log, onFatal }: Openers,
): Promise<Outbox> {
  switch (storeKind(address)) {
    case "sqlite":
      return openSqliteOutbox({ path: address, clock, log, onDeath: onFatal });
    case "mongodb": {
      // Loaded only when it is used: a gateway on a file needs none of it.
      const { openMongoOutbox } = await import("./adapters/mongo/mongo-outbox.ts");
      return openMongoOutbox({ uri: address, owner, clock, chance, log });
    }
    case undefined:
      throw gatewayError("INVALID_SETTING", { env: "GATEWAY_STORE", detail: UNKNOWN_STORE });
  }
}
