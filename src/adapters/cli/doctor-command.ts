/** `doctor`: shows each check as it is made. The checks themselves are injected (`src/doctor.ts`). */
import type { DoctorCheck } from "../../operate/doctor-check.ts";
import { EXIT, type CliContext } from "./cli-context.ts";
import type { Tone } from "./terminal.ts";
import { wrap } from "./text-table.ts";

const MARKS: Readonly<Record<DoctorCheck["level"], { mark: string; tone: Tone }>> = {
  ok: { mark: "✓", tone: "good" },
  warning: { mark: "!", tone: "warning" },
  failed: { mark: "✗", tone: "bad" },
};

/** JSON: `{ "healthy": boolean, "checks": [{ "id", "level", "text", "advice"? }] }`. */
export async function runDoctor(
  { terminal, wantsJson }: Pick<CliContext, "terminal" | "wantsJson">,
  checks: AsyncIterable<DoctorCheck>,
): Promise<number> {
  const made: DoctorCheck[] = [];
  for await (const check of checks) {
    made.push(check);
    if (!wantsJson) tell(check);
  }
  const failed = made.filter((check) => check.level === "failed").length;
  const warnings = made.filter((check) => check.level === "warning").length;
  if (wantsJson) terminal.json({ healthy: failed === 0, checks: made });
  else {
    terminal.line();
    terminal.line(
      failed === 0
        ? terminal.paint("good", `La passerelle est en état de marche${warningsNote(warnings)}.`)
        : terminal.paint("bad", `${count(failed, "point")} à corriger${warningsNote(warnings)}.`),
    );
  }
  return failed === 0 ? EXIT.ok : EXIT.negative;

  function tell({ level, text, advice }: DoctorCheck): void {
    const { mark, tone } = MARKS[level];
    const [first = "", ...rest] = wrap(text, terminal.width - 4);
    terminal.line(`${terminal.paint(tone, mark)} ${first}`);
    for (const line of rest) terminal.line(`  ${line}`);
    if (advice === undefined || level === "ok") return;
    for (const line of wrap(`→ ${advice}`, terminal.width - 6)) {
      terminal.line(terminal.paint("faint", `    ${line}`));
    }
  }
}

function warningsNote(warnings: number): string {
  return warnings === 0 ? "" : ` (${count(warnings, "avertissement")})`;
}

function count(many: number, noun: string): string {
  return `${many} ${noun}${many > 1 ? "s" : ""}`;
}
