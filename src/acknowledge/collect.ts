/**
 * Acknowledges a flux whose guichet fetches its acquittement itself: the fetch is the delivery.
 *
 * Promise: only a flux that its sender is to fetch (REST, SOAP) is ever acknowledged so; one owed by mail
 * or by file stays owed, whoever reads its acquittement.
 */
import type { Events } from "../domain/events.ts";
import { isFetched, type Flux } from "../domain/flux.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";

/** True when its guichet is to fetch the acquittement of this flux, and has not yet. */
export function isToCollect({ state, returnsBy }: Flux): boolean {
  return isFetched(returnsBy) && (state === "accepted" || state === "refused");
}

/** Moves a flux just fetched to acknowledged, if it was owed here. */
export type Collect = (flux: Flux) => Promise<void>;

export function makeCollect({
  outbox,
  events,
  clock,
}: {
  outbox: Pick<Outbox, "move">;
  events: Events;
  clock: Clock;
}): Collect {
  return async (flux) => {
    if (!isToCollect(flux)) return;
    const at = clock.now();
    const detail = {
      channel: flux.returnsBy ?? flux.channel,
      sinceReceivedMs: at - flux.receivedAt,
    };
    const result = await outbox.move({
      fluxId: flux.id,
      from: ["accepted", "refused"],
      to: "acknowledged",
      at,
      event: { name: "acquittement.collected", detail },
    });
    // Two fetches at once: the first has moved it, and told it.
    if (result.kind !== "moved") return;
    events.emit("acquittement.collected", {
      fluxId: flux.id,
      ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
      detail,
    });
  };
}
