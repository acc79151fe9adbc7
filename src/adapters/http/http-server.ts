/**
 * The HTTP interface (capabilities A6, D1, E5, F5, F7): opens the port, bounds what a connection may
 * cost, and stops without leaving anyone unanswered.
 *
 * Promise: once `stop` resolves, every request that was taken has been answered or its sender has
 * gone, and nothing runs any more.
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Express } from "express";
import type { AcquittementParcel } from "../../acknowledge/return-channel.ts";
import type { Receive } from "../../arrive/arrival.ts";
import type { Events } from "../../domain/events.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Guichets } from "../../domain/guichet.ts";
import { DEFAULT_NUMERO_UNIQUE_PATTERN } from "../../domain/numero-unique.ts";
import type { Outbox } from "../../keep/outbox.ts";
import type { Health } from "../../operate/health.ts";
import type { Operations } from "../../operate/operations.ts";
import type { BreakerView } from "../../operate/why-waiting.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Part } from "../../runtime/part.ts";
import { makeAccess, type AuthMethod } from "./access.ts";
import { makeAcquittementRoutes } from "./api-acquittement.ts";
import { makeDepositRoutes } from "./api-deposit.ts";
import { makeFollowRoutes } from "./api-follow.ts";
import { makeOperationRoutes } from "./api-operations.ts";
import { makeIdentifyCertificate } from "./client-certificate.ts";
import { answerClientErrors } from "./client-errors.ts";
import { makeCollect } from "../../acknowledge/collect.ts";
import { makeConfirm } from "../../acknowledge/confirm.ts";
import { makeHealthRoutes } from "./health-routes.ts";
import { makeHttpApp } from "./http-app.ts";
import { makeInHand } from "./in-hand.ts";
import { makeMetrics } from "./metrics.ts";
import { makeOpenapiRoutes } from "./openapi.ts";
import { makeServerTlsWatch, type ServerTlsFiles, type ServerTlsMaterial } from "./server-tls.ts";
import { makeSoapRoutes, type SoapEndpoint } from "./soap-routes.ts";

export interface HttpServerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /**
   * Without it the port speaks plain HTTP, for a proxy or a private network. Read again from `files`
   * when these change; with authorities, or where a guichet has a certificate, clients are asked for
   * theirs.
   */
  readonly tls?: ServerTlsMaterial & { readonly files?: ServerTlsFiles };
  /** How guichets may say who they are (GATEWAY_HTTP_AUTH); all ways when absent. */
  readonly authMethods?: readonly AuthMethod[];
  readonly guichets: Guichets;
  readonly receive: Receive;
  readonly outbox: Outbox;
  readonly operations: Operations;
  readonly composeParcel: (flux: Flux) => Promise<AcquittementParcel | undefined>;
  readonly health: Health;
  /** SOAP services beside the REST interface. */
  readonly soap?: readonly SoapEndpoint[];
  /** Absent when no SNE address is set. */
  readonly breaker?: BreakerView;
  readonly events: Events;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** SHA-256 (hexadecimal) of the operator's key. Without it: `access.ts`, `isLocalOperator`. */
  readonly operatorKeySha256?: string;
  /** The largest file taken, bytes. */
  readonly maxBytes: number;
  /** Shape of a numéro unique an operator may give (GATEWAY_NUMERO_UNIQUE_PATTERN). */
  readonly numeroUniquePattern?: RegExp;
  /** Version of the gateway, told by `/livez` and the OpenAPI document. */
  readonly version: string;
  /** When the gateway stops: how long a slow sender is waited for before it is cut, ms. */
  readonly stopGraceMs: number;
  readonly limits?: Partial<HttpLimits>;
}

/** What one connection may cost. Times in ms. */
export interface HttpLimits {
  /** A head must be whole within this time. */
  readonly headMs: number;
  /** A request, body included, must be whole within this time. */
  readonly requestMs: number;
  /** A connection without a byte either way for this long is closed. */
  readonly idleMs: number;
  readonly keepAliveMs: number;
  readonly headBytes: number;
  readonly connections: number;
}

const DEFAULT_LIMITS: HttpLimits = {
  headMs: 15_000,
  requestMs: 120_000,
  idleMs: 60_000,
  keepAliveMs: 10_000,
  headBytes: 16 * 1024,
  connections: 500,
};

export interface HttpServer extends Part {
  /** Where it listens; undefined before `start` and after `stop`. */
  address(): { readonly host: string; readonly port: number; readonly url: string } | undefined;
  /** The application, for tests that compare its routes with the OpenAPI document. */
  readonly app: Express;
}

