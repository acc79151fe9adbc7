/**
 * Gives a copy up: the target is erased, then the source opens to a gateway again. Promise, under
 * `kill -9` at any step: the source never opens while the target could still come into service, and
 * the same command finishes what was begun. A copy that came into service is never given up: its
 * fluxes may have been forwarded since.
 */
import { gatewayError } from "../domain/errors.ts";
import type { StoreTransfer } from "../keep/store-transfer.ts";
import type { Chance, Clock } from "../runtime/clock.ts";
import { newName } from "./store-copy.ts";

/**
 * @param to - undefined when it cannot be reached: while the source is being copied, the target
 *   cannot come into service without it
 * @returns what was done to the target
 * @throws STORE_COPY_REFUSED
 */
export async function abandonCopy({
  from,
  to,
  clock,
  chance,
}: {
  readonly from: StoreTransfer;
  readonly to: StoreTransfer | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
}): Promise<"erased" | "untouched"> {
  const sealed = await from.seal();
  const found = await to?.seal();
  if (sealed?.kind === "target") throw refusal(`${from.place} est une copie, pas une source`);
  const isOurs =
    found?.kind === "target" &&
    (sealed === undefined
      ? found.sourceId === (await from.storeId(newName(chance)))
      : found.copyId === sealed.copyId);
  if (sealed === undefined && !isOurs) throw refusal("aucune copie n'est en cours entre ces bases");
  if (sealed?.phase === "moved") {
    if (!isOurs) throw refusal(`les flux de ${from.place} sont désormais dans ${sealed.peer}`);
    // Back to where it was not yet decided, so that nothing of what follows can be taken for the end.
    await from.setSeal(sealed, { ...sealed, phase: "copying", at: clock.now() });
  }
  if (isOurs) {
    await to?.setSeal(found, { ...found, phase: "abandoned", at: clock.now() });
    await to?.wipe();
  }
  if (sealed !== undefined) await from.unseal();
  return isOurs ? "erased" : "untouched";
}

function refusal(detail: string): Error {
  return gatewayError("STORE_COPY_REFUSED", { detail });
}
