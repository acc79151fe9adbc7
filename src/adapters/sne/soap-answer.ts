/**
 * Reads what came back over HTTP, before node-soap sees any of it: status, content type, parts,
 * envelope, element. What is a whole answer of the operation asked is handed on, its files taken out
 * and its envelope written anew; anything else is named for what it proves (capability C1).
 */
import { bareContentId, partById, readMultipart, rootPart } from "../../wire/multipart-related.ts";
import type { Part } from "../../wire/multipart-related.ts";
import { readContentType } from "../../wire/content-type.ts";
import { SNE_NAMESPACE } from "../../wire/sne-contract.ts";
import type { SneOperationShape } from "../../wire/sne-contract.ts";
import type { RegistryAnswer, SneValue } from "../../forward/registry.ts";
import { decodeXml } from "./decode-xml.ts";
import {
  bytesHoldErrorSentence,
  ERROR_SENTENCE,
  textHoldsErrorSentence,
} from "./error-sentence.ts";
import { readEnvelope } from "./read-envelope.ts";
import type { EnvelopeField, EnvelopeReading } from "./read-envelope.ts";

export type SoapAnswer =
  | {
      readonly kind: "element";
      /** The envelope with each value replaced by its name: all that node-soap sees. */
      readonly envelope: string;
      /** What was there of the results, by name. */
      readonly values: ReadonlyMap<string, SneValue>;
    }
  | Exclude<RegistryAnswer, { kind: "answered" }>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const MAX_DETAIL = 500;

/**
 * @param expected - the operation asked
 * @param now - ms since the epoch, to read a Retry-After date
 */
export function readSoapAnswer(
  http: HttpAnswer,
  expected: SneOperationShape,
  now: number,
): SoapAnswer {
  const decided = decidedByStatus(http, now);
  if (decided !== undefined) return decided;
  const root = readRoot(http);
  if (root.kind === "envelope") {
    const reading = readEnvelope(root.xml);
    if (reading.kind === "fault") return faultOf(reading);
    if (reading.kind === "body") {
      if (http.status !== 200) return unreadable(http, "réponse SOAP sous un statut qui la dément");
      const element = readElement(reading, expected, root.parts);
      return typeof element === "string" ? unreadable(http, element) : element;
    }
    return withoutAnswer(http, reading.reason);
  }
  return withoutAnswer(http, root.reason);
}

/** Statuses that say by themselves that nothing was processed (RFC 9110 section 15). */
function decidedByStatus({ status, headers }: HttpAnswer, now: number): SoapAnswer | undefined {
  const notProcessed = (why: "accessRefused" | "wrongAddress" | "tooLarge", detail: string) =>
    ({ kind: "notProcessed", why, detail: `HTTP ${status} : ${detail}`, status }) as const;
  if (status === 401 || status === 403 || status === 407) {
    return notProcessed("accessRefused", "certificat client absent, inconnu ou sans droit");
  }
  if (status >= 300 && status < 400) {
    return notProcessed("wrongAddress", "redirection, jamais suivie");
  }
  if (status === 404 || status === 405 || status === 410 || status === 421) {
    return notProcessed("wrongAddress", "le service n'est pas à cette adresse");
  }
  if (status === 413) return notProcessed("tooLarge", "fichier trop grand pour le SNE");
  if (status === 429 || status === 503) {
    const retryAfterMs = readRetryAfter(headers.get("retry-after"), now);
    return {
      kind: "notProcessed",
      why: "busy",
      detail: `HTTP ${status} : à réessayer plus tard`,
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  return undefined;
}

/** Delay of a Retry-After header, seconds or date (RFC 9110 section 10.2.3), ms, a day at most. */
function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 24 * 3_600_000) : undefined;
}

type Root =
  | { readonly kind: "envelope"; readonly xml: string; readonly parts: readonly Part[] }
  | { readonly kind: "none"; readonly reason: string };

function readRoot({ headers, body }: HttpAnswer): Root {
  const none = (reason: string): Root => ({ kind: "none", reason });
  if (body.length === 0) return none("réponse vide");
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") return none(`réponse compressée (${encoding}), jamais demandée`);
  const contentType = readContentType(headers.get("content-type"));
  if (contentType === undefined) return none("type de contenu absent");
  const { type, parameters } = contentType;
  if (type === "application/soap+xml" || type === "text/xml") {
    return { kind: "envelope", xml: decodeXml(body, parameters.get("charset")), parts: [] };
  }
  if (type !== "multipart/related") return none(`type de contenu ${clip(type, 80)}`);
  const multipart = readMultipart(body, parameters.get("boundary") ?? "");
  if (multipart.kind === "unreadable") return none(`multipart illisible : ${multipart.reason}`);
  const root = rootPart(multipart.parts, parameters.get("start"));
  if (root === undefined) return none("multipart sans la partie que nomme « start »");
  const rootType = readContentType(root.headers.get("content-type"));
  const known = ["application/xop+xml", "application/soap+xml", "text/xml"];
  if (rootType !== undefined && !known.includes(rootType.type)) {
    return none(`partie racine de type ${clip(rootType.type, 80)}`);
  }
  const bytes = bytesOfPart(root);
  if (typeof bytes === "string") return none(bytes);
  return {
    kind: "envelope",
    xml: decodeXml(bytes, rootType?.parameters.get("charset")),
    parts: multipart.parts,
  };
}

