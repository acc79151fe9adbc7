/**
 * Writes a failure as its caller's SOAP version has it: SOAP 1.1 section 4.4, SOAP 1.2 part 1 section
 * 5.4. Always a plain envelope, to an MTOM caller too: every toolkit reads it by its Content-Type.
 *
 * Promise: code and French text for people and programs, nothing of our inside: no stack, no path.
 */
import type { HttpReply } from "../../wire/http-message.ts";
import { escapeXml } from "../../wire/xml-text.ts";
import { ENVELOPE_NAMESPACES, MEDIA_TYPES } from "./soap-namespaces.ts";
import type { SoapFault, SoapResult, SoapVersion } from "./soap-message.ts";

export interface SoapFaultAnswer {
  readonly version: SoapVersion;
  readonly fault: SoapFault;
  /** Namespace of the detail's element, where the fault has no typed one of its own. */
  readonly namespace?: string;
  /** Local name of that element. */
  readonly element?: string;
  /**
   * Instead of 500: 401, 413, 503… which an intermediary or a client acts upon. SOAP 1.2 part 2 (table
   * 20) has 400 for a Sender fault; Apache CXF's client throws such an answer away unread unless told
   * otherwise (`org.apache.cxf.transport.process_fault_on_http_400`), and its server writes 500. A fault
   * that is read comes first.
   */
  readonly status?: number;
  /** Beside the content type: Retry-After, WWW-Authenticate. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Of the codes that are subcodes in SOAP 1.2: the error table's, `docs/errors.md`. */
export const ERRORS_NAMESPACE = "urn:passerelle-sne:erreurs:1";
/** The fault of `wsdl/passerelle.wsdl`, which faults of other services carry as well. */
export const DETAIL_NAMESPACE = "urn:passerelle-sne:service:1";
export const DETAIL_ELEMENT = "erreurPasserelle";

const CODES_11: Readonly<Record<SoapFault["who"], string>> = {
  sender: "Client",
  receiver: "Server",
  versionMismatch: "VersionMismatch",
  mustUnderstand: "MustUnderstand",
};
const CODES_12: Readonly<Record<SoapFault["who"], string>> = {
  sender: "Sender",
  receiver: "Receiver",
  versionMismatch: "VersionMismatch",
  mustUnderstand: "MustUnderstand",
};

export function writeSoapFault(answer: SoapFaultAnswer): HttpReply {
  const { fault, headers = {} } = answer;
  // A caller of a version we do not know is told in SOAP 1.1 (SOAP 1.2 part 1 appendix A).
  const version = fault.who === "versionMismatch" ? "1.1" : answer.version;
  const body = version === "1.1" ? fault11(answer) : fault12(answer);
  const envelope =
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<soap:Envelope xmlns:soap="${ENVELOPE_NAMESPACES[version]}">${headerOf(fault, version)}` +
    `<soap:Body><soap:Fault>${body}</soap:Fault></soap:Body></soap:Envelope>`;
  return {
    status: answer.status ?? 500,
    headers: { ...headers, "Content-Type": `${MEDIA_TYPES[version]}; charset=utf-8` },
    body: Buffer.from(envelope, "utf8"),
  };
}

function fault11(answer: SoapFaultAnswer): string {
  const { who, text } = answer.fault;
  return (
    `<faultcode>soap:${CODES_11[who]}</faultcode>` +
    `<faultstring xml:lang="fr">${escapeXml(text)}</faultstring>` +
    within("detail", detailOf(answer))
  );
}

function fault12(answer: SoapFaultAnswer): string {
  const { who, code, text } = answer.fault;
  return (
    `<soap:Code><soap:Value>soap:${CODES_12[who]}</soap:Value>` +
    `<soap:Subcode><soap:Value xmlns:err="${ERRORS_NAMESPACE}">err:${escapeXml(code)}</soap:Value>` +
    `</soap:Subcode></soap:Code>` +
    `<soap:Reason><soap:Text xml:lang="fr">${escapeXml(text)}</soap:Text></soap:Reason>` +
    within("soap:Detail", detailOf(answer))
  );
}

/** Empty for what was wrong in the head: the detail is for the Body (SOAP 1.1 section 4.4). */
function detailOf({
  fault,
  namespace = DETAIL_NAMESPACE,
  element = DETAIL_ELEMENT,
}: SoapFaultAnswer): string {
  if (fault.who === "versionMismatch" || fault.who === "mustUnderstand") return "";
  const { typed, code, text, detail = [] } = fault;
  return typed === undefined
    ? elementOf(namespace, element, [
        { name: "code", text: code },
        { name: "message", text },
        ...detail,
      ])
    : elementOf(typed.namespace, typed.element, typed.children);
}

function elementOf(namespace: string, element: string, children: readonly SoapResult[]): string {
  const content = children.map(childOf).join("");
  return `<err:${element} xmlns:err="${escapeXml(namespace)}">${content}</err:${element}>`;
}

function childOf(result: SoapResult): string {
  if ("text" in result) return within(result.name, escapeXml(result.text), true);
  if ("children" in result) return within(result.name, result.children.map(childOf).join(""), true);
  const { buffer, byteOffset, byteLength } = result.file;
  return within(result.name, Buffer.from(buffer, byteOffset, byteLength).toString("base64"), true);
}

function within(name: string, content: string, evenEmpty = false): string {
  return content === "" && !evenEmpty ? "" : `<${name}>${content}</${name}>`;
}

/** What would be understood (SOAP 1.2 part 1, 5.4.7), or what was not (5.4.8). */
function headerOf(fault: SoapFault, version: SoapVersion): string {
  const { who, notUnderstood = [], supported: versions = ["1.2", "1.1"] } = fault;
  if (who === "versionMismatch") {
    const soap12 = ENVELOPE_NAMESPACES["1.2"];
    const supported = versions
      .map((each) => ENVELOPE_NAMESPACES[each])
      .map((uri) => `<up:SupportedEnvelope qname="ns:Envelope" xmlns:ns="${uri}"/>`)
      .join("");
    return `<soap:Header><up:Upgrade xmlns:up="${soap12}">${supported}</up:Upgrade></soap:Header>`;
  }
  if (who !== "mustUnderstand" || version === "1.1") return "";
  const blocks = notUnderstood
    .map(
      ({ namespace, name }) =>
        `<soap:NotUnderstood qname="ns:${escapeXml(name)}" xmlns:ns="${escapeXml(namespace)}"/>`,
    )
    .join("");
  return within("soap:Header", blocks);
}
