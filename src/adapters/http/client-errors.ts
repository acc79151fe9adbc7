/**
 * Answers what never became a request: a head too long, too slow or that is not HTTP. Written on the
 * bare socket, as the same problem+json, never into the middle of another answer nor before it: a
 * sender whose flux was kept must read its 201 first, whatever nonsense it sent behind it.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { systemCodeOf } from "../../domain/errors.ts";
import type { Log } from "../../runtime/log.ts";
import { problemBody, problemHeaders } from "./problem.ts";

const PHRASES = new Map([
  [400, "Bad Request"],
  [408, "Request Timeout"],
  [431, "Request Header Fields Too Large"],
]);

export function answerClientErrors(server: Server, log: Log): void {
  const answering = new WeakMap<Duplex, ServerResponse>();
  const remember = (request: IncomingMessage, response: ServerResponse): void => {
    answering.set(request.socket, response);
  };
  server.on("request", remember);
  server.on("checkContinue", remember);
  server.on("clientError", (error, socket) => {
    const code = systemCodeOf(error) ?? "";
    log.debug("http.notARequest", { code });
    const response = answering.get(socket);
    const isAnswering = response !== undefined && !response.writableFinished;
    if (code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
    } else if (isAnswering && response.req.complete) {
      response.once("finish", () => writeProblem(socket, code));
    } else if (isAnswering && response.headersSent) {
      // The body of that request is what is wrong, and its answer has begun.
      socket.destroy();
    } else {
      writeProblem(socket, code);
    }
  });
}

function writeProblem(socket: Duplex, code: string): void {
  const { status, detail } = meaningOf(code);
  const body = JSON.stringify(problemBody("INVALID_REQUEST", "/", { status, details: { detail } }));
  const head = {
    ...problemHeaders(status),
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
  const first = `HTTP/1.1 ${status} ${PHRASES.get(status) ?? "Bad Request"}`;
  socket.end(`${first}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

function meaningOf(code: string): { status: number; detail: string } {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, detail: "les en-têtes sont trop longs" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, detail: "la requête n'est pas arrivée en entier à temps" };
    default:
      return { status: 400, detail: "ce n'est pas une requête HTTP correcte" };
  }
}
