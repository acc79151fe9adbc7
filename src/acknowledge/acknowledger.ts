/**
 * Delivers the acquittements that are owed, each by its sender's channel.
 *
 * Promise: an acquittement stays owed until its channel says it was handed over, however long that
 * takes; a crash between the two repeats it, recognisable as the same (`return-channel.ts`).
 */
import { errorText, messageOf } from "../domain/errors.ts";
import type { Events } from "../domain/events.ts";
import type { ClaimedDelivery, DeliveryEnd, Outbox } from "../keep/outbox.ts";
import { backoffDelay, type Backoff } from "../runtime/backoff.ts";
import type { Chance, Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Part } from "../runtime/part.ts";
import { makeWorkerPool } from "../runtime/worker-pool.ts";
import type { ComposeParcel } from "./parcel.ts";
import type { DeliveryResult, ReturnChannel } from "./return-channel.ts";

export function makeAcknowledger(options: {
  readonly outbox: Outbox;
  readonly channels: readonly ReturnChannel[];
  readonly composeParcel: ComposeParcel;
  readonly owner: string;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
  readonly log: Log;
}): Part {
  const { outbox, channels, composeParcel, owner, leaseMs, backoff, clock, chance, events, log } =
    options;
  const byChannel = new Map(channels.map((channel) => [channel.channel, channel]));

  async function deliver(claimed: ClaimedDelivery): Promise<DeliveryResult> {
    const channel = byChannel.get(claimed.to.channel);
    if (channel === undefined) {
      const text = errorText("NO_RETURN_CHANNEL", { channel: claimed.to.channel });
      return { kind: "notDelivered", reason: { code: "NO_RETURN_CHANNEL", text } };
    }
    const parcel = await composeParcel(
      claimed.flux,
      claimed.isRepeat ? { repeatDelivery: claimed.deliveryId } : {},
    );
    if (parcel === undefined) {
      throw new Error(`flux ${claimed.flux.id} owes an acquittement without a verdict`);
    }
    return channel.deliver(parcel, claimed.to);
  }

  async function handle(claimed: ClaimedDelivery, deliveryOver: () => void): Promise<void> {
    const startedAt = clock.now();
    let result: DeliveryResult;
    try {
      result = await deliver(claimed);
    } catch (error) {
      // A surprise must not leave the delivery lent until its lease ends: it is owed again.
      result = {
        kind: "notDelivered",
        reason: { code: "INTERNAL_ERROR", text: messageOf(error) },
      };
    }
    deliveryOver();
    const at = clock.now();
    const { flux } = claimed;
    const common = {
      channel: claimed.to.channel,
      ms: at - startedAt,
      sinceReceivedMs: at - flux.receivedAt,
    };
    const end: DeliveryEnd =
      result.kind === "delivered"
        ? { kind: "delivered", detail: { ...common, ...result.detail } }
        : {
            kind: "postponed",
            dueAt: at + backoffDelay(backoff, claimed.attempts + 1, chance.fraction()),
            reason: result.reason,
            detail: { ...common, code: result.reason.code, text: result.reason.text },
          };
    const written = await outbox.endDelivery(claimed, at, end);
    if (!written) {
      log.warn("acquittement.leaseLost", { fluxId: flux.id });
      return;
    }
    events.emit(end.kind === "delivered" ? "acquittement.delivered" : "acquittement.postponed", {
      fluxId: flux.id,
      ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
      detail: end.detail,
    });
  }

  const pool = makeWorkerPool<ClaimedDelivery>({
    name: "acknowledger",
    concurrency: options.concurrency,
    clock,
    log,
    claim: (max) => outbox.claimDeliveries({ owner, now: clock.now(), leaseMs, max }),
    handle,
  });
  let unwatch: (() => void) | undefined;

  return {
    name: "acknowledger",
    start: () => {
      unwatch = outbox.watch((work) => {
        if (work === "acknowledge") pool.wake();
      });
      pool.start();
      return Promise.resolve();
    },
    stop: async () => {
      unwatch?.();
      await pool.stop();
    },
  };
}
