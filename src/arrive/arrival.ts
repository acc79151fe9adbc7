/**
 * An arrival: what a channel hands to the receiver, the same shape whatever the channel. The channel
 * tells its sender nothing before `receive` has resolved (law 2: durable first, then tell).
 */
import type { Channel, Origin, ReturnAddress } from "../domain/flux.ts";
import type { Guichet } from "../domain/guichet.ts";
import type { Control } from "../domain/outcome.ts";
import type { SneCall } from "../domain/sne-operation.ts";
import type { Flux } from "../domain/flux.ts";
import type { StoredFile } from "../keep/outbox.ts";

/** Who the channel says the sender is. Empty: nobody we know. */
export type Sender = readonly Guichet[];

export interface Arrival {
  readonly channel: Channel;
  /** The guichets this sender may send for. */
  readonly sender: Sender;
  readonly files: readonly StoredFile[];
  /** How its file is to be sent, for who calls the SNE's own services here. */
  readonly call?: SneCall;
  /**
   * Says why there is no readable file, when the channel itself could not find one (mail without
   * attachment, truncated MIME): the original is kept all the same, and refused.
   */
  readonly unreadable?: Control;
  readonly origin: Origin;
  /** Names the arrival (see `NewFlux.arrivalKey`); each file gets its own from it. */
  readonly arrivalKey?: string;
  /** Where the acquittement of one file goes when it returns by this channel. */
  returnTo(file: StoredFile, guichet: Guichet | undefined): ReturnAddress | undefined;
  /** For a channel that answers at once (REST): what cannot be taken is told, not kept. */
  readonly answersAtOnce?: boolean;
}

/** What became of one file of an arrival. */
export type Reception =
  | { readonly kind: "kept"; readonly flux: Flux }
  | { readonly kind: "repeated"; readonly flux: Flux }
  | { readonly kind: "sameArrival"; readonly flux: Flux }
  /** Kept as refused, its negative acquittement owed; or, for a channel that answers at once, told only. */
  | { readonly kind: "refused"; readonly flux?: Flux; readonly controls: readonly Control[] }
  | { readonly kind: "quarantined"; readonly flux: Flux }
  /** Told, not kept (channels that answer at once). */
  | { readonly kind: "notAllowed"; readonly control: Control }
  | { readonly kind: "keyConflict"; readonly first: Flux };

/**
 * Takes an arrival: when it resolves, every file of it is durable.
 * Rejects with STORE_FULL, STORE_UNAVAILABLE, QUARANTINE_FULL, QUEUE_FULL or STOPPING: then nothing of it is
 * kept, and the channel turns the sender away politely (451, 503, file left in place).
 */
export type Receive = (arrival: Arrival) => Promise<readonly Reception[]>;
