/** Writes what a run measured: the table on the terminal, and `bench/README.md` after a full run. */
import { availableParallelism } from "node:os";
import type { Measured, Row, Spent } from "./measures.ts";

export interface Run {
  readonly command: string;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly machine: readonly (readonly [string, string])[];
  readonly loadBefore: string;
  readonly loadAfter: string;
  readonly measured: readonly Measured[];
}

const HEAD = ["Measure", "Gateway", "Beside it, in the same run", "Ratio", "Aim", ""];

export function writeTable(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ rows }) => rows.map(cellsOf));
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, 3, ...rows.map((cells) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(HEAD), rule, ...rows.map(line)].join("\n");
}

function cellsOf({ what, gateway, reference, ratio, aim, met }: Row): string[] {
  return [what, gateway, reference, ratio, aim, met === undefined ? "" : met ? "met" : "NOT MET"];
}

/** Share of one processor that programs other than the bench took meanwhile. */
function takenByOthers({ busy, uses }: Spent): number {
  const ours = uses.reduce((sum, { share }) => sum + share, 0);
  return Math.max(0, busy * availableParallelism() - ours);
}

/** Figures of a machine that did something else meanwhile must not pass for its own. */
function warnOfOthers(run: Run, spent: readonly Spent[]): string {
  const most = Math.max(0, ...spent.map(takenByOthers));
  const isBusy = Number.parseFloat(run.loadBefore) >= 1 || most >= 0.25;
  if (!isBusy) return "";
  return `
**To be run again on a quiet machine.** Others used it during this run: load average ${run.loadBefore} at the start, up to ${(most * 100).toFixed(0)} % of one processor taken by programs other than the bench. The figures are lower bounds, and the ratios are noisy.
`;
}

export function writeSpent(spent: Spent): string {
  const { title, busy, uses } = spent;
  const lines = uses.map(
    ({ who, msPerFlux, share }) =>
      `| ${who} | ${msPerFlux.toFixed(2)} | ${(share * 100).toFixed(0)} % |`,
  );
  return [
    `${title}: all processors of the machine ${(busy * 100).toFixed(0)} % busy.`,
    "",
    "| Who | processor ms per flux | share of one processor |",
    "| --- | --- | --- |",
    ...lines,
    `| programs other than the bench | | ${(takenByOthers(spent) * 100).toFixed(0)} % |`,
  ].join("\n");
}

/** The whole document. */
export function writeReport(run: Run): string {
  const { measured } = run;
  const spent = measured.flatMap((one) => one.spent);
  const facts = [
    ...run.machine,
    ["Load average before, after", `${run.loadBefore}; ${run.loadAfter}`] as const,
  ];
  return `# Bench

Written by \`${run.command}\` on ${run.startedAt.toISOString().slice(0, 16).replace("T", " ")} UTC (${Math.round(run.seconds)} s). Do not edit: run it again.
\`npm run bench -- --quick\` shows in a minute that everything runs (its figures mean little), \`--only disk,intake,chain,backlog,claims,dropin,mongo,profile\` picks parts; only a whole run writes this file.
${warnOfOthers(run, spent)}
## Figures

${writeTable(measured)}

${measured.flatMap(({ title, remarks }) => (title.includes("profiled") ? [] : remarks.map((remark) => `- ${title}: ${remark}`))).join("\n")}

## How they were measured

- The gateway is the real program (\`src/main.ts serve\`) in a process of its own, with its embedded store on a local disk. Settings are the defaults, but for \`GATEWAY_LOG_LEVEL=warn\` and free ports: 8 calls to the SNE and 8 deliveries at once, every file checked against its schema beside the call.
- One more process makes the mails and is the sink of acquittements: 50 SMTP connections kept open, RSET, MAIL, RCPT and DATA each waiting for its reply, one mail in flight on each. Every mail is a real MIME message with one different 10 KB demande in base64.
- References use the same packages, generator, target and sink, in the same run, in turns with the gateway. The intake reference keeps whole mails in one SQLite table with grouped commits (\`synchronous=FULL\`); the chain reference keeps nothing: a crash loses what it holds.
- End to end counts acquittements at the sink, never more than 400 fluxes being under way, so that what is counted is sustained and no backlog grows. The target answers at once with a 10 KB file (\`bare-target.ts\`); the real SNE will be slower than anything here.
- Medians of the rounds. Everything shares the processors of one machine: a generator elsewhere would leave more to the gateway.

| Machine | |
| --- | --- |
${facts.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}

## What bounds them

${spent.map(boundBy).join("\n")}

${spent.map(writeSpent).join("\n\n")}

${measured
  .filter(({ title }) => title.includes("profiled"))
  .map(({ title, remarks }) =>
    [`${title}, by file or package:`, "", ...remarks.map((remark) => `- ${remark}`)].join("\n"),
  )
  .join("\n")}
`;
}

/** Says from the figures which of the possible limits was reached. */
function boundBy({ title, busy, uses }: Spent): string {
  const [first] = uses;
  if (first === undefined) return `- ${title}: processor time could not be read here.`;
  const total = uses.reduce((sum, { msPerFlux }) => sum + msPerFlux, 0);
  const gateway = uses
    .filter(({ who }) => who.startsWith("gateway"))
    .reduce((sum, { msPerFlux }) => sum + msPerFlux, 0);
  const cost = `one flux costs ${gateway.toFixed(2)} ms of processor to the gateway, ${total.toFixed(2)} ms with its peers`;
  const share = `${(first.share * 100).toFixed(0)} %`;
  if (first.share >= 0.9)
    return `- ${title}: the ${first.who} (${share} of one processor); ${cost}.`;
  if (busy >= 0.9) return `- ${title}: the processors of this machine, all busy; ${cost}.`;
  return `- ${title}: waiting (disk, round trips), no processor being full: the busiest, ${first.who}, has ${share}; ${cost}.`;
}
