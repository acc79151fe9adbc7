/**
 * Collects from the events of an XML parser what a request's envelope says, and refuses what no
 * request of our contracts is shaped like. It knows SOAP and XOP; nothing of operations.
 */
import type { SaxesAttributeNS, SaxesTagNS } from "saxes";
import type { EnvelopeReading } from "./read-envelope.ts";
import { versionOf, XOP_NAMESPACE, XSI_NAMESPACE } from "./soap-namespaces.ts";
import type { SoapField, SoapVersion } from "./soap-message.ts";

export interface EnvelopeLimits {
  /** Levels of elements. */
  readonly maxDepth: number;
  readonly maxElements: number;
  /** Attributes of one element. */
  readonly maxAttributes: number;
}

export interface QualifiedName {
  readonly namespace: string;
  readonly name: string;
}

/** A field as the envelope has it: its part is still a reference. */
export type EnvelopeField = Omit<SoapField, "part" | "partType"> & { readonly include?: string };

/** French. */
export class Refusal extends Error {}
/** The root is an Envelope, of no version there is: its message is its namespace. */
export class WrongEnvelope extends Error {}

/** Names that, used as a key of an object, reach beyond it. */
const HOSTILE = new Set(["__proto__", "prototype", "constructor"]);
const NOT_BLANK = /[^ \t\r\n]/;
/** WS-Addressing 1.0 and the submission before it. */
const ADDRESSING = [
  "http://www.w3.org/2005/08/addressing",
  "http://schemas.xmlsoap.org/ws/2004/08/addressing",
];
/** Roles that are ours, absent and empty apart (SOAP 1.1 section 4.2.2, SOAP 1.2 section 2.2). */
const OUR_ROLES = [
  "",
  "http://schemas.xmlsoap.org/soap/actor/next",
  "http://www.w3.org/2003/05/soap-envelope/role/next",
  "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
];

interface OpenField {
  field: Omit<EnvelopeField, "text">;
  pieces: string[];
}

