/**
 * Builds the SNE's own services as the gateway serves them, each at the path its setting gives: what
 * writes meets the forwarder in the outbox, what reads goes to the SNE behind the breaker.
 */
import { readFile } from "node:fs/promises";
import type { Collect } from "./acknowledge/collect.ts";
import { makeDropInEndpoint } from "./adapters/soap/drop-in/drop-in-endpoint.ts";
import { makeReadOperation } from "./adapters/soap/drop-in/read-operation.ts";
import { makeWriteOperation } from "./adapters/soap/drop-in/write-operation.ts";
import type { SoapService } from "./adapters/soap/soap-service.ts";
import type { Receive } from "./arrive/arrival.ts";
import { makeWriteThrough } from "./arrive/write-through.ts";
import type { Forwarding } from "./build-forwarding.ts";
import { linkWorks } from "./forward/classify.ts";
import type { Outbox } from "./keep/outbox.ts";
import type { OnMove } from "./keep/told-moves.ts";
import type { Chance, Clock } from "./runtime/clock.ts";
import type { Log } from "./runtime/log.ts";
import type { Settings } from "./runtime/settings.ts";
import type { SneService } from "./wire/sne-contract.ts";

/** The setting that serves a service nowhere. */
const NOWHERE = "-";
const WSDL_FILES: Readonly<Record<SneService, string>> = {
  demandeLogement: "DemandeLogement.wsdl",
  rechercheDemande: "RechercheDemande.wsdl",
  gestionPartageeEvt: "GestionPartageeEVT.wsdl",
};

export function buildDropIn(options: {
  readonly settings: Settings;
  readonly receive: Receive;
  readonly outbox: Outbox;
  readonly collect: Collect;
  /** Undefined without an address of the SNE: what writes is kept, what reads is refused. */
  readonly forwarding: Forwarding | undefined;
  readonly onMove: OnMove;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}): readonly SoapService[] {
  const { settings, outbox, collect, forwarding, onMove, clock, chance, log } = options;
  const write = makeWriteOperation({
    writeThrough: makeWriteThrough({
      receive: options.receive,
      outbox,
      onMove,
      isSneDown: () => forwarding === undefined || forwarding.breaker.state === "open",
      budgetMs: settings.dropInWaitMs,
      clock,
    }),
    outbox,
    collect,
  });
  const read = makeReadOperation({
    ask: async (call) =>
      forwarding?.breaker.run(
        () => forwarding.registry.read(call),
        (answer) => linkWorks(call.operation, answer),
      ),
  });
  const paths: Readonly<Record<SneService, string>> = {
    demandeLogement: settings.dropInDemandesPath,
    rechercheDemande: settings.dropInSearchPath,
    gestionPartageeEvt: settings.dropInEventsPath,
  };
  return (["demandeLogement", "rechercheDemande", "gestionPartageeEvt"] as const)
    .filter((service) => paths[service] !== NOWHERE)
    .map((service) =>
      makeDropInEndpoint({
        service,
        path: paths[service].replace(/\/+$/, ""),
        maxFileBytes: settings.maxFileBytes,
        wsdl: () => readFile(new URL(`../wsdl/${WSDL_FILES[service]}`, import.meta.url), "utf8"),
        ...{ write, read, chance, log },
      }),
    );
}
