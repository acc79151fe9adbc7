/**
 * Takes all that one store holds to another, empty one, and gives it up. Promise, under `kill -9` at
 * any step: never do both ends open to a gateway with the same live fluxes, and there is always a way
 * on: the same command again, which goes on where it was, or the same with `--abandon`. The steps:
 *  1. the target is sealed, then the source: from here on neither opens to a gateway;
 *  2. what was lent is taken back; fluxes go over in their order, batch by batch, then small values;
 *  3. both ends are read again and compared, every byte of them;
 *  4. the source is marked as moved, for good; then the seal of the target goes.
 * Only between 3 and 4 does the right to serve pass, by one durable write; `copyId`, the same on both
 * seals, is what tells the two ends of one copy from all others.
 */
import { gatewayError } from "../domain/errors.ts";
import type { StoreCounts } from "../keep/outbox.ts";
import type { StoreSeal } from "../keep/store-seal.ts";
import type { StoreTransfer } from "../keep/store-transfer.ts";
import type { Chance, Clock } from "../runtime/clock.ts";
import { type Comparison, compareStores } from "./compare-stores.ts";

/** How long gateways that still work on the source are waited for before it is sealed, ms. */
const WAIT_FOR_LEASES_MS = 120_000;
const LOOK_EVERY_MS = 1_000;

export type CopyStep =
  /** A gateway still holds so many leases of the source. */
  | { readonly kind: "waiting"; readonly leases: number }
  | { readonly kind: "copying" | "verifying"; readonly done: number; readonly total: number };

export type CopyEnd =
  | { readonly kind: "moved"; readonly counts: StoreCounts; readonly damaged: readonly string[] }
  /** It was before: nothing was left to do. */
  | { readonly kind: "alreadyMoved" }
  /** Both ends stay sealed. */
  | { readonly kind: "different"; readonly comparison: Comparison }
  /** Asked to stop: both ends stay sealed, the same command goes on. */
  | { readonly kind: "interrupted"; readonly done: number; readonly total: number };

export interface CopyOptions {
  readonly from: StoreTransfer;
  readonly to: StoreTransfer;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Looked at between batches. */
  readonly stopAsked: AbortSignal;
}

/** @throws STORE_COPY_REFUSED when these two stores cannot be the two ends of one copy */
export async function* copyStore(options: CopyOptions): AsyncGenerator<CopyStep, CopyEnd> {
  const { from, to, clock, stopAsked } = options;
  const begun = yield* begin(options);
  if (begun.kind === "alreadyMoved") return begun;
  const { source, target } = begun;
  if (source.phase === "moved") {
    // Verified in a former life, which was cut short between its last two writes.
    await to.putInService(target.copyId);
    return { kind: "moved", counts: await to.counts(), damaged: [] };
  }
  if (!(yield* noLease(from, clock, stopAsked, undefined))) return interrupted(await from.size());
  await from.takeBack(clock.now());

  const total = await from.size();
  let done = await to.size();
  const interruption = (): CopyEnd | undefined =>
    stopAsked.aborted ? { kind: "interrupted", done, total } : undefined;
  const last = await to.last();
  const after = last === undefined ? undefined : await from.placeOf(last.fluxId);
  if (last !== undefined && after === undefined) {
    throw refusal(`${to.place} garde des flux qui ne viennent pas de ${from.place}`);
  }
  yield { kind: "copying", done, total };
  let { records, next } = await from.page(after);
  for (;;) {
    const stopped = interruption();
    if (stopped !== undefined) return stopped;
    // The next page is read while this one is written.
    const [, following] = await Promise.all([
      records.length === 0 ? undefined : to.import(records),
      next === undefined ? undefined : from.page(next),
    ]);
    done += records.length;
    yield { kind: "copying", done, total };
    if (following === undefined) break;
    ({ records, next } = following);
  }
  await to.importValues(await from.values(), await from.counts());

  const comparing = compareStores(from, to);
  let compared = await comparing.next();
  while (compared.done !== true) {
    const stopped = interruption();
    if (stopped !== undefined) return stopped;
    yield { kind: "verifying", done: compared.value, total };
    compared = await comparing.next();
  }
  const comparison = compared.value;
  if (comparison.different > 0) return { kind: "different", comparison };

  // The right to serve passes here: from now on the source never opens again.
  const passed = await from.setSeal(source, { ...source, phase: "moved", at: clock.now() });
  if (!passed) throw refusal(`le scellé de ${from.place} a été changé pendant la copie`);
  await to.putInService(target.copyId);
  return { kind: "moved", counts: await to.counts(), damaged: comparison.damaged };
}

