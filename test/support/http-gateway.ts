/**
 * An HTTP interface as it really runs: the embedded store on disk, the receiver, the operations, a
 * port of this machine. Only the SNE is absent: `accept` and `refuse` say what it would have said.
 */
import { makeFlowControl } from "../../src/keep/flow-control.ts";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeHttpServer, type HttpServerOptions } from "../../src/adapters/http/http-server.ts";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { makeEnvelopeReader } from "../../src/adapters/xml/envelope-reader.ts";
import { makeParcelComposer } from "../../src/acknowledge/parcel.ts";
import { makeReceiver } from "../../src/arrive/receive.ts";
import type { GatewayEvent } from "../../src/domain/events.ts";
import { indexGuichets, type Guichet } from "../../src/domain/guichet.ts";
import type { Move, Outbox } from "../../src/keep/outbox.ts";
import { makeHealth } from "../../src/operate/health.ts";
import { makeOperations } from "../../src/operate/operations.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { makeEventBus } from "../../src/runtime/event-bus.ts";
import type { Log, LogFacts } from "../../src/runtime/log.ts";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { makeContractCheck } from "./contract-check.ts";

export const NUMERO = "075021834567811111";
export const MAX_BYTES = 200_000;

/** A, B: collect by REST. M: wants its acquittements by mail. */
export const KEYS = { A: "cle-du-guichet-A", B: "cle-du-guichet-B", M: "cle-du-guichet-M" };
export const OPERATOR_KEY = "cle-de-l-exploitant";

export interface CallOptions {
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | FormData | undefined;
  /** Sent as application/json. */
  readonly json?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The JSON of the body. */
  readonly json: AnswerJson;
}

/** The fields tests look at; which of them an answer has is the contract check's business. */
export interface AnswerJson {
  readonly id: string;
  readonly state: string;
  readonly fileName: string;
  readonly guichet: string;
  readonly sequence: number;
  readonly repeated: boolean;
  readonly attempts: number;
  readonly filesErasedAt?: string;
  readonly confirmedAt?: string;
  readonly origin: Readonly<Record<string, string>>;
  readonly waiting: { readonly code: string; readonly until?: string; readonly behind?: string };
  readonly verdict: Readonly<Record<string, unknown>>;
  readonly links: Readonly<Record<string, string>>;
  readonly fluxes: readonly AnswerJson[];
  readonly next: string;
  readonly journal: readonly {
    readonly name: string;
    readonly label: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }[];
  readonly acquittement: unknown;
  readonly code: string;
  readonly detail: string;
  readonly advice: string;
  readonly fluxId: string;
  readonly correlationId: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  readonly controls: readonly { readonly code: string; readonly line: number }[];
  readonly balanced: boolean;
  readonly received: number;
  readonly open: number;
  readonly ready: boolean;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface LogLine {
  readonly level: keyof Log;
  readonly name: string;
  readonly facts: LogFacts;
}

function guichet(code: "A" | "B" | "M", more: Partial<Guichet> = {}): Guichet {
  return {
    code: `1${code}001`.slice(0, 5),
    name: `Guichet ${code}`,
    senders: [],
    apiKeySha256: sha256(KEYS[code]),
    returnBy: "same",
    language: "fr",
    ...more,
  };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export const GUICHETS = {
  A: guichet("A"),
  B: guichet("B"),
  M: guichet("M", { returnBy: "mail", returnMail: "m@bailleur.test" }),
};

/** A demande of a guichet; each `seed` another one. */
export function demande(of: Guichet, seed: number, more: Partial<SampleDemande> = {}): Uint8Array {
  return makeDemande({
    typeFichier: "CRE",
    guichet: of.code,
    seed,
    refInterne: `REF${seed}`,
    ...more,
  });
}

/** The most fluxes a guichet may have open. */
export const GUICHET_MAX_FLUXES = 100;

export type HttpGateway = Awaited<ReturnType<typeof startHttpGateway>>;

/** What other interfaces on the same port are made of. */
export type HttpGatewayParts = Pick<
  HttpServerOptions,
  "receive" | "outbox" | "composeParcel" | "events" | "clock" | "chance" | "log"
>;

export async function startHttpGateway(
  changes: (outbox: Outbox, parts: HttpGatewayParts) => Partial<HttpServerOptions> = () => ({}),
) {
  const folder = await mkdtemp(join(tmpdir(), "passerelle-http-"));
  const logLines: LogLine[] = [];
  const line =
    (level: keyof Log) =>
    (name: string, facts: LogFacts = {}) => {
      logLines.push({ level, name, facts });
    };
  const log: Log = {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
  };
  const clock = systemClock();
  const chance = systemChance();
  const events = makeEventBus({ clock, log });
  const told: GatewayEvent[] = [];
  events.listen((event) => told.push(event));
  const outbox = await openSqliteOutbox({ path: join(folder, "outbox.sqlite") });
  const guichets = indexGuichets(Object.values(GUICHETS));
  const receive = makeReceiver({
    outbox,
    readEnvelope: makeEnvelopeReader({ limitBytes: MAX_BYTES }),
    quarantineMax: 10,
    flowControl: makeFlowControl({
      outbox,
      // Far above what any test here keeps, but for the one that fills a guichet's queue.
      bounds: { fluxes: 0, bytes: 0, guichetFluxes: GUICHET_MAX_FLUXES, guichetBytes: 0 },
      clock,
      log,
    }),
    events,
    clock,
    chance,
  });
  const composeParcel = makeParcelComposer({ outbox, guichets });
  const server = makeHttpServer({
    host: "127.0.0.1",
    port: 0,
    guichets,
    receive,
    outbox,
    operations: makeOperations({ outbox, guichets, clock, events }),
    composeParcel,
    health: makeHealth({ outbox, breakerState: () => undefined }),
    events,
    clock,
    chance,
    log,
    operatorKeySha256: sha256(OPERATOR_KEY),
    maxBytes: MAX_BYTES,
    stopGraceMs: 2_000,
    version: "test",
    ...changes(outbox, { receive, outbox, composeParcel, events, clock, chance, log }),
  });
  async function leave(): Promise<void> {
    await outbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await server.start();
  } catch (error) {
    await leave();
    throw error;
  }
  const { url, port } = server.address()!;
  const check = makeContractCheck();

  async function call(
    method: string,
    path: string,
    { key, headers = {}, body, json }: CallOptions = {},
  ): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: (json === undefined ? body : JSON.stringify(json)) ?? null,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const contentType = response.headers.get("content-type") ?? "";
    if (method !== "HEAD" || response.ok) {
      check({ method, path, status: response.status, contentType, body: bytes });
    }
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      get json(): AnswerJson {
        return JSON.parse(bytes.toString("utf8")) as AnswerJson;
      },
    };
  }

