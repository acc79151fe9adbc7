/** The facts of the machine and of the moment, without which no figure can be compared. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

export function readLoad(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(" ");
}

/** @param folder - where the stores are: its disk is the one measured */
export function machineFacts(folder: string): readonly (readonly [string, string])[] {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  return [
    ["Processors", `${availableParallelism()} × ${model}`],
    ["Memory", `${Math.round(totalmem() / 2 ** 30)} GB`],
    ["System", `${osName()}, kernel ${release()}`],
    ["Disk of the stores", diskOf(folder)],
    ["Node", `${process.version} (SQLite ${process.versions["sqlite"] ?? "?"})`],
    ["Commit", commit()],
  ];
}

function osName(): string {
  try {
    const text = readFileSync("/etc/os-release", "utf8");
    return /^PRETTY_NAME="(.*)"$/m.exec(text)?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}

function diskOf(folder: string): string {
  const line = told("df", ["--output=source,fstype", folder])?.split("\n").at(-1)?.trim();
  return line === undefined ? "unknown" : line.replace(/\s+/g, ", ");
}

function commit(): string {
  const hash = told("git", ["rev-parse", "--short", "HEAD"]);
  if (hash === undefined) return "unknown";
  const changed = told("git", ["status", "--porcelain", "--", "src", "bench", "package-lock.json"]);
  // The report itself is written by the run.
  const lines = (changed ?? "").split("\n").filter((line) => !/^$|bench\/README\.md$/.test(line));
  return lines.length === 0 ? hash : `${hash}, with changes`;
}

function told(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" }).trimEnd();
  } catch {
    return undefined;
  }
}
