/** Compiles schemas with libxml2, from a folder or from the types of a WSDL, and asks for a verdict. */
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlLibError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from "libxml2-wasm";
import { readXmlTree, type XmlElement } from "../../scripts/contract/xml-tree.ts";

/** What the schema says of a document: nothing, or the first complaint. */
export type Verdict = (xml: string) => string | undefined;

/** @param path - an XSD, or a WSDL with one schema in its types. @throws when it does not compile */
export function compileSchema(path: string): Verdict {
  const folder = dirname(path);
  const files = Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith(".xsd"))
      .map((name) => [`mem:/${name}`, readFileSync(join(folder, name))]),
  );
  xmlRegisterInputProvider(new XmlBufferInputProvider(files));
  try {
    const url = `mem:/${basename(path)}`;
    const text = readFileSync(path, "utf8");
    const main = path.endsWith(".wsdl") ? schemaOfWsdl(text) : text;
    // Never disposed: the compiled schema still points into it.
    const validator = XsdValidator.fromDoc(XmlDocument.fromString(main, { url }));
    return (xml) => verdict(validator, xml);
  } catch (error) {
    const [first] = error instanceof XmlLibError ? error.details : [];
    throw new Error(`${path} does not compile: ${first?.message ?? String(error)}`);
  } finally {
    xmlCleanupInputProvider();
  }
}

function verdict(validator: XsdValidator, xml: string): string | undefined {
  const document = XmlDocument.fromString(xml);
  try {
    validator.validate(document);
    return undefined;
  } catch (error) {
    if (error instanceof XmlLibError) return error.details[0]?.message.trim() ?? "invalid";
    throw error;
  } finally {
    document.dispose();
  }
}

/** The schema of a WSDL as a document of its own, with the prefixes that were in scope. */
function schemaOfWsdl(text: string): string {
  const schema = find(readXmlTree(text), "schema");
  if (schema === undefined) throw new Error("no schema in the WSDL");
  const [inner = ""] = /<(\w+):schema[\s\S]*<\/\1:schema>/.exec(text) ?? [];
  const open = inner.slice(0, inner.indexOf(">"));
  const scope = Object.entries(schema.scope)
    .map(([prefix, uri]) => [prefix === "" ? "xmlns" : `xmlns:${prefix}`, uri] as const)
    .filter(([name]) => !open.includes(`${name}=`))
    .map(([name, uri]) => ` ${name}="${uri}"`)
    .join("");
  return `${open}${scope}${inner.slice(open.length)}`;
}

function find(element: XmlElement, name: string): XmlElement | undefined {
  if (element.name === name) return element;
  for (const child of element.children) {
    const found = find(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
