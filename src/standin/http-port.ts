/** A listening port that can be closed and opened again on the same number. */
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

export interface TlsFiles {
  /** PEM. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** PEM of the authorities whose client certificates are accepted: given, one is required. */
  readonly ca?: string | Buffer;
}

export interface HttpPort {
  readonly url: string;
  open(): Promise<void>;
  /** Stops listening; calls in progress end, or are cut. */
  close(cut: boolean): Promise<void>;
}

const REOPEN_TRIES = 50;
const REOPEN_WAIT_MS = 20;

/** @param port - 0 for any; the one obtained is kept when opened again */
export function makeHttpPort(
  options: { readonly host: string; readonly port: number; readonly tls?: TlsFiles },
  listener: RequestListener,
): HttpPort {
  const { host, tls } = options;
  let { port } = options;
  let server: Server | undefined;
  /** Servers that no longer listen, whose calls in progress have not ended. */
  const draining = new Map<Server, Promise<void>>();

  const listen = (): Promise<Server> =>
    new Promise((resolve, reject) => {
      const made = tls === undefined ? createServer() : createTlsServer(mutual(tls));
      made.on("request", listener);
      // A client that waits longer than Node's five seconds between calls is an ordinary one.
      made.keepAliveTimeout = 30_000;
      made.on("clientError", (_error, socket) => {
        // Not HTTP, or cut short: that connection ends, and only that one.
        socket.destroy();
      });
      made.on("tlsClientError", (_error, socket: { destroy(): void }) => {
        socket.destroy();
      });
      made.once("error", reject);
      made.listen({ host, port }, () => {
        made.off("error", reject);
        resolve(made);
      });
    });

  return {
    get url() {
      const shown = host.includes(":") ? `[${host}]` : host;
      return `${tls === undefined ? "http" : "https"}://${shown}:${port}`;
    },
    open: async () => {
      if (server !== undefined) return;
      for (let tried = 1; ; tried += 1) {
        try {
          server = await listen();
          break;
        } catch (error) {
          // Another program may have been given the port while it was closed.
          if (tried >= REOPEN_TRIES || options.port === port) throw error;
          await sleep(REOPEN_WAIT_MS);
        }
      }
      const address = server.address();
      if (typeof address === "object" && address !== null) port = address.port;
    },
    close: async (cut) => {
      if (server !== undefined) {
        const closing = server;
        server = undefined;
        const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
        draining.set(closing, closed);
        void closed.then(() => draining.delete(closing));
        closing.closeIdleConnections();
      }
      if (!cut) return;
      for (const closing of draining.keys()) closing.closeAllConnections();
      await Promise.all(draining.values());
    },
  };
}

function mutual(tls: TlsFiles): Record<string, unknown> {
  const { cert, key, ca } = tls;
  if (ca === undefined) return { cert, key };
  return { cert, key, ca, requestCert: true, rejectUnauthorized: true };
}
