/**
 * Reads the envelope of an interfaceNuu file (type, guichet, keys) in one pass, with saxes. Promises:
 * the whole document is checked to its last byte; no entity is ever resolved nor reference followed;
 * no input makes it throw, nor take a time that grows faster than the file; whatever is refused comes
 * with its code, line and column.
 *
 * Only what routes a flux is judged here. Shapes are those of the 2017 schema (`schemas/`); values
 * are the SNE's to judge. White space around a value is not part of it (the schema keeps it, but a
 * key that differs by a line end would name another lane).
 */
import { SaxesParser } from "saxes";
import type { EnvelopeReading, ReadEnvelope } from "../../arrive/envelope-reader.ts";
import { errorText, messageOf, type ErrorCode, type ErrorDetails } from "../../domain/errors.ts";
import type { Control } from "../../domain/outcome.ts";
import type { FileDocument } from "../../domain/sne-operation.ts";
import {
  GUICHET_PATHS,
  lastOf,
  MAX_VALUE,
  ROOTS,
  trimmed,
  wrongShape,
  type FieldName,
  type Step,
} from "./envelope-fields.ts";
import { decodeXml } from "./decode-xml.ts";
import { makeNamespaceScope } from "./namespaces.ts";
import { readPlainEnvelope } from "./plain-envelope.ts";
import { faultIn, shown } from "./saxes-errors.ts";
import { positionAt, type Position } from "../../wire/text-position.ts";

const NAMESPACE = "http://nuu.application.i2/";
/** The schema's widest element has two attributes; these stop what no exporter writes. */
const MAX_ATTRIBUTES = 64;
const MAX_NAME = 256;
/** How a reading is left at once, from inside the parser; never leaves this file. */
class Refused extends Error {
  readonly control: Control;
  constructor(control: Control) {
    super(control.code);
    this.control = control;
  }
}

/**
 * @param maxDepth - levels of elements, the root's included
 * @param limitBytes - a longer file is refused unread
 */
export function makeEnvelopeReader({
  maxDepth = 200,
  limitBytes,
}: {
  maxDepth?: number;
  limitBytes: number;
}): ReadEnvelope {
  return (file, document = "demande") => {
    if (file.length > limitBytes) {
      return unreadable(control("FILE_TOO_LARGE", { limit: limitBytes }, { line: 1, column: 1 }));
    }
    const plain = readPlainEnvelope(file, {
      namespace: NAMESPACE,
      maxDepth,
      root: ROOTS[document],
    });
    if (plain !== undefined) {
      // Nothing it needs is absent: no place is asked for.
      return conclude(plain.values, plain.versionInterface, document, () => ({
        line: 1,
        column: 1,
      }));
    }
    const decoded = decodeXml(file);
    switch (decoded.kind) {
      case "unsupported": {
        const details = { encoding: shown(decoded.encoding) };
        return unreadable(control("UNSUPPORTED_ENCODING", details, { line: 1, column: 1 }));
      }
      case "wrong": {
        const details = { encoding: shown(decoded.encoding) };
        return unreadable(control("WRONG_ENCODING", details, decoded.position));
      }
      case "truncated": {
        const details = { detail: "le fichier s'arrête au milieu d'un caractère" };
        return unreadable(control("NOT_XML", details, decoded.position));
      }
      default:
        return readText(decoded.text, maxDepth, document);
    }
  };
}

