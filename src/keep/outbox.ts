/**
 * The outbox: the one place where the steps of the journey meet. It keeps fluxes, lends them to one
 * worker at a time, and records every move with its event in one transaction.
 *
 * Promises every store makes (held by `test/contracts/outbox-contract.ts`, word for word the same
 * for all of them):
 *  - when `keep` or `move` resolves, it is on disk; when it rejects with STORE_FULL or
 *    STORE_UNAVAILABLE, nothing of it is;
 *  - a batch given to `keep` is kept whole or not at all;
 *  - a flux is lent under a lease, and a borrower whose lease ended can write nothing (fencing);
 *  - of one lane, only the oldest flux that holds it is ever lent (`domain/flux-state.ts`);
 *  - claims read no payload, and cost the same whatever the backlog;
 *  - a state changes only as the table of moves allows, and its event is in the same transaction.
 *
 * Nothing here speaks of SQL, files or connections: leases rather than locks, batches rather than
 * cursors, so that a document store can keep the same promises.
 */
import type { EventDetail, JournalEntry, JournalEventName } from "../domain/events.ts";
import type { BirthState, FluxState } from "../domain/flux-state.ts";
import type { Channel, Envelope, Flux, Origin, Reason, ReturnAddress } from "../domain/flux.ts";
import type { Control, Verdict } from "../domain/outcome.ts";

/** A file kept with a flux. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The files a flux may have: as received, the SNE's answer file, the SNE's attestation. */
export const FILE_ROLES = ["original", "answer", "attestation"] as const;
export type FileRole = (typeof FILE_ROLES)[number];

/** A flux about to be kept. */
export interface NewFlux {
  readonly id: string;
  readonly state: BirthState;
  readonly channel: Channel;
  readonly guichet?: string;
  readonly envelope?: Envelope;
  readonly lane?: string;
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string;
  readonly origin: Origin;
  readonly receivedAt: number;
  /**
   * Names the arrival itself, whatever its channel: an Idempotency-Key, a Message-ID with a part, a
   * claimed file. The same name later is the same arrival, told again because a confirmation was
   * lost. For ever unique.
   */
  readonly arrivalKey?: string;
  /**
   * Names the content: guichet and digest. While a flux with the same one, and the same sha256, is
   * alive or has had its effect, the newcomer is a repeat of it (B3): other bytes are never one. A
   * refused or discarded flux had no effect and gives its identity up; a quarantined one has none.
   */
  readonly identity?: string;
  readonly returnTo?: ReturnAddress;
  /** For a flux refused at birth: why; its acquittement is owed at once. */
  readonly verdict?: Verdict;
  readonly reason?: Reason;
  readonly remarks?: readonly Control[];
  readonly event: { readonly name: JournalEventName; readonly detail: EventDetail };
}

/** What became of one arrival. */
export type KeepResult =
  | { readonly kind: "kept"; readonly flux: Flux }
  /** The same arrival told again: nothing was written. */
  | { readonly kind: "sameArrival"; readonly first: Flux }
  /** The same content, arrived otherwise: noted on the first, which will be acknowledged here too. */
  | { readonly kind: "repeated"; readonly first: Flux }
  /** The arrival key already names other bytes: nothing was written. */
  | { readonly kind: "keyConflict"; readonly first: Flux };

/** A flux lent to a worker. `fence` proves the lease in the move that ends it. */
export interface ClaimedFlux {
  readonly flux: Flux;
  readonly fence: number;
  /** When the lease ends, ms since the epoch. */
  readonly leaseUntil: number;
}

export interface ClaimRequest {
  /** Names the borrower (gateway), for the trace. */
  readonly owner: string;
  readonly now: number;
  readonly leaseMs: number;
  readonly max: number;
}

/** One durable move of a flux. */
export interface Move {
  readonly fluxId: string;
  /** The move happens only if the flux is in one of these states. */
  readonly from: readonly FluxState[];
  /**
   * The fence of the claim. Required when the flux is in transit; when it is given, the move happens
   * only while the flux has not been lent again since, whatever its state: an answer that comes
   * after its lease ended may still end the doubt of that very call, never of another.
   */
  readonly fence?: number;
  readonly to: FluxState;
  readonly at: number;
  readonly event: { readonly name: JournalEventName; readonly detail: EventDetail };
  /** When a flux that returns to `kept` may be claimed again; at once when absent. */
  readonly dueAt?: number;
  /** Absent: the reason is cleared. */
  readonly reason?: Reason;
  readonly verdict?: Verdict;
  /** Replaces the remarks when present. */
  readonly remarks?: readonly Control[];
  readonly files?: Partial<Record<Exclude<FileRole, "original">, StoredFile>>;
  /** The acquittement is owed from `at` on: the deliveries that slept wake. */
  readonly oweAcquittement?: boolean;
  /**
   * For a flux released from quarantine: what was unknown at arrival. The identity is checked: when
   * another live flux has it, the move is refused as `identityTaken`.
   */
  readonly attribute?: {
    readonly guichet: string;
    readonly lane?: string;
    readonly identity: string;
    readonly returnTo?: ReturnAddress;
  };
}

