#!/usr/bin/env node
/**
 * Starts the program `passerelle`: what was built (dist/) where it was, else the sources, which
 * Node 24 runs as they are. On an older Node it starts itself again under the one that comes with
 * the project. This file must run on Node 18.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, "dist", "main.js");
const main = existsSync(built) ? built : join(root, "src", "main.ts");

if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(pathToFileURL(main).href);
} else {
  const name = process.platform === "win32" ? "node.cmd" : "node";
  const node = join(root, "node_modules", ".bin", name);
  if (!existsSync(node)) {
    process.stderr.write(
      `Node 24 est nécessaire (celui-ci est ${process.versions.node}) : lancez npm ci dans ${root}\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // The terminal sends Ctrl-C to both: this process waits for the gateway to stop in good order.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
}
