/** Reads a WSDL or XSD into a small tree, with the namespaces in scope of each element. */
import { SaxesParser } from "saxes";

export interface XmlAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** Line in the file, from 1. */
  readonly line: number;
  /** Namespaces in scope, by prefix; the default one under "". */
  readonly scope: Readonly<Record<string, string>>;
}

const XMLNS = "http://www.w3.org/2000/xmlns/";

/** @throws when the text is not well formed, with the line. */
export function readXmlTree(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  type Open = XmlElement & { children: XmlElement[] };
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => {
    const parent = stack.at(-1);
    const element: Open = {
      namespace: tag.uri,
      name: tag.local,
      attributes: Object.values(tag.attributes)
        .filter((attribute) => attribute.uri !== XMLNS)
        .map(({ uri, local, value }) => ({ namespace: uri, name: local, value })),
      children: [],
      line: parser.line,
      scope: { ...parent?.scope, ...tag.ns },
    };
    if (parent === undefined) root = element;
    else parent.children.push(element);
    stack.push(element);
  });
  parser.on("closetag", () => {
    stack.pop();
  });
  parser.write(text.replace(/^\uFEFF/, "")).close();
  if (root === undefined) throw new Error("no root element");
  return root;
}

/** The value of an attribute without namespace. */
export function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((a) => a.namespace === "" && a.name === name)?.value;
}

/** @throws when the attribute is missing. */
export function required(element: XmlElement, name: string): string {
  const value = attribute(element, name);
  if (value === undefined) {
    throw new Error(`line ${element.line}: <${element.name}> has no "${name}"`);
  }
  return value;
}

/** `{namespace}local`, the prefix resolved where the element stands. */
export function resolveName(element: XmlElement, qname: string): string {
  const colon = qname.indexOf(":");
  const prefix = colon < 0 ? "" : qname.slice(0, colon);
  const namespace = element.scope[prefix];
  if (namespace === undefined && prefix !== "") {
    throw new Error(`line ${element.line}: unknown prefix "${prefix}"`);
  }
  return `{${namespace ?? ""}}${qname.slice(colon + 1)}`;
}