export function makeHttpServer(options: HttpServerOptions): HttpServer {
  const { host, port, tls, clock, log } = options;
  const limits: HttpLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const inHand = makeInHand();
  const { guichets, authMethods: methods } = options;
  const asksCertificates =
    tls !== undefined &&
    (methods?.includes("certificate") ?? true) &&
    (tls.ca !== undefined || guichets.all.some(({ certificates }) => certificates !== undefined));
  const identify = makeAccess({
    ...options,
    ...(methods === undefined ? {} : { methods }),
    ...(asksCertificates
      ? {
          identifyCertificate: makeIdentifyCertificate({
            ...{ guichets, clock, log },
            hasAuthority: tls.ca !== undefined,
          }),
        }
      : {}),
  });
  const collect = makeCollect(options);
  const confirm = makeConfirm({ ...options, collect });
  const metrics = makeMetrics({ ...options, breakerState: () => options.breaker?.state });
  const numeroUniquePattern =
    options.numeroUniquePattern ?? new RegExp(DEFAULT_NUMERO_UNIQUE_PATTERN);
  let isStopping = false;
  const app = makeHttpApp({
    alwaysServed: makeHealthRoutes({ ...options, metrics }),
    routes: [
      ...makeOpenapiRoutes(options),
      ...makeDepositRoutes({ ...options, identify }),
      ...makeFollowRoutes({ ...options, identify }),
      ...makeAcquittementRoutes({ ...options, identify, collect, confirm, inHand }),
      ...makeOperationRoutes({ ...options, identify, numeroUniquePattern }),
      ...makeSoapRoutes({ endpoints: options.soap ?? [], identify, inHand, log }),
    ],
    isStopping: () => isStopping,
    inHand,
    metrics,
    clock,
    chance: options.chance,
    log,
  });

  const serverOptions: ServerOptions = {
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headMs, limits.requestMs),
    // A header given twice where HTTP takes one is an error, not a choice of ours.
    joinDuplicateHeaders: false,
    requireHostHeader: true,
  };
  const server: Server =
    tls === undefined
      ? createHttpServer(serverOptions, app)
      : createHttpsServer(
          {
            ...serverOptions,
            ...secureContext(tls),
            handshakeTimeout: limits.headMs,
            // One that is not ours to know is told so in an answer, not cut in the handshake.
            ...(asksCertificates ? { requestCert: true, rejectUnauthorized: false } : {}),
          },
          app,
        );
  const tlsWatch =
    tls?.files === undefined
      ? undefined
      : makeServerTlsWatch({
          files: tls.files,
          served: materialOf(tls),
          renewed: (material) => {
            if (server instanceof HttpsServer) server.setSecureContext(secureContext(material));
          },
          ...{ clock, log },
        });
  server.maxConnections = limits.connections;
  server.setTimeout(limits.idleMs);
  // Express decides first: 100 Continue leaves when the body is wanted (`read-body.ts`).
  server.on("checkContinue", app);
  answerClientErrors(server, log);
  // While stopping, a connection is closed as soon as it owes no answer: one kept alive would hold us.
  const closeWhenAnswered = (_request: IncomingMessage, response: ServerResponse): void => {
    response.once("close", () => {
      if (isStopping) setImmediate(() => server.closeIdleConnections());
    });
  };
  server.on("request", closeWhenAnswered);
  server.on("checkContinue", closeWhenAnswered);

  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    isStopping = true;
    await tlsWatch?.stop();
    const cut = new AbortController();
    if (server.listening) {
      // Closes the idle connections too.
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The answers in hand are waited for; a sender that does not read its own is not.
      void clock.wait(options.stopGraceMs, cut.signal).then(() => {
        if (!cut.signal.aborted) server.closeAllConnections();
      });
      await closed;
      cut.abort();
    }
    await inHand.settled();
    metrics.stop();
  }

  return {
    name: "http",
    app,
    address: () => {
      const bound = server.address() as AddressInfo | null;
      if (bound === null) return undefined;
      const name = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
      const scheme = tls === undefined ? "http" : "https";
      return { host: bound.address, port: bound.port, url: `${scheme}://${name}:${bound.port}` };
    },
    start: async () => {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          resolve();
        });
      });
      tlsWatch?.start();
      server.on("error", (error) => log.error("http.serverError", { error: error.message }));
      if (options.operatorKeySha256 === undefined) {
        log.warn("http.noOperatorKey", { trusts: "programs of this machine only" });
      }
    },
    stop: () => (stopped ??= stop()),
  };
}

/** What a renewal gives anew: it replaces the whole of the former context. */
function secureContext(tls: ServerTlsMaterial): ServerTlsMaterial & { minVersion: "TLSv1.2" } {
  return { ...materialOf(tls), minVersion: "TLSv1.2" };
}

function materialOf({ cert, key, ca }: ServerTlsMaterial): ServerTlsMaterial {
  return { cert, key, ...(ca === undefined ? {} : { ca }) };
}
