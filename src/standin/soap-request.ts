/**
 * Reads a SOAP call from an HTTP request: MTOM as libsne and Apache CXF frame it, or a plain
 * envelope. What is not a call of the published contract is a problem, with the answer it deserves.
 */
import { bareContentId, partById, readMultipart, rootPart } from "../wire/multipart-related.ts";
import type { Part } from "../wire/multipart-related.ts";
import { readContentType } from "../wire/content-type.ts";
import type { CallParameter, EnvelopeReading, StandinXml } from "./standin-xml.ts";
import type { Operation, OperationName, ServiceName } from "./operations-table.ts";
import {
  actionsOf,
  tellOperation,
  type ActionMissing,
  type ActionPlaces,
} from "./tell-operation.ts";

export interface SoapCall {
  readonly operation: OperationName;
  readonly framing: "mtom" | "plain";
  readonly action?: string;
  /** Text of a parameter; undefined when it was not sent. */
  text(name: string): string | undefined;
  code(name: string): string | undefined;
  /** Bytes of a parameter of type file; undefined when it was not sent. */
  file(name: string): Uint8Array | undefined;
}

export type SoapReading =
  | { readonly kind: "call"; readonly call: SoapCall }
  /** To answer with a fault. */
  | { readonly kind: "fault"; readonly code: FaultCode; readonly text: string }
  /** To answer without SOAP. */
  | { readonly kind: "http"; readonly status: number; readonly text: string };

/** `VersionMismatch11`: the mismatch told to a SOAP 1.1 caller, in its own version (SOAP 1.2, A). */
export type FaultCode = "Sender" | "Receiver" | "MustUnderstand" | "VersionMismatch11";

export interface SoapRequest {
  /** The service whose path was called. */
  readonly service: ServiceName;
  readonly contentType: string | undefined;
  readonly soapAction: string | undefined;
  readonly body: Uint8Array;
}

export function readSoapRequest(
  request: SoapRequest,
  xml: StandinXml,
  actionMissing: ActionMissing,
): SoapReading {
  const { contentType: header, body } = request;
  const type = readContentType(header);
  if (type === undefined) return { kind: "http", status: 415, text: "Content-Type absent" };
  let parts: readonly Part[] = [];
  let root: Uint8Array = body;
  let rootType = header;
  const framing = type.type === "multipart/related" ? "mtom" : "plain";
  if (framing === "mtom") {
    const reading = readMultipart(body, type.parameters.get("boundary") ?? "");
    if (reading.kind === "unreadable") return sender(`multipart/related : ${reading.reason}`);
    parts = reading.parts;
    const part = rootPart(parts, type.parameters.get("start"));
    if (part === undefined) return sender("multipart/related : partie racine introuvable");
    const content = decodePart(part);
    if (content === undefined) return sender("partie racine : encodage de transfert inconnu");
    root = content;
    rootType = part.headers.get("content-type");
  } else if (type.type !== "application/soap+xml" && type.type !== "text/xml") {
    return { kind: "http", status: 415, text: `Content-Type ${type.type} non pris en charge` };
  }
  const envelope = xml.readEnvelope(root);
  if (envelope.kind === "unreadable") return sender(`enveloppe illisible : ${envelope.reason}`);
  if (envelope.soap === "1.1") {
    const text = "Ce service parle SOAP 1.2 : enveloppe SOAP 1.1 refusée.";
    return { kind: "fault", code: "VersionMismatch11", text };
  }
  if (framing === "plain" && type.type === "text/xml") {
    return { kind: "http", status: 415, text: "SOAP 1.2 : application/soap+xml attendu" };
  }
  if (envelope.mustUnderstand !== undefined) {
    const text = `En-tête non compris : ${envelope.mustUnderstand}`;
    return { kind: "fault", code: "MustUnderstand", text };
  }
  const places = { outer: type.parameters, rootType, soapAction: request.soapAction };
  const { namespace, element } = envelope;
  const told = tellOperation({
    service: request.service,
    namespace,
    element,
    places,
    actionMissing,
  });
  if (told.kind === "unknown") return sender(told.text);
  return readCall(told.operation, envelope, parts, framing, places);
}

function readCall(
  operation: Operation,
  envelope: Extract<EnvelopeReading, { kind: "read" }>,
  parts: readonly Part[],
  framing: "mtom" | "plain",
  places: ActionPlaces,
): SoapReading {
  const [action] = actionsOf(places, true);
  const problem = checkParameters(operation, envelope.parameters);
  if (problem !== undefined) return sender(problem);
  const files = new Map<string, Uint8Array>();
  for (const parameter of envelope.parameters) {
    if (operation.parameters.find(({ name }) => name === parameter.name)?.type !== "file") continue;
    const bytes = fileOf(parameter, parts);
    if (typeof bytes === "string") return sender(`${parameter.name} : ${bytes}`);
    files.set(parameter.name, bytes);
  }
  const byName = new Map(envelope.parameters.map((parameter) => [parameter.name, parameter]));
  return {
    kind: "call",
    call: {
      operation: operation.name,
      framing,
      ...(action === undefined ? {} : { action }),
      text: (name) => byName.get(name)?.text.trim(),
      code: (name) => byName.get(name)?.code,
      file: (name) => files.get(name),
    },
  };
}

/** The sequence of the WSDL: each at most once, in its order, none missing, none unknown. */
function checkParameters(operation: Operation, sent: readonly CallParameter[]): string | undefined {
  let next = 0;
  for (const { name } of sent) {
    const at = operation.parameters.findIndex((parameter) => parameter.name === name);
    if (at < 0) return `paramètre inconnu : ${name}`;
    if (at < next) return `paramètre en double ou hors de son ordre : ${name}`;
    next = at + 1;
  }
  const missing = operation.parameters.find(
    ({ name, optional }) => optional !== true && !sent.some((parameter) => parameter.name === name),
  );
  return missing === undefined ? undefined : `paramètre absent : ${missing.name}`;
}

/** The bytes of a file, or why they cannot be had. */
function fileOf(parameter: CallParameter, parts: readonly Part[]): Uint8Array | string {
  if (parameter.cid !== undefined) {
    const part = partById(parts, parameter.cid);
    if (part === undefined) return `aucune partie ${bareContentId(parameter.cid)}`;
    return decodePart(part) ?? "encodage de transfert inconnu";
  }
  const text = parameter.text.replace(/[ \t\r\n]+/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return "base64 illisible";
  return Buffer.from(text, "base64");
}

/** RFC 2045 section 6: what XOP packages use, and base64 (libsne's empty certificate says so). */
function decodePart(part: Part): Uint8Array | undefined {
  const encoding = (part.headers.get("content-transfer-encoding") ?? "binary").toLowerCase();
  if (["7bit", "8bit", "binary"].includes(encoding)) return part.bytes;
  if (encoding !== "base64") return undefined;
  return Buffer.from(Buffer.from(part.bytes).toString("latin1"), "base64");
}

function sender(text: string): SoapReading {
  return { kind: "fault", code: "Sender", text };
}
