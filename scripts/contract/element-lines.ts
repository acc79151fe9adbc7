/**
 * Writes the facts of elements, one line each, indented as they nest and in document order:
 * `?` at most once, `*` any number, `+` at least once, no mark exactly once.
 */
import type { SchemaSet } from "./schema-set.ts";
import { simpleText, typeOf, type Particle, type TypeFacts } from "./type-facts.ts";

/** A content model of fewer lines is written again rather than pointed at. */
const WORTH_POINTING = 4;
const MARKS: Readonly<Record<string, string>> = {
  "1..1": "",
  "0..1": "?",
  "0..unbounded": "*",
  "1..unbounded": "+",
};

interface Sofar {
  /** Content models already written: their text, and the path where they stand. */
  readonly seen: Map<string, string>;
  readonly forms: Set<boolean>;
}

/** Every element a document may start with, by name, with all it may hold. */
export function elementLines(set: SchemaSet): string[] {
  const sofar: Sofar = { seen: new Map(), forms: new Set() };
  const lines: string[] = [];
  for (const [name, declared] of [...set.elements].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const local = name.slice(name.indexOf("}") + 1);
    lines.push(...describe("", local, "", typeOf(set, declared), sofar));
  }
  if (sofar.forms.size > 1) throw new Error("some inner elements are qualified, others are not");
  const form = sofar.forms.has(true) ? "qualified" : "unqualified";
  return [`namespace ${set.namespace}`, `inner elements ${form}`, ...lines];
}

function describe(
  parent: string,
  name: string,
  mark: string,
  type: TypeFacts,
  sofar: Sofar,
): string[] {
  const path = parent === "" ? name : `${parent}/${name}`;
  const attributes = type.attributes.map((text) => ` ${text}`).join("");
  if (type.content === undefined) {
    return [`${name}${mark}: ${simpleText(type.simple)}${attributes}`];
  }
  // Compared in full: where a model was first written depends on what came before it.
  const whole = model(path, type.content, { seen: new Map(), forms: sofar.forms });
  const key = whole.join("\n").replaceAll(path, "");
  const first = sofar.seen.get(key);
  if (first !== undefined) return [`${name}${mark}${attributes} as ${first}`];
  if (whole.length >= WORTH_POINTING) sofar.seen.set(key, path);
  return [`${name}${mark}${attributes}`, ...indent(model(path, type.content, sofar))];
}

function model(path: string, content: Particle, sofar: Sofar): string[] {
  const mark = MARKS[content.occurs] ?? ` ${content.occurs}`;
  if (content.kind === "element") {
    sofar.forms.add(content.qualified);
    return describe(path, content.name, mark, content.type, sofar);
  }
  if (content.kind === "sequence" && mark === "") {
    return content.of.flatMap((part) => model(path, part, sofar));
  }
  return [
    `(${content.kind})${mark}`,
    ...content.of.flatMap((part, i) => [
      ` (${i + 1})`,
      ...indent(indent(model(path, part, sofar))),
    ]),
  ];
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => ` ${line}`);
}
