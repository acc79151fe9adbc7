/**
 * Records that a guichet has its acquittement and has taken it into its own system: it says so itself,
 * by any interface.
 *
 * Promise: told once in the journal, however often it is confirmed, and never before there is something
 * to confirm. What is confirmed was read: a flux whose guichet collects it is acknowledged by it.
 */
import type { Events } from "../domain/events.ts";
import type { FluxState } from "../domain/flux-state.ts";
import type { Channel, Flux } from "../domain/flux.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Collect } from "./collect.ts";

/** The states of a flux that has its verdict. */
const TOLD: readonly FluxState[] = ["accepted", "refused", "acknowledged", "discarded"];

export type Confirmation =
  /** `at`: when it was confirmed first, ms since the epoch. */
  | { readonly kind: "confirmed"; readonly flux: Flux; readonly at: number }
  /** There is no acquittement yet. */
  | { readonly kind: "notYet" };

/** @param channel - by which interface the guichet says so */
export type Confirm = (flux: Flux, channel: Channel) => Promise<Confirmation>;

export function makeConfirm({
  outbox,
  collect,
  events,
  clock,
}: {
  outbox: Pick<Outbox, "recordOnce" | "find">;
  collect: Collect;
  events: Events;
  clock: Clock;
}): Confirm {
  return async (flux, channel) => {
    if (flux.verdict === undefined) return { kind: "notYet" };
    await collect(flux);
    const at = clock.now();
    const detail = { channel, sinceReceivedMs: at - flux.receivedAt };
    const event = { name: "acquittement.confirmed", detail } as const;
    const result = await outbox.recordOnce({ fluxId: flux.id, in: TOLD, at, event });
    switch (result.kind) {
      case "notFound":
      case "notRecorded":
        return { kind: "notYet" };
      case "recorded":
        events.emit("acquittement.confirmed", {
          fluxId: flux.id,
          ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
          detail,
        });
        break;
      case "already":
        break;
    }
    const now = (await outbox.find(flux.id)) ?? flux;
    return { kind: "confirmed", flux: now, at: result.kind === "already" ? result.first.at : at };
  };
}
