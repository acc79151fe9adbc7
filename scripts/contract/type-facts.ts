/**
 * What a type lets through, whatever the way it is written: named or not, by group or in place, in
 * one step or in three. Two schemas that let the same documents through give the same facts.
 */
import { XSD, type Declared, type SchemaSet } from "./schema-set.ts";
import { attribute, required, resolveName, type XmlElement } from "./xml-tree.ts";

export interface SimpleFacts {
  /** A built-in type, such as `xs:string`. */
  readonly base: string;
  /** `name=value`, every step of derivation together. */
  readonly facets: readonly string[];
}

export type Particle =
  | {
      readonly kind: "element";
      readonly name: string;
      readonly qualified: boolean;
      readonly occurs: string;
      readonly type: TypeFacts;
    }
  | { readonly kind: "sequence" | "choice"; readonly occurs: string; readonly of: Particle[] };

export interface TypeFacts {
  readonly simple?: SimpleFacts;
  readonly content?: Particle;
  /** `@name?: type`, sorted. */
  readonly attributes: readonly string[];
}

const FACETS = new Set(
  "length minLength maxLength pattern enumeration minInclusive maxInclusive minExclusive maxExclusive totalDigits fractionDigits whiteSpace".split(
    " ",
  ),
);
/** What may stand on a declaration without changing what it lets through, or is read below. */
const READ = new Set("name type ref minOccurs maxOccurs use base form fixed".split(" "));

export function typeOf(set: SchemaSet, holder: Declared): TypeFacts {
  onlyKnown(holder.node);
  const named = attribute(holder.node, "type");
  if (named !== undefined) return namedType(set, resolveName(holder.node, named));
  const own = holder.node.children.find(({ name }) => /^(simple|complex)Type$/.test(name));
  if (own === undefined) throw new Error(`line ${holder.node.line}: no type`);
  return namedTypeFacts(set, { ...holder, node: own });
}

function namedType(set: SchemaSet, name: string): TypeFacts {
  if (name.startsWith(`{${XSD}}`)) {
    return { simple: { base: `xs:${name.slice(XSD.length + 2)}`, facets: [] }, attributes: [] };
  }
  const declared = set.types.get(name);
  if (declared === undefined) throw new Error(`type ${name} is not declared`);
  return namedTypeFacts(set, declared);
}

/** The facts of a simpleType or complexType declaration. */
export function namedTypeFacts(set: SchemaSet, type: Declared): TypeFacts {
  onlyKnown(type.node);
  if (type.node.name === "simpleType") {
    return { simple: restrict(set, onlyChild(type, ["restriction"])), attributes: [] };
  }
  const simpleContent = type.node.children.find(({ name }) => name === "simpleContent");
  if (simpleContent !== undefined) {
    const step = onlyChild({ ...type, node: simpleContent }, ["restriction", "extension"]);
    const base = namedType(set, resolveName(step.node, required(step.node, "base")));
    return {
      simple: restrict(set, step),
      attributes: [...base.attributes, ...attributesOf(set, step)].toSorted(),
    };
  }
  const models = type.node.children.filter(({ name }) => !/^(attribute|annotation)$/.test(name));
  if (models.length > 1) throw new Error(`line ${type.node.line}: more than one content model`);
  const content = models[0] && particle(set, { ...type, node: models[0] });
  return {
    ...(content === undefined ? {} : { content }),
    attributes: attributesOf(set, type).toSorted(),
  };
}

function restrict(set: SchemaSet, step: Declared): SimpleFacts {
  onlyKnown(step.node);
  const base = namedType(set, resolveName(step.node, required(step.node, "base"))).simple;
  if (base === undefined) throw new Error(`line ${step.node.line}: base has no simple content`);
  const facets: string[] = [];
  for (const child of step.node.children) {
    if (/^(attribute|annotation)$/.test(child.name)) continue;
    if (!FACETS.has(child.name)) throw unknown(child);
    facets.push(`${child.name}=${required(child, "value")}`);
  }
  const all = [...base.facets, ...facets].toSorted();
  // Patterns of one step are alternatives, of several steps all hold: not told apart here.
  if (all.filter((facet) => facet.startsWith("pattern=")).length > 1) throw unknown(step.node);
  return { base: base.base, facets: all };
}