/** The element's children as they came; a reason when it is not the answer asked for. */
function readElement(
  body: Extract<EnvelopeReading, { kind: "body" }>,
  expected: SneOperationShape,
  parts: readonly Part[],
): Extract<SoapAnswer, { kind: "element" }> | string {
  if (body.name !== expected.answer || body.namespace !== SNE_NAMESPACE) {
    return `élément {${clip(body.namespace, 100)}}${clip(body.name, 60)} au lieu de ${expected.answer}`;
  }
  const values = new Map<string, SneValue>();
  let children = "";
  for (const field of body.fields) {
    const { name } = field;
    // Children of later editions are passed over: node-soap is not shown what it does not know.
    const result = expected.results.find((one) => one.name === name);
    if (result === undefined) continue;
    if (result.type === "file") {
      const bytes = fileOf(field, parts);
      if (typeof bytes === "string") return `${name} : ${bytes}`;
      const { contentType } = field;
      values.set(name, {
        name,
        file: bytes,
        ...(contentType === undefined ? {} : { contentType }),
      });
    } else {
      if (field.text.length > MAX_DETAIL) return `${name} trop long`;
      values.set(name, { name, text: field.text });
    }
    children += `<${name}>${name}</${name}>`;
  }
  const envelope =
    `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>` +
    `<r:${expected.answer} xmlns:r="${SNE_NAMESPACE}">${children}</r:${expected.answer}>` +
    `</soap:Body></soap:Envelope>`;
  return { kind: "element", envelope, values };
}

/** The bytes of a file element; a reason when they cannot be had. */
function fileOf(field: EnvelopeField, parts: readonly Part[]): Uint8Array | string {
  if (field.include === undefined) return fromBase64(field.text);
  const href = field.include;
  if (!/^cid:/i.test(href)) return "xop:Include sans cid";
  const id = href.slice(4);
  const part = partById(parts, id) ?? partById(parts, percentDecoded(id));
  return part === undefined ? `pièce ${clip(bareContentId(id), 80)} absente` : bytesOfPart(part);
}

function bytesOfPart(part: Part): Uint8Array | string {
  const encoding = (part.headers.get("content-transfer-encoding") ?? "binary").trim().toLowerCase();
  if (encoding === "base64") return fromBase64(Buffer.from(part.bytes).toString("latin1"));
  return ["binary", "8bit", "7bit"].includes(encoding)
    ? part.bytes
    : `Content-Transfer-Encoding ${clip(encoding, 40)} inconnu`;
}

function fromBase64(text: string): Uint8Array | string {
  const packed = text.replace(/[ \t\r\n]+/g, "");
  const wellFormed = packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
  return wellFormed ? Buffer.from(packed, "base64") : "base64 incorrect";
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all (RFC 2392): the text itself was tried.
    return text;
  }
}

/** SOAP 1.2 part 1 section 5.4.6, SOAP 1.1 section 4.4.1 (whose codes may carry dotted details). */
const SENDER_CODES = /^(Sender|Client|VersionMismatch|MustUnderstand|DataEncodingUnknown)(\.|$)/;

function faultOf(fault: { code: string; text: string }): SoapAnswer {
  const code = fault.code.slice(fault.code.indexOf(":") + 1);
  // The known sentence is a failure of the server, whatever the code above it.
  const sender = SENDER_CODES.test(code) && !textHoldsErrorSentence(fault.text);
  return {
    kind: "fault",
    who: sender ? "sender" : "receiver",
    text: oneLine(fault.text === "" ? `erreur SOAP ${code}` : fault.text),
  };
}

/** No element and no fault: the known sentence, a refused request, or nothing that can be read. */
function withoutAnswer(http: HttpAnswer, reason: string): SoapAnswer {
  const { status } = http;
  // 408: the server gave up waiting, which does not prove that nothing had been done.
  if (status >= 400 && status < 500 && status !== 408 && !bytesHoldErrorSentence(http.body)) {
    return {
      kind: "fault",
      who: "sender",
      text: `HTTP ${status}, sans explication lisible`,
    };
  }
  return unreadable(http, reason);
}

function unreadable(http: HttpAnswer, reason: string): SoapAnswer {
  if (bytesHoldErrorSentence(http.body))
    return { kind: "fault", who: "receiver", text: ERROR_SENTENCE };
  return { kind: "notRead", why: "unreadable", detail: oneLine(`HTTP ${http.status}, ${reason}`) };
}

function oneLine(text: string): string {
  return clip(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim(), MAX_DETAIL);
}

function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
