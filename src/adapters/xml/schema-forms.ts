/**
 * Which built-in type the value of an element has, read from the schemas themselves. libxml2 does
 * not name it for a type with limits, and « un nombre entier est attendu » is worth saying.
 */
import { XmlElement, type XmlDocument, type XmlNode } from "libxml2-wasm";

const XSD = { xs: "http://www.w3.org/2001/XMLSchema" };

/** Built-in types (`xs:int`…) by element name; a name used with several is left out. */
export function valueForms(schemas: readonly XmlDocument[]): ReadonlyMap<string, string> {
  const bases = new Map<string, string>();
  for (const schema of schemas) {
    for (const type of find(schema, "/xs:schema/xs:simpleType|/xs:schema/xs:complexType")) {
      const name = attribute(type, "name");
      const base = baseOf(type);
      if (name !== undefined && base !== undefined) bases.set(name, base);
    }
  }
  const builtIn = (type: string | undefined, depth = 0): string | undefined => {
    if (type === undefined || depth > 20) return undefined;
    const local = type.slice(type.indexOf(":") + 1);
    const base = bases.get(local);
    if (base !== undefined) return builtIn(base, depth + 1);
    return type === local ? undefined : `xs:${local}`;
  };
  const forms = new Map<string, Set<string | undefined>>();
  for (const schema of schemas) {
    for (const element of find(schema, "//xs:element[@name]")) {
      const name = attribute(element, "name") ?? "";
      const form = builtIn(attribute(element, "type") ?? baseOf(element));
      forms.set(name, (forms.get(name) ?? new Set()).add(form));
    }
  }
  const single = new Map<string, string>();
  for (const [name, found] of forms) {
    const [form] = found;
    if (found.size === 1 && form !== undefined) single.set(name, form);
  }
  return single;
}

function baseOf(type: XmlNode): string | undefined {
  const step = type.get(
    "(xs:simpleType/xs:restriction|xs:restriction|xs:simpleContent/*|xs:complexType/xs:simpleContent/*)/@base",
    XSD,
  );
  return step === null ? undefined : step.content;
}

function find(schema: XmlDocument, xpath: string): XmlElement[] {
  return schema.find(xpath, XSD).filter((node) => node instanceof XmlElement);
}

function attribute(element: XmlElement, name: string): string | undefined {
  return element.attr(name)?.value;
}
