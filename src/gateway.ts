/**
 * Builds every part of the gateway from its settings and gives the order of start and stop.
 *
 * Start: the store first, then what empties it, then what fills it, so that nothing is taken before
 * it can be kept. Stop is the reverse: arrivals close first, the store last. The one file that knows
 * every room and every adapter.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { makeAcknowledger } from "./acknowledge/acknowledger.ts";
import { makeParcelComposer } from "./acknowledge/parcel.ts";
import type { ReturnChannel } from "./acknowledge/return-channel.ts";
import { makeOpossumBreaker } from "./adapters/breaker/opossum-breaker.ts";
import { makeDropFolders } from "./adapters/folder/drop-folder.ts";
import { makeFolderReturn } from "./adapters/folder/folder-return.ts";
import { makeHttpServer } from "./adapters/http/http-server.ts";
import { makeMailReturn } from "./adapters/mail/mail-return.ts";
import { makeSmtpReceiver } from "./adapters/mail/smtp-receiver.ts";
import { makeSneRegistry } from "./adapters/sne/sne-registry.ts";
import { openSqliteOutbox } from "./adapters/sqlite/sqlite-outbox.ts";
import { makeEnvelopeReader } from "./adapters/xml/envelope-reader.ts";
import { makeSchemaValidator } from "./adapters/xml/schema-validator.ts";
import { makeReceiver } from "./arrive/receive.ts";
import type { SchemaChecker } from "./arrive/schema-check.ts";
import type { Events } from "./domain/events.ts";
import type { Guichets } from "./domain/guichet.ts";
import { makeAttempt } from "./forward/attempt.ts";
import type { Breaker } from "./forward/breaker.ts";
import { makeForwarder } from "./forward/forwarder.ts";
import type { Outbox } from "./keep/outbox.ts";
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

/** Files that come with the program, whatever the working directory. */
const WSDL_PATH = fileURLToPath(new URL("../wsdl/DemandeLogement.wsdl", import.meta.url));

/** Where the breaker's state is noted, so that a restart does not forget an outage. */
const BREAKER_NOTE = "breaker.openUntil";

/** Longest time one acquittement may take to be handed to the mail server, ms. */
const MAIL_TIMEOUT_MS = 30_000;

