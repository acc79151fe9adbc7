/**
 * The cast: a stand-in SNE, a gateway and a mailbox, the first two as processes of their own, on
 * free ports, with everything they write in one temporary directory. Promise: `stop` leaves nothing
 * running and nothing on disk, whatever happened before.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { firstLine, stopChild, tail } from "./child-program.ts";
import { exhibitWidth } from "./stage.ts";
import { startMailbox, type Mailbox } from "../test/support/mail-peers.ts";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(ROOT, "src/main.ts");

export const GUICHET = "G3501";
export const SENDER = "logiciel@armor-habitat.example";
export const GATEWAY_ADDRESS = "sne@passerelle.example";
export const API_KEY = "cle-de-demonstration-G3501";

/** Delays of the gateway, shortened so that an outage lasts seconds; its rules are untouched. */
const SHORT_DELAYS = {
  GATEWAY_BREAKER_FAILURES: "3",
  GATEWAY_BREAKER_OPEN_MS: "1500",
  GATEWAY_RETRY_FIRST_MS: "400",
  GATEWAY_RETRY_MAX_MS: "1500",
  GATEWAY_SNE_CONCURRENCY: "4",
  GATEWAY_SNE_TIMEOUT_MS: "20000",
  GATEWAY_FOLDER_SETTLE_MS: "200",
  GATEWAY_FOLDER_POLL_MS: "100",
};

export interface Standin {
  /** Address of the service, as the gateway is told it. */
  readonly url: string;
  readonly controlUrl: string;
  readonly pid: number;
}

export interface Cast {
  readonly directory: string;
  readonly drop: string;
  readonly returned: string;
  readonly mailbox: Mailbox;
  readonly standin: Standin;
  /** Address of REST. */
  readonly url: string;
  readonly smtpPort: number;
  readonly pid: number;
  /** kill -9; resolves when the process is gone. */
  killGateway(): Promise<void>;
  /** Starts it again on the same ports and the same store. */
  startGateway(): Promise<void>;
  /** Gives an order to the stand-in. */
  order(order: unknown): Promise<void>;
  /** Runs the command line of the product, as an operator would. */
  passerelle(args: readonly string[]): Promise<{ code: number; lines: string[] }>;
  /** The last lines of the logs, for a failure. */
  logTail(): string[];
  stop(): Promise<void>;
}

/** @param onStop - given the way to stop before anything is started: a signal may come meanwhile */
export async function startCast(onStop: (stop: () => Promise<void>) => void): Promise<Cast> {
  const directory = mkdtempSync(join(tmpdir(), "passerelle-demo-"));
  const children = new Set<ChildProcess>();
  const log = join(directory, "passerelle.log");
  const drop = join(directory, "guichet/depot");
  const returned = join(directory, "guichet/retour");
  for (const folder of [drop, returned]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(directory, "guichets.json"), JSON.stringify(guichets(), undefined, 2));
  let mailbox: Mailbox | undefined;
  let stopped: Promise<void> | undefined;

  function run(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    if (stopped !== undefined) throw new Error("la démonstration s'arrête");
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...withoutSettings(process.env), ...env },
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  }

  async function stopAll(): Promise<void> {
    await Promise.all([...children].map(stopChild));
    await mailbox?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  const stop = (): Promise<void> => (stopped ??= stopAll());
  onStop(stop);
  // The last net, for an error nobody caught: it can only be done at once.
  process.on("exit", () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });

  try {
    const box = await startMailbox();
    mailbox = box;
    const simulator = run(
      ["standin", "--port", "0", "--control-port", "0", "--json", "--quiet"],
      {},
    );
    simulator.stderr?.pipe(createWriteStream(log, { flags: "a" }));
    const ready = await firstLine(simulator, "standin.ready", log);
    const standin = {
      url: String(ready["url"]),
      controlUrl: String(ready["controlUrl"]),
      pid: simulator.pid ?? 0,
    };
    let ports = { http: "0", smtp: "0" };
    let gateway: ChildProcess;

    const startGateway = async (): Promise<void> => {
      gateway = run(["serve"], {
        ...SHORT_DELAYS,
        GATEWAY_STORE: join(directory, "passerelle.db"),
        GATEWAY_GUICHETS: join(directory, "guichets.json"),
        GATEWAY_SCHEMAS_DIR: join(ROOT, "schemas"),
        GATEWAY_HOST_NAME: "passerelle.example",
        GATEWAY_MAIL_FROM: GATEWAY_ADDRESS,
        GATEWAY_MAIL_URL: box.url,
        GATEWAY_SNE_URL: standin.url,
        GATEWAY_HTTP_PORT: ports.http,
        GATEWAY_SMTP_PORT: ports.smtp,
        GATEWAY_LOG_LEVEL: "info",
      });
      gateway.stderr?.pipe(createWriteStream(log, { flags: "a" }));
      const listening = await firstLine(gateway, "gateway.listening", log);
      ports = { http: portOf(listening["http"]), smtp: portOf(listening["smtp"]) };
    };
    await startGateway();

    return {
      directory,
      drop,
      returned,
      mailbox: box,
      standin,
      get url() {
        return `http://127.0.0.1:${ports.http}`;
      },
      get smtpPort() {
        return Number(ports.smtp);
      },
      get pid() {
        return gateway.pid ?? 0;
      },
      killGateway: async () => {
        const gone = new Promise((resolve) => gateway.once("exit", resolve));
        gateway.kill("SIGKILL");
        await gone;
      },
      startGateway,
      order: async (order) => {
        const answer = await fetch(`${standin.controlUrl}/standin/control`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(order),
        });
        if (!answer.ok) throw new Error(`le simulateur refuse un ordre : ${await answer.text()}`);
      },
      passerelle: async (args) => {
        const child = run(args, {
          PASSERELLE_URL: `http://127.0.0.1:${ports.http}`,
          COLUMNS: String(exhibitWidth()),
        });
        const lines: string[] = [];
        for (const output of [child.stdout, child.stderr]) {
          if (output !== null) createInterface(output).on("line", (line) => lines.push(line));
        }
        const code = await new Promise<number>((resolve) =>
          child.once("close", (status) => resolve(status ?? 1)),
        );
        return { code, lines };
      },
      logTail: () => tail(log),
      stop,
    };
  } catch (error) {
    const lines = tail(log);
    await stop();
    throw new Error([messageOf(error), ...lines].join("\n"), { cause: error });
  }
}

function guichets(): unknown {
  return {
    guichets: [
      {
        code: GUICHET,
        name: "Armor Habitat (bailleur inventé)",
        senders: [SENDER],
        folders: { drop: "guichet/depot", return: "guichet/retour" },
        apiKeySha256: createHash("sha256").update(API_KEY).digest("hex"),
        returnBy: "same",
        language: "fr",
      },
    ],
  };
}

/** The settings of whoever runs the demonstration are not those of the demonstration. */
function withoutSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || /^(GATEWAY|PASSERELLE)_/.test(name) ? [] : [[name, value]],
    ),
  );
}

function portOf(address: unknown): string {
  const port = /:(\d+)$/.exec(String(address))?.[1];
  if (port === undefined) throw new Error(`pas de port dans ${String(address)}`);
  return port;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
