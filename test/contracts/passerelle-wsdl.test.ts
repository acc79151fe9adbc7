/** Our own WSDL says what our service does, in a form that every toolkit takes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { attribute, readXmlTree, type XmlElement } from "../../scripts/contract/xml-tree.ts";
import { STATE_CODES } from "../../src/adapters/soap/passerelle/flux-elements.ts";
import {
  FAULT_ELEMENT,
  SERVICE_NAMESPACE,
  SERVICE_OPERATIONS,
} from "../../src/adapters/soap/passerelle/service-contract.ts";
import { FLUX_STATES } from "../../src/domain/flux-state.ts";

const text = readFileSync(join(import.meta.dirname, "../../wsdl/passerelle.wsdl"), "utf8");
const definitions = readXmlTree(text);
const all = (of: XmlElement, name: string): XmlElement[] => [
  ...(of.name === name ? [of] : []),
  ...of.children.flatMap((child) => all(child, name)),
];
const named = (of: XmlElement, kind: string, name: string): XmlElement => {
  const found = all(of, kind).find((one) => attribute(one, "name") === name);
  assert.ok(found !== undefined, `${kind} ${name}`);
  return found;
};

describe("wsdl/passerelle.wsdl", () => {
  it("is of the namespace and the operations the service has", () => {
    assert.equal(attribute(definitions, "targetNamespace"), SERVICE_NAMESPACE);
    const portType = all(definitions, "portType")[0]!;
    assert.deepEqual(
      all(portType, "operation").map((one) => attribute(one, "name")),
      SERVICE_OPERATIONS.map(({ name }) => name),
    );
  });

  for (const { name, element, answer, action, parameters } of SERVICE_OPERATIONS) {
    it(`describes ${name} as it is read, in both versions of SOAP`, () => {
      const declared = all(named(definitions, "element", element), "element").slice(1);
      assert.deepEqual(
        declared.map((one) => ({
          name: attribute(one, "name"),
          type: attribute(one, "type"),
          optional: attribute(one, "minOccurs") === "0",
          repeated: attribute(one, "maxOccurs") === "unbounded",
        })),
        parameters.map((parameter) => ({
          name: parameter.name,
          type:
            parameter.type === "file"
              ? "xs:base64Binary"
              : parameter.name === "limite"
                ? "xs:int"
                : parameter.type === "dateTime"
                  ? "xs:dateTime"
                  : "xs:string",
          optional: parameter.optional === true,
          repeated: parameter.repeated === true,
        })),
      );
      named(definitions, "element", answer);
      const bindings = all(definitions, "binding").filter(({ namespace }) =>
        namespace.endsWith("/wsdl/"),
      );
      assert.equal(bindings.length, 2);
      for (const binding of bindings) {
        const operation = named(binding, "operation", name);
        const [soap] = operation.children.filter((child) => child.name === "operation");
        assert.equal(attribute(soap!, "soapAction"), action);
        assert.deepEqual(
          all(operation, "fault").map((one) => attribute(one, "name")),
          [FAULT_ELEMENT, FAULT_ELEMENT],
        );
      }
    });
  }

  it("names every state a flux may be told to be in", () => {
    for (const state of FLUX_STATES) assert.ok(text.includes(STATE_CODES[state]), state);
  });

  it("has one part a message, named so that generators unwrap it", () => {
    for (const message of all(definitions, "message")) {
      const parts = all(message, "part").map((part) => attribute(part, "name"));
      const isFault = attribute(message, "name") === "DefautPasserelle";
      assert.deepEqual(parts, [isFault ? "erreur" : "parameters"]);
    }
  });

  it("uses no name that a language of its clients keeps for itself", () => {
    const reserved =
      /^(?:class|default|delete|new|namespace|package|public|private|switch|case|this|type|object|string|event|operator|template|list|array|function|static|void|import|return|error|exception)$/i;
    const names = all(definitions, "element").map((one) => attribute(one, "name") ?? "");
    assert.deepEqual(
      names.filter((name) => reserved.test(name) || !/^[a-zA-Z0-9]+$/.test(name)),
      [],
    );
  });
});