/** Mails in hand at once may hold this many times the largest file, bytes. */
const MAILS_IN_HAND = 8;

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

  const outbox = await openSqliteOutbox({
    path: settings.store,
    clock,
    log,
    onDeath: options.onFatal,
  });
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
      ? { refuseBySchema: checker }
      : {}),
    quarantineMax: settings.quarantineMax,
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
    owner: settings.name,
    concurrency: settings.deliveryConcurrency,
    leaseMs: settings.leaseMs,
    backoff: { firstMs: settings.deliveryRetryFirstMs, maxMs: settings.deliveryRetryMaxMs },
    clock,
    chance,
    events,
    log,
  });

  const forwarding = await buildForwarding();
  const health = makeHealth({ outbox, breakerState: () => forwarding?.breaker.state });
  const http = makeHttpServer({
    host: settings.httpHost,
    port: settings.httpPort,
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
  const smtp = await buildSmtpReceiver();
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

  /** Everything about the SNE; undefined when no address is set: fluxes are kept and wait. */
  async function buildForwarding(): Promise<{ breaker: Breaker; part: Part } | undefined> {
    if (settings.sneUrl === undefined) return undefined;
    const { sneTlsKey: keyFile, sneTlsCert: certFile, sneTlsCa: caFile } = settings;
    const registry = await makeSneRegistry({
      wsdlPath: WSDL_PATH,
      url: settings.sneUrl,
      tls: {
        ...(keyFile === undefined ? {} : { keyFile }),
        ...(certFile === undefined ? {} : { certFile }),
        ...(caFile === undefined ? {} : { caFile }),
        ...(settings.sneTlsPassphrase === undefined
          ? {}
          : { passphrase: settings.sneTlsPassphrase }),
      },
      timeoutMs: settings.sneTimeoutMs,
      connectTimeoutMs: settings.sneConnectTimeoutMs,
      maxAnswerBytes: settings.sneMaxAnswerBytes,
      maxConnections: settings.sneConcurrency,
      certificateName: settings.sneCertificateName,
      clock,
      chance,
      log,
    });
    const breaker = await restoreBreaker();
    const forwarder = makeForwarder({
      outbox,
      breaker,
      attempt: makeAttempt({
        outbox,
        registry,
        breaker,
        ...(checker !== undefined && settings.schemaPolicy === "note"
          ? { noteBySchema: checker }
          : {}),
        serverError: settings.sneServerError,
        backoff: { firstMs: settings.retryFirstMs, maxMs: settings.retryMaxMs },
        clock,
        chance,
        events,
        log,
      }),
      owner: settings.name,
      concurrency: settings.sneConcurrency,
      leaseMs: settings.leaseMs,
      stopMs: settings.stopMs,
      clock,
      events,
      log,
    });
    const part: Part = {
      name: forwarder.name,
      start: () => forwarder.start(),
      stop: async () => {
        await forwarder.stop();
        breaker.stop();
        await registry.stop();
      },
    };
    return { breaker, part };
  }

  /** The breaker as the former life left it: a restart must not hammer an SNE known to be down. */
  async function restoreBreaker(): Promise<Breaker> {
    const noted = Number((await outbox.noted(BREAKER_NOTE)) ?? "0");
    const breaker = makeOpossumBreaker({
      clock,
      log,
      failureThreshold: settings.breakerFailures,
      resetMs: settings.breakerOpenMs,
      restore: { openUntil: noted > 0 ? noted : undefined },
      save: ({ openUntil }) => outbox.note(BREAKER_NOTE, String(openUntil ?? 0)),
    });
    breaker.onChange((state) => {
      const name = { open: "opened", halfOpen: "halfOpened", closed: "closed" } as const;
      events.emit(`breaker.${name[state]}`, {});
    });
    return breaker;
  }

  async function buildSmtpReceiver(): Promise<ReturnType<typeof makeSmtpReceiver> | undefined> {
    if (settings.smtpPort < 0) return undefined;
    const { smtpTlsKey, smtpTlsCert } = settings;
    const users = readSmtpUsers(settings.smtpUsers);
    return makeSmtpReceiver({
      host: settings.smtpHost,
      port: settings.smtpPort,
      hostName: settings.hostName,
      guichets,
      receive,
      clock,
      log,
      events,
      // Base64 makes a file a third larger; the rest is headers and text.
      maxBytes: Math.ceil(settings.maxFileBytes * 1.5),
      maxBytesInHand: settings.maxFileBytes * MAILS_IN_HAND,
      maxConnections: 200,
      requireTls: settings.smtpRequireTls,
      ...(smtpTlsKey === undefined || smtpTlsCert === undefined
        ? {}
        : { tls: { key: await readFile(smtpTlsKey), cert: await readFile(smtpTlsCert) } }),
      ...(users === undefined
        ? {}
        : {
            auth: {
              verify: (user: string, password: string) => samePassword(users.get(user), password),
              required: true,
              withoutTls: smtpTlsKey === undefined,
            },
          }),
      recipients: settings.smtpRecipients,
      idleMs: 5 * 60_000,
      dataMs: 10 * 60_000,
      stopGraceMs: settings.stopMs,
    });
  }

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

const UNLOGGED = new Set(["fileName", "note", "reason", "text"]);

/** Every event is a log line; those that ask for a person are warnings. */
function logEvents(events: Events, log: Log): void {
  const warnings = new Set([
    "flux.failed",
    "flux.putInDoubt",
    "flux.quarantined",
    "breaker.opened",
    "store.failed",
    "step.failed",
    "arrival.turnedAway",
    "acquittement.postponed",
  ]);
  events.listen(({ name, fluxId, guichet, detail }) => {
    // File names and notes may carry a person's name: they stay in the journal, out of the logs.
    const facts = Object.entries(detail).filter(([key]) => !UNLOGGED.has(key));
    const line = {
      ...Object.fromEntries(facts),
      ...(fluxId === undefined ? {} : { fluxId }),
      ...(guichet === undefined ? {} : { guichet }),
    };
    if (warnings.has(name)) log.warn(name, line);
    else log.info(name, line);
  });
}

/** A file that could not be checked goes on (the SNE is the judge), but never silently. */
function tellingWhatWasNotChecked(checker: SchemaChecker, log: Log): SchemaChecker {
  return {
    stop: () => checker.stop(),
    check: async (file, versionInterface) => {
      const checked = await checker.check(file, versionInterface);
      if (checked.kind === "notChecked") {
        log.warn("schema.notChecked", { reason: checked.reason });
      }
      return checked;
    },
  };
}

/** `user:password` pairs separated by commas; undefined when the setting is unset. */
function readSmtpUsers(text: string | undefined): ReadonlyMap<string, string> | undefined {
  if (text === undefined) return undefined;
  return new Map(
    text.split(",").map((pair) => {
      const colon = pair.indexOf(":");
      return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
}

/** Compares in a time that tells nothing of either. */
function samePassword(expected: string | undefined, given: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(expected ?? ""), digest(given)) && expected !== undefined;
}
