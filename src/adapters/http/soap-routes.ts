/**
 * Mounts SOAP endpoints on the HTTP port: identifies the caller, reads the body within its limit, and
 * sends what the endpoint answers. What a SOAP message is, the endpoint knows.
 *
 * Promise: a body that is empty, compressed, too large or cut short is answered or let go of, never
 * waited for beyond the limits of the connection; `sent` is called only once a whole answer has left.
 */
import type { Request, Response } from "express";
import { ERRORS, messageOf, type ErrorCode } from "../../domain/errors.ts";
import type { Guichet } from "../../domain/guichet.ts";
import type { Log } from "../../runtime/log.ts";
import type { HttpCall, HttpReply } from "../../wire/http-message.ts";
import type { IdentifyCaller } from "./access.ts";
import type { InHand } from "./in-hand.ts";
import type { Route } from "./mount-routes.ts";
import { readBody } from "./read-body.ts";

/** A SOAP service at one path. */
export interface SoapEndpoint {
  /** With no slash at its end; it is served with one too. */
  readonly path: string;
  /** The largest request taken, bytes. */
  readonly maxBytes: number;
  /** Answers a GET: its WSDL under `?wsdl`, `?xsd=…`, else a line that says what is here. */
  describe(query: URLSearchParams, base: string): Promise<HttpReply>;
  /** Answers a POST of a guichet. Never rejects for what a caller may send. */
  call(call: HttpCall, guichet: Guichet): Promise<HttpReply>;
  /** Answers a POST that cannot reach the service, in the shape of a fault where its head allows. */
  refuse(code: ErrorCode, headers: HttpCall["headers"]): HttpReply;
}

/** A name or an address, and a port (RFC 9110 section 7.2): what may stand in a WSDL of ours. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export function makeSoapRoutes({
  endpoints,
  identify,
  inHand,
  log,
}: {
  readonly endpoints: readonly SoapEndpoint[];
  readonly identify: IdentifyCaller;
  readonly inHand: InHand;
  readonly log: Log;
}): readonly Route[] {
  async function post(endpoint: SoapEndpoint, request: Request, response: Response): Promise<void> {
    const headers = headersOf(request);
    const turnAway = (code: ErrorCode): void => {
      log.info("soap.turnedAway", { path: endpoint.path, code });
      // The rest of a body that is not wanted is not waited for.
      response.set("Connection", "close");
      if (ERRORS[code].status === 401) response.set("WWW-Authenticate", [...identify.challenges]);
      send(response, endpoint.refuse(code, headers));
      request.resume();
    };
    const access = identify(request);
    if (access.kind === "denied") {
      turnAway(access.code);
      return;
    }
    if (access.caller.kind === "operator") {
      turnAway(access.caller.by === "loopback" ? "AUTHENTICATION_REQUIRED" : "NOT_PERMITTED");
      return;
    }
    const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
    if (coding !== "identity") {
      turnAway("UNSUPPORTED_MEDIA_TYPE");
      return;
    }
    const body = await readBody(request, response, endpoint.maxBytes);
    if (body.kind === "gone") return;
    if (body.kind === "tooLarge") {
      turnAway("FILE_TOO_LARGE");
      return;
    }
    const left = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) left.abort();
    });
    const { remoteAddress } = request.socket;
    const reply = await endpoint.call(
      {
        headers,
        body: body.bytes,
        ...(remoteAddress === undefined ? {} : { remoteAddress }),
        gone: left.signal,
      },
      access.caller.guichet,
    );
    const { sent } = reply;
    if (sent !== undefined) {
      response.once("finish", () => {
        void inHand.track(
          sent().catch((error: unknown) => {
            // Still owed, and told so: another call, or a fetch, ends it later.
            log.error("soap.answerNotRecorded", { path: endpoint.path, error: messageOf(error) });
          }),
        );
      });
    }
    send(response, reply);
  }

  async function get(endpoint: SoapEndpoint, request: Request, response: Response): Promise<void> {
    const asked = `${request.protocol}://${request.headers.host ?? ""}`;
    const isHost = HOST.test(request.headers.host ?? "") && URL.canParse(asked);
    const here = isHost ? asked : `${request.protocol}://localhost`;
    const url = new URL(request.originalUrl, here);
    send(response, await endpoint.describe(url.searchParams, `${url.origin}${url.pathname}`));
  }

  return endpoints.flatMap((endpoint) =>
    [endpoint.path, `${endpoint.path}/`].flatMap((path): Route[] => [
      { method: "post", path, handle: (request, response) => post(endpoint, request, response) },
      { method: "get", path, handle: (request, response) => get(endpoint, request, response) },
    ]),
  );
}

function headersOf(request: Request): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(request.headersDistinct).flatMap(([name, given]) => {
      const first = given?.[0];
      return first === undefined ? [] : [[name, first] as const];
    }),
  );
}

function send(response: Response, reply: HttpReply): void {
  if (response.destroyed || response.headersSent) return;
  response.status(reply.status);
  response.set({ ...reply.headers, "Content-Length": String(reply.body.byteLength) });
  // Not express's `send`, which would add a charset to the type.
  response.end(Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength));
}
