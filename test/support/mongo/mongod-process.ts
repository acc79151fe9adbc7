/**
 * One mongod, under a keeper. Promise: however the process that started it ends (kill -9 included),
 * the mongod is killed with it, and what it was told to erase is erased.
 *
 * The keeper is a shell that holds the reading end of a pipe: the pipe closes when we die, whatever
 * the way. It leads a session of its own, so that a Ctrl-C reaches us and not it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** `$1`: what to erase when we die ("" for nothing); the rest: the command to keep. */
const KEEPER = `
erase=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
echo "$child"
( read -r _ <&3; trap '' TERM; kill -9 "$child" 2>/dev/null; [ -z "$erase" ] || rm -rf -- "$erase" ) >/dev/null 2>&1 &
reader=$!
wait "$child"; code=$?
kill "$reader" 2>/dev/null
exit "$code"
`;
const START_LIMIT_MS = 60_000;
/** Of its log (4.4 and later). Not a connection: another program may have the port. */
const LISTENS = '"msg":"Waiting for connections"';

export interface MongodOptions {
  readonly binary: string;
  readonly port: number;
  /** An existing folder. */
  readonly dbPath: string;
  readonly logPath: string;
  readonly args: readonly string[];
  /** Erased if we die before we stop it. */
  readonly eraseIfWeDie?: string;
}

export interface MongodProcess {
  readonly pid: number;
  readonly isRunning: boolean;
  /** Sends a signal; nothing when it has ended. */
  signal(name: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

/** Resolves when it listens; rejects with its last words when it ends, or does not in a minute. */
export async function startMongod(options: MongodOptions): Promise<MongodProcess> {
  const { binary, port, dbPath, logPath, args, eraseIfWeDie = "" } = options;
  const place = ["--bind_ip", "127.0.0.1", "--port", `${port}`, "--dbpath", dbPath];
  const command = [binary, ...place, "--logpath", logPath, "--logappend", ...args];
  const logStart = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  const keeper = spawn("/bin/sh", ["-c", KEEPER, "keeper", eraseIfWeDie, ...command], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let words = "";
  const hear = (text: string): void => {
    words = `${words}${text}\n`.slice(-4_000);
  };
  keeper.stderr.on("data", (chunk: Buffer) => hear(chunk.toString().trimEnd()));
  keeper.stdin.on("error", () => undefined);
  const lines = createInterface({ input: keeper.stdout });
  const [first] = (await once(lines, "line")) as [string];
  lines.on("line", hear);

  const pid = Number(first);
  let isRunning = true;
  const ended = once(keeper, "exit").then(() => {
    isRunning = false;
  });
  const mongod: MongodProcess = {
    pid,
    get isRunning() {
      return isRunning;
    },
    signal: (name) => {
      try {
        if (isRunning) process.kill(pid, name);
      } catch (error) {
        // It has ended by itself, and we are about to be told.
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
    },
    ended,
  };

  const deadline = Date.now() + START_LIMIT_MS;
  while (mongod.isRunning && Date.now() < deadline) {
    if (logAfter(logPath, logStart).includes(LISTENS)) return mongod;
    await sleep(20);
  }
  mongod.signal("SIGKILL");
  await ended;
  const log = logAfter(logPath, logStart).slice(-4_000);
  throw new Error(`mongod does not listen on ${port}; its last words:\n${words}\n${log}`);
}

/** What it has written since it started; a former life's log stands before. */
function logAfter(path: string, start: number): string {
  return existsSync(path) ? readFileSync(path).subarray(start).toString() : "";
}
