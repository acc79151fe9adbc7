/**
 * What an operator does to fluxes: settle a doubt, resubmit, release, give up. Each flux has its own
 * line of result: one that cannot be moved keeps none of the others from it.
 */
import { EXIT, UsageError, type CliContext } from "./cli-context.ts";
import { stateTone } from "./french-words.ts";
import type { Answer, GatewayClient, ResolveBody } from "./gateway-client.ts";
import type { FluxView } from "./read-views.ts";
import { exitCodeOf, failureLines, failureView } from "./tell-failure.ts";

export interface ResolveOptions {
  readonly as: string;
  readonly numero?: string;
  readonly note?: string;
}

/** Checks what each conclusion needs before anything is asked. */
export function resolutionOf({ as, numero, note }: ResolveOptions): ResolveBody {
  if (as === "accepted" && numero === undefined) {
    throw new UsageError(
      "--as accepted demande le numéro unique lu dans le SNE : --numero NUMÉRO.",
    );
  }
  if (as !== "accepted" && numero !== undefined) {
    throw new UsageError("--numero n'accompagne que --as accepted.");
  }
  if ((as === "refused" || as === "failed") && note === undefined) {
    throw new UsageError(
      `--as ${as} demande une explication : --note "…".`,
      as === "refused" ? "Le guichet la lira dans son acquittement." : undefined,
    );
  }
  return {
    as,
    ...(numero === undefined ? {} : { numeroUnique: numero }),
    ...(note === undefined ? {} : { note }),
  };
}

/**
 * Does one thing to each flux, in the order given.
 * JSON: `[{ "id", "ok": true, "flux": Flux } | { "id", "ok": false, "error": {…} }]`.
 */
export async function doToEach(
  { client, terminal, wantsJson }: CliContext,
  ids: readonly string[],
  act: (client: GatewayClient, id: string) => Promise<Answer<FluxView>>,
): Promise<number> {
  const results: unknown[] = [];
  let exitCode: number = EXIT.ok;
  for (const id of new Set(ids)) {
    const answer = await act(client, id);
    if (answer.kind === "ok") {
      results.push({ id, ok: true, flux: answer.value.raw });
      if (!wantsJson) {
        const { state, stateLabel } = answer.value;
        const label = terminal.paint(stateTone(state), stateLabel);
        terminal.line(`${terminal.paint("good", "✓")} ${id} : ${label}`);
      }
      continue;
    }
    exitCode = Math.max(exitCode, exitCodeOf(answer));
    results.push({ id, ok: false, error: failureView(answer) });
    if (!wantsJson) {
      const [first = "", ...rest] = failureLines(answer);
      terminal.errorLine(`${terminal.paint("bad", "✗")} ${id} : ${first}`);
      for (const line of rest) terminal.errorLine(`  ${line}`);
    }
  }
  if (wantsJson) terminal.json(results);
  return exitCode;
}
