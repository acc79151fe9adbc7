/**
 * One SOAP service at one path: a request becomes a call of its contract, and whatever goes wrong a
 * fault with a stable code. The same for our own service and for those of the SNE: what each of their
 * operations promises stands with it.
 *
 * Promise: whatever a caller sends is answered, in the SOAP version and the framing it used; no
 * operation is ever guessed; nothing of our inside is shown.
 */
import {
  ERRORS,
  errorText,
  GatewayError,
  isErrorCode,
  messageWithCauseOf,
  type ErrorCode,
} from "../../domain/errors.ts";
import type { Guichet } from "../../domain/guichet.ts";
import type { Chance } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { HttpCall, HttpReply } from "../../wire/http-message.ts";
import { matchOperation, type OperationCandidate } from "./match-operation.ts";
import { readParameters, type ParameterShape } from "./read-parameters.ts";
import { readSoapRequest } from "./read-soap-request.ts";
import type { SoapFault, SoapRequest, SoapVersion } from "./soap-message.ts";
import { writeSoapAnswer } from "./write-soap-answer.ts";
import { DETAIL_ELEMENT, DETAIL_NAMESPACE, writeSoapFault } from "./write-soap-fault.ts";
import { controlElement, element } from "./elements.ts";
import type { ServeOperation, ServiceError } from "./service-call.ts";

/** Fits `SoapEndpoint` of the HTTP port. */
export interface SoapService {
  readonly path: string;
  readonly maxBytes: number;
  describe(query: URLSearchParams, base: string): Promise<HttpReply>;
  call(call: HttpCall, guichet: Guichet): Promise<HttpReply>;
  refuse(code: ErrorCode, headers: HttpCall["headers"]): HttpReply;
}

/** What stands around the largest file in a request: envelope, part headers, a bordereau. */
const AROUND_BYTES = 4 * 1024 * 1024;
/** What toolkits append to the address of a service to have its WSDL (.NET asks for a single file). */
const WSDL_QUERIES = ["wsdl", "singlewsdl"];
/** Seconds a sender is asked to wait when the gateway or its store is away. */
const RETRY_AFTER_S = 30;

/** An operation of a contract, and who serves it. */
export interface ServedOperation extends OperationCandidate {
  /** Local name of the answer's wrapper element. */
  readonly answer: string;
  readonly parameters: readonly ParameterShape[];
  readonly serve: ServeOperation;
}

