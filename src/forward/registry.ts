/**
 * The SNE as we call it: one operation per need, and an answer that says exactly how far the call
 * went. An implementation never retries, never follows a redirect, and never calls a success what it
 * could not read (stack.md, section 3).
 */
import type { StoredFile } from "../keep/outbox.ts";
import type { Control } from "../domain/outcome.ts";
import type { ReadOperation, SneCall } from "../domain/sne-operation.ts";
import type { SneService } from "../wire/sne-contract.ts";

/** A flux as it is sent: one operation that writes, with its file. */
export interface WriteCall {
  /** Absent: `DEFAULT_OPERATION`, with the gateway's own certificate. */
  readonly call?: SneCall;
  readonly file: StoredFile;
  /** typeFichier of the file: a creation must come back with a number. */
  readonly kind: string;
  /** The number the file already carries. */
  readonly numUnique?: string;
  /** Ends the call; what was sent is then of unknown effect. */
  readonly signal: AbortSignal;
}

/** One parameter or result of an operation (`wire/sne-contract.ts`). */
export type SneValue =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly code: string }
  | { readonly name: string; readonly file: Uint8Array; readonly contentType?: string };

/** A question to the SNE: it has no effect, and is asked once at most here. */
export interface ReadCall {
  readonly operation: ReadOperation;
  /**
   * As they were given, absent ones left out. Without nomCertificat or certificat the gateway's own
   * are sent, where the operation takes them.
   */
  readonly parameters: readonly SneValue[];
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
      readonly endedByUs?: true;
    }
  /** Sent, and no answer came, or one that cannot be read: the effect is unknown. */
  | {
      readonly kind: "notRead";
      readonly why: "noAnswer" | "unreadable";
      readonly detail: string;
      /**
       * The call was given up here (its signal), or waited for a connection that other calls held:
       * nothing of it speaks of the link to the SNE.
       */
      readonly endedByUs?: true;
    };

/** What a question came to: the results as they came, or how far it went. */
export type ReadAnswer =
  | { readonly kind: "read"; readonly results: readonly SneValue[] }
  | Exclude<RegistryAnswer, { kind: "answered" }>;

export interface Registry {
  /** Never rejects for what the network or the SNE may do; rejects only on our own mistakes. */
  write(call: WriteCall): Promise<RegistryAnswer>;
  /** The same of a question. What comes back is in the order of the contract (`SneValue` a result). */
  read(call: ReadCall): Promise<ReadAnswer>;
  /** True when something answers at a service's address; effects nothing (capability F9, doctor). */
  reachable(
    service: SneService,
    signal: AbortSignal,
  ): Promise<{ readonly ok: boolean; readonly detail: string }>;
  stop(): Promise<void>;
}
