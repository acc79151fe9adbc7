/**
 * Runs mocha on the files given and writes its own counts (tests passed, failed, pending; a hook
 * that fails is a failure) and what failed, with its reason, to the file named by
 * PASSERELLE_TEST_REPORT, for `run-suite.ts`.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import Mocha from "mocha";

const mocha = new Mocha({ timeout: 60_000, forbidOnly: true, reporter: "spec" });
for (const file of process.argv.slice(2)) mocha.addFile(resolve(file));
await mocha.loadFilesAsync();
const told: string[] = [];
const runner = mocha.run((failures) => {
  const stats = runner.stats;
  const report = process.env["PASSERELLE_TEST_REPORT"];
  if (report !== undefined && stats !== undefined) {
    const { passes: passed, failures: failed, pending: skipped } = stats;
    writeFileSync(report, JSON.stringify({ passed, failed, skipped, told }));
  }
  process.exitCode = failures > 0 ? 1 : 0;
  // A test that leaves something running is a defect; it is told rather than hidden by an exit.
  setTimeout(() => {
    const left = process.getActiveResourcesInfo().filter((name) => name !== "Timeout");
    process.stderr.write(`still running after the tests: ${left.join(", ")}\n`);
    process.exit(failures > 0 ? 1 : 3);
  }, 10_000).unref();
});
runner.on("fail", (test: Mocha.Runnable, error: unknown) => {
  told.push(`${test.titlePath().join(" > ")}\n${describe(error)}`);
});

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
