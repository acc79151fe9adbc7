/**
 * One of the SNE's own services, served at its own path (capability A7): a client written for the SNE
 * works when pointed here. What writes goes to `write-operation.ts`, what reads to
 * `read-operation.ts`; here a request becomes a call of the published contract, or a clear fault.
 *
 * Promise: no operation is ever guessed, and whatever a caller sends is answered.
 */
import {
  ERRORS,
  errorText,
  GatewayError,
  messageWithCauseOf,
  type ErrorCode,
} from "../../../domain/errors.ts";
import type { Guichet } from "../../../domain/guichet.ts";
import { isWriteOperation } from "../../../domain/sne-operation.ts";
import type { Chance } from "../../../runtime/clock.ts";
import type { Log } from "../../../runtime/log.ts";
import type { HttpCall, HttpReply } from "../../../wire/http-message.ts";
import {
  SNE_NAMESPACE,
  SNE_OPERATIONS,
  type SneOperationShape,
  type SneService,
} from "../../../wire/sne-contract.ts";
import { matchOperation } from "../match-operation.ts";
import { readParameters, type SoapParameters } from "../read-parameters.ts";
import { readSoapRequest } from "../read-soap-request.ts";
import type { SoapFault, SoapRequest, SoapResult, SoapVersion } from "../soap-message.ts";
import { writeSoapAnswer } from "../write-soap-answer.ts";
import { writeSoapFault } from "../write-soap-fault.ts";

/** What an operation came to. */
export type Served =
  | {
      readonly kind: "answer";
      readonly results: readonly SoapResult[];
      /** See HttpReply. */
      readonly sent?: () => Promise<void>;
    }
  | { readonly kind: "fault"; readonly fault: SoapFault };

/** A call whose parameters are in order. */
export interface SneRequest {
  readonly shape: SneOperationShape;
  readonly parameters: SoapParameters;
  readonly guichet: Guichet;
  readonly http: HttpCall;
}

/** Serves one operation; rejects with a GatewayError for what the gateway cannot do now. */
export type ServeOperation = (request: SneRequest) => Promise<Served>;

/** Fits `SoapEndpoint` of the HTTP port. */
export interface DropInEndpoint {
  readonly path: string;
  readonly maxBytes: number;
  describe(query: URLSearchParams, base: string): Promise<HttpReply>;
  call(call: HttpCall, guichet: Guichet): Promise<HttpReply>;
  refuse(code: ErrorCode, headers: HttpCall["headers"]): HttpReply;
}

/** The contract is SOAP 1.2 alone. */
const VERSION: SoapVersion = "1.2";

export function makeDropInEndpoint(options: {
  readonly service: SneService;
  readonly path: string;
  readonly maxBytes: number;
  /** The WSDL, its address not set. */
  readonly wsdl: () => Promise<string>;
  readonly write: ServeOperation;
  readonly read: ServeOperation;
  readonly chance: Chance;
  readonly log: Log;
}): DropInEndpoint {
  const { service, path, maxBytes, chance, log } = options;
  const shapes = SNE_OPERATIONS.filter((shape) => shape.service === service);
  const candidates = shapes.map(({ name, request }) => ({
    name,
    namespace: SNE_NAMESPACE,
    element: request,
    action: `${SNE_NAMESPACE}${name}`,
  }));
  const unique = (): string => Buffer.from(chance.bytes(16)).toString("hex");
  const faultTo = (version: SoapVersion, fault: SoapFault): HttpReply =>
    writeSoapFault({ version, fault });

  async function serve(request: SoapRequest, http: HttpCall, guichet: Guichet): Promise<Served> {
    const matched = matchOperation(request, candidates);
    if (matched.kind === "fault") return matched;
    const shape = shapes.find(({ name }) => name === matched.operation.name);
    if (shape === undefined) throw new Error(`no operation ${matched.operation.name}`);
    const parameters = readParameters(request, shape.parameters);
    if (parameters.kind === "fault") return parameters;
    const asked = { shape, parameters: parameters.parameters, guichet, http };
    try {
      return await (isWriteOperation(shape.name) ? options.write(asked) : options.read(asked));
    } catch (error) {
      return { kind: "fault", fault: faultOf(error) };
    }
  }

  /** What the gateway cannot do now, in its own words; of anything else only a name for its log. */
  function faultOf(error: unknown): SoapFault {
    if (error instanceof GatewayError && error.code !== "INTERNAL_ERROR") {
      log.warn("soap.turnedAway", { path, code: error.code });
      return faultOfCode(error.code, error.message);
    }
    const correlationId = Buffer.from(chance.bytes(8)).toString("hex");
    log.error("soap.unexpected", { path, correlationId, error: messageWithCauseOf(error) });
    return {
      ...faultOfCode("INTERNAL_ERROR"),
      detail: [{ name: "reference", text: correlationId }],
    };
  }

  return {
    path,
    maxBytes,
    describe: async (query, base) => {
      if (!query.has("wsdl")) {
        return plain(200, "Service du SNE tenu par la passerelle. Contrat : ?wsdl\n");
      }
      const wsdl = (await options.wsdl()).replace(
        /(<soap12:address\s+location=")[^"]*"/,
        (_, before: string) => `${before}${base.replace(/[&<>"]/g, "")}"`,
      );
      return {
        status: 200,
        headers: { "Content-Type": "text/xml; charset=utf-8" },
        body: Buffer.from(wsdl, "utf8"),
      };
    },
    refuse: (code, headers) => {
      const reply = faultTo(VERSION, faultOfCode(code));
      const isSoap = /soap|related|xml/i.test(headers.get("content-type") ?? "");
      return {
        ...(isSoap ? reply : plain(500, `${errorText(code)}\n`)),
        status: ERRORS[code].status,
      };
    },
    call: async (http, guichet) => {
      const reading = readSoapRequest(http, { versions: [VERSION] });
      if (reading.kind === "http") return reading.reply;
      if (reading.kind === "fault") return faultTo(reading.version, reading.fault);
      const { request } = reading;
      const served = await serve(request, http, guichet);
      if (served.kind === "fault") return faultTo(request.version, served.fault);
      const shape = shapes.find(({ request: element }) => element === request.element);
      const reply = writeSoapAnswer({
        ...{ version: request.version, framing: request.framing },
        readsBinary: request.readsBinary,
        namespace: SNE_NAMESPACE,
        element: shape?.answer ?? request.element,
        results: served.results,
        unique: unique(),
      });
      return { ...reply, ...(served.sent === undefined ? {} : { sent: served.sent }) };
    },
  };
}

/** A fault of the table of errors. */
export function faultOfCode(code: ErrorCode, text = errorText(code)): SoapFault {
  const { status, advice } = ERRORS[code];
  return { who: status >= 500 ? "receiver" : "sender", code, text: `${text} ${advice}` };
}

function plain(status: number, text: string): HttpReply {
  return {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: Buffer.from(text, "utf8"),
  };
}