export type MoveResult =
  | { readonly kind: "moved"; readonly flux: Flux }
  /** Not in an expected state, or the lease has passed to another: nothing was written. */
  | { readonly kind: "notMoved"; readonly flux: Flux }
  | { readonly kind: "identityTaken"; readonly first: Flux }
  | { readonly kind: "notFound" };

/** What happened to a flux without moving it. */
export interface JournalRecord {
  readonly fluxId: string;
  /** It is recorded only while the flux is in one of these states. */
  readonly in: readonly FluxState[];
  readonly at: number;
  readonly event: { readonly name: JournalEventName; readonly detail: EventDetail };
}

export type RecordResult =
  | { readonly kind: "recorded" }
  /** An event of that name was there already: nothing was written. */
  | { readonly kind: "already"; readonly first: JournalEntry }
  | { readonly kind: "notRecorded"; readonly flux: Flux }
  | { readonly kind: "notFound" };

/** An acquittement owed to one address, lent to a worker. */
export interface ClaimedDelivery {
  readonly deliveryId: string;
  readonly flux: Flux;
  readonly to: ReturnAddress;
  /** Attempts made before this one. */
  readonly attempts: number;
  /** False for the sender's own channel of the first arrival, true for a repeat's. */
  readonly isRepeat: boolean;
  readonly fence: number;
}

/** How one delivery ended. */
export type DeliveryEnd =
  /** The sender has it: the flux goes from accepted or refused to acknowledged, if not there yet. */
  | { readonly kind: "delivered"; readonly detail: EventDetail }
  | {
      readonly kind: "postponed";
      readonly dueAt: number;
      readonly reason: Reason;
      readonly detail: EventDetail;
    };

/** What to list. Without `order`, the oldest first. */
export interface FluxQuery {
  readonly states?: readonly FluxState[];
  readonly guichet?: string;
  /** Named by the file, else given by the SNE to a file that named none. */
  readonly numUnique?: string;
  readonly sha256?: string;
  /** Sent by a guichet under this very name. */
  readonly sentAs?: { readonly guichet: string; readonly fileName: string };
  /** Received at or after, before: ms since the epoch. */
  readonly receivedFrom?: number;
  readonly receivedBefore?: number;
  readonly order?: "oldestFirst" | "newestFirst";
  /** 1 to 500. */
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

export interface FluxPage {
  readonly fluxes: readonly Flux[];
  /** Undefined on the last page. */
  readonly next?: string;
}

/** Counts of everything kept since the store was made. */
export interface StoreCounts {
  /** Fluxes ever kept, counted apart from their states, so that the bilan can fail to balance. */
  readonly received: number;
  readonly byState: Readonly<Record<FluxState, number>>;
  /** The same files received again (they are no fluxes of their own). */
  readonly repeats: number;
  /** Acquittements owed and not yet delivered, all addresses. */
  readonly deliveriesOwed: number;
  /** Oldest flux still waiting in `kept`, ms since the epoch. */
  readonly oldestKeptAt?: number;
}

/** Which step may have work: what a watcher is told. */
export type Work = "forward" | "acknowledge";

/** What an operator has stopped: nothing of it is lent until it is resumed. */
export type PauseScope =
  | { readonly kind: "all" }
  | { readonly kind: "guichet"; readonly guichet: string }
  | { readonly kind: "lane"; readonly lane: string };

export interface Pause {
  readonly scope: PauseScope;
  readonly at: number;
  /** Who asked for it. */
  readonly by: string;
  /** Why, in words for operators. */
  readonly reason: string;
}

/** A role that one gateway holds at a time (retention, a mailbox to poll…). */
export interface RoleHolding {
  readonly held: boolean;
  readonly holder: string;
  /** When the holding ends unless it is renewed, ms since the epoch. */
  readonly until: number;
  /** Grows each time the role changes hands. */
  readonly term: number;
}

/** What is still to be told about, in number and in bytes of original files. */
export interface Load {
  readonly fluxes: number;
  readonly bytes: number;
}

export interface StoreLoad extends Load {
  readonly byGuichet: Readonly<Record<string, Load>>;
}

export interface Outbox {
  /** Keeps a batch, whole or not at all; one result per flux, in order. */
  keep(batch: readonly NewFlux[]): Promise<readonly KeepResult[]>;

