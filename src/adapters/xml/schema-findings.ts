/**
 * What a compiled schema finds in a document, as a landlord reads it: at most twenty findings, in
 * document order, the first of each kind always among them.
 *
 * An element the schema does not know hides from libxml2 all that follows it under its parent. It is
 * told, taken out of the copy in hand, and the rest is judged: an element of a later edition must
 * not cover a fault that has always been one.
 */
import {
  XmlElement,
  XmlLibError,
  type ErrorDetail,
  type XmlDocument,
  XmlTreeNode,
  type XmlNode,
  type XsdValidator,
} from "libxml2-wasm";
import type { FindingKind, SchemaFinding } from "../../arrive/schema-check.ts";
import type { FindStrayCodes } from "./code-lists.ts";
import { elementAt, fieldOf, lineageOf } from "./element-path.ts";
import type { IsKnownChild } from "./known-children.ts";
import {
  attributeIn,
  kindOf,
  ruleOf,
  tellStrayCode,
  tellUnknown,
  tellViolation,
} from "./schema-messages.ts";

export interface CompiledSchema {
  readonly validator: XsdValidator;
  /** Read from the schema when a document first needs it: a valid one never does. */
  readonly names: () => SchemaNames;
}

export interface SchemaNames {
  /** Built-in types by element name (`schema-forms.ts`). */
  readonly forms: ReadonlyMap<string, string>;
  readonly isKnownChild: IsKnownChild;
}

const MOST_FINDINGS = 20;
/** Violations whose element is looked for in one pass: each costs a search. */
const MOST_SEARCHES = 60;
/** Passes over a document; each takes out what the one before could not see past. */
const MOST_PASSES = 10;

/**
 * Takes the unknown elements out of the document.
 * @param findStrays - given when codes are checked against their lists
 */
export function findingsIn(
  document: XmlDocument,
  schema: CompiledSchema,
  findStrays?: FindStrayCodes,
): readonly SchemaFinding[] {
  const findings = makeFindings();
  let details = violations(document, schema.validator);
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    if (!takeOutUnknown(document, details, schema, findings)) break;
    details = violations(document, schema.validator);
  }
  let searches = 0;
  for (const detail of details) {
    if (findings.isFull(kindOf(ruleOf(detail.message)))) continue;
    if (searches >= MOST_SEARCHES) break;
    searches += 1;
    findings.add(told(document, detail, schema));
  }
  for (const { element, onAttribute, known } of findStrays?.(document, MOST_FINDINGS) ?? []) {
    const field = fieldOf(lineageOf(element), onAttribute ? "@code" : undefined);
    findings.add({ line: element.line, field, ...tellStrayCode(element.name, onAttribute, known) });
  }
  return findings.best();
}

function violations(document: XmlDocument, validator: XsdValidator): readonly ErrorDetail[] {
  try {
    validator.validate(document);
    return [];
  } catch (error) {
    if (error instanceof XmlLibError) return error.details;
    throw error;
  }
}

/** Whether anything was taken out. */
function takeOutUnknown(
  document: XmlDocument,
  details: readonly ErrorDetail[],
  schema: CompiledSchema,
  findings: Findings,
): boolean {
  const unknown: XmlElement[] = [];
  const looked = new Set<string>();
  for (const { message, xpath = "" } of details) {
    if (looked.size >= MOST_SEARCHES) break;
    const under = xpath.replace(/\/[^/]*$/, "");
    if (ruleOf(message) !== "SCHEMA_UNEXPECTED" || looked.has(under)) continue;
    looked.add(under);
    const parent = elementAt(document, xpath)?.parent ?? null;
    if (parent === null) continue;
    const { isKnownChild } = schema.names();
    // Its unknown neighbours too: they would cost a pass each.
    for (let node: XmlNode | null = parent.firstChild; node !== null; node = next(node)) {
      if (!(node instanceof XmlElement) || isKnownChild(parent.name, node.name)) continue;
      if (!findings.isFull("unknown")) {
        const field = fieldOf(lineageOf(node), undefined);
        findings.add({ line: node.line, field, ...tellUnknown(node.name) });
      }
      unknown.push(node);
    }
  }
  // An inner one before the one around it: taken out, a node is freed with all it holds.
  for (const node of unknown.toReversed()) node.remove();
  return unknown.length > 0;
}

function next(node: XmlNode): XmlNode | null {
  return node instanceof XmlTreeNode ? node.next : null;
}

function told(
  document: XmlDocument,
  { message: english, xpath, line }: ErrorDetail,
  schema: CompiledSchema,
): SchemaFinding {
  const { forms, isKnownChild } = schema.names();
  const element = xpath === undefined ? undefined : elementAt(document, xpath);
  const lineage = element === undefined ? [] : lineageOf(element);
  const name = lineage.at(-1) ?? "document";
  const place = Math.max(line, 1);
  const parent = lineage.at(-2);
  if (
    ruleOf(english) === "SCHEMA_UNEXPECTED" &&
    parent !== undefined &&
    !isKnownChild(parent, name)
  ) {
    return { line: place, field: fieldOf(lineage, undefined), ...tellUnknown(name) };
  }
  const attribute = attributeIn(english);
  const form = attribute === undefined ? forms.get(name) : undefined;
  const { missing, ...said } = tellViolation(english, { element: name, form });
  const field = fieldOf(lineage, attribute === undefined ? missing : `@${attribute}`);
  return { line: place, field, ...said };
}

interface Findings {
  add(finding: SchemaFinding): void;
  /** No more of that kind would be told. */
  isFull(kind: FindingKind): boolean;
  best(): readonly SchemaFinding[];
}

/** One finding per field and line: a second violation of the same value teaches nothing. */
function makeFindings(): Findings {
  const found = new Map<string, SchemaFinding>();
  const counts = new Map<FindingKind, number>();
  return {
    add(finding) {
      const key = `${finding.line} ${finding.field}`;
      if (found.has(key)) return;
      found.set(key, finding);
      counts.set(finding.kind, (counts.get(finding.kind) ?? 0) + 1);
    },
    isFull: (kind) => (counts.get(kind) ?? 0) >= MOST_FINDINGS,
    best() {
      const all = [...found.values()].toSorted((a, b) => a.line - b.line);
      const firsts = new Map(all.toReversed().map((finding) => [finding.kind, finding]));
      const kept = new Set([...firsts.values(), ...all].slice(0, MOST_FINDINGS + firsts.size));
      const best = [...kept].slice(0, MOST_FINDINGS);
      return all.filter((finding) => best.includes(finding));
    },
  };
}