  function deposit(
    of: keyof typeof KEYS,
    bytes: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return call("POST", "/api/v1/fluxes", {
      key: KEYS[of],
      headers: { "Content-Type": "application/xml", ...headers },
      body: bytes,
    });
  }

  /** Takes the flux in transit and ends the call, as the forwarder would. */
  async function conclude(
    fluxId: string,
    end: Pick<Move, "to" | "event"> & Partial<Move>,
  ): Promise<void> {
    const lent = await outbox.claim({ owner: "test", now: clock.now(), leaseMs: 60_000, max: 50 });
    const own = lent.find(({ flux }) => flux.id === fluxId);
    if (own === undefined) throw new Error(`flux ${fluxId} could not be claimed`);
    const result = await outbox.move({
      fluxId,
      from: ["inTransit"],
      fence: own.fence,
      at: clock.now(),
      ...end,
    });
    if (result.kind !== "moved") throw new Error(`flux ${fluxId}: ${result.kind}`);
    for (const { flux, fence } of lent) {
      if (flux.id === fluxId) continue;
      const event = { name: "flux.postponed", detail: {} } as const;
      const back = { fluxId: flux.id, from: ["inTransit"] as const, fence, at: clock.now() };
      await outbox.move({ ...back, to: "kept", event });
    }
  }

  return {
    url,
    port,
    server,
    outbox,
    events,
    told,
    logLines,
    check,
    call,
    deposit,
    conclude,
    accept: (fluxId: string, files: Move["files"] = {}) =>
      conclude(fluxId, {
        to: "accepted",
        event: { name: "flux.accepted", detail: { ms: 12 } },
        verdict: { kind: "accepted", numeroUnique: NUMERO, by: "sne", at: clock.now() },
        files,
        oweAcquittement: true,
      }),
    refuse: (fluxId: string) =>
      conclude(fluxId, {
        to: "refused",
        event: { name: "flux.refused", detail: { ms: 12 } },
        verdict: {
          kind: "refused",
          controls: [
            {
              code: "CTRL_DEM_0033",
              message: "Le champ <nom> & la suite",
              field: "nom",
              complements: { valeur: "X" },
              line: 3,
              column: 7,
            },
          ],
          doublons: [NUMERO],
          by: "sne",
          at: clock.now(),
        },
        oweAcquittement: true,
      }),
    stop: async () => {
      await server.stop();
      await leave();
    },
  };
}