function attributesOf(set: SchemaSet, of: Declared): string[] {
  return of.node.children
    .filter(({ name }) => name === "attribute")
    .map((node) => {
      onlyKnown(node);
      const mark = attribute(node, "use") === "required" ? "" : "?";
      const ref = attribute(node, "ref");
      const target =
        ref === undefined ? { ...of, node } : set.attributes.get(resolveName(node, ref));
      if (target === undefined) throw new Error(`line ${node.line}: attribute ${ref} unknown`);
      const form = attribute(node, "form") ?? of.attributeForm;
      const prefix = ref !== undefined || form === "qualified" ? "q:" : "";
      const type = simpleText(typeOf(set, target).simple);
      const fixed = attribute(node, "fixed");
      const value = fixed === undefined ? "" : ` fixed=${fixed}`;
      return `@${prefix}${required(target.node, "name")}${mark}:${type}${value}`;
    });
}

function particle(set: SchemaSet, of: Declared): Particle {
  const { node } = of;
  onlyKnown(node);
  const occurs = `${attribute(node, "minOccurs") ?? "1"}..${attribute(node, "maxOccurs") ?? "1"}`;
  if (node.name === "element") {
    if (attribute(node, "ref") !== undefined || attribute(node, "fixed") !== undefined) {
      throw unknown(node);
    }
    const name = required(node, "name");
    const qualified = (attribute(node, "form") ?? of.elementForm) === "qualified";
    return { kind: "element", name, qualified, occurs, type: typeOf(set, of) };
  }
  if (node.name === "group") {
    const group = set.groups.get(resolveName(node, required(node, "ref")));
    if (group === undefined) throw new Error(`line ${node.line}: group unknown`);
    const model = particle(set, onlyChild(group, ["sequence", "choice"]));
    return flatten({ kind: "sequence", occurs, of: [model] });
  }
  if (node.name !== "sequence" && node.name !== "choice") throw unknown(node);
  const parts = node.children
    .filter(({ name }) => name !== "annotation")
    .map((child) => particle(set, { ...of, node: child }));
  return flatten({ kind: node.name, occurs, of: parts });
}

/** A sequence in a sequence, or a model of one thing, is only a way of writing. */
function flatten(model: Exclude<Particle, { kind: "element" }>): Particle {
  const of = model.of.flatMap((part) =>
    part.kind !== "element" && part.kind === model.kind && part.occurs === "1..1"
      ? part.of
      : [part],
  );
  const [first] = of;
  if (of.length === 1 && first !== undefined && model.occurs === "1..1") return first;
  return { ...model, of };
}

export function simpleText(simple: SimpleFacts | undefined): string {
  if (simple === undefined) return "empty";
  return simple.facets.length === 0 ? simple.base : `${simple.base}{${simple.facets.join(";")}}`;
}

function onlyChild(of: Declared, names: readonly string[]): Declared {
  const children = of.node.children.filter(({ name }) => name !== "annotation");
  const [child] = children;
  if (child === undefined || children.length > 1 || !names.includes(child.name)) {
    throw unknown(of.node);
  }
  return { ...of, node: child };
}

function onlyKnown(node: XmlElement): void {
  const odd = node.attributes.find(({ namespace, name }) => namespace === "" && !READ.has(name));
  if (odd !== undefined) throw new Error(`line ${node.line}: "${odd.name}" is not known`);
}

function unknown(node: XmlElement): Error {
  return new Error(`line ${node.line}: <${node.name}> is not read by this script`);
}
