/**
 * Our own SOAP service (capability A5): deposit, follow, fetch, confirm, by any generated client. Here
 * a request becomes a call of `wsdl/passerelle.wsdl`, and whatever goes wrong the one fault it declares.
 *
 * Promise: whatever a caller sends is answered, in the SOAP version and the framing it used; nothing of
 * our inside is shown. What each operation promises stands with it.
 */
import {
  ERRORS,
  errorText,
  GatewayError,
  isErrorCode,
  messageWithCauseOf,
  type ErrorCode,
} from "../../../domain/errors.ts";
import type { Guichet } from "../../../domain/guichet.ts";
import type { Chance } from "../../../runtime/clock.ts";
import type { Log } from "../../../runtime/log.ts";
import type { HttpCall, HttpReply } from "../../../wire/http-message.ts";
import { matchOperation } from "../match-operation.ts";
import { readParameters } from "../read-parameters.ts";
import { readSoapRequest } from "../read-soap-request.ts";
import type { SoapFault, SoapRequest } from "../soap-message.ts";
import { writeSoapAnswer } from "../write-soap-answer.ts";
import { writeSoapFault } from "../write-soap-fault.ts";
import { controlElement, element } from "./flux-elements.ts";
import type { ServeOperation, ServiceError } from "./serve-operation.ts";
import {
  FAULT_ELEMENT,
  SERVICE_NAMESPACE,
  SERVICE_OPERATIONS,
  type ServiceOperation,
  type ServiceOperationName,
} from "./service-contract.ts";

/** Fits `SoapEndpoint` of the HTTP port. */
export interface PasserelleEndpoint {
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

export function makePasserelleEndpoint(options: {
  /** With no slash at its end. */
  readonly path: string;
  /** The largest file taken, bytes. */
  readonly maxFileBytes: number;
  /** `wsdl/passerelle.wsdl`. */
  readonly wsdl: () => Promise<string>;
  readonly operations: Readonly<Record<ServiceOperationName, ServeOperation>>;
  readonly chance: Chance;
  readonly log: Log;
}): PasserelleEndpoint {
  const { path, maxFileBytes, operations, chance, log } = options;

  async function serve(request: SoapRequest, http: HttpCall, guichet: Guichet): Promise<HttpReply> {
    const matched = matchOperation(request, SERVICE_OPERATIONS);
    if (matched.kind === "fault") return faultReply(request.version, matched.fault);
    const { operation } = matched;
    const reading = readParameters(request, operation.parameters);
    if (reading.kind === "fault") return faultReply(request.version, reading.fault);
    try {
      const { parameters } = reading;
      const served = await operations[operation.name]({ parameters, guichet, http });
      if (served.kind === "error") return errorReply(request.version, served.error);
      const { results, sent } = served;
      const reply = writeSoapAnswer({
        version: request.version,
        framing: request.framing,
        readsBinary: request.readsBinary,
        namespace: SERVICE_NAMESPACE,
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
  function errorOf(error: unknown, operation: ServiceOperation): ServiceError {
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

  function hex(bytes: number): string {
    return Buffer.from(chance.bytes(bytes)).toString("hex");
  }

  return {
    path,
    // A file in base64 takes a third more, and its line ends.
    maxBytes: Math.ceil(maxFileBytes * 1.4) + AROUND_BYTES,

    describe: async (query, base) => {
      if (![...query.keys()].some((name) => WSDL_QUERIES.includes(name.toLowerCase()))) {
        return text(200, `Service de la passerelle SNE. Contrat : ${path}?wsdl\n`);
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
      const reading = readSoapRequest(http);
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
      return { ...errorReply(is12 ? "1.2" : "1.1", { code }), status };
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

function errorReply(version: SoapRequest["version"], error: ServiceError): HttpReply {
  const { code } = error;
  const { status, advice } = ERRORS[code];
  const message = error.message ?? errorText(code);
  const typed = typedOf({ advice, ...error, message });
  return writeSoapFault({
    version,
    fault: { who: status >= 500 ? "receiver" : "sender", code, text: message, typed },
    ...(status === 503 || status === 507
      ? { headers: { "Retry-After": String(RETRY_AFTER_S) } }
      : {}),
  });
}

/** `ErreurPasserelle` of the WSDL. */
function typedOf(
  error: Omit<ServiceError, "code" | "message"> & {
    readonly code: string;
    readonly message: string;
  },
): NonNullable<SoapFault["typed"]> {
  return {
    namespace: SERVICE_NAMESPACE,
    element: FAULT_ELEMENT,
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
