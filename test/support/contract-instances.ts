/**
 * Writes documents a schema lets through, with all it may hold, and the same documents with one
 * thing changed: what two schemas that say the same must judge alike.
 */
import { gatherSchema, type ReadSchema } from "../../scripts/contract/schema-set.ts";
import {
  simpleText,
  typeOf,
  type Particle,
  type TypeFacts,
} from "../../scripts/contract/type-facts.ts";
import type { XmlElement } from "../../scripts/contract/xml-tree.ts";

export interface InstanceNode {
  name: string;
  /** Another namespace than the document's, for a change. */
  foreign?: true;
  readonly qualified: boolean;
  /** Names as they are written, `n:` being the document's namespace. */
  attributes: Readonly<Record<string, string>>;
  text: string;
  children: readonly InstanceNode[];
  /** `xs:int{minInclusive=0}`, or `empty`. */
  readonly form: string;
}

export interface Instance {
  readonly namespace: string;
  readonly root: InstanceNode;
}

/** Ways of choosing: always the first, always the last, and both alternations. */
const CHOOSERS: readonly ((nth: number, of: number) => number)[] = [
  () => 0,
  (_, of) => of - 1,
  (nth, of) => nth % of,
  (nth, of) => (nth + 1) % of,
];

/** Documents that hold all they may, one per way through the choices, for each root. */
export function fullInstances(schema: XmlElement, read: ReadSchema): Instance[] {
  const set = gatherSchema(schema, read);
  const found = new Map<string, Instance>();
  for (const [clark, declared] of set.elements) {
    for (const choose of CHOOSERS) {
      let nth = 0;
      const choice = (of: number): number => choose(nth++, of);
      const local = clark.slice(clark.indexOf("}") + 1);
      const root = nodeOf(local, true, typeOf(set, declared), choice);
      const instance = { namespace: set.namespace, root };
      found.set(instanceXml(instance), instance);
    }
  }
  return [...found.values()];
}

export function instanceXml({ namespace, root }: Instance): string {
  return write(root, ` xmlns:n="${namespace}" xmlns:f="urn:autre"`);
}

/** The document with one thing changed, for each thing and each change. @param every - keeps one in so many */
export function* changedInstances(
  instance: Instance,
  every = 1,
): Generator<{ readonly what: string; readonly xml: string }> {
  let count = 0;
  for (const path of pathsIn(instance.root)) {
    for (const [what, change] of CHANGES) {
      count += 1;
      if (count % every !== 0) continue;
      const [root] = changeAt(instance.root, path, change);
      if (root === undefined) continue;
      const name = path.reduce<InstanceNode | undefined>((at, i) => at?.children[i], instance.root);
      yield { what: `${what}: ${name?.name ?? ""}`, xml: instanceXml({ ...instance, root }) };
    }
  }
}

type Change = (node: InstanceNode) => readonly InstanceNode[];

const withText =
  (text: (form: string) => string): Change =>
  (node) => [{ ...node, text: text(node.form) }];
const withAttributes =
  (change: (name: string, value: string) => readonly (readonly [string, string])[]): Change =>
  (node) => [
    {
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).flatMap(([name, value]) => change(name, value)),
      ),
    },
  ];
const BARE = { qualified: true, attributes: {}, text: "", children: [], form: "empty" } as const;

const CHANGES: readonly (readonly [string, Change])[] = [
  ["removed", () => []],
  ["doubled", (node) => [node, node]],
  ["four times", (node) => [node, node, node, node]],
  ["an unknown element before", (node) => [{ ...BARE, name: "inconnu" }, node]],
  ["an unknown element in", (node) => [{ ...node, children: [{ ...BARE, name: "inconnu" }] }]],
  ["first two children swapped", (node) => [{ ...node, children: swapped(node.children) }]],
  ["last two children swapped", (node) => [{ ...node, children: swapped(node.children, true) }]],
  ["another namespace", (node) => [{ ...node, foreign: true }]],
  ["no namespace, or one", (node) => [{ ...node, qualified: !node.qualified }]],
  ["text in", (node) => [{ ...node, text: node.text === "" ? "texte" : "" }]],
  ["the longest text", withText((form) => "a".repeat(limit(form, "maxLength") ?? 2_000))],
  ["a longer text", withText((form) => "a".repeat((limit(form, "maxLength") ?? 2_000) + 1))],
  ["the longest number", withText((form) => "1".repeat(limit(form, "maxLength") ?? 30))],
  ["the greatest", withText((form) => String(limit(form, "maxInclusive") ?? 2_147_483_647))],
  ["a greater", withText((form) => String((limit(form, "maxInclusive") ?? 2_147_483_647) + 1))],
  ["the smallest", withText((form) => String(limit(form, "minInclusive") ?? -2_147_483_648))],
  ["a smaller", withText((form) => String((limit(form, "minInclusive") ?? -2_147_483_648) - 1))],
  ["a date", withText(() => "2017-05-01")],
  ["an hour", withText(() => "2017-05-01T10:00:00Z")],
  ["a boolean", withText(() => "1")],
  ["an accent and a space", withText(() => "é 1")],
  ["a mail address", withText(() => "a@b.info")],
  ["no attribute", withAttributes(() => [])],
  ["empty attributes", withAttributes((name) => [[name, ""]])],
  ["long attributes", withAttributes((name, value) => [[name, value.repeat(300)]])],
  ["attributes of 6", withAttributes((name) => [[name, "aB34é6"]])],
  ["attributes of 7", withAttributes((name) => [[name, "1234567"]])],
  ["attributes of 10", withAttributes((name) => [[name, "1234567890"]])],
  ["attributes of 11", withAttributes((name) => [[name, "12345678901"]])],
  ["attributes of 101", withAttributes((name) => [[name, "a".repeat(101)]])],
  ["attributes of 256", withAttributes((name) => [[name, "a".repeat(256)]])],
  ["another edition", withAttributes((name) => [[name, "02.02"]])],
  ["attributes the other way qualified", withAttributes((name, value) => [[flipped(name), value]])],
  ["modifie", (node) => [{ ...node, attributes: { ...node.attributes, "n:modifie": "true" } }]],
  ["unknown attribute", (node) => [{ ...node, attributes: { ...node.attributes, autre: "1" } }]],
];

