/**
 * `npm run bench`: measures the gateway beside bare references, in one run, and writes the table.
 *
 *   --quick        a minute, to see that everything runs; its figures mean little
 *   --only A,B     parts: disk, intake, chain, backlog, claims, dropin, mongo, profile
 *
 * A whole run writes `bench/README.md`. Exit 0 when it could measure, whatever the figures.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { BenchWorld } from "./bench-world.ts";
import { FULL, makeBenchWorld, QUICK } from "./bench-world.ts";
import { machineFacts, readLoad } from "./machine.ts";
import { measureBacklog } from "./measure-backlog.ts";
import { measureChain } from "./measure-chain.ts";
import { measureClaims } from "./measure-claims.ts";
import { measureDisk } from "./measure-disk.ts";
import { measureDropIn } from "./measure-drop-in.ts";
import { measureIntake } from "./measure-intake.ts";
import { measureMongo } from "./measure-mongo.ts";
import { measureProfile } from "./measure-profile.ts";
import type { Measured } from "./measures.ts";
import { startLoad } from "./programs.ts";
import { writeReport, writeSpent, writeTable } from "./report.ts";

const PARTS: Readonly<Record<string, (world: BenchWorld) => Promise<Measured>>> = {
  disk: measureDisk,
  intake: measureIntake,
  chain: measureChain,
  backlog: measureBacklog,
  claims: measureClaims,
  dropin: measureDropIn,
  mongo: measureMongo,
  profile: measureProfile,
};

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
const wanted = values.only?.split(",") ?? Object.keys(PARTS);
const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  process.stderr.write(
    `--only ${unknown.join(",")}: not one of ${Object.keys(PARTS).join(", ")}\n`,
  );
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const startedAt = new Date();
const loadBefore = readLoad();
const out = join(import.meta.dirname, "out");
const folder = join(out, `run-${process.pid}`);
mkdirSync(folder, { recursive: true });
// Stores of 10 KB times 100,000 must not outlive the run, however it ends.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const load = await startLoad();
const world = makeBenchWorld({
  scale: values.quick ? QUICK : FULL,
  folder,
  load,
  say: (line) => void process.stderr.write(`  ${line}\n`),
});
process.stderr.write(`Measuring (load average ${loadBefore})…\n`);
const measured: Measured[] = [];
for (const name of wanted) {
  const part = PARTS[name];
  if (part !== undefined) measured.push(await part(world));
}
await load.stop();

const spent = measured.flatMap((one) => one.spent.map(writeSpent));
const remarks = measured.flatMap((one) => one.remarks.map((remark) => `- ${remark}`));
process.stdout.write(`\n${[writeTable(measured), ...spent, remarks.join("\n")].join("\n\n")}\n`);
if (!values.quick && values.only === undefined) {
  const report = writeReport({
    command: "npm run bench",
    startedAt,
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    machine: machineFacts(folder),
    loadBefore,
    loadAfter: readLoad(),
    measured,
  });
  writeFileSync(join(import.meta.dirname, "README.md"), report);
  process.stderr.write("Written: bench/README.md\n");
}
