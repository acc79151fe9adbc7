/** Says what the schema finds in a file in the words of an acquittement. */
import type { Control } from "../domain/outcome.ts";
import type { SchemaFinding } from "./schema-check.ts";

/** One control per finding: its rule as code, its field, its place, its French sentence. */
export function controlsOf(findings: readonly SchemaFinding[]): readonly Control[] {
  return findings.map(({ rule, field, line, column, message }) => ({
    code: rule,
    field,
    line,
    message,
    ...(column === undefined ? {} : { column }),
  }));
}
