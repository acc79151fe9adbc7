/** Child programs of the demonstration: wait until one is ready, stop one, read what it logged. */
import type { ChildProcess } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const START_MS = 20_000;
const STOP_MS = 4_000;

/** Waits for the JSON line of that event; every line goes to the log. */
export function firstLine(
  child: ChildProcess,
  event: string,
  log: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = child;
  if (stdout === null) throw new Error("no standard output");
  const file = createWriteStream(log, { flags: "a" });
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`${event} n'est pas venu en ${START_MS / 1000} s`)),
      START_MS,
    );
    createInterface(stdout).on("line", (line) => {
      file.write(`${line}\n`);
      if (!line.includes(event)) return;
      clearTimeout(late);
      resolve(JSON.parse(line) as Readonly<Record<string, unknown>>);
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(late);
      file.end();
      reject(new Error(`un programme s'est arrêté au démarrage (${signal ?? code ?? "?"})`));
    });
  });
}

/** SIGTERM, then SIGKILL for one that does not end. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(late);
}

/** The last lines of a log. */
export function tail(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-8);
  } catch {
    return [];
  }
}
