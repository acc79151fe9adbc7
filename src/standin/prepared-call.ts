/**
 * A call whose file was read, ready to be judged and to take its effect: what the operations of
 * every service give to the one HTTP face.
 */
import { createHash } from "node:crypto";
import type { LedgerSubject } from "./effect-ledger.ts";
import type { AnswerField } from "./soap-answer.ts";
import type { FaultCode, SoapCall } from "./soap-request.ts";
import type { Anomaly } from "./standin-rules.ts";
import type { CallFacts, Settings } from "./steering.ts";

/** Confirmed (libsne): what the SNE says of a file it cannot read, and of more. */
export const SERVER_ERROR = "Une erreur inattendue est survenue lors du traitement de la demande.";

export type Performed =
  | {
      readonly kind: "answer";
      readonly outcome: "taken" | "refused" | "read";
      readonly fields: readonly AnswerField[];
      /** The number the demande now goes by. */
      readonly numUnique?: string;
    }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly text: string };

export interface Performing {
  /** Anomalies ordered for this call. */
  readonly added: readonly Anomaly[];
  readonly settings: Settings;
  /** Its number in the ledger. */
  readonly call: number;
  /** ms since the epoch */
  readonly at: number;
}

export interface PreparedCall {
  /** What the orders may look at. */
  readonly facts: CallFacts;
  /** The file it carries, as the ledger counts it. */
  readonly file?: { readonly sha256: string; readonly subject: LedgerSubject };
  /** It may change something: calls that only read have no order to keep. */
  readonly writes: boolean;
  /** Judges, takes the effect, makes the answer. */
  perform(of: Performing): Performed;
}

export type Preparing =
  | { readonly kind: "prepared"; readonly prepared: PreparedCall }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly text: string };

/** The operations of one service, or some of them. */
export type PrepareCall = (call: SoapCall) => Preparing;

/** How an unreadable file is answered, whatever it should have held. */
export function unreadableFile(reason: string): Preparing {
  const text = `${SERVER_ERROR} (simulateur : fichier illisible, ${reason})`;
  return { kind: "fault", code: "Receiver", text };
}

export function faulty(code: FaultCode, text: string): Performed {
  return { kind: "fault", code, text };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
