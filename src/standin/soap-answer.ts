/**
 * Writes the stand-in's SOAP answers, framed as Apache CXF frames them with MTOM on: always
 * multipart, even to a plain request and for a fault; root part first, then the files raw in their
 * parts. Or, by setting, as with MTOM off. A comment in every envelope says what answers.
 */
import { escapeXml } from "../wire/xml-text.ts";
import { writeMultipart } from "../wire/multipart-related.ts";
import { SERVICE } from "./operations-table.ts";
import type { FaultCode } from "./soap-request.ts";

/** An HTTP answer ready to send. */
export interface WrittenAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** A child of the answer's wrapper element, in the order of the WSDL. */
export type AnswerField =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly file: Uint8Array; readonly contentType: string };

const SOAP12 = "http://www.w3.org/2003/05/soap-envelope";
const COMMENT = "<!-- Ceci n'est pas le SNE : simulateur. -->";
const CRLF = Buffer.from("\r\n", "latin1");
const HOST = "simulateur.passerelle";
const ROOT = `root.message@${HOST}`;

/** @param unique - hexadecimal, not seen in the content: makes the boundary */
export function writeAnswer(
  element: string,
  fields: readonly AnswerField[],
  unique: string,
  namespace = SERVICE,
): WrittenAnswer {
  const files: { id: string; file: Uint8Array; contentType: string }[] = [];
  let content = "";
  for (const field of fields) {
    if ("text" in field) {
      content += `<${field.name}>${escapeXml(field.text)}</${field.name}>`;
      continue;
    }
    // Not the field's name: libsne takes the first ":listeDoublons" of the body for the file's root.
    const id = `fichier${files.length + 1}-${unique}@${HOST}`;
    files.push({ id, file: field.file, contentType: field.contentType });
    content +=
      `<${field.name} sne:contentType="${escapeXml(field.contentType)}">` +
      `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${id}"/>` +
      `</${field.name}>`;
  }
  const envelope = envelopeAround(
    `<sne:${element} xmlns:sne="${escapeXml(namespace)}">${content}</sne:${element}>`,
  );
  return { status: 200, ...packageOf(envelope, files, unique) };
}

/** The same answer as a plain `application/soap+xml`: files in base64, as with MTOM off. */
export function writePlainAnswer(
  element: string,
  fields: readonly AnswerField[],
  namespace = SERVICE,
): WrittenAnswer {
  const content = fields.map((field) =>
    "text" in field
      ? `<${field.name}>${escapeXml(field.text)}</${field.name}>`
      : `<${field.name} sne:contentType="${escapeXml(field.contentType)}">` +
        `${Buffer.from(field.file).toString("base64")}</${field.name}>`,
  );
  const envelope = envelopeAround(
    `<sne:${element} xmlns:sne="${escapeXml(namespace)}">${content.join("")}</sne:${element}>`,
  );
  return {
    status: 200,
    contentType: "application/soap+xml; charset=utf-8",
    body: Buffer.from(envelope, "utf8"),
  };
}

/** A SOAP 1.2 fault, HTTP 500, in a multipart package as CXF does. */
export function writeFault(code: FaultCode, text: string, unique: string): WrittenAnswer {
  if (code === "VersionMismatch11") return writeVersionMismatch(text);
  return { status: 500, ...packageOf(faultEnvelope(code, text), [], unique) };
}

/** The same fault as a plain `application/soap+xml`. */
export function writePlainFault(code: FaultCode, text: string): WrittenAnswer {
  if (code === "VersionMismatch11") return writeVersionMismatch(text);
  return {
    status: 500,
    contentType: "application/soap+xml; charset=utf-8",
    body: Buffer.from(faultEnvelope(code, text), "utf8"),
  };
}

/** A SOAP 1.1 fault: what a wrong server, or a proxy in front of it, may send. */
export function writeFault11(code: string, text: string): WrittenAnswer {
  const envelope =
    `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">${COMMENT}<soap:Body>` +
    `<soap:Fault><faultcode>soap:${code}</faultcode>` +
    `<faultstring xml:lang="fr">${escapeXml(text)}</faultstring>` +
    `</soap:Fault></soap:Body></soap:Envelope>`;
  return { status: 500, contentType: "text/xml; charset=utf-8", body: Buffer.from(envelope) };
}

/** SOAP 1.2 part 1, appendix A: told in SOAP 1.1, with the version that would be understood. */
function writeVersionMismatch(text: string): WrittenAnswer {
  const envelope =
    `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">${COMMENT}` +
    `<soap:Header><up:Upgrade xmlns:up="${SOAP12}">` +
    `<up:SupportedEnvelope qname="ns1:Envelope" xmlns:ns1="${SOAP12}"/></up:Upgrade></soap:Header>` +
    `<soap:Body><soap:Fault><faultcode>soap:VersionMismatch</faultcode>` +
    `<faultstring xml:lang="fr">${escapeXml(text)}</faultstring>` +
    `</soap:Fault></soap:Body></soap:Envelope>`;
  return { status: 500, contentType: "text/xml; charset=utf-8", body: Buffer.from(envelope) };
}

function faultEnvelope(code: string, text: string): string {
  return envelopeAround(
    `<soap:Fault><soap:Code><soap:Value>soap:${code}</soap:Value></soap:Code>` +
      `<soap:Reason><soap:Text xml:lang="fr">${escapeXml(text)}</soap:Text></soap:Reason>` +
      `</soap:Fault>`,
  );
}

function envelopeAround(body: string): string {
  return `<soap:Envelope xmlns:soap="${SOAP12}">${COMMENT}<soap:Body>${body}</soap:Body></soap:Envelope>`;
}

function packageOf(
  envelope: string,
  files: readonly { id: string; file: Uint8Array; contentType: string }[],
  unique: string,
): { contentType: string; body: Uint8Array } {
  const boundary = `uuid:${unique}`;
  const root = {
    headers: {
      "Content-Type": 'application/xop+xml; charset=UTF-8; type="application/soap+xml"',
      "Content-Transfer-Encoding": "binary",
      "Content-ID": `<${ROOT}>`,
    },
    bytes: Buffer.from(envelope, "utf8"),
  };
  const parts = files.map(({ id, file, contentType }) => ({
    headers: {
      "Content-Type": contentType,
      "Content-Transfer-Encoding": "binary",
      "Content-ID": `<${id}>`,
    },
    bytes: file,
  }));
  return {
    contentType:
      `multipart/related; type="application/xop+xml"; boundary="${boundary}"; ` +
      `start="<${ROOT}>"; start-info="application/soap+xml"`,
    // An empty line first, as CXF writes it: a reader that wants the boundary at once is wrong.
    body: Buffer.concat([CRLF, writeMultipart(boundary, [root, ...parts])]),
  };
}
