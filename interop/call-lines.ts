/**
 * What a caller program is told, and what it answers: lines of text that four languages read and
 * write without a library.
 *
 * A job is a file of `key=value` lines; each `call=` is the operation, then its parameters, parted by
 * tabs (`name=value`, `name=@/path` for a file). Each line of the answer is, parted by tabs, the
 * operation, `answered` | `fault` | `error`, and fields of the same form.
 */
import { readFileSync } from "node:fs";

export interface PlannedCall {
  readonly operation: string;
  /** In the order of the contract; `@` starts the path of a file. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface CallReport {
  readonly operation: string;
  /** `error`: the toolkit itself could not go on, a failure whatever was expected. */
  readonly kind: "answered" | "fault" | "error";
  readonly fields: ReadonlyMap<string, string>;
}

export function writeJob(
  settings: Readonly<Record<string, string>>,
  calls: readonly PlannedCall[],
): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  for (const { operation, parameters } of calls) {
    const fields = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    lines.push(`call=${[operation, ...fields].join("\t")}`);
  }
  return lines.join("\n") + "\n";
}

/** Lines of another form are left out: some toolkits talk. */
export function readReports(out: string): readonly CallReport[] {
  return out.split("\n").flatMap((line) => {
    const [operation, kind, ...fields] = line.split("\t");
    if (operation === undefined || (kind !== "answered" && kind !== "fault" && kind !== "error")) {
      return [];
    }
    return [{ operation, kind, fields: new Map(fields.map(fieldOf)) }];
  });
}

function fieldOf(field: string): readonly [string, string] {
  const at = field.indexOf("=");
  return at < 0 ? [field, ""] : [field.slice(0, at), field.slice(at + 1)];
}

/** The file of an answer, as the toolkit handed it over; undefined when the answer has none. */
export function fileOf(report: CallReport, name: string): Buffer | undefined {
  const value = report.fields.get(name);
  return value?.startsWith("@") === true ? readFileSync(value.slice(1)) : undefined;
}
