/**
 * The documents of the MongoDB store: one per flux, with its journal inside, so that a move and its
 * journal entry are one write of one document. Files stand apart: claims, lists and counts never
 * read one. `docs/mongodb.md` shows them; `indexes.ts` says how each is found.
 */
import type { mongo } from "mongoose";
import type { JournalEntry } from "../../domain/events.ts";
import type { FluxState } from "../../domain/flux-state.ts";
import type { Channel, Envelope, Origin, Reason, ReturnAddress } from "../../domain/flux.ts";
import type { Control, Verdict } from "../../domain/outcome.ts";
import type { Pause } from "../../keep/outbox.ts";

/** An address to tell once there is a verdict. */
export interface SleepingAddress {
  /** Its number among those of the flux, from 0. */
  readonly n: number;
  readonly to: ReturnAddress;
  readonly isRepeat: boolean;
}

/**
 * A flux. Times are those of its gateways (ms since the epoch), but for `dueAt` and `leaseUntil`,
 * which are the database's (`store-time.ts`): several gateways compare them.
 */
export interface FluxDocument {
  readonly _id: string;
  /**
   * Order of keeping: an empty timestamp, which the primary fills with its cluster time when it
   * inserts. Of two fluxes the second of which came after the first was confirmed, the second has
   * the greater one, whichever gateway kept it and whichever member was primary.
   */
  readonly seq: mongo.Timestamp;
  state: FluxState;
  readonly channel: Channel;
  guichet?: string;
  readonly envelope?: Envelope;
  lane?: string;
  /** Present while it holds its lane (domain/flux-state.ts). */
  holds?: true;
  /** Present on the one flux of a lane that may be claimed or is being forwarded. */
  front?: true;
  /** Present when it may be claimed: kept, and front of its lane or without lane. */
  head?: true;
  /** On the front of a lane: grows with each flux that comes behind it; 0, none came. */
  followed: number;
  /** The identity it holds; once given up, a name of its own. */
  identity: string;
  numUnique?: string;
  readonly sha256: string;
  readonly size: number;
  readonly fileName: string;
  readonly origin: Origin;
  returnsBy?: ReturnAddress["channel"];
  /** Addresses that wait for the verdict. */
  addresses?: SleepingAddress[];
  /** How many addresses it has had. */
  addressed: number;
  /** Every telling of its arrival. */
  arrivals?: { readonly key: string; readonly sha256: string }[];
  readonly receivedAt: number;
  since: number;
  dueAt: number;
  attempts: number;
  repeats: number;
  /** Since when its acquittement is owed. */
  owedAt?: number;
  /** How many times it was lent. */
  fence: number;
  leaseUntil?: number;
  /** Names the claim that holds it. */
  claim?: string;
  reason?: Reason;
  verdict?: Verdict;
  remarks?: readonly Control[];
  /** Since when it has been at an end with its files still there. */
  endedAt?: number;
  erasedAt?: number;
  /** Read by `journal` only: everything else leaves it out. */
  journal?: JournalEntry[];
}

/** An acquittement owed; it goes once delivered, its journal entry staying with the flux. */
export interface DeliveryDocument {
  /** Flux and number of the address. */
  readonly _id: string;
  readonly flux: string;
  readonly to: ReturnAddress;
  readonly isRepeat: boolean;
  readonly state: "owed" | "lent";
  readonly dueAt: number;
  readonly attempts: number;
  readonly fence: number;
  readonly leaseUntil?: number;
  readonly claim?: string;
}

/** A file of a flux: its bytes, or the name of the large object that has them. */
export interface FileDocument {
  /** Flux and role. */
  readonly _id: string;
  readonly flux: string;
  readonly name: string;
  readonly bytes?: mongo.Binary | Uint8Array;
  readonly blob?: mongo.ObjectId;
  /** Erased: the database removes it in its own time (TTL). */
  readonly eraseAt?: Date;
}

/**
 * What one writer of one gateway has counted, in the transactions of what it counts. Each writer has
 * its own, so that no two wait for one another; the sum is the truth. Others watch them for work.
 */
export interface TallyDocument {
  readonly _id: string;
  readonly received?: number;
  readonly repeats?: number;
  readonly acknowledged?: number;
  readonly discarded?: number;
  /** How many times there was work for a step. */
  readonly forward?: number;
  readonly acknowledge?: number;
}

export interface NoteDocument {
  readonly _id: string;
  readonly value: string;
}

export interface SequenceDocument {
  readonly _id: string;
  readonly last: number;
}

export interface RoleDocument {
  readonly _id: string;
  readonly holder: string;
  readonly until: number;
  readonly term: number;
}

export type PauseDocument = Pause & { readonly _id: string };

/** Every collection of the store, by the name it has in the database. */
export interface Collections {
  readonly fluxes: mongo.Collection<FluxDocument>;
  readonly deliveries: mongo.Collection<DeliveryDocument>;
  readonly files: mongo.Collection<FileDocument>;
  readonly tallies: mongo.Collection<TallyDocument>;
  readonly notes: mongo.Collection<NoteDocument>;
  readonly sequences: mongo.Collection<SequenceDocument>;
  readonly roles: mongo.Collection<RoleDocument>;
  readonly pauses: mongo.Collection<PauseDocument>;
}

/** What every read of a flux but `journal` asks for. */
export const WITHOUT_JOURNAL = { journal: 0 } as const;
