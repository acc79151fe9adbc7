/** What was run, as a table; then what went wrong, and what could not be had. */
import Table from "cli-table3";
import type { CallVerdict } from "./run-toolkit.ts";

export interface ReportRow {
  readonly toolkit: string;
  readonly version: string;
  readonly wsdl: string;
  readonly face: string;
  readonly soap: string;
  readonly mtom: boolean;
  readonly verdicts: readonly CallVerdict[];
}

export interface Report {
  row(row: ReportRow): void;
  /** Something that could not be had. */
  absent(what: string, why: unknown): void;
  /** Something else that was to work. */
  check(what: string, complaint: string | undefined): void;
  /** Prints all of it. @returns the exit status */
  end(requireAll: boolean): number;
}

export function makeReport({ write }: { readonly write: (text: string) => void }): Report {
  const rows: ReportRow[] = [];
  const missing: string[] = [];
  const checks: { readonly what: string; readonly complaint: string | undefined }[] = [];

  return {
    row: (row) => {
      rows.push(row);
      const bad = row.verdicts.filter(({ complaint }) => complaint !== undefined).length;
      write(`${nameOf(row)}: ${row.verdicts.length - bad} of ${row.verdicts.length}\n`);
    },
    absent: (what, why) => {
      missing.push(`${what}: ${why instanceof Error ? why.message : String(why)}`);
    },
    check: (what, complaint) => {
      checks.push({ what, complaint });
      write(`${what}: ${complaint ?? "yes"}\n`);
    },
    end: (requireAll) => {
      const ours = rows.filter(({ wsdl }) => wsdl === "passerelle.wsdl");
      const sne = rows.filter(({ wsdl }) => wsdl !== "passerelle.wsdl");
      for (const some of [sne, ours]) {
        if (some.length > 0) write(`\n${tableOf(some)}\n`);
      }
      for (const { what, complaint } of checks) write(`${what}: ${complaint ?? "yes"}\n`);
      const failures = rows.flatMap((row) =>
        row.verdicts
          .filter(({ complaint }) => complaint !== undefined)
          .map(({ operation, expects, complaint }) => {
            const what = expects === "fault" ? `${operation} (a fault)` : operation;
            return `${nameOf(row)}, ${what}: ${complaint ?? ""}`;
          }),
      );
      for (const line of failures) write(`FAILED ${line}\n`);
      for (const [limit, count] of limitsOf(rows)) write(`LIMIT (${count} times) ${limit}\n`);
      for (const line of missing) write(`NOT RUN ${line}\n`);
      const calls = rows.reduce((sum, { verdicts }) => sum + verdicts.length, 0);
      const bad =
        failures.length + checks.filter(({ complaint }) => complaint !== undefined).length;
      write(`${calls + checks.length} checks, ${bad} failed, ${missing.length} not run\n`);
      return bad > 0 || calls === 0 || (requireAll && missing.length > 0) ? 1 : 0;
    },
  };
}

function nameOf({ toolkit, version, wsdl, face, soap, mtom }: ReportRow): string {
  return `${toolkit} ${version}, WSDL ${wsdl}, ${face}, SOAP ${soap}, MTOM ${mtom ? "on" : "off"}`;
}

function tableOf(rows: readonly ReportRow[]): string {
  const operations = [
    ...new Set(rows.flatMap(({ verdicts }) => verdicts.map(({ operation }) => operation))),
  ];
  const table = new Table({
    head: [
      "toolkit",
      "version",
      "WSDL",
      "against",
      "SOAP",
      "MTOM",
      ...operations.map((_, index) => String(index + 1)),
      "fault readable",
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const answers = row.verdicts.filter(({ expects }) => expects === "answer");
    const faults = row.verdicts.filter(({ expects }) => expects === "fault");
    table.push([
      ...[row.toolkit, row.version, row.wsdl, row.face, row.soap, row.mtom ? "on" : "off"],
      ...operations.map((name) => markOf(answers.filter(({ operation }) => operation === name))),
      faults.length === 0 ? "–" : markOf(faults),
    ]);
  }
  const legend = operations.map((name, index) => `${index + 1} ${name}`).join(", ");
  return `${table.toString()}\n${legend}\n`;
}

/** Each known limit, with how often it was met. */
function limitsOf(rows: readonly ReportRow[]): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const { toolkit, verdicts } of rows) {
    for (const { limit } of verdicts) {
      if (limit === undefined) continue;
      const line = `${toolkit}: ${limit}`;
      limits.set(line, (limits.get(line) ?? 0) + 1);
    }
  }
  return limits;
}

function markOf(verdicts: readonly CallVerdict[]): string {
  if (verdicts.length === 0) return "–";
  if (verdicts.some(({ complaint }) => complaint !== undefined)) return "NO";
  return verdicts.some(({ limit }) => limit !== undefined) ? "limit" : "yes";
}
