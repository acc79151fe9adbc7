/**
 * Starts the programs of a bench, each in a process of its own: the gateway (the real one, `serve`),
 * the load generator, the target and the bare references. Whatever was started is ended with the bench.
 */
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FiguresOf, FromLoad, Load } from "./load-protocol.ts";
import type { SoapFigures, SoapLoad } from "./soap-load.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Program {
  readonly pid: number;
  /** Asks it to end; resolves once it has. */
  stop(): Promise<void>;
}

export interface GatewayProgram extends Program {
  readonly smtpPort: number;
  readonly httpUrl: string;
  /** From the start of the process to its announcement, ms. */
  readonly readyMs: number;
}

/** A program of this folder that announces `{ port }`. */
export interface PortProgram extends Program {
  readonly port: number;
}

export interface LoadProgram extends Program {
  readonly sinkPort: number;
  ask<K extends Load["kind"]>(load: Extract<Load, { kind: K }>): Promise<FiguresOf[K]>;
}

/** Starts `passerelle serve`; resolves when it says it serves. @param settings - its environment */
export async function startGateway(
  settings: Readonly<Record<string, string>>,
): Promise<GatewayProgram> {
  const begun = performance.now();
  const child = spawn(process.execPath, [MAIN, "serve"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], ...settings },
  });
  const program = programOf(child);
  let told = "";
  const ports = await new Promise<{ smtpPort: number; httpUrl: string }>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString();
      const smtpPort = /SMTP : [\d.]+:(\d+)/.exec(told)?.[1];
      const httpUrl = /: (http:\/\/[\d.]+:\d+)/.exec(told)?.[1];
      if (smtpPort !== undefined && httpUrl !== undefined) {
        resolve({ smtpPort: Number(smtpPort), httpUrl });
      }
    });
    child.once("exit", (code) => reject(new Error(`the gateway ended (${code ?? ""}): ${told}`)));
  });
  return { ...program, ...ports, readyMs: performance.now() - begun };
}

export async function startPortProgram(
  file: string,
  options: Readonly<Record<string, string | number>> = {},
): Promise<PortProgram> {
  const { child, first } = await forked(file, [JSON.stringify(options)]);
  const { port } = first as { port: number };
  return { ...programOf(child), port };
}

export async function startLoad(): Promise<LoadProgram> {
  const { child, first } = await forked("load-main.ts", []);
  const ready = first as FromLoad;
  if (ready.kind !== "ready") throw new Error("the load generator did not start");
  return {
    ...programOf(child),
    sinkPort: ready.sinkPort,
    ask: async (load) => {
      child.send(load);
      const answer = await nextMessage(child, "load-main.ts");
      const message = answer as FromLoad;
      if (message.kind === "failed") throw new Error(`${load.kind}: ${message.reason}`);
      if (message.kind !== "figures") throw new Error(`${load.kind}: no figures`);
      return message.figures as FiguresOf[typeof load.kind];
    },
  };
}

/** The generator of SOAP calls. */
export async function startSoapLoad(): Promise<
  Program & { ask(load: SoapLoad): Promise<SoapFigures> }
> {
  const { child } = await forked("soap-load-main.ts", []);
  return {
    ...programOf(child),
    ask: async (load) => {
      child.send(load);
      const answer = (await nextMessage(child, "soap-load-main.ts")) as
        | { readonly kind: "figures"; readonly figures: SoapFigures }
        | { readonly kind: "failed"; readonly reason: string };
      if (answer.kind === "failed") throw new Error(`SOAP calls: ${answer.reason}`);
      return answer.figures;
    },
  };
}

async function forked(
  file: string,
  args: readonly string[],
): Promise<{ child: ChildProcess; first: unknown }> {
  const child = fork(join(import.meta.dirname, file), args, { execArgv: [] });
  return { child, first: await nextMessage(child, file) };
}

async function nextMessage(child: ChildProcess, file: string): Promise<unknown> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", { signal: ended.signal }).then(([message]) => message as unknown),
      once(child, "exit", { signal: ended.signal }).then(() => {
        throw new Error(`${file} ended`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}

function programOf(child: ChildProcess): Program {
  if (child.pid === undefined) throw new Error("no process");
  running.add(child);
  const exited = once(child, "exit").then(() => {
    running.delete(child);
  });
  return {
    pid: child.pid,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The stand-in SNE of the project, as a program of its own. @returns its port program and address */
export async function startStandin(): Promise<Program & { readonly url: string }> {
  const child = spawn(
    process.execPath,
    [MAIN, "standin", "--port", "0", "--control-port", "0", "--json", "--quiet"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const program = programOf(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  return { ...program, url };
}
