/** Runs the real program as a process of its own, to be killed for real. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

export interface GatewayProcess {
  readonly pid: number;
  readonly httpPort: number;
  readonly smtpPort: number;
  /** Ends it as a power cut would; resolves once the system has buried it. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code and how long it took, ms. */
  terminate(): Promise<{ readonly code: number | null; readonly ms: number }>;
  /** What it wrote on standard error. */
  readonly told: () => string;
  /** Its log lines. */
  readonly log: readonly string[];
  readonly exited: Promise<number | null>;
}

/** A port free a moment ago: a gateway that is killed must come back on the same one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts `passerelle serve` and kills it `afterMs` later, wherever its start then is. */
export async function startAndKill(
  settings: Readonly<Record<string, string>>,
  afterMs: number,
): Promise<void> {
  const child = spawn(process.execPath, [MAIN, "serve"], {
    stdio: "ignore",
    env: { PATH: process.env["PATH"], ...settings },
  });
  await sleep(afterMs);
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Starts `passerelle serve` and resolves once it listens. */
export async function startGatewayProcess(
  settings: Readonly<Record<string, string>>,
): Promise<GatewayProcess> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, "serve"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...settings },
  });
  let told = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const log: string[] = [];
  const exited = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  if (child.stdout === null) throw new Error("no standard output");
  const lines = createInterface({ input: child.stdout });
  const listening = new Promise<{ http: number; smtp: number }>((resolve, reject) => {
    lines.on("line", (line) => {
      log.push(line);
      if (!line.includes('"gateway.listening"')) return;
      const fields: unknown = JSON.parse(line);
      resolve({ http: portIn(fields, "http"), smtp: portIn(fields, "smtp") });
    });
    void exited.then((code) => reject(new Error(`the gateway ended (${code}): ${told}`)));
  });
  const ports = await listening;
  if (child.pid === undefined) throw new Error("no process");
  return {
    pid: child.pid,
    httpPort: ports.http,
    smtpPort: ports.smtp,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    terminate: async () => {
      const startedAt = performance.now();
      child.kill("SIGTERM");
      const code = await exited;
      return { code, ms: performance.now() - startedAt };
    },
    told: () => told,
    log,
    exited,
  };
}

function portIn(fields: unknown, name: string): number {
  if (typeof fields !== "object" || fields === null) return Number.NaN;
  const value: unknown = Object.entries(fields).find(([key]) => key === name)?.[1];
  return typeof value === "string" ? Number(value.slice(value.lastIndexOf(":") + 1)) : Number.NaN;
}
