/**
 * Builds every part of the gateway from its settings and gives the order of start and stop.
 *
 * Start: the store first, then what empties it, then what fills it, so that nothing is taken before
 * it can be kept. Stop is the reverse: arrivals close first, the store last. The one file that knows
 * every room and every adapter.
 */
import { makeAcknowledger } from "./acknowledge/acknowledger.ts";
import { makeCollect } from "./acknowledge/collect.ts";
import { makeParcelComposer } from "./acknowledge/parcel.ts";
import type { ReturnChannel } from "./acknowledge/return-channel.ts";
import { makeDropFolders } from "./adapters/folder/drop-folder.ts";
import { makeFolderReturn } from "./adapters/folder/folder-return.ts";
import { makeHttpServer, type HttpServerOptions } from "./adapters/http/http-server.ts";
import { readServerTls } from "./adapters/http/server-tls.ts";
import { makeMailReturn } from "./adapters/mail/mail-return.ts";
import { makeEnvelopeReader } from "./adapters/xml/envelope-reader.ts";
import { makeSchemaValidator } from "./adapters/xml/schema-validator.ts";
import { makeReceiver } from "./arrive/receive.ts";
import type { SchemaChecker } from "./arrive/schema-check.ts";
import { buildDropIn } from "./build-drop-in.ts";
import { buildForwarding } from "./build-forwarding.ts";
import { buildPasserelleService } from "./build-passerelle-service.ts";
import { buildSmtpReceiver } from "./build-smtp-receiver.ts";
import type { Events } from "./domain/events.ts";
import type { Guichets } from "./domain/guichet.ts";
import { logEvents } from "./event-log.ts";
import { makeFlowControl } from "./keep/flow-control.ts";
import type { Outbox } from "./keep/outbox.ts";
import { makeRetention } from "./keep/retention.ts";
import { rememberFiles } from "./keep/recent-files.ts";
import { tellMoves } from "./keep/told-moves.ts";
import { openStores } from "./open-stores.ts";
import { makeHealth } from "./operate/health.ts";
import { makeOperations } from "./operate/operations.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import { makeEventBus } from "./runtime/event-bus.ts";
import type { Log } from "./runtime/log.ts";
import { type Part, startParts, stopParts } from "./runtime/part.ts";
import type { Settings } from "./runtime/settings.ts";

