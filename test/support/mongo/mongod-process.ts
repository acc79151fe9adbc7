/**
 * One mongod, under a keeper. Promise: however the process that started it ends (kill -9 included),
 * the mongod is killed with it, and what it was told to erase is erased.
 *
 * The keeper is a shell that holds the reading end of a pipe: the pipe closes when we die, whatever
 * the way. It leads a session of its own, so that a Ctrl-C reaches us and not it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
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
const START_LIMIT_MS = 30_000;

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

/** Resolves when it listens. Rejects with its last words when it ends, or does not listen in 30 s. */
export async function startMongod(options: MongodOptions): Promise<MongodProcess> {
  const { binary, port, dbPath, logPath, args, eraseIfWeDie = "" } = options;
  const place = ["--bind_ip", "127.0.0.1", "--port", `${port}`, "--dbpath", dbPath];
  const command = [binary, ...place, "--logpath", logPath, "--logappend", ...args];
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
      if (isRunning) process.kill(pid, name);
    },
    ended,
  };

  const deadline = Date.now() + START_LIMIT_MS;
  while (mongod.isRunning && Date.now() < deadline) {
    if (await listens(port)) return mongod;
    await sleep(20);
  }
  mongod.signal("SIGKILL");
  await ended;
  const log = existsSync(logPath) ? readFileSync(logPath, "utf8").slice(-4_000) : "";
  throw new Error(`mongod does not listen on ${port}; its last words:\n${words}\n${log}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
