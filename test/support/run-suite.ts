/**
 * Runs the whole suite and ends with one plain line, `N passed, N failed, N skipped`.
 *
 * Each kind of test is a mocha run of its own, so that a journey that needs the processor is not
 * disturbed by another. Arguments are file filters (`npm test -- mail`); `--crash` runs the long
 * crash campaign alone, `--faults` those on MongoDB. A test that is skipped says why in its title or
 * on the line before.
 */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOMS = ["house", "units", "contracts", "journeys", "faults"] as const;
const CAMPAIGNS = {
  "--crash": ["test/faults/crash.test.ts"],
  "--faults": ["test/faults/mongo-faults.test.ts", "test/faults/gateways.test.ts"],
} as const;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = join(import.meta.dirname, "../..");
const args = process.argv.slice(2);
const campaigns = Object.entries(CAMPAIGNS).filter(([flag]) => args.includes(flag));
const filters = args.filter((arg) => !arg.startsWith("--"));
const reports = mkdtempSync(join(tmpdir(), "passerelle-tests-"));
const total: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs mocha on some files; a run that ends without a report counts as a failure. */
async function runMocha(name: string, files: readonly string[], long: boolean): Promise<void> {
  const report = join(reports, `${name}.json`);
  const child = spawn(process.execPath, [join(root, "test/support/run-mocha.ts"), ...files], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      PASSERELLE_TEST_REPORT: report,
      // What one room found, the next needs not search again (test/support/mongo/find-mongod.ts).
      PASSERELLE_MONGOD_FOUND: join(reports, "mongod-found.json"),
      ...(long ? { PASSERELLE_LONG: "1" } : {}),
    },
  });
  const code = await new Promise<number>((resolve) => {
    child.on("exit", (status) => resolve(status ?? 1));
  });
  const counts = readReport(report);
  total.passed += counts?.passed ?? 0;
  total.skipped += counts?.skipped ?? 0;
  // A crash of the runner itself, or a hook that failed, must never look like success.
  total.failed += counts === undefined ? 1 : Math.max(counts.failed, code === 0 ? 0 : 1);
}

function readReport(path: string): Counts | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    if (!("passed" in value) || !("failed" in value) || !("skipped" in value)) return undefined;
    const { passed, failed, skipped } = value;
    if (typeof passed !== "number" || typeof failed !== "number") return undefined;
    return typeof skipped === "number" ? { passed, failed, skipped } : undefined;
  } catch {
    return undefined;
  }
}

const startedAt = performance.now();
if (campaigns.length > 0) {
  for (const [flag, files] of campaigns) await runMocha(flag.slice(2), files, true);
} else {
  for (const room of ROOMS) {
    const files = globSync(`test/${room}/**/*.test.ts`, { cwd: root })
      .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
      .sort();
    if (files.length === 0) continue;
    process.stdout.write(`\n=== ${room}\n`);
    await runMocha(room, files, false);
  }
}
rmSync(reports, { recursive: true, force: true });
const seconds = Math.round((performance.now() - startedAt) / 1000);
process.stdout.write(`\n(${seconds} s)\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
