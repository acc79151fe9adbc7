/** `bilan`: received = acknowledged + open + failed + discarded, or exit code 1. */
import { reportBilan } from "./bilan-report.ts";
import { EXIT, type CliContext } from "./cli-context.ts";
import { tellFailure } from "./tell-failure.ts";

/** JSON: the bilan as the REST interface gives it. */
export async function showBilan(context: CliContext): Promise<number> {
  const { client, terminal, clock, wantsJson } = context;
  const answer = await client.bilan();
  if (answer.kind !== "ok") return tellFailure(context, answer);
  if (wantsJson) terminal.json(answer.value.raw);
  else for (const line of reportBilan(answer.value, terminal, clock.now())) terminal.line(line);
  return answer.value.balanced ? EXIT.ok : EXIT.negative;
}
