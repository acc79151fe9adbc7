/**
 * Carries one HTTP request to the SNE and says exactly how far it went: answered, never written, or
 * written and lost.
 *
 * undici's low-level dispatch is used because it tells the moment a request is about to be written
 * (`onRequestStart`): before it nothing left this machine, after it anything may have happened. It
 * re-sends nothing, follows no redirect, pipelines nothing, and looks at a kept connection before
 * writing on it, which makes rare the race with a server that is closing it.
 */
import { Pool } from "undici";
import type { Dispatcher } from "undici";
import type { Clock } from "../../runtime/clock.ts";
import { refusesOurCertificate } from "./link-failures.ts";
import { makeSneConnector } from "./sne-connector.ts";
import type { TlsMaterial } from "./tls-material.ts";

export interface HttpRequest {
  readonly method: "POST" | "GET";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
  /** From the call to the last byte of the answer, ms. */
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export type HttpOutcome =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Names in lower case; the first of repeated headers. */
      readonly headers: ReadonlyMap<string, string>;
      readonly body: Buffer;
    }
  /** Nothing was written. `crowded`: its deadline passed while other calls held the connections. */
  | {
      readonly kind: "notSent";
      readonly why: "timeout" | "crowded" | "aborted" | "failed";
      readonly error: unknown;
    }
  /** Written, at least in part; no whole answer was read. */
  | {
      readonly kind: "lost";
      readonly why: "timeout" | "aborted" | "failed" | "tooLarge";
      readonly error: unknown;
    };

export interface SneTransport {
  send(request: HttpRequest): Promise<HttpOutcome>;
  /** Waits for the requests in hand, then closes the connections. */
  close(): Promise<void>;
}

/** Idle connections are closed well before a server does without saying (Apache: 5 s). */
const IDLE_MS = 3_000;
const IDLE_MAX_MS = 60_000;
/** Closed this long before the moment a `Keep-Alive: timeout` header gives. */
const IDLE_MARGIN_MS = 1_000;
const MAX_HEADER_BYTES = 32 * 1024;

export function makeSneTransport(options: {
  readonly origin: string;
  readonly tls: TlsMaterial;
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
  readonly clock: Clock;
}): SneTransport {
  const pool = new Pool(options.origin, {
    connections: options.maxConnections,
    pipelining: 1,
    allowH2: false,
    connect: makeSneConnector(options),
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MAX_MS,
    keepAliveTimeoutThreshold: IDLE_MARGIN_MS,
    // The deadline of the whole call rules: undici's own would start anew at each byte.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  const room: Room = { connections: options.maxConnections, used: 0, timesFull: 0 };
  const inHand = new Set<Promise<HttpOutcome>>();
  let closed: Promise<void> | undefined;

  async function close(): Promise<void> {
    // Takes no more; by itself it would wait for requests that were given up, too.
    pool.close().catch(() => undefined);
    await Promise.all(inHand);
    await pool.destroy();
  }

  return {
    send: (request) => {
      const sent = send(pool, room, request).finally(() => inHand.delete(sent));
      inHand.add(sent);
      return sent;
    },
    close: () => (closed ??= close()),
  };
}

/** How many connections carry a request. */
interface Room {
  readonly connections: number;
  used: number;
  /** How often all were taken. */
  timesFull: number;
}

function send(pool: Pool, room: Room, request: HttpRequest): Promise<HttpOutcome> {
  return new Promise((resolve) => {
    const isFull = (): boolean => room.used >= room.connections;
    const wasFull = isFull();
    const timesFull = room.timesFull;
    let written = false;
    let ended = false;
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: ReadonlyMap<string, string> = new Map();
    let size = 0;
    const chunks: Buffer[] = [];

    const finish = (outcome: HttpOutcome): void => {
      if (ended) return;
      ended = true;
      if (written) room.used -= 1;
      clearTimeout(timer);
      request.signal.removeEventListener("abort", onAbort);
      resolve(outcome);
    };
    const giveUp = (why: "timeout" | "aborted", error: Error): void => {
      const isCrowded = why === "timeout" && (wasFull || room.timesFull > timesFull);
      finish(
        written
          ? { kind: "lost", why, error }
          : { kind: "notSent", why: isCrowded ? "crowded" : why, error },
      );
      controller?.abort(error);
    };
    const onAbort = (): void => giveUp("aborted", new Error("call given up"));
    const timer = setTimeout(
      () => giveUp("timeout", new Error("deadline passed")),
      request.timeoutMs,
    );
    if (request.signal.aborted) {
      onAbort();
      return;
    }
    request.signal.addEventListener("abort", onAbort, { once: true });

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (given) => {
        // Given up while it waited for a connection: it must not leave now. Started twice would be a
        // second effect: undici does not do it, and it shall not start doing so.
        if (ended || written) {
          given.abort(new Error("request must not be written"));
          return;
        }
        controller = given;
        written = true;
        room.used += 1;
        if (isFull()) room.timesFull += 1;
      },
      onRequestUpgrade: (given) => given.abort(new Error("unexpected upgrade")),
      onResponseStart: (_given, statusCode, received) => {
        if (statusCode < 200) return;
        status = statusCode;
        headers = firstOfEach(received);
      },
      onResponseData: (given, chunk) => {
        size += chunk.length;
        if (size > request.maxAnswerBytes) {
          const error = new Error("answer too large");
          finish({ kind: "lost", why: "tooLarge", error });
          given.abort(error);
          return;
        }
        chunks.push(chunk);
      },
      onResponseEnd: () => {
        finish({ kind: "answered", status, headers, body: joined(chunks) });
      },
      onResponseError: (_given, error) => {
        // A refusal of our certificate comes after our first bytes in TLS 1.3, and proves that the
        // server read none of them (RFC 8446 section 4.4.2.4).
        const refused = status === 0 && refusesOurCertificate(error);
        finish(
          written && !refused
            ? { kind: "lost", why: "failed", error }
            : { kind: "notSent", why: "failed", error },
        );
      },
    };
    pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
      },
      handler,
    );
  });
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

function firstOfEach(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined) first.set(name.toLowerCase(), text);
  }
  return first;
}
