/**
 * The quick loop: types, lint, house tests and units. `--all` is what continuous integration runs
 * before the suite, which plays those tests itself: types, lint, format, the build, and a start of
 * the built program.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const all = process.argv.includes("--all");
const bin = (name: string): string => join(root, "node_modules", name);

const steps: readonly (readonly [string, ...string[]])[] = [
  ["types", bin("typescript/bin/tsc"), "--noEmit", "-p", "."],
  ["lint", bin("eslint/bin/eslint.js"), "."],
  ...(all
    ? ([
        ["format", bin("prettier/bin/prettier.cjs"), "--check", "."],
        ["build", bin("typescript/bin/tsc"), "-p", "tsconfig.build.json"],
        ["built program", join(root, "dist/main.js"), "--version"],
      ] as const)
    : ([
        [
          "house and units",
          bin("mocha/bin/mocha.js"),
          "--reporter",
          "dot",
          "test/house/**/*.test.ts",
          "test/units/**/*.test.ts",
        ],
      ] as const)),
];

for (const [name, ...args] of steps) {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)\n`);
  if (status !== 0) process.exit(1);
}
