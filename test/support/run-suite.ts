/**
 * Runs the whole suite, says again at the end what failed and why, and ends with one plain line,
 * `N passed, N failed, N skipped`.
 *
 * Each kind of test is a mocha run of its own; some run beside each other, those on MongoDB apart from
 * the others, since most of a test is waiting. Arguments are file filters (`npm test -- mail`); `--crash` runs the long
 * crash campaign alone, `--faults` those on MongoDB, `--fuzz` what is tried at random. A test that is skipped says why in its title or
 * on the line before.
 */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Files of some rooms that make one mocha run. */
interface Run {
  readonly name: string;
  readonly parts: readonly {
    readonly room: string;
    /** Only the files that need a MongoDB server, or only those that do not. */
    readonly onMongo?: boolean;
  }[];
}
/** One after the other; what stands in one line runs side by side. */
const STAGES: readonly (readonly Run[])[] = [
  [{ name: "house", parts: [{ room: "house" }] }],
  [
    { name: "contracts", parts: [{ room: "contracts", onMongo: false }] },
    {
      name: "units, contracts on MongoDB",
      parts: [{ room: "units" }, { room: "contracts", onMongo: true }],
    },
  ],
  [
    { name: "journeys", parts: [{ room: "journeys" }] },
    { name: "faults", parts: [{ room: "faults", onMongo: false }] },
    { name: "faults on MongoDB", parts: [{ room: "faults", onMongo: true }] },
  ],
];
const CAMPAIGNS = {
  "--crash": ["test/faults/crash.test.ts"],
  "--fuzz": [
    "test/units/soap-fuzz.test.ts",
    "test/units/sne-answers-are-read-safely.test.ts",
    "test/units/plain-xml.test.ts",
    "test/units/standin-xml.test.ts",
    "test/contracts/contract-by-instances.test.ts",
  ],
  "--faults": ["test/faults/mongo-faults.test.ts", "test/faults/gateways.test.ts"],
} as const;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed: its title, then its error. */
  told: string[];
}

const root = join(import.meta.dirname, "../..");
const args = process.argv.slice(2);
const campaigns = Object.entries(CAMPAIGNS).filter(([flag]) => args.includes(flag));
const filters = args.filter((arg) => !arg.startsWith("--"));
const reports = mkdtempSync(join(tmpdir(), "passerelle-tests-"));
const total: Counts = { passed: 0, failed: 0, skipped: 0, told: [] };

/**
 * Runs mocha on some files; a run that ends without a report counts as a failure.
 *
 * @param shown - at once as it comes, or when the run has ended, beside another
 */
async function runMocha(
  name: string,
  files: readonly string[],
  { long = false, shown = "at once" }: { long?: boolean; shown?: "at once" | "at the end" } = {},
): Promise<void> {
  const report = join(reports, `${name}.json`);
  const child = spawn(process.execPath, [join(root, "test/support/run-mocha.ts"), ...files], {
    cwd: root,
    stdio: shown === "at once" ? "inherit" : ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PASSERELLE_TEST_REPORT: report,
      // What one room found, the next needs not search again (test/support/mongo/find-mongod.ts).
      PASSERELLE_MONGOD_FOUND: join(reports, "mongod-found.json"),
      ...(long ? { PASSERELLE_LONG: "1" } : {}),
    },
  });
  const said: Buffer[] = [];
  child.stdout?.on("data", (piece: Buffer) => said.push(piece));
  child.stderr?.on("data", (piece: Buffer) => said.push(piece));
  const code = await new Promise<number>((resolve) => {
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (shown === "at the end") {
    process.stdout.write(`\n=== ${name}\n`);
    process.stdout.write(Buffer.concat(said));
  }
  const counts = readReport(report);
  total.passed += counts?.passed ?? 0;
  total.skipped += counts?.skipped ?? 0;
  total.told.push(...(counts?.told ?? []));
  if (code !== 0 && !(counts !== undefined && counts.failed > 0)) {
    total.told.push(`${name}: ended with code ${code}, ${counts ? "no test failed" : "no report"}`);
  }
  // A crash of the runner itself, or a hook that failed, must never look like success.
  total.failed += counts === undefined ? 1 : Math.max(counts.failed, code === 0 ? 0 : 1);
}

function filesOf({ parts }: Run): readonly string[] {
  const needsMongo = (file: string): boolean =>
    readFileSync(join(root, file), "utf8").includes("support/mongo/");
  return parts.flatMap(({ room, onMongo }) =>
    globSync(`test/${room}/**/*.test.ts`, { cwd: root })
      .sort()
      .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
      .filter((file) => onMongo === undefined || needsMongo(file) === onMongo),
  );
}

function readReport(path: string): Counts | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    if (!("passed" in value) || !("failed" in value) || !("skipped" in value)) return undefined;
    if (!("told" in value) || !Array.isArray(value.told)) return undefined;
    const { passed, failed, skipped } = value;
    if (typeof passed !== "number" || typeof failed !== "number") return undefined;
    const told = value.told.map(String);
    return typeof skipped === "number" ? { passed, failed, skipped, told } : undefined;
  } catch {
    return undefined;
  }
}

const startedAt = performance.now();
if (campaigns.length > 0) {
  for (const [flag, files] of campaigns) await runMocha(flag.slice(2), files, { long: true });
} else {
  for (const stage of STAGES) {
    const runs = stage
      .map((run) => ({ name: run.name, files: filesOf(run) }))
      .filter(({ files }) => files.length > 0);
    const [only, ...others] = runs;
    if (only === undefined) continue;
    if (others.length === 0) {
      process.stdout.write(`\n=== ${only.name}\n`);
      await runMocha(only.name, only.files);
    } else {
      process.stdout.write(`\n(${runs.map(({ name }) => name).join("; ")}: side by side)\n`);
      await Promise.all(
        runs.map(({ name, files }) => runMocha(name, files, { shown: "at the end" })),
      );
    }
  }
}
rmSync(reports, { recursive: true, force: true });
const seconds = Math.round((performance.now() - startedAt) / 1000);
if (total.told.length > 0)
  process.stdout.write(`\n=== what failed\n\n${total.told.join("\n\n")}\n`);
process.stdout.write(`\n(${seconds} s)\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
