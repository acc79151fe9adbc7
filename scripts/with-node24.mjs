/**
 * Runs a TypeScript program of the project under Node 24, installing what is missing first.
 *
 * This is the one file that must run on an older Node (18 or more): a fresh clone has no
 * node_modules, and `node` in an npm script is then the machine's own. The pinned Node comes with
 * the development dependencies.
 *
 * Usage: node scripts/with-node24.mjs PROGRAM.ts [arguments]
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules", ".installed-for");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const bundledNode = join(
  root,
  "node_modules",
  ".bin",
  process.platform === "win32" ? "node.cmd" : "node",
);

function installed() {
  return existsSync(stamp) && readFileSync(stamp, "utf8").trim() === wanted;
}

if (!installed()) {
  process.stderr.write("Installing dependencies (first run, about half a minute)…\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const outcome = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (outcome.status !== 0) {
    process.stderr.write("npm ci failed: see the lines above. Nothing was started.\n");
    process.exit(outcome.status ?? 1);
  }
  writeFileSync(stamp, wanted + "\n");
}

const node = Number(process.versions.node.split(".")[0]) >= 24 ? process.execPath : bundledNode;
if (!existsSync(node)) {
  process.stderr.write(
    "Node 24 is needed, and the one that comes with the project is missing: run npm ci.\n",
  );
  process.exit(1);
}
const [program, ...rest] = process.argv.slice(2);
if (program === undefined) {
  process.stderr.write("usage: node scripts/with-node24.mjs PROGRAM.ts [arguments]\n");
  process.exit(2);
}
const child = spawn(node, [join(root, program), ...rest], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
