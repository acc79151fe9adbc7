/**
 * Says an acquittement in JSON: made from the very XML that would be sent, so that the two forms
 * never differ. Elements that may repeat are always lists; `ligne` and `colonne` are numbers.
 */
import { Parser, processors } from "xml2js";

/** Elements of `schemas/acquittement.xsd` that may repeat, wherever they stand. */
const REPEATED = ["remarque", "controle", "complement", "doublon"];
const NUMBERS = ["ligne", "colonne"];

/** `components.schemas.AcquittementJson` of the OpenAPI document. */
export async function acquittementJson(xml: Uint8Array): Promise<unknown> {
  const parser = new Parser({
    explicitRoot: true,
    explicitArray: true,
    explicitCharkey: true,
    attrkey: "$",
    charkey: "_",
    tagNameProcessors: [processors.stripPrefix],
  });
  const document: unknown = await parser.parseStringPromise(Buffer.from(xml).toString("utf8"));
  return simplify(document, "");
}

/** An element as xml2js gives it: `{ $: attributes, _: text, child: [elements] }`. */
function simplify(element: unknown, name: string): unknown {
  if (typeof element === "string") return leaf(element, name);
  if (typeof element !== "object" || element === null) return element;
  const entries = Object.entries(element as Readonly<Record<string, unknown>>);
  const attributes = Object.entries(
    (entries.find(([key]) => key === "$")?.[1] ?? {}) as Readonly<Record<string, string>>,
  ).filter(([key]) => key !== "xmlns" && !key.startsWith("xmlns:"));
  const text = entries.find(([key]) => key === "_")?.[1];
  const children = entries.filter(([key]) => key !== "$" && key !== "_");
  if (children.length === 0 && attributes.length === 0) {
    return leaf(typeof text === "string" ? text : "", name);
  }
  return Object.fromEntries([
    ...attributes,
    ...(typeof text === "string" ? [["valeur", text] as const] : []),
    ...children.map(([key, value]) => [key, child(key, value)] as const),
  ]);
}

function child(name: string, value: unknown): unknown {
  const all = (Array.isArray(value) ? value : [value]).map((one: unknown) => simplify(one, name));
  return REPEATED.includes(name) ? all : all[0];
}

function leaf(text: string, name: string): unknown {
  return NUMBERS.includes(name) ? Number(text) : text;
}
