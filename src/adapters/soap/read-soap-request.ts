/**
 * The safe front of our SOAP services: reads a request from the bytes HTTP brought, by its raw XML,
 * and never by node-soap (stack.md, section 2). What operation it calls, `match-operation.ts` says.
 *
 * Promise: never a throw for what a caller may send; time and memory in proportion to the body; what
 * is not a request gets the fault its own SOAP version deserves. Nothing of the request's head is
 * ever echoed.
 */
import { errorText } from "../../domain/errors.ts";
import type { ErrorCode, ErrorDetails } from "../../domain/errors.ts";
import type { HttpCall, HttpReply } from "../../wire/http-message.ts";
import { decodeEnvelope } from "./decode-envelope.ts";
import type { EnvelopeField, EnvelopeLimits } from "./envelope-collector.ts";
import { readEnvelope } from "./read-envelope.ts";
import { framingOf, readFraming } from "./read-framing.ts";
import type { FramingReading } from "./read-framing.ts";
import type { SoapField, SoapFault, SoapRequest, SoapVersion } from "./soap-message.ts";

export interface SoapLimits extends EnvelopeLimits {
  /** Parts of one multipart package. */
  readonly maxParts: number;
  /** The versions this service speaks. */
  readonly versions: readonly SoapVersion[];
}

/** A bordereau of 10,000 names, and room; our requests have three parts and five levels. */
export const SOAP_LIMITS: SoapLimits = {
  maxDepth: 64,
  maxElements: 20_000,
  maxAttributes: 64,
  maxParts: 32,
  versions: ["1.1", "1.2"],
};

/** Header blocks a fault names. */
const MAX_NAMED = 5;

export type SoapRequestReading =
  | { readonly kind: "request"; readonly request: SoapRequest }
  | {
      readonly kind: "fault";
      readonly version: SoapVersion;
      readonly framing: SoapRequest["framing"];
      readonly fault: SoapFault;
    }
  /** What no SOAP caller sent: answered without SOAP. */
  | { readonly kind: "http"; readonly reply: HttpReply };

export function readSoapRequest(
  call: HttpCall,
  limits: Partial<SoapLimits> = {},
): SoapRequestReading {
  const within = { ...SOAP_LIMITS, ...limits };
  const said = framingOf(call.headers);
  const unreadable = (detail: string, version = said.version): SoapRequestReading => ({
    kind: "fault",
    version,
    framing: said.framing,
    fault: senderFault("SOAP_UNREADABLE", { detail }),
  });
  const root = readFraming(call, within.maxParts);
  if (root.kind === "unsupported") return { kind: "http", reply: unsupported(root.found) };
  if (call.body.byteLength === 0) return unreadable("le corps de la requête est vide");
  if (root.kind === "unreadable") return unreadable(root.reason);
  const decoded = decodeEnvelope(root.bytes, root.charset);
  if (decoded.kind === "undecodable") return unreadable(decoded.reason);
  const envelope = readEnvelope(decoded.text, within);
  if (envelope.kind === "unreadable") return unreadable(envelope.reason, envelope.version);
  if (envelope.kind === "wrongVersion")
    return versionMismatch(within, said.framing, envelope.found);
  const { version, addressingAction, mustUnderstand, namespace, element } = envelope;
  const { framing, readsBinary } = root;
  if (!within.versions.includes(version))
    return versionMismatch(within, framing, `SOAP ${version}`);
  if (mustUnderstand.length > 0) {
    const notUnderstood = mustUnderstand.slice(0, MAX_NAMED);
    const found = notUnderstood.map(({ name }) => name.slice(0, 60)).join(", ");
    const code = "SOAP_HEADER_NOT_UNDERSTOOD";
    const text = errorText(code, { found });
    const fault = { who: "mustUnderstand", code, text, notUnderstood } as const;
    return { kind: "fault", version, framing, fault };
  }
  const fields: SoapField[] = [];
  for (const field of envelope.fields) {
    const resolved = withPart(field, root);
    if (typeof resolved === "string") return unreadable(resolved, version);
    fields.push(resolved);
  }
  const actions =
    addressingAction === undefined || addressingAction === ""
      ? root.actions
      : [...root.actions, { place: "en-tête wsa:Action", action: addressingAction }];
  const action = actions[0]?.action;
  return {
    kind: "request",
    request: {
      version,
      framing,
      readsBinary,
      ...(action === undefined ? {} : { action }),
      actions,
      namespace,
      element,
      fields,
    },
  };
}

/** A fault that says the request is wrong, in the words of the table of errors. */
export function senderFault(code: ErrorCode, details: ErrorDetails): SoapFault {
  return { who: "sender", code, text: errorText(code, details) };
}

/** The field with the bytes its reference names, or why they cannot be had. */
function withPart(
  { include, ...field }: EnvelopeField,
  root: Extract<FramingReading, { kind: "root" }>,
): SoapField | string {
  if (include === undefined) return field;
  const part = root.partOf(include);
  if (part.kind === "missing") return `élément ${field.name.slice(0, 60)}, ${part.reason}`;
  const { bytes, type } = part;
  return { ...field, part: bytes, ...(type === undefined ? {} : { partType: type }) };
}

/** SOAP 1.2 part 1 appendix A: told in SOAP 1.1, with the versions that would be understood. */
function versionMismatch(
  { versions: supported }: SoapLimits,
  framing: SoapRequest["framing"],
  found: string,
): SoapRequestReading {
  const code = "SOAP_VERSION_UNKNOWN";
  const text = errorText(code, { found });
  const fault = { who: "versionMismatch", code, text, supported } as const;
  return { kind: "fault", version: "1.1", framing, fault };
}

function unsupported(found: string): HttpReply {
  const accepted = "text/xml, application/soap+xml, multipart/related";
  const text = `${errorText("UNSUPPORTED_MEDIA_TYPE", { found: found.slice(0, 80) })} Types acceptés : ${accepted}.\n`;
  return {
    status: 415,
    headers: { "Content-Type": "text/plain; charset=utf-8", "Accept-Post": accepted },
    body: Buffer.from(text, "utf8"),
  };
}