function flipped(name: string): string {
  return name.startsWith("n:") ? name.slice(2) : `n:${name}`;
}

function swapped(children: readonly InstanceNode[], last = false): readonly InstanceNode[] {
  const at = last ? children.length - 2 : 0;
  const [one, two] = [children[at], children[at + 1]];
  return one === undefined || two === undefined ? children : children.toSpliced(at, 2, two, one);
}

function limit(form: string, facet: string): number | undefined {
  const value = new RegExp(`${facet}=(-?\\d+)`).exec(form)?.[1];
  return value === undefined ? undefined : Number(value);
}

function* pathsIn(node: InstanceNode, path: readonly number[] = []): Generator<readonly number[]> {
  yield path;
  for (const [i, child] of node.children.entries()) yield* pathsIn(child, [...path, i]);
}

function changeAt(
  node: InstanceNode,
  path: readonly number[],
  change: Change,
): readonly InstanceNode[] {
  const [at, ...rest] = path;
  const child = at === undefined ? undefined : node.children[at];
  // One root only: a change that would give two, or none, gives nothing.
  if (at === undefined || child === undefined) return change(node).length === 1 ? change(node) : [];
  const replaced = rest.length === 0 ? change(child) : changeAt(child, rest, change);
  return [{ ...node, children: node.children.toSpliced(at, 1, ...replaced) }];
}

function nodeOf(
  name: string,
  qualified: boolean,
  type: TypeFacts,
  choice: (of: number) => number,
): InstanceNode {
  return {
    name,
    qualified,
    attributes: Object.fromEntries(type.attributes.map(attributeOf)),
    text: type.simple === undefined ? "" : valueOf(simpleText(type.simple)),
    children: type.content === undefined ? [] : nodesOf(type.content, choice),
    form: simpleText(type.simple),
  };
}

function nodesOf(particle: Particle, choice: (of: number) => number): InstanceNode[] {
  const times = particle.occurs.endsWith("unbounded") ? 2 : 1;
  return Array.from({ length: times }, () => {
    if (particle.kind === "element") {
      return [nodeOf(particle.name, particle.qualified, particle.type, choice)];
    }
    if (particle.kind === "sequence") return particle.of.flatMap((part) => nodesOf(part, choice));
    const chosen = particle.of[choice(particle.of.length)];
    return chosen === undefined ? [] : nodesOf(chosen, choice);
  }).flat();
}

/** `@q:modifie?:xs:boolean` as a name and a value it takes. */
function attributeOf(fact: string): readonly [string, string] {
  const [, q, name = "", form = ""] = /^@(q:)?(\w+)\??:(.*)$/.exec(fact) ?? [];
  const fixed = / fixed=(.*)$/.exec(form)?.[1];
  return [`${q === undefined ? "" : "n:"}${name}`, fixed ?? valueOf(form)];
}

function valueOf(form: string): string {
  const least = limit(form, "minInclusive");
  if (/^xs:(int|long)/.test(form)) return String(Math.max(least ?? 1, 1));
  const plain: Readonly<Record<string, string>> = {
    "xs:date": "2017-05-01",
    "xs:dateTime": "2017-05-01T09:30:00.000+02:00",
    "xs:boolean": "true",
    "xs:base64Binary": "QQ==",
    empty: "",
  };
  const known = plain[form];
  if (known !== undefined) return known;
  const pattern = /pattern=(.*?)(?:;\w+=|\}$)/.exec(`${form.replace(/\}$/, ";fin=")}}`)?.[1];
  const taken = new RegExp(`^(?:${pattern ?? ".*"})$`);
  const value = ["A", "1", "CRE", "02.00", "a@b.fr"].find(
    (one) => taken.test(one) && one.length >= (limit(form, "minLength") ?? 0),
  );
  if (value === undefined) throw new Error(`no value at hand for ${form}`);
  return value;
}

function write(node: InstanceNode, more = ""): string {
  const tag = `${node.foreign ? "f:" : node.qualified ? "n:" : ""}${node.name}`;
  const attributes = Object.entries(node.attributes).map(([name, value]) => ` ${name}="${value}"`);
  const inner = node.children.map((child) => write(child)).join("");
  return `<${tag}${more}${attributes.join("")}>${node.text}${inner}</${tag}>`;
}
