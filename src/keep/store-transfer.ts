/**
 * What a store gives and takes when all it holds goes to another one: fluxes whole, in the order they
 * were kept, then its small values. Promises of every store (`test/contracts/store-copy.test.ts`):
 *  - once `setSeal` resolves, no gateway writes to the store any more, not even one that had it open;
 *  - a batch is imported whole or not at all, and importing a flux again changes nothing;
 *  - pages and batches are bounded in number and in bytes: memory does not grow with the store;
 *  - what is read back after an import is what was given, in the order it was given.
 */
import type { JournalEntry } from "../domain/events.ts";
import type { Flux, ReturnAddress } from "../domain/flux.ts";
import type { FileRole, Pause, StoreCounts, StoredFile } from "./outbox.ts";
import type { StoreSeal } from "./store-seal.ts";

/** An acquittement not yet delivered; a delivered one has only its journal entry. */
export interface DeliveryRecord {
  readonly to: ReturnAddress;
  readonly isRepeat: boolean;
  /** Asleep until there is a verdict. */
  readonly state: "asleep" | "owed";
  /** 0 while asleep; ms since the epoch, by the clock of the store it comes from. */
  readonly dueAt: number;
  readonly attempts: number;
  readonly fence: number;
}

/** A flux with all that a store knows of it. Nothing of it is lent: that was taken back before. */
export interface FluxRecord {
  readonly flux: Flux;
  /** Whatever its state; ms since the epoch, by the clock of the store it comes from. */
  readonly dueAt: number;
  /** Absent once given up. */
  readonly identity?: string;
  readonly numUnique?: string;
  readonly owedAt?: number;
  readonly fence: number;
  readonly journal: readonly JournalEntry[];
  /** Every telling of its arrival. */
  readonly arrivals: readonly { readonly key: string; readonly sha256: string }[];
  /** In the order they were added. */
  readonly deliveries: readonly DeliveryRecord[];
  readonly files: readonly (StoredFile & { readonly role: FileRole })[];
}

/** What a store holds beside fluxes. Roles stay: nobody holds one of a store that is closed. */
export interface StoreValues {
  readonly notes: ReadonlyMap<string, string>;
  /** The last number given. */
  readonly sequences: ReadonlyMap<string, number>;
  readonly pauses: readonly Pause[];
}

export interface RecordPage {
  readonly records: readonly FluxRecord[];
  /** Undefined on the last page. */
  readonly next?: string;
}

export interface StoreTransfer {
  /** The store, as people may see it: no password. */
  readonly place: string;
  /** The name of the store itself, which is `fresh` from now on when it has none yet. */
  storeId(fresh: string): Promise<string>;
  seal(): Promise<StoreSeal | undefined>;
  /**
   * Seals the store if it still has the seal `expected`, and shuts out whoever has it open. The same
   * seal again shuts out again. False when another seal is there, and nothing was written.
   */
  setSeal(expected: StoreSeal | undefined, seal: StoreSeal): Promise<boolean>;
  /** Takes the seal off: from now on a gateway may open the store. */
  unseal(): Promise<void>;
  /** On a copy: takes the seal off and remembers which copy made it. */
  putInService(copyId: string): Promise<void>;
  /** The copy that made this store, if one did. */
  copiedBy(): Promise<string | undefined>;

  /** How many leases a gateway still holds. */
  leases(): Promise<number>;
  /** Takes back all that was lent, whatever its lease: fluxes go in doubt, deliveries are owed. */
  takeBack(now: number): Promise<void>;

  counts(): Promise<StoreCounts>;
  /** Fluxes that are there, counted one by one. */
  size(): Promise<number>;
  /** The flux kept last, and its place in the order. */
  last(): Promise<{ readonly fluxId: string } | undefined>;
  /** The place of a flux in the order of keeping, for `page`. */
  placeOf(fluxId: string): Promise<string | undefined>;
  /** Fluxes after a place, from the first when it is undefined. */
  page(after: string | undefined): Promise<RecordPage>;
  values(): Promise<StoreValues>;

  /** Adds fluxes behind those that are there; those already there are left as they are. */
  import(records: readonly FluxRecord[]): Promise<void>;
  /** Puts the small values in place of what was there, and the two counts that fluxes do not give. */
  importValues(
    values: StoreValues,
    counts: Pick<StoreCounts, "received" | "repeats">,
  ): Promise<void>;
  /** Erases all that the store holds, its seal last. The store is closed after it. */
  wipe(): Promise<void>;
  close(): Promise<void>;
}