function readText(text: string, maxDepth: number, document: FileDocument): EnvelopeReading {
  const root = ROOTS[document];
  if (!/[^ \t\r\n]/.test(text))
    return unreadable(control("EMPTY_FILE", {}, { line: 1, column: 1 }));

  // XML 1.0 whatever the declaration says: its fifth edition reads any 1.x document so.
  const parser = new SaxesParser({
    xmlns: false,
    position: false,
    forceXMLVersion: true,
    defaultXMLVersion: "1.0",
  });
  const values = new Map<FieldName, string>();
  /** Where each step of ours began, UTF-16 index. */
  const starts = new Map<string, number>();
  /** The steps we are in; beside them, `outside` counts the elements that are none of ours. */
  const inside: Step[] = [];
  let outside = 0;
  let value = "";
  let attributeCount = 0;
  let named: { name: string; value: string }[] = [];
  let versionInterface: string | undefined;
  let lastClosed = "";
  let atEnd = false;

  /** The place of the character the parser read last. */
  function here(): number {
    if (atEnd) return text.length;
    const index = parser.position - 1;
    return (text.charCodeAt(index) & 0xfc00) === 0xdc00 ? index - 1 : index;
  }
  function refuse(code: ErrorCode, details: ErrorDetails, index: number, more: More = {}): never {
    throw new Refused(control(code, details, positionAt(text, index), more));
  }
  /** Where the tag just read begins: no raw `<` can stand inside it. */
  const tagStart = (): number => text.lastIndexOf("<", parser.position - 1);
  const namespaces = makeNamespaceScope((detail) => refuse("NOT_XML", { detail }, tagStart()));

  function openRoot(name: string, uri: string, version: string | undefined): void {
    const local = name.slice(name.indexOf(":") + 1);
    if (local !== "interfaceNuu") refuse("WRONG_ROOT", { found: shown(local) }, tagStart());
    if (uri !== NAMESPACE) {
      refuse("WRONG_NAMESPACE", { found: shown(uri) }, tagStart(), { field: "interfaceNuu" });
    }
    versionInterface = version === undefined ? undefined : trimmed(version);
    const why = wrongShape(versionInterface ?? "", { max: 10 });
    if (why !== undefined) invalid("@versionInterface", tagStart(), why);
    starts.set(root.path, tagStart());
    inside.push(root);
  }

  function invalid(field: string, index: number, why: string): never {
    return refuse("INVALID_FIELD", { field: lastOf(field) }, index, { field, why });
  }

  function openOurs(next: Step, uri: string): void {
    const index = tagStart();
    if (uri !== NAMESPACE) {
      const found = uri === "" ? "aucun espace de noms" : `l'espace de noms « ${shown(uri)} »`;
      invalid(next.path, index, `Il est dans ${found} ; « ${NAMESPACE} » est attendu.`);
    }
    if (starts.has(next.path)) invalid(next.path, index, "Il est présent plus d'une fois.");
    starts.set(next.path, index);
    inside.push(next);
    if (next.field === undefined) return;
    value = "";
    parser.on("text", collect);
    parser.on("cdata", collect);
  }
  function collect(part: string): void {
    if (value.length <= MAX_VALUE) value += part.slice(0, MAX_VALUE);
  }

  function closeOurs(closed: Step): void {
    inside.pop();
    const rule = closed.field;
    if (rule === undefined) return;
    parser.off("text");
    parser.off("cdata");
    const read = trimmed(value);
    if (read === "") return; // Empty is absent: exporters write optional elements empty.
    const why = wrongShape(read, rule);
    if (why !== undefined) {
      const code = rule.required ?? "INVALID_FIELD";
      refuse(code, { field: rule.name }, starts.get(closed.path) ?? 0, { field: closed.path, why });
    }
    values.set(rule.name, detached(read));
  }

  parser.on("doctype", () => {
    refuse("DOCTYPE_REFUSED", {}, text.lastIndexOf("<!DOCTYPE", parser.position));
  });
  parser.on("attribute", (attribute) => {
    attributeCount += 1;
    const { name } = attribute;
    if (name === "xmlns" || name.includes(":")) named.push(attribute);
    if (attributeCount > MAX_ATTRIBUTES || name.length > MAX_NAME) {
      const detail =
        name.length > MAX_NAME
          ? `un nom dépasse ${MAX_NAME} caractères`
          : `un élément porte plus de ${MAX_ATTRIBUTES} attributs`;
      refuse("NOT_XML", { detail }, here());
    }
  });
  parser.on("opentag", (tag) => {
    const { name } = tag;
    attributeCount = 0;
    if (name.length > MAX_NAME) {
      refuse("NOT_XML", { detail: `un nom dépasse ${MAX_NAME} caractères` }, tagStart());
    }
    if (inside.length + outside >= maxDepth) refuse("TOO_DEEP", { limit: maxDepth }, tagStart());
    const uri = namespaces.open(name, named);
    if (named.length > 0) named = [];
    const parent = inside.at(-1);
    if (parent === undefined) {
      openRoot(name, uri, tag.attributes.versionInterface);
      return;
    }
    if (outside > 0) {
      outside += 1;
      return;
    }
    if (parent.field !== undefined) {
      const code = parent.field.required ?? "INVALID_FIELD";
      const why = "Il contient un élément, là où un texte est attendu.";
      refuse(code, { field: parent.field.name }, tagStart(), { field: parent.path, why });
    }
    const next = parent.children.get(name.slice(name.indexOf(":") + 1));
    if (next === undefined) outside = 1;
    else openOurs(next, uri);
  });
  parser.on("closetag", (tag) => {
    lastClosed = tag.name;
    namespaces.close();
    if (outside > 0) {
      outside -= 1;
      return;
    }
    const closed = inside.at(-1);
    if (closed !== undefined) closeOurs(closed);
  });

  try {
    parser.write(text);
    atEnd = true;
    parser.close();
  } catch (error) {
    if (error instanceof Refused) return unreadable(error.control);
    const { detail, index } = faultIn(text, { message: messageOf(error), at: here(), lastClosed });
    return unreadable(control("NOT_XML", { detail }, positionAt(text, index)));
  }
  return conclude(values, versionInterface, document, (path) =>
    positionAt(text, nearest(starts, path, root)),
  );
}

