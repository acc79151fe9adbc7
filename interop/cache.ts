/**
 * What the toolkits need (packages, jars, generated and compiled clients), kept outside the
 * repository from one run to the next: nothing they make is ever committed.
 *
 * Promise: a folder is used again only when it was made whole, from the same inputs.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const WEEK_MS = 7 * 24 * 3600 * 1000;

/** `PASSERELLE_INTEROP_CACHE`, else `~/.cache/passerelle-sne/interop`. */
export function cacheRoot(): string {
  return (
    process.env["PASSERELLE_INTEROP_CACHE"] ??
    join(homedir(), ".cache", "passerelle-sne", "interop")
  );
}

/**
 * @param inputs - texts the folder is made from: another one makes another folder
 * @param make - fills the folder, which is empty; its failure leaves nothing to be taken for whole
 * @returns the folder
 */
export async function cachedFolder(
  name: string,
  inputs: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const digest = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 12);
  const folder = join(cacheRoot(), `${name}-${digest}`);
  const stamp = join(folder, ".whole");
  if (existsSync(stamp)) return folder;
  forgetOld(name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make(folder);
  writeFileSync(stamp, "");
  return folder;
}

/** Lets go of what was made from other inputs, and long ago: another run may be using the latest. */
function forgetOld(name: string): void {
  const root = cacheRoot();
  if (!existsSync(root)) return;
  for (const entry of readdirSync(root)) {
    const made = /^(.*)-[0-9a-f]{12}$/.exec(entry)?.[1];
    const path = join(root, entry);
    if (made !== name || statSync(path).mtimeMs > Date.now() - WEEK_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** Texts of files, as inputs of a folder. */
export function textsOf(paths: readonly string[]): readonly string[] {
  return paths.map((path) => readFileSync(path, "utf8"));
}
