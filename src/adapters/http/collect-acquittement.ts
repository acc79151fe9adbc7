/**
 * Acknowledges a flux whose guichet fetches its acquittement itself: the fetch is the delivery.
 *
 * Promise: only a flux that is to be told by this interface is ever acknowledged by it; one owed by
 * mail or by file stays owed, whoever reads its acquittement here.
 */
import { returnAddressOf, returnAddressWithoutChannel } from "../../arrive/return-address.ts";
import type { Events } from "../../domain/events.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Guichet } from "../../domain/guichet.ts";
import type { Outbox } from "../../keep/outbox.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface Collection {
  /** True when the guichet fetches the acquittement of this flux, rather than being sent it. */
  isToCollect(flux: Flux, guichet: Guichet): Promise<boolean>;
  /** Moves the flux to acknowledged, if it was still owed here. */
  collected(flux: Flux, guichet: Guichet): Promise<void>;
}

export function makeCollection({
  outbox,
  events,
  clock,
}: {
  outbox: Pick<Outbox, "move" | "journal">;
  events: Events;
  clock: Clock;
}): Collection {
  async function isToCollect(flux: Flux, guichet: Guichet): Promise<boolean> {
    const proposed = flux.channel === "rest" ? ({ channel: "rest" } as const) : undefined;
    if (returnAddressOf(guichet, proposed, flux)?.channel === "rest") return true;
    if (returnAddressWithoutChannel(guichet, flux).channel !== "rest") return false;
    // Nothing but this interface reaches the guichet: so was a release from quarantine attributed.
    const journal = await outbox.journal(flux.id);
    return journal.some(({ name }) => name === "flux.released");
  }

  return {
    isToCollect,
    collected: async (flux, guichet) => {
      if (flux.state !== "accepted" && flux.state !== "refused") return;
      if (!(await isToCollect(flux, guichet))) return;
      const at = clock.now();
      const detail = { channel: "rest", sinceReceivedMs: at - flux.receivedAt };
      const result = await outbox.move({
        fluxId: flux.id,
        from: ["accepted", "refused"],
        to: "acknowledged",
        at,
        event: { name: "acquittement.collected", detail },
      });
      // Two fetches at once: the first has moved it, and told it.
      if (result.kind !== "moved") return;
      events.emit("acquittement.collected", { fluxId: flux.id, guichet: guichet.code, detail });
    },
  };
}
