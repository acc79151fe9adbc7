/**
 * The facts of a WSDL 1.1: types, messages, operations, binding, service. One line each. Promise: a
 * construct this reader does not know, or a name that points at nothing, stops it; none is passed
 * over.
 */
import { elementLines } from "./element-lines.ts";
import { gatherSchema, type ReadSchema } from "./schema-set.ts";
import { namedTypeFacts, simpleText, typeOf } from "./type-facts.ts";
import { attribute, required, resolveName, type XmlElement } from "./xml-tree.ts";

const WSDL = "http://schemas.xmlsoap.org/wsdl/";
const SOAP_VERSIONS: Readonly<Record<string, string>> = {
  "http://schemas.xmlsoap.org/wsdl/soap/": "soap11",
  "http://schemas.xmlsoap.org/wsdl/soap12/": "soap12",
};

export function wsdlFacts(definitions: XmlElement, read: ReadSchema): string[] {
  const namespace = required(definitions, "targetNamespace");
  holdsOnly(definitions, "types message portType binding service");
  const schema = only(only(definitions, "types").children, "schema");
  const set = gatherSchema(schema, read);
  const lines = [`definitions ${required(definitions, "name")} ${namespace}`];
  for (const line of elementLines(set)) lines.push(`types: ${line}`);
  for (const [name, declared] of sorted(set.attributes)) {
    lines.push(`types: attribute ${local(name)} ${simpleText(typeOf(set, declared).simple)}`);
  }
  // Named types become classes of generated clients.
  for (const [name, declared] of sorted(set.types)) {
    const { simple, attributes } = namedTypeFacts(set, declared);
    const facts = [simpleText(simple), ...attributes].join(" ");
    lines.push(`types: ${declared.node.name} ${local(name)}: ${facts}`);
  }
  const declared = (kind: string): Set<string> =>
    new Set(children(definitions, kind).map((node) => `{${namespace}}${required(node, "name")}`));
  const elements = new Set(set.elements.keys());
  const messages = children(definitions, "message").map((message) => {
    holdsOnly(message, "part");
    const parts = children(message, "part").map(
      (part) => `${required(part, "name")}=${pointed(part, "element", elements)}`,
    );
    return [`message ${required(message, "name")}`, ...parts].join(" ");
  });
  lines.push(...messages.toSorted());
  for (const portType of children(definitions, "portType")) {
    const name = required(portType, "name");
    holdsOnly(portType, "operation");
    for (const operation of children(portType, "operation")) {
      const ways = exchanges(operation, declared("message"));
      lines.push(`portType ${name} ${required(operation, "name")} ${ways}`);
    }
  }
  for (const binding of children(definitions, "binding")) {
    lines.push(...bindingLines(binding, declared("portType")));
  }
  for (const service of children(definitions, "service")) {
    holdsOnly(service, "port");
    for (const port of children(service, "port")) {
      const { version, node } = soap(port, "address", "location");
      const binding = pointed(port, "binding", declared("binding"));
      lines.push(
        `service ${required(service, "name")} ${required(port, "name")} ${binding} ${version} ${required(node, "location")}`,
      );
    }
  }
  return lines;
}

function bindingLines(binding: XmlElement, portTypes: ReadonlySet<string>): string[] {
  const name = required(binding, "name");
  const { version, node } = soap(binding, "binding", "style transport");
  const type = pointed(binding, "type", portTypes);
  const style = `${attribute(node, "style") ?? "document"} ${required(node, "transport")}`;
  return [
    `binding ${name} ${type} ${version} ${style}`,
    ...children(binding, "operation").map((operation) => {
      const { node: action } = soap(operation, "operation", "soapAction style");
      const own = attribute(action, "style");
      const uses = operation.children
        .filter(({ namespace, name: tag }) => namespace === WSDL && tag !== "documentation")
        .map((way) => {
          if (way.children.length !== 1) throw unread(way);
          return `${way.name}=${required(soap(way, "body", "use").node, "use")}`;
        })
        .join(" ");
      const styled = own === undefined ? "" : ` style=${own}`;
      return `binding ${name} ${required(operation, "name")} action=${required(action, "soapAction")}${styled} ${uses}`;
    }),
  ];
}

/** input, output and fault of an operation, in order. */
function exchanges(operation: XmlElement, messages: ReadonlySet<string>): string {
  holdsOnly(operation, "input output fault");
  const odd = operation.attributes.find(({ name }) => name !== "name");
  if (odd !== undefined) throw unread(operation);
  return operation.children
    .filter(({ name }) => name !== "documentation")
    .map((way) => `${way.name}=${pointed(way, "message", messages)}`)
    .join(" ");
}

/** The local name an attribute points at. @throws when nothing of that name, namespace included. */
function pointed(node: XmlElement, by: string, among: ReadonlySet<string>): string {
  const name = resolveName(node, required(node, by));
  if (!among.has(name)) throw new Error(`line ${node.line}: ${by} ${name} is not declared`);
  return local(name);
}

/** The one SOAP extension of that name. @param read - the attributes that are read of it */
function soap(
  parent: XmlElement,
  name: string,
  read: string,
): { version: string; node: XmlElement } {
  const extensions = parent.children.filter(({ namespace }) => namespace !== WSDL);
  const [node] = extensions;
  const version = SOAP_VERSIONS[node?.namespace ?? ""];
  if (node?.name !== name || version === undefined || extensions.length > 1) throw unread(parent);
  const known = read.split(" ");
  if (node.children.length > 0 || !node.attributes.every((one) => known.includes(one.name))) {
    throw unread(node);
  }
  return { version, node };
}

/** @throws when the element holds anything but these, and documentation. */
function holdsOnly(parent: XmlElement, names: string): void {
  const known = ["documentation", ...names.split(" ")];
  const odd = parent.children.find(
    ({ namespace, name }) => namespace !== WSDL || !known.includes(name),
  );
  if (odd !== undefined) throw unread(odd);
}

function unread(node: XmlElement): Error {
  return new Error(`line ${node.line}: <${node.name}> is not all read by this script`);
}

function children(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter((child) => child.namespace === WSDL && child.name === name);
}

function only(from: XmlElement | readonly XmlElement[], name: string): XmlElement {
  const list = "children" in from ? from.children : from;
  const found = list.filter((child) => child.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`one <${name}> expected`);
  return first;
}

function local(clark: string): string {
  return clark.slice(clark.indexOf("}") + 1);
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
