/**
 * The transport to the SNE, renewed when the certificate files change on disk: new calls take the
 * new certificate, those in hand end on the old connections. Files that cannot be used together
 * (a key written before its certificate) leave the transport as it is, and are looked at again.
 */
import { messageOf } from "../../domain/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { makeSneTransport } from "./sne-transport.ts";
import type { HttpOutcome, HttpRequest } from "./sne-transport.ts";
import { markOfTlsFiles, readTlsMaterial } from "./tls-material.ts";
import type { TlsFiles } from "./tls-material.ts";

/** How often the files are looked at, at most: three `stat` calls, ms. */
const LOOK_EVERY_MS = 10_000;

export interface RenewedTransport {
  send(request: HttpRequest): Promise<HttpOutcome>;
  stop(): Promise<void>;
}

export async function makeRenewedTransport(options: {
  readonly origin: string;
  readonly tls?: TlsFiles;
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<RenewedTransport> {
  const { clock, log } = options;
  const files = options.tls ?? {};
  let mark = await markOfTlsFiles(files);
  let transport = makeSneTransport({ ...options, tls: await readTlsMaterial(files) });
  let nextLook = clock.now() + LOOK_EVERY_MS;
  let looking: Promise<void> | undefined;
  const closing = new Set<Promise<void>>();

  async function look(): Promise<void> {
    const found = await markOfTlsFiles(files);
    if (found === mark) return;
    try {
      const renewed = makeSneTransport({ ...options, tls: await readTlsMaterial(files) });
      const old = transport;
      transport = renewed;
      mark = found;
      const closed = old.close().finally(() => closing.delete(closed));
      closing.add(closed);
      log.info("sne.certificateRenewed");
    } catch (error) {
      log.warn("sne.certificateNotUsable", { error: messageOf(error) });
    }
  }

  return {
    send: async (request) => {
      if (options.tls !== undefined && clock.now() >= nextLook) {
        nextLook = clock.now() + LOOK_EVERY_MS;
        looking = look().finally(() => (looking = undefined));
      }
      if (looking !== undefined) await looking;
      return await transport.send(request);
    },
    stop: async () => {
      if (looking !== undefined) await looking;
      await Promise.all([transport.close(), ...closing]);
    },
  };
}