  /**
   * Lends the oldest fluxes that are due and head of their lane: they are in transit when it resolves.
   * Fewer than asked for: no more are due now, or `watch` tells of what others left.
   */
  claim(request: ClaimRequest): Promise<readonly ClaimedFlux[]>;

  /** Lengthens leases still held; those not returned are lost. */
  renew(
    held: readonly { fluxId: string; fence: number }[],
    leaseUntil: number,
  ): Promise<readonly string[]>;

  move(move: Move): Promise<MoveResult>;

  /** Adds an event to the journal of a flux that does not move, once for each name. */
  recordOnce(record: JournalRecord): Promise<RecordResult>;

  /** Lends acquittements that are owed and due; fewer than asked for means what it means for claims. */
  claimDeliveries(request: ClaimRequest): Promise<readonly ClaimedDelivery[]>;

  /** Ends one delivery; false when the lease had passed to another (nothing was written). */
  endDelivery(
    delivery: { deliveryId: string; fence: number },
    at: number,
    end: DeliveryEnd,
  ): Promise<boolean>;

  /**
   * Takes back what was lent to the dead: fluxes whose lease ended go in doubt, deliveries are owed
   * again. Returns how many of each. A store that only one process may open takes back, when it
   * opens, everything its former life had lent.
   */
  takeBack(now: number): Promise<{ readonly inDoubt: number; readonly deliveries: number }>;

  find(fluxId: string): Promise<Flux | undefined>;
  /** The oldest flux that holds a lane: the others of that lane wait for it. */
  holderOf(lane: string): Promise<Flux | undefined>;
  list(query: FluxQuery): Promise<FluxPage>;
  journal(fluxId: string): Promise<readonly JournalEntry[]>;
  file(fluxId: string, role: FileRole): Promise<StoredFile | undefined>;
  counts(): Promise<StoreCounts>;
  /**
   * What is open (`domain/flux-state.ts`, bilan) or failed: everything a backlog is made of. A flux
   * of no guichet counts in the total alone; a guichet that has none is not named.
   */
  load(): Promise<StoreLoad>;

  /** Small durable values of the gateway itself (the breaker's state…), last writer wins. */
  note(key: string, value: string): Promise<void>;
  noted(key: string): Promise<string | undefined>;
  /**
   * Notes a value if the one noted is still `expected` (undefined: none yet): how a cursor advances
   * once, whoever else tries. False when it is not, and nothing was written.
   */
  noteIf(key: string, expected: string | undefined, value: string): Promise<boolean>;
  /** The next number of a sequence: 1, 2, 3… One may be lost in a crash, none is given twice. */
  next(sequence: string): Promise<number>;

  /**
   * Lends no flux of a scope to be forwarded from now on; what is in transit goes on, and
   * acquittements are still lent. Again: replaces the reason.
   */
  pause(pause: Pause): Promise<void>;
  /** False when the scope was not paused. */
  resume(scope: PauseScope): Promise<boolean>;
  pauses(): Promise<readonly Pause[]>;

  /**
   * Takes a role that is free (its holder's time is now or past), or renews one's own. A holder that
   * comes back to a role nobody took meanwhile keeps its term.
   */
  holdRole(
    role: string,
    hold: { readonly owner: string; readonly now: number; readonly leaseMs: number },
  ): Promise<RoleHolding>;
  /** Frees the role at once, if `owner` holds it. */
  leaveRole(role: string, owner: string): Promise<void>;

  /**
   * Erases the files of fluxes that reached an end (acknowledged, discarded) before `endedBefore`
   * and of which nothing is owed; each says so in its journal, which stays. How many; call again
   * while it is `max`.
   */
  eraseFiles(request: {
    readonly endedBefore: number;
    readonly now: number;
    readonly max: number;
  }): Promise<number>;

  /**
   * Calls when there may be work for a step; a hint, never a promise. Some stores tell it while the
   * work is being made durable: a claim that follows lends nothing that is not on disk.
   */
  watch(listener: (work: Work) => void): () => void;

  /** Proves the store can write; rejects with STORE_FULL or STORE_UNAVAILABLE. */
  probe(): Promise<void>;

  /** Finishes what was asked, then closes. May be called twice. */
  stop(): Promise<void>;
}
