/**
 * The connections to the SNE: a pool an origin and a way of use. Questions have their own, so that a
 * hundred of them never keep a flux waiting for a connection.
 */
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { makeRenewedTransport } from "./renewed-transport.ts";
import type { RenewedTransport } from "./renewed-transport.ts";
import type { TlsFiles } from "./tls-material.ts";

export type Use = "write" | "read";

export interface SneTransports {
  to(origin: string, use: Use): RenewedTransport;
  stop(): Promise<void>;
}

/** Reads the certificates; rejects when they cannot be used. @param origins - all that will be met */
export async function makeSneTransports(options: {
  readonly origins: readonly string[];
  readonly tls?: TlsFiles;
  readonly connectTimeoutMs: number;
  /** Of each pool. */
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<SneTransports> {
  const transports = new Map<string, RenewedTransport>();
  for (const origin of new Set(options.origins)) {
    for (const use of ["write", "read"] as const) {
      transports.set(`${use} ${origin}`, await makeRenewedTransport({ ...options, origin }));
    }
  }
  return {
    to: (origin, use) => {
      const transport = transports.get(`${use} ${origin}`);
      if (transport === undefined) throw new Error(`no connections to ${origin}`);
      return transport;
    },
    stop: async () => {
      await Promise.all([...transports.values()].map((transport) => transport.stop()));
    },
  };
}
