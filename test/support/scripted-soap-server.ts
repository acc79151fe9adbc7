/**
 * A server that answers with the bytes it is told to: everything a real SNE, its proxy or its
 * network may do wrong. It reads requests itself, so that nothing is tidied up on the way.
 */
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions } from "node:tls";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Which connection brought it, from 1. */
  readonly connection: number;
}

/** Answers one request on its socket, as it likes. */
export type Script = (request: ReceivedRequest, socket: Socket) => void | Promise<void>;

export interface ScriptedSoapServer {
  readonly port: number;
  readonly url: string;
  /** Whole requests read, in order. */
  readonly requests: readonly ReceivedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  play(script: Script): void;
  /** Cuts every connection, as a server that goes away does. */
  cutAll(): void;
  stop(): Promise<void>;
}

export async function startScriptedSoapServer(
  options: { readonly tls?: TlsOptions; readonly script?: Script } = {},
): Promise<ScriptedSoapServer> {
  const requests: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let script: Script = options.script ?? (() => undefined);

  function serve(socket: Socket): void {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        const read = readRequest(pending, connection);
        if (read === undefined) return;
        pending = read.rest;
        requests.push(read.request);
        void script(read.request, socket);
      }
    });
  }

  const server =
    options.tls === undefined
      ? createTcpServer(serve)
      : createTlsServer(options.tls, serve).on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}/services/DemandeLogementImplService/`,
    requests,
    get connections() {
      return connections;
    },
    play: (next) => {
      script = next;
    },
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

function readRequest(
  bytes: Buffer,
  connection: number,
): { request: ReceivedRequest; rest: Buffer } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [start = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = Number(headers.get("content-length") ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const [method = "", path = ""] = start.split(" ");
  return {
    request: {
      method,
      path,
      headers,
      body: bytes.subarray(end + 4, end + 4 + length),
      connection,
    },
    rest: bytes.subarray(end + 4 + length),
  };
}

/** The bytes of an HTTP answer; the length is added unless headers give it, or a coding. */
export function httpAnswer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array | string = "",
): Buffer {
  const bytes = Buffer.from(body);
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const framed = names.includes("content-length") || names.includes("transfer-encoding");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = framed ? "" : `Content-Length: ${bytes.length}\r\n`;
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} Status\r\n${lines.join("")}${length}\r\n`, "latin1"),
    bytes,
  ]);
}

/** Always the same answer. */
export function answering(bytes: Uint8Array): Script {
  return (_request, socket) => {
    socket.write(bytes);
  };
}
