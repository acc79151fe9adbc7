/**
 * The SNE as we call it: one operation per need, and an answer that says exactly how far the call
 * went. An implementation never retries, never follows a redirect, and never calls a success what it
 * could not read (stack.md, section 3).
 */
import type { StoredFile } from "../keep/outbox.ts";
import type { Control } from "../domain/outcome.ts";

/** What is sent by `getNumUnique`, whatever the typeFichier. */
export interface NumUniqueCall {
  readonly file: StoredFile;
  /** typeFichier of the file: a creation must come back with a number. */
  readonly kind: string;
  /** The number the file already carries. */
  readonly numUnique?: string;
  /** Ends the call; what was sent is then of unknown effect. */
  readonly signal: AbortSignal;
}

/** What an answer file of the SNE says, read leniently: later editions may differ. */
export interface AnswerReading {
  readonly numUnique?: string;
  readonly controls: readonly Control[];
  /** Numéros uniques of `listeDoublons`. */
  readonly doublons: readonly string[];
}

export type RegistryAnswer =
  /** A whole, well-formed answer of the operation asked. */
  | {
      readonly kind: "answered";
      readonly reading: AnswerReading;
      readonly answer: StoredFile;
      readonly attestation?: StoredFile;
    }
  /** A SOAP fault, of either version, or the SNE's known error sentence. */
  | {
      readonly kind: "fault";
      /** Sender: the request is at fault; receiver: the server is. */
      readonly who: "sender" | "receiver";
      readonly text: string;
    }
  /** Proven not processed: nothing was sent, or a status says so. */
  | {
      readonly kind: "notProcessed";
      readonly why: "unreachable" | "busy" | "accessRefused" | "wrongAddress" | "tooLarge";
      readonly detail: string;
      readonly status?: number;
      readonly retryAfterMs?: number;
    }
  /** Sent, and no answer came, or one that cannot be read: the effect is unknown. */
  | {
      readonly kind: "notRead";
      readonly why: "noAnswer" | "unreadable";
      readonly detail: string;
    };

export interface Registry {
  /** Never rejects for what the network or the SNE may do; rejects only on our own mistakes. */
  getNumUnique(call: NumUniqueCall): Promise<RegistryAnswer>;
  /** True when something answers at the SNE's address; effects nothing (capability F9, doctor). */
  reachable(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly detail: string }>;
  stop(): Promise<void>;
}
