/** What every operation served here is given, and what it may come to. */
import type { ErrorCode } from "../../domain/errors.ts";
import type { Guichet } from "../../domain/guichet.ts";
import type { Control } from "../../domain/outcome.ts";
import type { HttpCall } from "../../wire/http-message.ts";
import type { SoapParameters } from "./read-parameters.ts";
import type { SoapResult } from "./soap-message.ts";

export interface ServiceRequest {
  readonly parameters: SoapParameters;
  readonly guichet: Guichet;
  readonly http: HttpCall;
}

/** A failure about to be told, in the one element `wsdl/passerelle.wsdl` declares for all of them. */
export interface ServiceError {
  readonly code: ErrorCode;
  /** French; the code's own sentence when absent. */
  readonly message?: string;
  /** French; the code's own advice when absent. */
  readonly advice?: string;
  readonly fluxId?: string;
  /** Names the line of the log that holds the cause. */
  readonly reference?: string;
  readonly controls?: readonly Control[];
  /** Who is at fault, where the code's own status would not say so. */
  readonly who?: "sender" | "receiver";
}

export type Served =
  | {
      readonly kind: "answer";
      readonly results: readonly SoapResult[];
      /** See HttpReply. */
      readonly sent?: () => Promise<void>;
    }
  | { readonly kind: "error"; readonly error: ServiceError };

/** Serves one operation; rejects with a GatewayError for what the gateway cannot do now. */
export type ServeOperation = (request: ServiceRequest) => Promise<Served>;

/** A parameter that is not acceptable, told as a control so that a program can show where. */
export function parameterError(field: string, message: string): Served {
  return {
    kind: "error",
    error: {
      code: "SOAP_PARAMETER_INVALID",
      message: `Le paramètre ${field} n'est pas acceptable : ${message}`,
      controls: [{ code: "SOAP_PARAMETER_INVALID", message, field }],
    },
  };
}
