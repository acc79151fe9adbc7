/**
 * Reads the SOAP envelope of a call made to the stand-in: version, operation element, parameters in
 * their order. Strict about namespaces: children of the wrapper element carry none (the WSDL's
 * `elementFormDefault="unqualified"`), and one that does is not a parameter.
 */
import type { CallParameter, EnvelopeReading } from "../../standin/standin-xml.ts";
import { readXml, XmlRefused } from "./xml-events.ts";

const SOAP_VERSIONS: Readonly<Record<string, "1.1" | "1.2">> = {
  "http://schemas.xmlsoap.org/soap/envelope/": "1.1",
  "http://www.w3.org/2003/05/soap-envelope": "1.2",
};
const XOP = "http://www.w3.org/2004/08/xop/include";
const MAX_DEPTH = 24;

interface Parameter {
  name: string;
  text: string;
  cid?: string;
  code?: string;
}

export function readEnvelope(bytes: Uint8Array): EnvelopeReading {
  let soap: "1.1" | "1.2" | undefined;
  let soapUri = "";
  let section = "";
  let element: { namespace: string; name: string } | undefined;
  let mustUnderstand: string | undefined;
  const parameters: CallParameter[] = [];
  let current: Parameter | undefined;

  const refused = readXml(bytes, MAX_DEPTH, {
    open: (tag, depth) => {
      if (depth === 1) {
        soap = SOAP_VERSIONS[tag.uri];
        soapUri = tag.uri;
        if (tag.local !== "Envelope") throw new XmlRefused("la racine n'est pas soap:Envelope");
      } else if (depth === 2) {
        section = tag.uri === soapUri ? tag.local : "";
      } else if (depth === 3 && section === "Header") {
        for (const attribute of Object.values(tag.attributes)) {
          if (attribute.uri !== soapUri || attribute.local !== "mustUnderstand") continue;
          if (/^\s*(true|1)\s*$/.test(attribute.value)) mustUnderstand = `{${tag.uri}}${tag.local}`;
        }
      } else if (depth === 3 && section === "Body") {
        if (element !== undefined) throw new XmlRefused("plus d'un élément dans soap:Body");
        element = { namespace: tag.uri, name: tag.local };
      } else if (depth === 4 && section === "Body") {
        current = { name: tag.uri === "" ? tag.local : `{${tag.uri}}${tag.local}`, text: "" };
        const code = tag.attributes["code"];
        if (code !== undefined) current.code = code.value;
      } else if (depth === 5 && section === "Body" && tag.uri === XOP && tag.local === "Include") {
        const cid = contentIdOf(tag.attributes["href"]?.value ?? "");
        if (cid === undefined) throw new XmlRefused("xop:Include sans href cid:");
        if (current !== undefined) current.cid = cid;
      }
    },
    close: (_tag, depth) => {
      if (depth === 4 && current !== undefined) {
        parameters.push(current);
        current = undefined;
      }
    },
    text: (text) => {
      if (current !== undefined) current.text += text;
    },
  });

  if (refused !== undefined) return { kind: "unreadable", reason: refused };
  if (soap === undefined) {
    return { kind: "unreadable", reason: "espace de noms d'enveloppe SOAP inconnu" };
  }
  if (element === undefined) return { kind: "unreadable", reason: "soap:Body vide ou absent" };
  return {
    kind: "read",
    soap,
    namespace: element.namespace,
    element: element.name,
    parameters,
    ...(mustUnderstand === undefined ? {} : { mustUnderstand }),
  };
}

/** RFC 2392: a `cid:` URL is a percent-encoded Content-ID. */
function contentIdOf(href: string): string | undefined {
  if (!href.startsWith("cid:")) return undefined;
  try {
    return decodeURIComponent(href.slice(4));
  } catch {
    return undefined;
  }
}
