/** The facts of a WSDL 1.1: types, messages, operations, binding, service. One line each. */
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
  const messages = children(definitions, "message").map((message) =>
    [
      `message ${required(message, "name")}`,
      ...children(message, "part").map(
        (part) =>
          `${required(part, "name")}=${local(resolveName(part, required(part, "element")))}`,
      ),
    ].join(" "),
  );
  lines.push(...messages.toSorted());
  for (const portType of children(definitions, "portType")) {
    const name = required(portType, "name");
    for (const operation of children(portType, "operation")) {
      lines.push(`portType ${name} ${required(operation, "name")} ${exchanges(operation)}`);
    }
  }
  for (const binding of children(definitions, "binding")) lines.push(...bindingLines(binding));
  for (const service of children(definitions, "service")) {
    for (const port of children(service, "port")) {
      const { version, node } = soap(port, "address");
      const binding = local(resolveName(port, required(port, "binding")));
      lines.push(
        `service ${required(service, "name")} ${required(port, "name")} ${binding} ${version} ${required(node, "location")}`,
      );
    }
  }
  return lines;
}

function bindingLines(binding: XmlElement): string[] {
  const name = required(binding, "name");
  const { version, node } = soap(binding, "binding");
  const type = local(resolveName(binding, required(binding, "type")));
  const style = `${attribute(node, "style") ?? "document"} ${required(node, "transport")}`;
  return [
    `binding ${name} ${type} ${version} ${style}`,
    ...children(binding, "operation").map((operation) => {
      const { node: action } = soap(operation, "operation");
      const own = attribute(action, "style");
      const uses = operation.children
        .filter(({ name: tag, namespace }) => namespace === WSDL && tag !== "documentation")
        .filter(({ name: tag }) => tag !== "operation")
        .map((way) => `${way.name}=${required(soap(way, "body").node, "use")}`)
        .join(" ");
      const styled = own === undefined ? "" : ` style=${own}`;
      return `binding ${name} ${required(operation, "name")} action=${required(action, "soapAction")}${styled} ${uses}`;
    }),
  ];
}

/** input, output and fault of an operation, in order. */
function exchanges(operation: XmlElement): string {
  return operation.children
    .filter(({ name }) => name !== "documentation")
    .map((way) => `${way.name}=${local(resolveName(way, required(way, "message")))}`)
    .join(" ");
}

function soap(parent: XmlElement, name: string): { version: string; node: XmlElement } {
  for (const node of parent.children) {
    const version = SOAP_VERSIONS[node.namespace];
    if (version !== undefined && node.name === name) return { version, node };
  }
  throw new Error(`line ${parent.line}: <${parent.name}> has no soap:${name}`);
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