export interface Gateway {
  /** Resolves when everything serves; rejects when a part cannot start, all others stopped. */
  start(): Promise<void>;
  /** Stops everything, in reverse; returns what would not stop, by name. May be called twice. */
  stop(): Promise<readonly { name: string; error: unknown }[]>;
  /** Where it listens, once started. */
  addresses(): { readonly http: Address | undefined; readonly smtp: Address | undefined };
  readonly events: Events;
  readonly outbox: Outbox;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Longest time one acquittement may take to be handed to the mail server, ms. */
const MAIL_TIMEOUT_MS = 30_000;
const MEGABYTE = 1024 * 1024;

export async function buildGateway(options: {
  readonly settings: Settings;
  readonly guichets: Guichets;
  readonly version: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
  /** Told when the gateway can keep nothing any more: the process should end and be started again. */
  readonly onFatal: (error: Error) => void;
}): Promise<Gateway> {
  const { settings, guichets, clock, chance, log } = options;
  const events = makeEventBus({ clock, log });
  logEvents(events, log);

  const owner = nameThisLife(settings.name, chance);
  // Before the store: files that cannot serve are told without opening anything.
  const tls = await readHttpTls(settings);
  const stores = await openStores({
    ...{ settings, owner, guichets, clock, chance, log },
    onFatal: options.onFatal,
  });
  const { outbox, onMove } = tellMoves(rememberFiles(stores, clock));
  const validator =
    settings.schemaPolicy === "off"
      ? undefined
      : makeSchemaValidator({
          schemasDir: settings.schemasDir,
          maxBytes: settings.maxFileBytes,
          log,
        });
  const checker = validator === undefined ? undefined : tellingWhatWasNotChecked(validator, log);
  const receive = makeReceiver({
    outbox,
    readEnvelope: makeEnvelopeReader({ limitBytes: settings.maxFileBytes }),
    ...(checker !== undefined && settings.schemaPolicy === "refuse"
      ? { refuseBySchema: { checker, kinds: settings.schemaRefuses } }
      : {}),
    quarantineMax: settings.quarantineMax,
    flowControl: makeFlowControl({
      outbox,
      bounds: {
        fluxes: settings.queueMaxFluxes,
        bytes: settings.queueMaxMegabytes * MEGABYTE,
        guichetFluxes: settings.guichetMaxFluxes,
        guichetBytes: settings.guichetMaxMegabytes * MEGABYTE,
      },
      clock,
      log,
    }),
    events,
    clock,
    chance,
  });

  const composeParcel = makeParcelComposer({ outbox, guichets });
  const mailReturn =
    settings.mailUrl === undefined
      ? undefined
      : makeMailReturn({
          transportUrl: settings.mailUrl,
          from: settings.mailFrom,
          hostName: settings.hostName,
          maxConnections: settings.deliveryConcurrency,
          timeoutMs: MAIL_TIMEOUT_MS,
          clock,
        });
  const returnChannels: readonly ReturnChannel[] = [
    makeFolderReturn({ guichets }),
    ...(mailReturn === undefined ? [] : [mailReturn]),
  ];
  const acknowledger = makeAcknowledger({
    outbox,
    channels: returnChannels,
    composeParcel,
    owner,
    concurrency: settings.deliveryConcurrency,
    leaseMs: settings.leaseMs,
    backoff: { firstMs: settings.deliveryRetryFirstMs, maxMs: settings.deliveryRetryMaxMs },
    clock,
    chance,
    events,
    log,
  });

  const forwarding = await buildForwarding({
    ...{ settings, owner, outbox, clock, chance, events, log },
    ...(checker !== undefined && settings.schemaPolicy === "note" ? { noteBySchema: checker } : {}),
  });
  const health = makeHealth({ outbox, breakerState: () => forwarding?.breaker.state });
  const collect = makeCollect({ outbox, events, clock });
  const http = makeHttpServer({
    soap: [
      ...buildDropIn({
        ...{ settings, receive, outbox, collect, forwarding, onMove, clock, chance, log },
      }),
      ...buildPasserelleService({
        path: settings.soapPath,
        maxFileBytes: settings.maxFileBytes,
        ...{ receive, outbox, composeParcel, collect, events, clock, chance, log },
        ...(forwarding === undefined ? {} : { breaker: forwarding.breaker }),
      }),
    ],
    host: settings.httpHost,
    port: settings.httpPort,
    ...(tls === undefined ? {} : { tls }),
    authMethods: settings.httpAuth,
    guichets,
    receive,
    outbox,
    operations: makeOperations({ outbox, guichets, clock, events }),
    composeParcel,
    health,
    ...(forwarding === undefined ? {} : { breaker: forwarding.breaker }),
    events,
    clock,
    chance,
    log,
    ...(settings.operatorKeySha256 === undefined
      ? {}
      : { operatorKeySha256: settings.operatorKeySha256 }),
    numeroUniquePattern: new RegExp(settings.numeroUniquePattern, "u"),
    maxBytes: settings.maxFileBytes,
    stopGraceMs: settings.stopMs,
    version: options.version,
  });
  const smtp = await buildSmtpReceiver({ settings, guichets, receive, clock, events, log });
  const folders = makeDropFolders({
    guichets,
    receive,
    owner: settings.name,
    settleMs: settings.folderSettleMs,
    pollMs: settings.folderPollMs,
    maxBytes: settings.maxFileBytes,
    clock,
    chance,
    events,
    log,
  });

  const retention =
    settings.retentionDays === 0
      ? undefined
      : makeRetention({
          days: settings.retentionDays,
          ...{ owner, outbox, clock, log },
        });

  /** What holds a resource and is neither started nor filled by anybody: closed last. */
  const base: Part = {
    name: "store",
    start: () => Promise.resolve(),
    stop: async () => {
      await mailReturn?.stop();
      await outbox.stop();
    },
  };
  // What takes fluxes in comes last: it is the first to stop.
  const parts: readonly Part[] = [
    base,
    ...(retention === undefined ? [] : [retention]),
    ...(validator === undefined ? [] : [validator]),
    acknowledger,
    ...(forwarding === undefined ? [] : [forwarding.part]),
    http,
    ...(smtp === undefined ? [] : [smtp]),
    folders,
  ];
  let stopped: Promise<readonly { name: string; error: unknown }[]> | undefined;

  return {
    events,
    outbox,
    start: async () => {
      await startParts(parts);
      events.emit("gateway.started", { detail: { version: options.version } });
    },
    stop: () => {
      stopped ??= (async () => {
        health.stopping();
        events.emit("gateway.stopping", {});
        const failures = await stopParts(parts);
        events.emit("gateway.stopped", { detail: { failures: failures.length } });
        return failures;
      })();
      return stopped;
    },
    addresses: () => ({ http: http.address(), smtp: smtp?.address() }),
  };
}

/** Undefined for plain HTTP. @throws INVALID_SETTING when a file cannot serve */
async function readHttpTls({
  httpTlsCert: certFile,
  httpTlsKey: keyFile,
  httpTlsCa: caFile,
}: Settings): Promise<HttpServerOptions["tls"]> {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const files = { certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) };
  return { ...(await readServerTls(files)), files };
}

/** A file that could not be checked goes on (the SNE is the judge), but never silently. */
function tellingWhatWasNotChecked(checker: SchemaChecker, log: Log): SchemaChecker {
  return {
    stop: () => checker.stop(),
    check: async (...given) => {
      const checked = await checker.check(...given);
      if (checked.kind === "notChecked") {
        log.warn("schema.notChecked", { reason: checked.reason });
      }
      return checked;
    },
  };
}

/**
 * Names this life of this gateway, wherever several share a store: two that were given the same name,
 * or one and its former life, are never taken for one another.
 */
function nameThisLife(name: string, chance: Chance): string {
  return `${name}#${Buffer.from(chance.bytes(3)).toString("hex")}`;
}
