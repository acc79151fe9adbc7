/**
 * Takes a SOAP request out of its HTTP framing: a plain envelope, or a multipart package (MTOM, RFC
 * 2387) with its root part and the others by Content-ID; and notes every place where toolkits put
 * the action.
 *
 * Promise: linear time whatever the bytes; parts are views of the body, never copies, unless their
 * transfer encoding has to be undone; a package that is cut short is never read as a whole one.
 */
import { readContentType, readParameters } from "../../wire/content-type.ts";
import type { ContentType } from "../../wire/content-type.ts";
import type { HttpCall } from "../../wire/http-message.ts";
import { bareContentId, readMultipart, rootPart } from "../../wire/multipart-related.ts";
import type { Part } from "../../wire/multipart-related.ts";
import { decodeTransfer } from "../../wire/transfer-encoding.ts";
import { MEDIA_TYPES } from "./soap-namespaces.ts";
import type { SoapActionPlace, SoapRequest, SoapVersion } from "./soap-message.ts";

/** A part an `xop:Include` named, or why it cannot be had, in French. */
export type PartReading =
  | { readonly kind: "part"; readonly bytes: Uint8Array; readonly type?: string }
  | { readonly kind: "missing"; readonly reason: string };

export type FramingReading =
  | {
      readonly kind: "root";
      readonly framing: SoapRequest["framing"];
      readonly readsBinary: boolean;
      readonly bytes: Uint8Array;
      readonly charset?: string;
      readonly actions: readonly SoapActionPlace[];
      /** The part of a `cid:` reference; the same bytes each time it is asked for. */
      readonly partOf: (href: string) => PartReading;
    }
  /** French. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** No SOAP content type: for HTTP to refuse. */
  | { readonly kind: "unsupported"; readonly found: string };

const XOP = "application/xop+xml";
/** Envelopes come so; `application/xml` is what hand-written clients say. */
const ENVELOPE_TYPES: readonly string[] = [...Object.values(MEDIA_TYPES), "application/xml"];

/**
 * The version and the framing a request's head announces: what a refusal is shaped by, before the
 * envelope can tell.
 */
export function framingOf(headers: HttpCall["headers"]): {
  readonly version: SoapVersion;
  readonly framing: SoapRequest["framing"];
} {
  const type = readContentType(headers.get("content-type"));
  if (type?.type !== "multipart/related") {
    return { version: type?.type === MEDIA_TYPES["1.2"] ? "1.2" : "1.1", framing: "plain" };
  }
  // libsne and CXF say it in start-info; where it is left out, the SNE's own version is the likelier.
  const inside = readContentType(type.parameters.get("start-info") ?? "")?.type;
  const outside = type.parameters.get("type")?.toLowerCase();
  const is11 = inside === MEDIA_TYPES["1.1"] || outside === MEDIA_TYPES["1.1"];
  return { version: is11 ? "1.1" : "1.2", framing: outside === XOP ? "mtom" : "plain" };
}

/** @param maxParts - parts one package may have */
export function readFraming({ headers, body }: HttpCall, maxParts: number): FramingReading {
  const type = readContentType(headers.get("content-type"));
  const soapAction = { place: "en-tête SOAPAction", action: headers.get("soapaction") };
  if (type?.type === "multipart/related") return readPackage(type, body, maxParts, soapAction);
  if (type === undefined || !ENVELOPE_TYPES.includes(type.type)) {
    return { kind: "unsupported", found: type?.type ?? "absent" };
  }
  const charset = type.parameters.get("charset");
  return {
    kind: "root",
    framing: "plain",
    readsBinary: false,
    bytes: body,
    ...(charset === undefined ? {} : { charset }),
    actions: given([
      { place: "Content-Type, paramètre action", action: type.parameters.get("action") },
      soapAction,
    ]),
    partOf: () => ({ kind: "missing", reason: "xop:Include hors d'un message multipart" }),
  };
}

