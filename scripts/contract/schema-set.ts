/** Gathers the declarations of a schema and of all it includes. Knows nothing of layout. */
import { attribute, required, type XmlElement } from "./xml-tree.ts";

export const XSD = "http://www.w3.org/2001/XMLSchema";

/** A declaration, with what its own file says of unnamed forms. */
export interface Declared {
  readonly node: XmlElement;
  readonly elementForm: string;
  readonly attributeForm: string;
}

export interface SchemaSet {
  readonly namespace: string;
  readonly elements: ReadonlyMap<string, Declared>;
  readonly types: ReadonlyMap<string, Declared>;
  readonly groups: ReadonlyMap<string, Declared>;
  readonly attributes: ReadonlyMap<string, Declared>;
}

/** Reads a schema by the location an include gives. */
export type ReadSchema = (location: string) => XmlElement;

/** @throws on anything this reader does not know: a construct passed over would be a fact lost. */
export function gatherSchema(main: XmlElement, read: ReadSchema): SchemaSet {
  const namespace = required(main, "targetNamespace");
  const found = {
    namespace,
    elements: new Map<string, Declared>(),
    types: new Map<string, Declared>(),
    groups: new Map<string, Declared>(),
    attributes: new Map<string, Declared>(),
  };
  const homes: Record<string, Map<string, Declared>> = {
    element: found.elements,
    simpleType: found.types,
    complexType: found.types,
    group: found.groups,
    attribute: found.attributes,
  };
  const seen = new Set<string>();
  const gather = (schema: XmlElement): void => {
    if (schema.namespace !== XSD || schema.name !== "schema") throw new Error("not a schema");
    if (required(schema, "targetNamespace") !== namespace) {
      throw new Error("an included schema has another namespace");
    }
    const elementForm = attribute(schema, "elementFormDefault") ?? "unqualified";
    const attributeForm = attribute(schema, "attributeFormDefault") ?? "unqualified";
    for (const node of schema.children) {
      if (node.name === "annotation") continue;
      if (node.name === "include") {
        const location = required(node, "schemaLocation").replace(/^\.\//, "");
        if (!seen.has(location)) {
          seen.add(location);
          gather(read(location));
        }
        continue;
      }
      const home = homes[node.name];
      if (home === undefined) throw new Error(`line ${node.line}: <${node.name}> is not known`);
      const name = `{${namespace}}${required(node, "name")}`;
      if (home.has(name)) throw new Error(`line ${node.line}: ${name} is declared twice`);
      home.set(name, { node, elementForm, attributeForm });
    }
  };
  gather(main);
  return found;
}
