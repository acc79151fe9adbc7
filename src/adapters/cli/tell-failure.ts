/** Tells why a gateway did not do what was asked, as text or JSON, and chooses the exit code. */
import { EXIT, type CliContext } from "./cli-context.ts";
import { controlLines } from "./flux-report.ts";
import type { Answer } from "./gateway-client.ts";

export type Failure = Exclude<Answer<unknown>, { kind: "ok" }>;

/** A failure as `--json` shows it: always `code`, `message` and `exitCode`; the rest when known. */
export type FailureView = Readonly<Record<string, unknown>> & {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
};

export function failureView(failure: Failure): FailureView {
  switch (failure.kind) {
    case "problem": {
      const { code, detail, advice, raw, status } = failure.problem;
      return { code, message: detail, advice, status, exitCode: exitCodeOf(failure), problem: raw };
    }
    case "unreachable":
      return {
        code: "GATEWAY_UNREACHABLE",
        message: `Aucune passerelle ne répond à ${failure.url} (${failure.detail}).`,
        advice: "Démarrez-la : npm start. Ou indiquez son adresse : --url ou PASSERELLE_URL.",
        exitCode: EXIT.unreachable,
      };
    case "notAGateway":
      return {
        code: "NOT_A_GATEWAY",
        message: `Ce qui répond à ${failure.url} n'est pas une passerelle (${failure.detail}).`,
        advice: "Indiquez l'adresse de la passerelle : --url ou PASSERELLE_URL.",
        exitCode: EXIT.unreachable,
      };
  }
}

/** The sentence of a failure, its advice, the controls and fields at fault. */
export function failureLines(failure: Failure): string[] {
  const { message } = failureView(failure);
  if (failure.kind !== "problem") return [message, `  ${adviceOf(failure)}`];
  const { problem } = failure;
  return [
    `${message} [${problem.code}]`,
    ...problem.fields.map(({ field, message: why }) => `  - ${field} : ${why}`),
    ...controlLines(problem.controls),
    ...(problem.fluxId === undefined ? [] : [`  Flux en cause : ${problem.fluxId}`]),
    `  ${adviceOf(failure)}`,
  ];
}

function adviceOf(failure: Failure): string {
  if (failure.kind === "problem" && failure.problem.code === "AUTHENTICATION_REQUIRED") {
    return "Donnez votre clé par la variable PASSERELLE_KEY (ou l'option --key).";
  }
  const { advice } = failureView(failure);
  return typeof advice === "string" ? advice : "";
}

export function exitCodeOf(failure: Failure): number {
  if (failure.kind !== "problem") return EXIT.unreachable;
  return failure.problem.code === "INVALID_REQUEST" ? EXIT.usage : EXIT.negative;
}

/** Ends a command that a failure stopped. */
export function tellFailure({ terminal, wantsJson }: CliContext, failure: Failure): number {
  if (wantsJson) terminal.errorJson({ error: failureView(failure) });
  else for (const line of failureLines(failure)) terminal.errorLine(line);
  return exitCodeOf(failure);
}
