/** A channel that can bring an acquittement to its sender, and what it carries. */
import type { Language } from "../domain/guichet.ts";
import type { Reason, ReturnAddress } from "../domain/flux.ts";
import type { EventDetail } from "../domain/events.ts";
import type { StoredFile } from "../keep/outbox.ts";

/** Everything a sender receives for one flux, the same bytes by whatever channel. */
export interface AcquittementParcel {
  readonly fluxId: string;
  /**
   * Names this delivery, the same at each attempt: a repeat of the flux has its own, so that a
   * mailbox that drops copies by Message-ID still shows the answer to a sender who asks again.
   */
  readonly parcelId: string;
  readonly language: Language;
  readonly title: string;
  /** The text a person reads. */
  readonly text: string;
  /** Our small XML acquittement (`schemas/acquittement.xsd`). */
  readonly xml: StoredFile;
  /** The SNE's own answer file, byte for byte. */
  readonly answer?: StoredFile;
  readonly attestation?: StoredFile;
  /** The name the sender gave to its file, safe to show. */
  readonly originalName: string;
}

export type DeliveryResult =
  | { readonly kind: "delivered"; readonly detail: EventDetail }
  | { readonly kind: "notDelivered"; readonly reason: Reason };

export interface ReturnChannel {
  readonly channel: ReturnAddress["channel"];
  /**
   * Brings the parcel to its address. Doing it twice must be seen as once by the receiver (same
   * Message-ID, same file name and content): a crash after it may repeat it.
   */
  deliver(parcel: AcquittementParcel, to: ReturnAddress): Promise<DeliveryResult>;
}
