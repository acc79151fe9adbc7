/**
 * Writes what the code's own tables say: docs/settings.md, docs/errors.md, config/gateway.env, and
 * the tables of docs/lifecycle.md. `npm run docs` writes them; a house test fails when they differ.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documents } from "./documents.ts";

const root = join(import.meta.dirname, "..");
for (const { path, text } of documents((file) => readFileSync(join(root, file), "utf8"))) {
  writeFileSync(join(root, path), text);
  process.stdout.write(`${path}\n`);
}
