/** A client of the SNE for tests, and one call of it. */
import { makeSneRegistry } from "../../src/adapters/sne/sne-registry.ts";
import type { SneSettings } from "../../src/adapters/sne/sne-registry.ts";
import { sneAddresses } from "../../src/forward/sne-addresses.ts";
import type { WriteCall, Registry } from "../../src/forward/registry.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import type { Log } from "../../src/runtime/log.ts";

export function makeSneClient(
  url: string,
  options: Partial<SneSettings> & { readonly clock?: Clock; readonly log?: Log } = {},
): Promise<Registry> {
  return makeSneRegistry({
    wsdlPaths: {
      demandeLogement: "wsdl/DemandeLogement.wsdl",
      rechercheDemande: "wsdl/RechercheDemande.wsdl",
      gestionPartageeEvt: "wsdl/GestionPartageeEVT.wsdl",
    },
    urls: sneAddresses({ sneUrl: url }),
    timeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    maxAnswerBytes: 5_000_000,
    maxConnections: 50,
    certificateName: "CERG1104-202611220800.pem",
    clock: systemClock(),
    chance: systemChance(),
    log: SILENT_LOG,
    ...options,
  });
}

export function creation(changes: Partial<WriteCall> = {}): WriteCall {
  return {
    file: { name: "DEMG1104-202611220800-000001.xml", bytes: Buffer.from("<interfaceNuu/>") },
    kind: "CRE",
    signal: new AbortController().signal,
    ...changes,
  };
}
