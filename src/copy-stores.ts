/**
 * Opens the two ends of `passerelle store copy`, whatever each of them is, and closes them whatever
 * happens. No setting is read: a copy names its two stores itself.
 */
import { resolve } from "node:path";
import { openMongoTransfer } from "./adapters/mongo/mongo-transfer.ts";
import { openSqliteTransfer } from "./adapters/sqlite/sqlite-transfer.ts";
import { GatewayError } from "./domain/errors.ts";
import type { StoreTransfer } from "./keep/store-transfer.ts";
import { abandonCopy } from "./operate/abandon-copy.ts";
import { type CopyEnd, type CopyStep, copyStore } from "./operate/store-copy.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import { storeKind } from "./runtime/store-address.ts";

/** Addresses as GATEWAY_STORE has them. */
export interface CopyEnds {
  readonly from: string;
  readonly to: string;
}

export async function* copyStores({
  from,
  to,
  ...rest
}: CopyEnds & {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly stopAsked: AbortSignal;
  /** Fluxes copied together; the stores' own number when absent. */
  readonly pageFluxes?: number;
}): AsyncGenerator<CopyStep, CopyEnd> {
  const source = await openTransfer(from, false, rest);
  try {
    const target = await openTransfer(to, true, rest);
    try {
      return yield* copyStore({ from: source, to: target, ...rest });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export async function abandonCopyOf({
  from,
  to,
  clock,
  chance,
}: CopyEnds & { readonly clock: Clock; readonly chance: Chance }): Promise<"erased" | "untouched"> {
  const source = await openTransfer(from, false, { clock });
  try {
    const target = await openIfThere(to, clock);
    try {
      return await abandonCopy({ from: source, to: target, clock, chance });
    } finally {
      await target?.close();
    }
  } finally {
    await source.close();
  }
}

/** Undefined when the target is no longer there, or does not answer. */
async function openIfThere(address: string, clock: Clock): Promise<StoreTransfer | undefined> {
  try {
    return await openTransfer(address, false, { clock });
  } catch (error) {
    const isGone = error instanceof GatewayError && GONE.includes(error.code);
    if (!isGone) throw error;
    return undefined;
  }
}

const GONE: readonly string[] = ["STORE_COPY_REFUSED", "STORE_UNAVAILABLE"];

async function openTransfer(
  address: string,
  create: boolean,
  { clock, pageFluxes }: { readonly clock: Clock; readonly pageFluxes?: number },
): Promise<StoreTransfer> {
  const paging = pageFluxes === undefined ? {} : { pageFluxes };
  return storeKind(address) === "mongodb"
    ? openMongoTransfer({ uri: address, clock, ...paging })
    : openSqliteTransfer({ path: resolve(address), create, ...paging });
}