function interrupted(total: number): CopyEnd {
  return { kind: "interrupted", done: 0, total };
}

type Begun =
  | { readonly kind: "alreadyMoved" }
  | { readonly kind: "sealed"; readonly source: Source; readonly target: Target };
type Source = StoreSeal & { readonly kind: "source" };
type Target = StoreSeal & { readonly kind: "target" };

/** Seals both ends, or finds them sealed by this very copy. */
async function* begin(options: CopyOptions): AsyncGenerator<CopyStep, Begun> {
  const { from, to, clock, chance, stopAsked } = options;
  const sealed = await from.seal();
  const found = await to.seal();
  if (sealed?.kind === "target") {
    throw refusal(`${from.place} est elle-même une copie inachevée, de ${sealed.peer}`);
  }
  if (found?.kind === "source") {
    throw refusal(`${to.place} est elle-même copiée ailleurs, vers ${found.peer}`);
  }
  if (found?.phase === "abandoned") {
    throw refusal(`la copie vers ${to.place} est abandonnée : achevez-la avec --abandon`);
  }
  if (sealed !== undefined) {
    if (found?.copyId === sealed.copyId) {
      // Shuts out again: the former life may have been cut between the note and the fence.
      await to.setSeal(found, found);
      await from.setSeal(sealed, sealed);
      return { kind: "sealed", source: sealed, target: found };
    }
    if (sealed.phase === "moved" && (await to.copiedBy()) === sealed.copyId) {
      return { kind: "alreadyMoved" };
    }
    throw refusal(
      sealed.phase === "moved"
        ? `les flux de ${from.place} sont déjà dans ${sealed.peer}`
        : `${from.place} est en cours de copie vers ${sealed.peer}, et ${to.place} n'est pas cette copie : reprenez l'autre, ou renoncez-y avec --abandon`,
    );
  }
  const sourceId = await from.storeId(newName(chance));
  if (sourceId === (await to.storeId(newName(chance))))
    throw refusal("les deux adresses sont la même base");
  if (found !== undefined && found.sourceId !== sourceId) {
    throw refusal(`${to.place} est la copie inachevée d'une autre base, ${found.peer}`);
  }
  const [held, counts] = [await to.size(), await to.counts()];
  if (held > 0 || counts.received > 0) {
    throw refusal(`${to.place} garde déjà des flux : la copie demande une base vide`);
  }
  if ((await from.size()) === 0) throw refusal(`${from.place} ne garde aucun flux`);

  const until = clock.now() + WAIT_FOR_LEASES_MS;
  if (!(yield* noLease(from, clock, stopAsked, until))) {
    throw refusal(`des passerelles travaillent encore sur ${from.place} : arrêtez-les toutes`);
  }
  const at = clock.now();
  const copyId = newName(chance);
  const target: Target = {
    ...{ kind: "target", phase: "filling" },
    ...{ copyId, peer: from.place, sourceId, at },
  };
  const source: Source = { kind: "source", phase: "copying", copyId, peer: to.place, at };
  // The target first: cut short here, the source is as it was.
  if (!(await to.setSeal(found, target)) || !(await from.setSeal(undefined, source))) {
    throw refusal("une autre copie vient de commencer sur l'une de ces bases");
  }
  return { kind: "sealed", source, target };
}

/** Waits until nothing of the store is lent; false when that took too long, or a stop was asked. */
async function* noLease(
  store: StoreTransfer,
  clock: Clock,
  stopAsked: AbortSignal,
  until: number | undefined,
): AsyncGenerator<CopyStep, boolean> {
  for (;;) {
    const leases = await store.leases();
    if (leases === 0) return true;
    if (stopAsked.aborted || (until !== undefined && clock.now() >= until)) return false;
    yield { kind: "waiting", leases };
    await clock.wait(LOOK_EVERY_MS, stopAsked);
  }
}

/** A name that no other store and no other copy has. */
export function newName(chance: Chance): string {
  return Buffer.from(chance.bytes(12)).toString("hex");
}

function refusal(detail: string): Error {
  return gatewayError("STORE_COPY_REFUSED", { detail });
}
