/**
 * A flux: one message of a guichet to the SNE, and all that the gateway knows of it without opening
 * its payload. What is here was read once, at arrival, or learnt since; it never holds the content
 * of a demande (personal data stays in the payload).
 */
import type { FluxState } from "./flux-state.ts";
import type { Control, Verdict } from "./outcome.ts";
import type { SneCall } from "./sne-operation.ts";

/** Channels by which a flux arrives. */
export const CHANNELS = ["mail", "file", "rest", "soap"] as const;
export type Channel = (typeof CHANNELS)[number];

/**
 * typeFichier of the interfaceNuu file: CRE, MOD, REN, RAD… A plain string, since the list grows
 * with the years (`schemas/codes.json`); its shape is checked, its value is the SNE's to judge.
 */
export type FluxKind = string;

/** What the file says of itself and its name; read once, at arrival. */
export interface Envelope {
  readonly kind: FluxKind;
  /** numGuichet of the demande. */
  readonly numGuichet: string;
  readonly numUnique?: string;
  /** The sender's own reference: with the guichet, the key of a demande that has no number yet. */
  readonly refInterne?: string;
  readonly versionInterface?: string;
  readonly dateFichier?: string;
  /** The sequence carried by a conventional file name (`DEM<guichet>-YYYYMMDDHHMM-NNNNNN.xml`). */
  readonly sequence?: number;
  /** How it is to be sent, when a client of the SNE's own services said so; else getNumUnique. */
  readonly call?: SneCall;
}

/** Why a flux is where it is: a stable code (`errors.ts` or the SNE's own) and a French sentence. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

/** Where an acquittement must go; written at arrival, never deduced later. */
export type ReturnAddress =
  | {
      readonly channel: "mail";
      readonly to: string;
      /** The subject of the mail that brought the flux, cleaned, at most 200 characters. */
      readonly subject: string;
      /** Its Message-ID, for In-Reply-To. */
      readonly messageId?: string;
    }
  | { readonly channel: "file"; readonly guichet: string; readonly fileName: string }
  /** Fetched by its sender, by either interface. */
  | { readonly channel: "rest" }
  | { readonly channel: "soap" };

/** True when the sender fetches its acquittement itself: nothing is delivered. */
export function isFetched(channel: ReturnAddress["channel"] | undefined): boolean {
  return channel === "rest" || channel === "soap";
}

/** What is known of where a flux came from, kept for the trace. No personal data. */
export interface Origin {
  /** The sender as the channel saw it: an address, a folder, a client. */
  readonly from: string;
  readonly messageId?: string;
  readonly remoteAddress?: string;
}

/** A flux as it is stored, without its payload. Times are milliseconds since the epoch. */
export interface Flux {
  readonly id: string;
  readonly state: FluxState;
  readonly channel: Channel;
  /** The guichet that sent it; undefined while its sender is unknown (quarantine). */
  readonly guichet?: string;
  /** Undefined when the file could not be read. */
  readonly envelope?: Envelope;
  readonly fileName: string;
  /** Fluxes of one lane reach the SNE one at a time, in order. Undefined: it waits for nobody. */
  readonly lane?: string;
  readonly sha256: string;
  /** Size of the original file, bytes. */
  readonly size: number;
  readonly origin: Origin;
  /** How its acquittement goes back, decided at arrival; undefined while its sender is unknown. */
  readonly returnsBy?: ReturnAddress["channel"];
  readonly receivedAt: number;
  /** When it came to its present state. */
  readonly since: number;
  /** Calls made to the SNE for it. */
  readonly attempts: number;
  /** When it may be forwarded next (state kept). */
  readonly dueAt?: number;
  readonly reason?: Reason;
  readonly verdict?: Verdict;
  /** What the 2017 schema says of a file that was forwarded all the same. */
  readonly remarks?: readonly Control[];
  /** The same file received again, by whatever channel: how many times. */
  readonly repeats: number;
  /** When its files were erased (retention); its journal stays. */
  readonly erasedAt?: number;
}

/**
 * The lane of an envelope: the numéro unique, and before there is one `numGuichet` + `refInterne`
 * (architecture.md, "Lanes"). Undefined when the file gives neither: it then waits for nobody.
 */
export function laneOf(envelope: Envelope): string | undefined {
  if (envelope.numUnique !== undefined) return `numUnique:${envelope.numUnique}`;
  if (envelope.refInterne !== undefined) {
    return `refInterne:${envelope.numGuichet}|${envelope.refInterne}`;
  }
  return undefined;
}
