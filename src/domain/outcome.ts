/**
 * What a call to the SNE came to. Five kinds, never confused: accepted and refused are verdicts and
 * end the flux; transient, critical and unknown are not, and say what the gateway does next.
 */

/** A control behind a refusal, as the SNE's `listeAnomalie/anomalie` or our own checks give it. */
export interface Control {
  /** `CTRL_DEM_nnnn`, or one of our own codes (`docs/errors.md`). */
  readonly code: string;
  readonly message: string;
  /** The field at fault: `@propriete` of the SNE, or a short path in the file. */
  readonly field?: string;
  /** The SNE's `complement` values, by name. */
  readonly complements?: Readonly<Record<string, string>>;
  /** Position in the file, from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Who pronounced a verdict. */
export type Judge = "sne" | "gateway" | "operator";

/** A verdict: the acquittement is owed from this moment on. */
export type Verdict =
  | {
      readonly kind: "accepted";
      readonly numeroUnique: string;
      readonly by: Judge;
      readonly at: number;
      /** A sentence of the operator who pronounced it. */
      readonly note?: string;
    }
  | {
      readonly kind: "refused";
      readonly controls: readonly Control[];
      /** Numéros uniques of the demandes the SNE finds alike. */
      readonly doublons: readonly string[];
      readonly by: Judge;
      readonly at: number;
    }
  | {
      /** An operator gave the flux up: the sender is told, so that nobody waits for ever. */
      readonly kind: "discarded";
      readonly reason: string;
      /** The flux was in doubt: the SNE may have taken its effect, and the sender must be told so. */
      readonly effectUnknown?: true;
      readonly by: "operator";
      readonly at: number;
    };

/** What one attempt to forward came to. */
export type Outcome =
  | { readonly kind: "accepted"; readonly numeroUnique: string }
  | {
      readonly kind: "refused";
      readonly controls: readonly Control[];
      readonly doublons: readonly string[];
    }
  /** Proven without effect on the SNE: tried again later, as often as it takes. */
  | {
      readonly kind: "transient";
      readonly code: string;
      readonly reason: string;
      /** The delay the other side asked for, ms. */
      readonly retryAfterMs?: number;
    }
  /** Would fail again as it is: an operator's turn. */
  | { readonly kind: "critical"; readonly code: string; readonly reason: string }
  /** The request may have had its effect and no answer was read (law 5): in doubt. */
  | { readonly kind: "unknown"; readonly code: string; readonly reason: string };