function readPackage(
  type: ContentType,
  body: Uint8Array,
  maxParts: number,
  soapAction: Place,
): FramingReading {
  const unreadable = (reason: string) => ({ kind: "unreadable", reason }) as const;
  const reading = readMultipart(body, type.parameters.get("boundary") ?? "", { maxParts });
  if (reading.kind === "unreadable") {
    return unreadable(`multipart, ${FRENCH.get(reading.reason) ?? reading.reason}`);
  }
  const root = rootPart(reading.parts, type.parameters.get("start"));
  if (root === undefined) return unreadable("multipart, aucune partie n'est celle que nomme start");
  const rootType = readContentType(root.headers.get("content-type"));
  if (rootType !== undefined && rootType.type !== XOP && !ENVELOPE_TYPES.includes(rootType.type)) {
    return unreadable(`multipart, partie racine de type ${rootType.type.slice(0, 80)}`);
  }
  const bytes = bytesOf(root);
  if (bytes === undefined) return unreadable("multipart, partie racine mal encodée");
  const charset = rootType?.parameters.get("charset");
  return {
    kind: "root",
    framing:
      type.parameters.get("type")?.toLowerCase() === XOP || rootType?.type === XOP
        ? "mtom"
        : "plain",
    readsBinary: reading.parts.some((part) => transferEncoding(part) === "binary"),
    bytes,
    ...(charset === undefined ? {} : { charset }),
    actions: given([
      { place: "Content-Type, paramètre action", action: type.parameters.get("action") },
      { place: "Content-Type, start-info", action: actionIn(type.parameters.get("start-info")) },
      { place: "partie racine, paramètre action", action: rootType?.parameters.get("action") },
      {
        place: "partie racine, paramètre type",
        action: actionIn(rootType?.parameters.get("type")),
      },
      soapAction,
    ]),
    partOf: makePartOf(reading.parts, root),
  };
}

function makePartOf(parts: readonly Part[], root: Part): (href: string) => PartReading {
  const byId = new Map<string, Part | "twice">();
  for (const part of parts) {
    const id = bareContentId(part.headers.get("content-id") ?? "");
    if (id !== "") byId.set(id, byId.has(id) ? "twice" : part);
  }
  // Undone once: many references to one encoded part must not cost its size each.
  const undone = new Map<Part, Uint8Array | undefined>();
  return (href) => {
    const missing = (reason: string) => ({ kind: "missing", reason }) as const;
    if (!/^cid:/i.test(href)) return missing("xop:Include dont le href n'est pas un cid:");
    const id = href.slice(4);
    const part = byId.get(id) ?? byId.get(percentDecoded(id));
    const shown = bareContentId(id).slice(0, 80);
    if (part === undefined) return missing(`aucune partie n'a le Content-ID ${shown}`);
    if (part === "twice") return missing(`plusieurs parties ont le Content-ID ${shown}`);
    if (part === root) return missing("xop:Include qui désigne l'enveloppe elle-même");
    if (!undone.has(part)) undone.set(part, bytesOf(part));
    const bytes = undone.get(part);
    if (bytes === undefined) {
      return missing(`partie ${shown} mal encodée (${transferEncoding(part).slice(0, 40)})`);
    }
    const type = part.headers.get("content-type");
    return { kind: "part", bytes, ...(type === undefined ? {} : { type }) };
  };
}

/** RFC 2045 section 6.1: absent, it is 7bit. Case does not matter (libsne writes BASE64). */
function transferEncoding(part: Part): string {
  return (part.headers.get("content-transfer-encoding") ?? "7bit").trim().toLowerCase();
}

function bytesOf(part: Part): Uint8Array | undefined {
  const encoding = transferEncoding(part);
  if (["7bit", "8bit", "binary", ""].includes(encoding)) return part.bytes;
  return decodeTransfer(part.bytes, encoding);
}

interface Place {
  readonly place: string;
  readonly action: string | undefined;
}

/** Those that say something: `SOAPAction: ""` says nothing (SOAP 1.1 section 6.1.1). */
function given(places: readonly Place[]): SoapActionPlace[] {
  return places.flatMap(({ place, action }) => {
    const bare =
      action
        ?.trim()
        .replace(/^"(.*)"$/s, "$1")
        .trim() ?? "";
    return bare === "" ? [] : [{ place, action: bare }];
  });
}

/** The action inside a content type that is itself a parameter: CXF's start-info, JAX-WS RI's type. */
function actionIn(contentType: string | undefined): string | undefined {
  const semicolon = contentType?.indexOf(";") ?? -1;
  if (contentType === undefined || semicolon < 0) return undefined;
  return readParameters(contentType.slice(semicolon)).get("action");
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all (RFC 2392): the text itself was tried.
    return text;
  }
}

const FRENCH: ReadonlyMap<string, string> = new Map([
  ["boundary absent or too long", "paramètre boundary absent ou trop long"],
  ["boundary not found", "le séparateur annoncé ne s'y trouve pas"],
  ["closing boundary missing", "séparateur de fin absent : message tronqué"],
  ["part headers unreadable", "en-têtes d'une partie illisibles"],
  ["too many parts", "trop de parties"],
  ["no part", "aucune partie"],
]);
