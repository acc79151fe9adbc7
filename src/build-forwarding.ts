/**
 * Builds everything about the SNE: its client, the breaker as the former life left it, the forwarder.
 * Without an address there is none of it: fluxes are kept and wait.
 */
import { fileURLToPath } from "node:url";
import { makeOpossumBreaker } from "./adapters/breaker/opossum-breaker.ts";
import { makeSneRegistry } from "./adapters/sne/sne-registry.ts";
import type { SchemaChecker } from "./arrive/schema-check.ts";
import type { Events } from "./domain/events.ts";
import { makeAttempt } from "./forward/attempt.ts";
import type { Breaker } from "./forward/breaker.ts";
import { makeForwarder } from "./forward/forwarder.ts";
import type { Registry } from "./forward/registry.ts";
import { sneAddresses } from "./forward/sne-addresses.ts";
import { openSharedBreaker, type SharedBreaker } from "./forward/shared-breaker.ts";
import type { Outbox } from "./keep/outbox.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import type { Log } from "./runtime/log.ts";
import type { Part } from "./runtime/part.ts";
import type { Settings } from "./runtime/settings.ts";

/** Files that come with the program, whatever the working directory. */
const wsdlPath = (name: string): string =>
  fileURLToPath(new URL(`../wsdl/${name}.wsdl`, import.meta.url));

interface ForwardingOptions {
  readonly settings: Settings;
  /** Names this life of this gateway. */
  readonly owner: string;
  readonly outbox: Outbox;
  /** Given when schema remarks are noted on what is forwarded. */
  readonly noteBySchema?: SchemaChecker;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
  readonly log: Log;
}

export interface Forwarding {
  readonly breaker: Breaker;
  /** The client itself: whoever asks the SNE a question runs it through `breaker`. */
  readonly registry: Registry;
  /** Stops last the client: who calls `registry` must have stopped before. */
  readonly part: Part;
}

export async function buildForwarding(options: ForwardingOptions): Promise<Forwarding | undefined> {
  const { settings, owner, outbox, noteBySchema, clock, chance, events, log } = options;
  const registry = await buildRegistry(options);
  if (registry === undefined) return undefined;
  const shared = await buildBreaker(options);
  const { breaker } = shared;
  const forwarder = makeForwarder({
    outbox,
    breaker,
    attempt: makeAttempt({
      outbox,
      registry,
      breaker,
      ...(noteBySchema === undefined ? {} : { noteBySchema }),
      serverError: settings.sneServerError,
      backoff: { firstMs: settings.retryFirstMs, maxMs: settings.retryMaxMs },
      clock,
      chance,
      events,
      log,
    }),
    owner,
    concurrency: settings.sneConcurrency,
    leaseMs: settings.leaseMs,
    stopMs: settings.stopMs,
    clock,
    events,
    log,
  });
  const part: Part = {
    name: forwarder.name,
    start: async () => {
      await shared.part.start();
      await forwarder.start();
    },
    stop: async () => {
      await forwarder.stop();
      await shared.part.stop();
      await registry.stop();
    },
  };
  return { breaker, registry, part };
}

/** The client of the SNE as the settings describe it; undefined without an address. */
export async function buildRegistry({
  settings,
  clock,
  chance,
  log,
}: Pick<ForwardingOptions, "settings" | "clock" | "chance" | "log">): Promise<
  Registry | undefined
> {
  if (settings.sneUrl === undefined) return undefined;
  const { sneTlsKey, sneTlsCert, sneTlsCa, sneTlsPassphrase } = settings;
  return makeSneRegistry({
    wsdlPaths: {
      demandeLogement: wsdlPath("DemandeLogement"),
      rechercheDemande: wsdlPath("RechercheDemande"),
      gestionPartageeEvt: wsdlPath("GestionPartageeEVT"),
    },
    urls: sneAddresses({ ...settings, sneUrl: settings.sneUrl }),
    tls: {
      ...(sneTlsKey === undefined ? {} : { keyFile: sneTlsKey }),
      ...(sneTlsCert === undefined ? {} : { certFile: sneTlsCert }),
      ...(sneTlsCa === undefined ? {} : { caFile: sneTlsCa }),
      ...(sneTlsPassphrase === undefined ? {} : { passphrase: sneTlsPassphrase }),
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
}

/** A restart must not hammer an SNE known to be down, nor a second gateway beside the first. */
async function buildBreaker({
  settings,
  outbox,
  clock,
  events,
  log,
}: ForwardingOptions): Promise<SharedBreaker> {
  const resetMs = settings.breakerOpenMs;
  const shared = await openSharedBreaker({
    outbox,
    resetMs,
    makeLocal: ({ restore, save }) =>
      makeOpossumBreaker({
        failureThreshold: settings.breakerFailures,
        ...{ resetMs, restore, save, clock, log },
      }),
    clock,
    log,
  });
  shared.breaker.onChange((state) => {
    const name = { open: "opened", halfOpen: "halfOpened", closed: "closed" } as const;
    events.emit(`breaker.${name[state]}`, {});
  });
  return shared;
}