export function makeEnvelopeCollector({ maxDepth, maxElements, maxAttributes }: EnvelopeLimits) {
  let depth = 0;
  let elements = 0;
  let attributes = 0;
  let opened = 0;
  let envelope = "";
  let version: SoapVersion | undefined;
  let section: "none" | "header" | "body" = "none";
  let seenBody = false;
  let body: QualifiedName | undefined;
  let addressing: string[] | undefined;
  let addressingAction: string | undefined;
  const mustUnderstand: QualifiedName[] = [];
  const fields: EnvelopeField[] = [];
  let open: OpenField | undefined;

  function openEnvelope(tag: SaxesTagNS): void {
    if (tag.local !== "Envelope") throw new Refusal("la racine n'est pas une enveloppe SOAP");
    version = versionOf(tag.uri);
    if (version === undefined) throw new WrongEnvelope(tag.uri.slice(0, 200));
    envelope = tag.uri;
  }

  function openSection(tag: SaxesTagNS): void {
    const isOurs = tag.uri === envelope;
    if (isOurs && tag.local === "Header" && section === "none" && !seenBody) section = "header";
    else if (isOurs && tag.local === "Body" && !seenBody) {
      section = "body";
      seenBody = true;
    } else throw new Refusal(`élément ${shown(tag.local)} mal placé dans l'enveloppe`);
  }

  function openHeaderBlock(tag: SaxesTagNS): void {
    const said = (name: string): string | undefined =>
      Object.values(tag.attributes)
        .find(({ uri, local }) => uri === envelope && local === name)
        ?.value.trim();
    if (!OUR_ROLES.includes(said(version === "1.1" ? "actor" : "role") ?? "")) return;
    if (ADDRESSING.includes(tag.uri) && tag.local === "Action") addressing = [];
    // SOAP 1.1 knows "1" alone; who writes "true" there means it too.
    if (["1", "true"].includes(said("mustUnderstand") ?? "")) {
      mustUnderstand.push({ namespace: tag.uri, name: tag.local });
    }
  }

  function openField(tag: SaxesTagNS): void {
    const own = Object.values(tag.attributes);
    const valueOf = (name: string): string | undefined =>
      own.find(({ local, prefix }) => local === name && prefix !== "xmlns")?.value;
    // SOAP encoding and attachments of 2000: read as nothing, a file would be lost without a word.
    if (valueOf("href") !== undefined) {
      throw new Refusal(`élément ${shown(tag.local)} : un href n'est suivi que dans xop:Include`);
    }
    const code = valueOf("code");
    const contentType = valueOf("contentType");
    const isNil = own.some(
      ({ uri, local, value }) =>
        uri === XSI_NAMESPACE && local === "nil" && ["1", "true"].includes(value.trim()),
    );
    open = {
      field: {
        name: tag.local,
        ...(tag.uri === "" ? {} : { namespace: tag.uri }),
        ...(code === undefined ? {} : { code }),
        ...(contentType === undefined ? {} : { contentType }),
        ...(isNil ? { nil: true } : {}),
      },
      pieces: [],
    };
    opened += 1;
  }

  function openInField(tag: SaxesTagNS, { field }: OpenField): void {
    if (tag.uri === XOP_NAMESPACE && tag.local === "Include" && depth === 5) {
      if (field.include !== undefined) throw new Refusal("deux xop:Include dans un élément");
      const href = tag.attributes["href"]?.value;
      if (href === undefined) throw new Refusal("xop:Include sans href");
      open = { pieces: open?.pieces ?? [], field: { ...field, include: href } };
    } else if (tag.uri === XOP_NAMESPACE) {
      throw new Refusal("xop:Include mal placé");
    } else if (open !== undefined) {
      open = { ...open, field: { ...field, nested: true } };
    }
  }

  function closeField({ field, pieces }: OpenField): void {
    const text = pieces.join("");
    if (field.include !== undefined && (field.nested === true || NOT_BLANK.test(text))) {
      throw new Refusal(`élément ${shown(field.name)} : xop:Include doit y être seul`);
    }
    fields.push({ ...field, text });
    open = undefined;
  }

  return {
    attribute: ({ local, prefix, value }: SaxesAttributeNS): void => {
      attributes += 1;
      if (attributes > maxAttributes) throw new Refusal("trop d'attributs dans un élément");
      const refers = local === "id" || local === "href" || local === "ref";
      const target = refers ? value.replace(/^(#|cid:)/i, "") : "";
      if (HOSTILE.has(local) || HOSTILE.has(prefix) || HOSTILE.has(target)) {
        throw new Refusal("nom ou référence refusés (__proto__, prototype, constructor)");
      }
    },
    open: (tag: SaxesTagNS): void => {
      attributes = 0;
      elements += 1;
      depth += 1;
      if (elements > maxElements) throw new Refusal(`trop d'éléments (${maxElements} au plus)`);
      if (depth > maxDepth) throw new Refusal(`trop de niveaux (${maxDepth} au plus)`);
      if (HOSTILE.has(tag.local) || HOSTILE.has(tag.prefix)) {
        throw new Refusal("nom ou référence refusés (__proto__, prototype, constructor)");
      }
      if (depth === 1) openEnvelope(tag);
      else if (depth === 2) openSection(tag);
      else if (section === "header") {
        if (depth === 3) openHeaderBlock(tag);
      } else if (depth === 3) {
        if (body !== undefined) throw new Refusal("plusieurs éléments dans le corps SOAP");
        body = { namespace: tag.uri, name: tag.local };
      } else if (depth === 4) openField(tag);
      else if (open !== undefined) openInField(tag, open);
    },
    text: (text: string): void => {
      if (section === "header") {
        if (depth === 3) addressing?.push(text);
      } else if (depth === 4) open?.pieces.push(text);
      else if (depth < 4 && NOT_BLANK.test(text)) {
        throw new Refusal("texte hors des éléments qui en portent");
      }
    },
    close: (): void => {
      if (depth === 4 && open !== undefined) closeField(open);
      else if (depth === 3 && addressing !== undefined) {
        addressingAction ??= addressing.join("").trim();
        addressing = undefined;
      } else if (depth === 2) section = "none";
      depth -= 1;
    },
    /** Fields opened so far. */
    fieldsOpened: (): number => opened,
    version: (): SoapVersion | undefined => version,
    reading: (): EnvelopeReading => {
      if (version === undefined || body === undefined) throw new Refusal("corps SOAP vide");
      return {
        kind: "envelope",
        version,
        ...(addressingAction === undefined ? {} : { addressingAction }),
        mustUnderstand,
        namespace: body.namespace,
        element: body.name,
        fields,
      };
    },
  };
}

/** A name that came from outside, short enough for a sentence. */
function shown(name: string): string {
  return name.slice(0, 60);
}
