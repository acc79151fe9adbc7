/**
 * Makes connections to the SNE. A new TLS one is watched for a moment before its first use: in TLS
 * 1.3 the server refuses our certificate after the handshake has ended on our side, and a request
 * written in between would be lost with its effect unknown. Waiting about one more round trip turns
 * an expired certificate into "nothing was sent" instead of a doubt per flux.
 */
import type { Socket } from "node:net";
import { buildConnector } from "undici";
import type { Clock } from "../../runtime/clock.ts";
import {
  ClosedAfterHandshake,
  ConnectTimeout,
  CutDuringHandshake,
  isCut,
} from "./link-failures.ts";
import type { TlsMaterial } from "./tls-material.ts";

/** Shortest and longest watch over a new TLS connection, ms; between them, two handshakes' time. */
const WATCH_MIN_MS = 20;
const WATCH_MAX_MS = 1_000;

export function makeSneConnector({
  tls,
  connectTimeoutMs,
  clock,
}: {
  readonly tls: TlsMaterial;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}): buildConnector.connector {
  const connect = buildConnector({
    ...tls,
    allowH2: false,
    timeout: connectTimeoutMs,
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
  });
  return (options, callback) => {
    const begun = clock.now();
    let late = false;
    // undici's own timer is up to a second late.
    const timer = setTimeout(() => {
      late = true;
      callback(new ConnectTimeout(), null);
    }, connectTimeoutMs);
    connect(options, (...given) => {
      clearTimeout(timer);
      const [error, socket] = given;
      if (late) {
        socket?.on("error", () => undefined).destroy();
      } else if (error !== null) {
        // After the TCP connection, since before it a server refuses and does not cut.
        const cut = options.protocol === "https:" && isCut(error);
        callback(cut ? new CutDuringHandshake() : error, null);
      } else if (options.protocol !== "https:") {
        callback(null, socket);
      } else {
        const handshakes = 2 * (clock.now() - begun);
        watch(socket, Math.min(WATCH_MAX_MS, Math.max(WATCH_MIN_MS, handshakes)), (failure) => {
          if (failure === undefined) callback(null, socket);
          else callback(failure, null);
        });
      }
    });
  };
}

/** Calls back once: with what ended the connection within `ms`, or with nothing. */
function watch(socket: Socket, ms: number, done: (failure?: Error) => void): void {
  const settle = (failure?: Error): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("error", settle).off("end", onEnd).off("close", onEnd);
    if (failure !== undefined) socket.on("error", () => undefined).destroy();
    done(isCut(failure) ? new ClosedAfterHandshake() : failure);
  };
  // The end of the stream is seen only by reading; a server says nothing before our request.
  const onReadable = (): void => {
    if (socket.readableLength === 0) socket.read();
  };
  const onEnd = (): void => {
    settle(new ClosedAfterHandshake());
  };
  const timer = setTimeout(settle, ms);
  socket.on("readable", onReadable).on("error", settle).on("end", onEnd).on("close", onEnd);
}
