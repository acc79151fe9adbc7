/**
 * A whole world for one journey: a stand-in SNE, a guichet with a mailbox and folders, and a gateway
 * on an embedded store, all real, on free ports and in a directory of their own.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGuichetsFile } from "../../src/adapters/config/guichets-file.ts";
import { buildGateway, type Gateway } from "../../src/gateway.ts";
import { partitionNames } from "../../src/open-stores.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { readSettings } from "../../src/runtime/settings.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "./eventually.ts";
import { sendMail, startMailbox, type CollectedMail, type Mailbox } from "./mail-peers.ts";

export const GUICHET = "75A01";
export const OTHER_GUICHET = "69B02";
export const SENDER = "logiciel@bailleur.test";
export const OTHER_SENDER = "logiciel@autre.test";
export const API_KEY = "cle-du-guichet-75A01";
export const OTHER_API_KEY = "cle-du-guichet-69B02";

export interface WorldOptions {
  /** Settings of the gateway, over those of the world. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Properties of the first guichet, over those of the world. */
  readonly guichet?: Readonly<Record<string, unknown>>;
}

/** A flux as the REST interface shows it, the fields journeys look at. */
export interface SeenFlux {
  readonly id: string;
  readonly state: string;
  readonly [name: string]: unknown;
}

export interface World {
  readonly directory: string;
  readonly standin: RunningStandin;
  readonly mailbox: Mailbox;
  readonly drop: string;
  readonly returned: string;
  /** The gateway now running. */
  readonly gateway: Gateway;
  readonly smtpPort: number;
  readonly httpUrl: string;
  /** Ends the gateway and builds another on the same store. */
  restart(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Sends a file by mail as the guichet does; resolves with the reply to its final dot. */
  mail(
    name: string,
    bytes: Uint8Array,
    more?: { from?: string; messageId?: string; subject?: string },
  ): Promise<string>;
  /** Drops a file the careful way: written apart, then renamed. */
  dropFile(name: string, bytes: Uint8Array): void;
  rest(path: string, init?: RequestInit & { key?: string }): Promise<Response>;
  deposit(
    name: string,
    bytes: Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  /** All fluxes, oldest first. */
  fluxes(): Promise<readonly SeenFlux[]>;
  flux(id: string): Promise<SeenFlux>;
  /** Waits until the flux is in the state. */
  reaches(id: string, state: string): Promise<SeenFlux>;
  /** Waits for the mail that acknowledges a flux. */
  acknowledgedByMail(fluxId: string): Promise<CollectedMail>;
  control(body: unknown): Promise<void>;
  /** How many times the stand-in took the effect of these bytes. */
  effectsOf(bytes: Uint8Array): Promise<number>;
  stop(): Promise<void>;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Settings that make retries and polls quick enough for a test, never its verdicts. */
const QUICK = {
  GATEWAY_NAME: "essai",
  GATEWAY_HTTP_PORT: "0",
  GATEWAY_SMTP_PORT: "0",
  GATEWAY_FOLDER_SETTLE_MS: "50",
  GATEWAY_FOLDER_POLL_MS: "50",
  GATEWAY_RETRY_FIRST_MS: "50",
  GATEWAY_RETRY_MAX_MS: "500",
  GATEWAY_BREAKER_OPEN_MS: "200",
  GATEWAY_DELIVERY_RETRY_FIRST_MS: "50",
  GATEWAY_DELIVERY_RETRY_MAX_MS: "500",
  GATEWAY_SNE_TIMEOUT_MS: "5000",
  GATEWAY_SNE_CONNECT_TIMEOUT_MS: "2000",
  GATEWAY_LEASE_MS: "20000",
} as const;

/** Writes the guichets of a world; the first is the one most journeys speak of. */
export function writeGuichets(
  directory: string,
  first: Readonly<Record<string, unknown>> = {},
): string {
  const path = join(directory, "guichets.json");
  const guichets = [
    {
      code: GUICHET,
      name: "Bailleur d'essai",
      senders: [SENDER],
      folders: { drop: "depot", return: "retour" },
      apiKeySha256: sha256(API_KEY),
      returnBy: "same",
      language: "fr",
      ...first,
    },
    {
      code: OTHER_GUICHET,
      name: "Autre bailleur",
      senders: [OTHER_SENDER],
      apiKeySha256: sha256(OTHER_API_KEY),
      returnBy: "same",
      language: "fr",
    },
  ];
  writeFileSync(path, JSON.stringify({ guichets }, undefined, 2));
  mkdirSync(join(directory, "depot"), { recursive: true });
  mkdirSync(join(directory, "retour"), { recursive: true });
  return path;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "passerelle-monde-"));
  const standin = await runStandin({ quiet: true });
  const mailbox = await startMailbox();
  const guichetsFile = writeGuichets(directory, options.guichet);
  let extra = options.settings ?? {};
  let gateway = await startGateway();

  async function startGateway(): Promise<Gateway> {
    const reading = readSettings({
      ...QUICK,
      GATEWAY_STORE: join(directory, "passerelle.db"),
      GATEWAY_GUICHETS: guichetsFile,
      GATEWAY_SNE_URL: standin.url,
      GATEWAY_MAIL_URL: mailbox.url,
      ...extra,
    });
    if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
    const partitions = partitionNames(reading.settings);
    const found = readGuichetsFile(reading.settings.guichetsFile, partitions);
    if (found.kind === "invalid") throw new Error(JSON.stringify(found.problems));
    const built = await buildGateway({
      settings: reading.settings,
      guichets: found.guichets,
      version: "0.0.0-test",
      clock: systemClock(),
      chance: systemChance(),
      log: SILENT_LOG,
      onFatal: (error) => {
        throw error;
      },
    });
    await built.start();
    return built;
  }

  const httpUrl = (): string => {
    const http = gateway.addresses().http;
    if (http === undefined) throw new Error("the gateway does not listen");
    return `http://127.0.0.1:${http.port}`;
  };
  const smtpPort = (): number => {
    const smtp = gateway.addresses().smtp;
    if (smtp === undefined) throw new Error("the gateway takes no mail");
    return smtp.port;
  };

  async function json(path: string): Promise<unknown> {
    const response = await fetch(`${httpUrl()}${path}`);
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
    return response.json();
  }

  async function flux(id: string): Promise<SeenFlux> {
    return readFlux(await json(`/api/v1/fluxes/${id}`));
  }

  const world: World = {
    directory,
    standin,
    mailbox,
    drop: join(directory, "depot"),
    returned: join(directory, "retour"),
    get gateway() {
      return gateway;
    },
    get smtpPort() {
      return smtpPort();
    },
    get httpUrl() {
      return httpUrl();
    },
    restart: async (settings) => {
      await gateway.stop();
      extra = settings ?? extra;
      gateway = await startGateway();
    },
    mail: (name, bytes, more = {}) =>
      sendMail({
        port: smtpPort(),
        from: more.from ?? SENDER,
        subject: more.subject ?? `Envoi ${name}`,
        text: "Veuillez trouver ci-joint un flux.",
        attachments: [{ name, bytes }],
        ...(more.messageId === undefined ? {} : { messageId: more.messageId }),
      }),
    dropFile: (name, bytes) => {
      dropInto(join(directory, "depot"), name, bytes);
    },
    rest: (path, { key = API_KEY, ...init } = {}) =>
      fetch(`${httpUrl()}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${key}`, ...headersOf(init.headers) },
      }),
    deposit: (name, bytes, headers = {}) =>
      fetch(`${httpUrl()}/api/v1/fluxes`, {
        method: "POST",
        body: Buffer.from(bytes),
        headers: {
          authorization: `Bearer ${API_KEY}`,
          "content-type": "application/xml",
          "x-file-name": name,
          ...headers,
        },
      }),
    fluxes: async () => {
      const page = await json("/api/v1/fluxes?limit=500");
      if (typeof page !== "object" || page === null || !("fluxes" in page)) return [];
      return Array.isArray(page.fluxes) ? page.fluxes.map(readFlux) : [];
    },
    flux,
    reaches: (id, state) =>
      eventually(`flux ${id} ${state}`, async () => {
        const seen = await flux(id);
        if (seen.state === state) return seen;
        throw new Error(`it is ${seen.state}`);
      }),
    acknowledgedByMail: (fluxId) =>
      eventually(`the acquittement of ${fluxId} in the mailbox`, () =>
        mailbox.find((mail) => mail.header("x-passerelle-flux") === fluxId),
      ),
    control: async (body) => {
      const response = await fetch(`${standin.controlUrl}/standin/control`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`stand-in control: ${await response.text()}`);
    },
    effectsOf: async (bytes) => (await readEffects(standin.controlUrl)).get(sha256(bytes)) ?? 0,
    stop: async () => {
      await gateway.stop();
      await standin.stop();
      await mailbox.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** Drops a file the careful way: written under a temporary name, then renamed. */
export function dropInto(folder: string, name: string, bytes: Uint8Array): void {
  const temporary = join(folder, `.${name}.tmp`);
  writeFileSync(temporary, bytes);
  renameSync(temporary, join(folder, name));
}

/** The files of a folder with their bytes, by name; hidden ones left out. */
export function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => [entry.name, readFileSync(join(folder, entry.name))]),
  );
}

function readFlux(value: unknown): SeenFlux {
  if (typeof value === "object" && value !== null && "id" in value && "state" in value) {
    return { ...value, id: String(value.id), state: String(value.state) };
  }
  throw new Error(`not a flux: ${JSON.stringify(value)}`);
}

function headersOf(headers: RequestInit["headers"]): Record<string, string> {
  return Object.fromEntries(new Headers(headers).entries());
}

/** How many times the stand-in took the effect of each file, by digest. */
export async function readEffects(controlUrl: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${controlUrl}/standin/effects?limit=10000000`);
  const value: unknown = await response.json();
  if (typeof value !== "object" || value === null || !("files" in value)) {
    throw new Error(`not the stand-in's effects: ${JSON.stringify(value).slice(0, 200)}`);
  }
  if (!Array.isArray(value.files)) throw new Error("the stand-in's effects have no list");
  const effects = new Map<string, number>();
  for (const file of value.files as { sha256: string; taken: number }[]) {
    effects.set(file.sha256, (effects.get(file.sha256) ?? 0) + file.taken);
  }
  return effects;
}
