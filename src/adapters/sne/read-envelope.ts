/**
 * Reads a SOAP envelope, 1.1 or 1.2, before node-soap may: node-soap trusts names and ids it meets
 * (`__proto__` pollutes every object), takes any element for the answer, and costs quadratic time on
 * some bodies (stack.md, section 3).
 *
 * Promise: linear time; a DOCTYPE, a hostile name, too much depth or a body of another shape than
 * one element is refused with a reason, never passed over.
 */
import { SaxesParser } from "saxes";
import type { SaxesTagNS } from "saxes";

const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";
const XOP = "http://www.w3.org/2004/08/xop/include";

const MAX_DEPTH = 64;
const MAX_ELEMENTS = 10_000;
/** Names that, used as a key of an object, reach beyond it. */
const HOSTILE = new Set(["__proto__", "prototype", "constructor"]);

/** A child of the body's element. */
export interface EnvelopeField {
  readonly name: string;
  /** Its own text. */
  readonly text: string;
  /** The `href` of its `xop:Include`. */
  readonly include?: string;
  /** Its attribute `contentType`, whatever the namespace: of a file, what it holds. */
  readonly contentType?: string;
}

export type EnvelopeReading =
  | {
      readonly kind: "body";
      readonly namespace: string;
      readonly name: string;
      readonly fields: readonly EnvelopeField[];
    }
  | { readonly kind: "fault"; readonly code: string; readonly text: string }
  | { readonly kind: "unreadable"; readonly reason: string };

class Refusal extends Error {}

/** A field while it is read. */
type OpenField = { -readonly [Name in keyof EnvelopeField]: EnvelopeField[Name] };

export function readEnvelope(xml: string): EnvelopeReading {
  const collector = makeCollector();
  const parser = new SaxesParser({ xmlns: true, position: false });
  parser.on("error", (error) => {
    throw new Refusal(`XML incorrect (${error.message})`);
  });
  parser.on("doctype", () => {
    throw new Refusal("déclaration DOCTYPE dans l'enveloppe");
  });
  parser.on("opentag", collector.open);
  parser.on("closetag", collector.close);
  parser.on("text", collector.text);
  parser.on("cdata", collector.text);
  try {
    parser.write(xml).close();
    return collector.reading();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "unreadable", reason: error.message };
    throw error;
  }
}

function makeCollector() {
  /** Local names from the envelope down. */
  const path: string[] = [];
  let envelope = "";
  let elements = 0;
  let inBody = false;
  let bodyChild: { namespace: string; name: string } | undefined;
  const fields = new Map<string, OpenField>();
  let field: OpenField | undefined;
  const fault = { code: "", reason: "", detail: "" };
  let isFault = false;
  /** Pieces of the text being read, undefined where no text is wanted. */
  let pieces: string[] | undefined;

  function openTop(tag: SaxesTagNS): void {
    if (path.length === 1) {
      if (tag.local !== "Envelope" || (tag.uri !== SOAP_11 && tag.uri !== SOAP_12)) {
        throw new Refusal("pas une enveloppe SOAP");
      }
      envelope = tag.uri;
    } else if (path.length === 2) {
      inBody = tag.local === "Body" && tag.uri === envelope;
    } else if (path.length === 3 && inBody) {
      if (bodyChild !== undefined) throw new Refusal("plusieurs éléments dans le corps SOAP");
      bodyChild = { namespace: tag.uri, name: tag.local };
      isFault = tag.local === "Fault" && (tag.uri === SOAP_11 || tag.uri === SOAP_12);
    }
  }

  function openField(tag: SaxesTagNS): void {
    if (path.length === 4) {
      if (fields.has(tag.local)) throw new Refusal(`élément ${tag.local.slice(0, 60)} en double`);
      const contentType = contentTypeOf(tag);
      field = { name: tag.local, text: "", ...(contentType === undefined ? {} : { contentType }) };
      fields.set(tag.local, field);
      pieces = [];
    } else if (path.length === 5 && field !== undefined && tag.uri === XOP) {
      if (tag.local !== "Include" || field.include !== undefined)
        throw new Refusal("XOP incorrect");
      field.include = tag.attributes["href"]?.value ?? "";
    }
  }

  return {
    open: (tag: SaxesTagNS): void => {
      elements += 1;
      if (elements > MAX_ELEMENTS) throw new Refusal("trop d'éléments dans l'enveloppe");
      path.push(tag.local);
      if (path.length > MAX_DEPTH) throw new Refusal("trop de niveaux dans l'enveloppe");
      refuseHostile(tag);
      if (path.length <= 3) openTop(tag);
      else if (!inBody) return;
      else if (isFault) pieces = [];
      else openField(tag);
    },
    text: (piece: string): void => {
      if (pieces === undefined) return;
      // Text of a field is its own: what stands inside its children is not.
      if (isFault || path.length === 4) pieces.push(piece);
    },
    close: (): void => {
      if (pieces !== undefined && isFault && path.length > 3) {
        noteFault(fault, path.slice(3).join("/"), pieces.join("").trim());
        pieces = undefined;
      } else if (path.length === 4 && field !== undefined) {
        field.text = pieces?.join("") ?? "";
        field = undefined;
        pieces = undefined;
      }
      path.pop();
    },
    reading: (): EnvelopeReading => {
      if (bodyChild === undefined) throw new Refusal("corps SOAP vide");
      if (isFault) {
        return { kind: "fault", code: fault.code, text: fault.reason || fault.detail };
      }
      return { kind: "body", ...bodyChild, fields: [...fields.values()] };
    },
  };
}

/** SOAP 1.2 part 1 section 5.4 (Code/Value, Reason/Text), SOAP 1.1 section 4.4 (faultcode, faultstring). */
function noteFault(
  fault: { code: string; reason: string; detail: string },
  at: string,
  text: string,
) {
  if (text === "") return;
  if (at === "Code/Value" || at === "faultcode") fault.code ||= text;
  else if (at === "Reason/Text" || at === "faultstring") fault.reason ||= text;
  // Declared by the published WSDL, bound to no operation: read if it comes.
  else if (/^(Detail|detail)\/.*\/message$/.test(at)) fault.detail ||= text;
}

function contentTypeOf(tag: SaxesTagNS): string | undefined {
  const attribute = Object.values(tag.attributes).find(({ local }) => local === "contentType");
  const value = attribute?.value.trim() ?? "";
  // Anything else is no content type, and would travel on into headers.
  return /^[\x20-\x7e]{1,200}$/.test(value) ? value : undefined;
}

function refuseHostile(tag: SaxesTagNS): void {
  if (HOSTILE.has(tag.local)) throw new Refusal("nom d'élément hostile dans l'enveloppe");
  for (const attribute of Object.values(tag.attributes)) {
    const refers = attribute.local === "id" || attribute.local === "href";
    const value = refers ? attribute.value.replace(/^#/, "") : "";
    if (HOSTILE.has(attribute.local) || HOSTILE.has(attribute.prefix) || HOSTILE.has(value)) {
      throw new Refusal("attribut hostile dans l'enveloppe");
    }
  }
}
