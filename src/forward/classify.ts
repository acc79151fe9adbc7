/**
 * Says what an answer of the SNE comes to for the flux, and whether it speaks of the link. Pure: the
 * whole policy of the forwarder stands here, in one table.
 *
 * Promise: nothing is called accepted without a number; a failure of the link is never held against
 * the flux; what was sent and not answered is unknown, never failed (law 5).
 */
import { errorText } from "../domain/errors.ts";
import type { ErrorCode } from "../domain/errors.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { SneOperation } from "../domain/sne-operation.ts";
import { sneOperation } from "../wire/sne-contract.ts";
import type { ReadAnswer, RegistryAnswer } from "./registry.ts";

/**
 * What a server error of the SNE means (`GATEWAY_SNE_SERVER_ERROR`). No public text says whether one
 * may have had its effect: that it had none, hence the default `critical`, is inferred.
 */
export type ServerErrorPolicy = "critical" | "transient" | "unknown";

type Answered = Extract<RegistryAnswer, { kind: "answered" }>;
type NotProcessed = Extract<RegistryAnswer, { kind: "notProcessed" }>;

/** @param flux - the number its file already carries, and the policy in force */
export function classify(
  answer: RegistryAnswer,
  flux: { readonly numUnique?: string; readonly serverError: ServerErrorPolicy },
): Outcome {
  switch (answer.kind) {
    case "answered":
      return verdictOf(answer, flux.numUnique);
    case "notProcessed":
      return postponement(answer);
    case "fault":
      return answer.who === "sender"
        ? { kind: "critical", ...because("SNE_REQUEST_REJECTED", answer.text) }
        : { kind: flux.serverError, ...because("SNE_SERVER_ERROR", answer.text) };
    case "notRead":
      return {
        kind: "unknown",
        ...because(
          answer.why === "noAnswer" ? "SNE_NO_ANSWER" : "SNE_UNREADABLE_ANSWER",
          answer.detail,
        ),
      };
  }
}

function verdictOf({ reading }: Answered, numUnique: string | undefined): Outcome {
  const { controls, doublons } = reading;
  if (controls.length > 0) return { kind: "refused", controls, doublons };
  // A creation that looks like a known demande comes back without a number, with its doublons.
  const numeroUnique = reading.numUnique ?? (doublons.length > 0 ? undefined : numUnique);
  if (numeroUnique !== undefined) return { kind: "accepted", numeroUnique };
  if (doublons.length > 0) return { kind: "refused", controls, doublons };
  // A file we sent without a number came back without one: nothing says that it was taken.
  return {
    kind: "unknown",
    ...because("SNE_UNREADABLE_ANSWER", "ni numéro unique ni anomalie"),
  };
}

/** Nothing was processed: the link's fault, except when the file itself is too large. */
function postponement({ why, detail, status, retryAfterMs }: NotProcessed): Outcome {
  if (why === "tooLarge") return { kind: "critical", ...because("SNE_REQUEST_REJECTED", detail) };
  const codes = {
    unreachable: "SNE_UNREACHABLE",
    busy: "SNE_BUSY",
    accessRefused: "SNE_ACCESS_REFUSED",
    wrongAddress: "SNE_WRONG_ADDRESS",
  } as const;
  return {
    kind: "transient",
    ...because(codes[why], detail, status),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function because(code: ErrorCode, detail: string, status?: number) {
  // The sentence of the table brings its own full stop.
  const details = { detail: detail.replace(/\.+$/, ""), status: status ?? "?" };
  return { code, reason: errorText(code, details) };
}

/**
 * Whether the link to the SNE works, as an answer shows it: what the breaker counts. Undefined when
 * it says nothing: a call that we ended, or one of the two services beside the demandes. Their
 * addresses are often inferred, and a wrong one must not hold back every flux.
 */
export function linkWorks(
  operation: SneOperation,
  answer: RegistryAnswer | ReadAnswer,
): boolean | undefined {
  if (sneOperation(operation).service !== "demandeLogement") return undefined;
  switch (answer.kind) {
    case "answered":
    case "read":
    case "fault":
      return true;
    case "notProcessed":
      // The link carried it all the same.
      return answer.endedByUs === true ? undefined : answer.why === "tooLarge";
    case "notRead":
      // What came and cannot be read was carried.
      return answer.endedByUs === true ? undefined : answer.why !== "noAnswer";
  }
}