export function makeSoapService(options: {
  /** With no slash at its end. */
  readonly path: string;
  /** French: what is served here. */
  readonly title: string;
  /** Those the contract binds. */
  readonly versions: readonly SoapVersion[];
  /** Of wrapper elements, their children being in none. */
  readonly namespace: string;
  readonly operations: readonly ServedOperation[];
  /** The largest file taken, bytes. */
  readonly maxFileBytes: number;
  /** Its addresses not set. */
  readonly wsdl: () => Promise<string>;
  /** True for callers that show a fault's reason alone: what to do is then said there too. */
  readonly advisesInReason?: boolean;
  readonly chance: Chance;
  readonly log: Log;
}): SoapService {
  const { path, versions, namespace, operations, maxFileBytes, chance, log } = options;

  async function serve(request: SoapRequest, http: HttpCall, guichet: Guichet): Promise<HttpReply> {
    const matched = matchOperation(request, operations);
    if (matched.kind === "fault") return faultReply(request.version, matched.fault);
    const { operation } = matched;
    const reading = readParameters(request, operation.parameters);
    if (reading.kind === "fault") return faultReply(request.version, reading.fault);
    try {
      const { parameters } = reading;
      const served = await operation.serve({ parameters, guichet, http });
      if (served.kind === "error") return errorReply(request.version, served.error);
      const { results, sent } = served;
      const reply = writeSoapAnswer({
        version: request.version,
        framing: request.framing,
        readsBinary: request.readsBinary,
        namespace,
        element: operation.answer,
        results,
        unique: hex(16),
      });
      return sent === undefined ? reply : { ...reply, sent };
    } catch (error) {
      return errorReply(request.version, errorOf(error, operation));
    }
  }

  /** What the gateway cannot do now, in its own words; of anything else only a name for its log. */
  function errorOf(error: unknown, operation: ServedOperation): ServiceError {
    if (error instanceof GatewayError && error.code !== "INTERNAL_ERROR") {
      log.warn("soap.turnedAway", { path, operation: operation.name, code: error.code });
      return { code: error.code, message: error.message };
    }
    const reference = hex(8);
    log.error("soap.unexpected", {
      path,
      operation: operation.name,
      reference,
      error: messageWithCauseOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return { code: "INTERNAL_ERROR", reference };
  }

  function errorReply(version: SoapRequest["version"], error: ServiceError): HttpReply {
    const { code } = error;
    const { status, advice } = ERRORS[code];
    const message = error.message ?? errorText(code);
    const { who = status >= 500 ? "receiver" : "sender" } = error;
    const text =
      options.advisesInReason === true ? `${message} ${error.advice ?? advice}` : message;
    const typed = typedOf({ advice, ...error, message });
    return writeSoapFault({
      version,
      fault: { who, code, text: text.trim(), typed },
      ...(status === 503 || status === 507
        ? { headers: { "Retry-After": String(RETRY_AFTER_S) } }
        : {}),
    });
  }

  function hex(bytes: number): string {
    return Buffer.from(chance.bytes(bytes)).toString("hex");
  }

  return {
    path,
    // A file in base64 takes a third more, and its line ends.
    maxBytes: Math.ceil(maxFileBytes * 1.4) + AROUND_BYTES,

    describe: async (query, base) => {
      if (![...query.keys()].some((name) => WSDL_QUERIES.includes(name.toLowerCase()))) {
        return text(200, `${options.title} Contrat : ${path}?wsdl\n`);
      }
      const address = base.replace(/[&<>"]/g, (char) => `&#${char.codePointAt(0) ?? 0};`);
      const wsdl = (await options.wsdl()).replace(
        /(<soap(?:12)?:address\s+location=")[^"]*(")/g,
        (_, before: string, after: string) => `${before}${address}${after}`,
      );
      return {
        status: 200,
        headers: { "Content-Type": "text/xml; charset=utf-8" },
        body: Buffer.from(wsdl, "utf8"),
      };
    },

    call: async (http, guichet) => {
      const reading = readSoapRequest(http, { versions });
      switch (reading.kind) {
        case "http":
          return reading.reply;
        case "fault":
          return faultReply(reading.version, reading.fault);
        case "request":
          return serve(reading.request, http, guichet);
      }
    },

    refuse: (code, headers) => {
      // `application/soap+xml`, or a package that names it as the type of its root.
      const is12 = (headers.get("content-type") ?? "").includes("application/soap+xml");
      const { status } = ERRORS[code];
      const version = is12 || !versions.includes("1.1") ? "1.2" : "1.1";
      return { ...errorReply(version, { code }), status };
    },
  };
}

/** A fault of the front, in the element our WSDL declares. */
function faultReply(version: SoapRequest["version"], fault: SoapFault): HttpReply {
  const { code, text: message } = fault;
  const advice = isErrorCode(code) ? ERRORS[code].advice : undefined;
  const typed = typedOf({ code, message, ...(advice === undefined ? {} : { advice }) });
  return writeSoapFault({ version, fault: { ...fault, typed } });
}

/** `ErreurPasserelle` of the WSDL. */
function typedOf(
  error: Omit<ServiceError, "code" | "message" | "who"> & {
    readonly code: string;
    readonly message: string;
  },
): NonNullable<SoapFault["typed"]> {
  return {
    namespace: DETAIL_NAMESPACE,
    element: DETAIL_ELEMENT,
    children: [
      ...element("code", error.code),
      ...element("message", error.message),
      ...element("conseil", error.advice),
      ...element("identifiant", error.fluxId),
      ...element("reference", error.reference),
      ...(error.controls ?? []).map((control) => controlElement("controle", control)),
    ],
  };
}

function text(status: number, content: string): HttpReply {
  return {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    body: Buffer.from(content, "utf8"),
  };
}