function conclude(
  values: ReadonlyMap<FieldName, string>,
  versionInterface: string | undefined,
  document: FileDocument,
  where: (path: string) => Position,
): EnvelopeReading {
  const kind = values.get("typeFichier");
  if (kind === undefined) {
    const field = "entete/typeFichier";
    return unreadable(control("NO_TYPE_FICHIER", {}, where(field), { field }));
  }
  const numGuichet = values.get("numGuichet");
  if (numGuichet === undefined) {
    const field = GUICHET_PATHS[document];
    return unreadable(control("NO_GUICHET", {}, where(field), { field }));
  }
  const numUnique = values.get("numUnique");
  const refInterne = values.get("refInterne");
  const dateFichier = values.get("dateFichier");
  return {
    kind: "read",
    envelope: {
      kind,
      numGuichet,
      ...(numUnique === undefined ? {} : { numUnique }),
      ...(refInterne === undefined ? {} : { refInterne }),
      ...(versionInterface === undefined || versionInterface === "" ? {} : { versionInterface }),
      ...(dateFichier === undefined ? {} : { dateFichier }),
    },
  };
}

/** Where something absent was expected: the start of its nearest ancestor that is there. */
function nearest(starts: ReadonlyMap<string, number>, path: string, root: Step): number {
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const start = starts.get(at);
    if (start !== undefined) return start;
  }
  return starts.get(root.path) ?? 0;
}

/** A copy: a slice of the document would keep the whole of it in memory as long as the flux lives. */
function detached(value: string): string {
  return Buffer.from(value).toString();
}

interface More {
  readonly field?: string;
  /** A sentence after the code's own. */
  readonly why?: string;
}

function control(
  code: ErrorCode,
  details: ErrorDetails,
  position: Position,
  { field, why }: More = {},
): Control {
  const message = errorText(code, details);
  return {
    code,
    message: why === undefined ? message : `${message} ${why}`,
    ...(field === undefined ? {} : { field }),
    line: position.line,
    column: position.column,
  };
}

function unreadable(refusal: Control): EnvelopeReading {
  return { kind: "unreadable", control: refusal };
}
