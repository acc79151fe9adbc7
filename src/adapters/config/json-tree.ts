/**
 * A JSON file with comments as a tree whose every value knows its place and its path, so that each
 * mistake can be told where it is.
 */
import { parseTree, type Node, type ParseError } from "jsonc-parser";
import { suggest } from "../../runtime/suggest.ts";
import { positionAt, type Position } from "../../wire/text-position.ts";

export interface Value {
  readonly position: Position;
  readonly path: string;
  /** A string, a number, true, false or null; undefined for an object or a list. */
  readonly scalar?: string | number | boolean | null;
  readonly items?: readonly Value[];
  /** In the order of the file, doubles included; the key has a place of its own. */
  readonly properties?: readonly {
    readonly name: string;
    readonly key: Value;
    readonly value: Value;
  }[];
}

/** One mistake of the file; line and column from 1. */
export interface GuichetsProblem {
  readonly line: number;
  readonly column: number;
  /** `guichets[1].folders.drop`; "" for the file itself. */
  readonly path: string;
  /** French. */
  readonly message: string;
}

export type ProblemSink = (value: Value, message: string) => void;

/** The properties an object must and may have. */
export interface Shape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** Parses the text; every mistake of syntax goes to `problems`. */
export function readTree(text: string, problems: GuichetsProblem[]): Value | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: false, disallowComments: false });
  for (const error of errors) {
    const message = SYNTAX[error.error] ?? "Ce n'est pas du JSON.";
    problems.push({ ...positionAt(text, error.offset), path: "", message });
  }
  if (root === undefined) {
    if (problems.length === 0) problems.push({ line: 1, column: 1, path: "", message: EMPTY });
    return undefined;
  }
  return valueOf(root, "", text);
}

const EMPTY = "Le fichier est vide : un objet entre accolades est attendu.";

/** jsonc-parser's `ParseErrorCode`, a const enum that cannot be imported at run time. */
const SYNTAX: Readonly<Record<number, string>> = {
  1: "Ce symbole n'est pas permis ici.",
  2: "Ce nombre est mal écrit.",
  3: "Un nom de propriété entre guillemets est attendu (pas de virgule après la dernière).",
  4: "Une valeur est attendue (pas de virgule après la dernière).",
  5: "Deux-points « : » sont attendus après le nom.",
  6: "Il manque une virgule.",
  7: "Il manque une accolade fermante « } ».",
  8: "Il manque un crochet fermant « ] ».",
  9: "Rien n'est attendu après la fin.",
  11: "Ce commentaire n'est pas fermé.",
  12: "Ce texte n'est pas fermé par un guillemet.",
  13: "Ce nombre est mal écrit.",
  14: "Cette suite \\u est mal écrite.",
  15: "Cet échappement est mal écrit : une barre oblique inverse s'écrit « \\\\ ».",
  16: "Ce caractère n'est pas permis ici.",
};

function valueOf(node: Node, path: string, text: string): Value {
  const here = { position: positionAt(text, node.offset), path };
  switch (node.type) {
    case "array":
      return {
        ...here,
        items: (node.children ?? []).map((child, i) => valueOf(child, `${path}[${i}]`, text)),
      };
    case "object":
      return {
        ...here,
        properties: (node.children ?? []).flatMap((p) => propertyOf(p, path, text)),
      };
    default:
      return { ...here, scalar: node.value as string | number | boolean | null };
  }
}

function propertyOf(node: Node, path: string, text: string) {
  const [key, value] = node.children ?? [];
  // A property without a value was told as a mistake of syntax.
  if (key === undefined || value === undefined) return [];
  const name = String(key.value);
  const full = path === "" ? name : `${path}.${name}`;
  return [{ name, key: valueOf(key, full, text), value: valueOf(value, full, text) }];
}

/** The properties of an object by name; tells those unknown, missing or written twice. */
export function readObject(
  value: Value,
  shape: Shape,
  sink: ProblemSink,
): ReadonlyMap<string, Value> | undefined {
  if (value.properties === undefined) {
    sink(value, "Un objet entre accolades est attendu.");
    return undefined;
  }
  const known = [...shape.required, ...shape.optional];
  const found = new Map<string, Value>();
  for (const property of value.properties) {
    if (!known.includes(property.name)) {
      const meant = suggest(property.name, known);
      const hint = meant === undefined ? "" : ` ; vouliez-vous dire « ${meant} » ?`;
      sink(
        property.key,
        `La propriété « ${property.name} » n'existe pas${hint === "" ? "." : hint}`,
      );
    } else if (found.has(property.name)) {
      sink(property.key, `La propriété « ${property.name} » est écrite deux fois.`);
    } else {
      found.set(property.name, property.value);
    }
  }
  for (const name of shape.required) {
    if (!found.has(name)) sink(value, `La propriété « ${name} » manque.`);
  }
  return found;
}
