/**
 * The worker process that validates: libxml2 away from the gateway, so that a big or hostile document
 * neither holds up an arrival nor takes the gateway with it. It reads no file and no network: the
 * schemas come by message, and once they are compiled no input provider is left for a document to
 * reach.
 *
 * Anything it did not foresee ends it (an uncaught error): whoever started it makes another.
 */
import {
  ParseOption,
  XmlBufferInputProvider,
  XmlDocument,
  XmlElement,
  XmlLibError,
  XmlParseError,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
  type ErrorDetail,
  type XmlNode,
} from "libxml2-wasm";
import type { SchemaFinding } from "../../arrive/schema-check.ts";
import { messageOf } from "../../domain/errors.ts";
import { valueForms } from "./schema-forms.ts";
import { attributeIn, DOCTYPE_TOLD, tellMalformed, tellViolation } from "./schema-messages.ts";

export interface SchemaJob {
  readonly file: Uint8Array;
  /** File name of a compiled schema. */
  readonly schema: string;
}

interface SchemaSources {
  /** Every XSD of the folder, by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Those that are compiled. */
  readonly mains: readonly string[];
}

export type ToSchemaWorker =
  ({ readonly kind: "compile" } & SchemaSources) | ({ readonly kind: "check" } & SchemaJob);

export type FromSchemaWorker =
  | { readonly kind: "ready" }
  /** A schema does not compile. */
  | { readonly kind: "unusable"; readonly detail: string }
  | { readonly kind: "checked"; readonly findings: readonly SchemaFinding[] }
  | { readonly kind: "broken"; readonly detail: string };

const MOST_FINDINGS = 20;
const LONGEST_FIELD = 200;
/** Entities are never resolved, nothing is fetched; lines are counted beyond 65535. */
const OPTIONS = (ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_BIG_LINES) as ParseOption;

serve(process);

function serve(parent: NodeJS.Process): void {
  const tell = (message: FromSchemaWorker): void => {
    parent.send?.(message);
  };
  let compiled: Compiled | undefined;
  parent.on("message", (message: ToSchemaWorker) => {
    if (message.kind === "compile") {
      try {
        compiled = compile(message);
        tell({ kind: "ready" });
      } catch (error) {
        tell({ kind: "unusable", detail: detailOf(error) });
      }
    } else if (compiled !== undefined) {
      tell(checkDocument(message, compiled));
    }
  });
  // The gateway ends its workers itself, after the work in hand; a signal sent to all of its process
  // group must not. When the gateway is gone, so is the reason to live.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) parent.on(signal, () => undefined);
  parent.on("disconnect", () => parent.exit(0));
}

interface Compiled {
  readonly validators: ReadonlyMap<string, XsdValidator>;
  readonly forms: ReadonlyMap<string, string>;
}

function compile({ files, mains }: SchemaSources): Compiled {
  const url = (name: string): string => `mem:/${name}`;
  const provided = Object.fromEntries([...files].map(([name, bytes]) => [url(name), bytes]));
  xmlRegisterInputProvider(new XmlBufferInputProvider(provided));
  const documents: XmlDocument[] = [];
  const validators = new Map<string, XsdValidator>();
  try {
    for (const [name, bytes] of files) {
      documents.push(XmlDocument.fromBuffer(bytes, { url: url(name), option: OPTIONS }));
    }
    for (const name of new Set(mains)) {
      const bytes = files.get(name);
      if (bytes === undefined) throw new Error(`${name} manque`);
      // Never disposed: the compiled schema still points into it.
      const main = XmlDocument.fromBuffer(bytes, { url: url(name), option: OPTIONS });
      validators.set(name, XsdValidator.fromDoc(main));
    }
    return { validators, forms: valueForms(documents) };
  } finally {
    for (const document of documents) document.dispose();
    xmlCleanupInputProvider();
  }
}

function checkDocument(job: SchemaJob, compiled: Compiled): FromSchemaWorker {
  try {
    return { kind: "checked", findings: findingsIn(job, compiled) };
  } catch (error) {
    // A trap of the wasm machine leaves it unfit: the worker ends here, and is replaced.
    if (error instanceof Error && error.name === "RuntimeError") throw error;
    return { kind: "broken", detail: messageOf(error) };
  }
}

function findingsIn(job: SchemaJob, { validators, forms }: Compiled): readonly SchemaFinding[] {
  const validator = validators.get(job.schema);
  if (validator === undefined) throw new Error(`no schema ${job.schema}`);
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(job.file, { option: OPTIONS });
  } catch (error) {
    if (error instanceof XmlParseError) return [malformed(error)];
    throw error;
  }
  try {
    if (document.dtd !== null) return [{ line: 1, field: "document", ...DOCTYPE_TOLD }];
    validator.validate(document);
    return [];
  } catch (error) {
    if (error instanceof XmlLibError) return violations(error.details, document, forms);
    throw error;
  } finally {
    document.dispose();
  }
}

function malformed(error: XmlParseError): SchemaFinding {
  const [first] = error.details;
  const { rule, message } = tellMalformed(first?.message ?? "");
  const column = first?.col ?? 0;
  return {
    line: Math.max(first?.line ?? 1, 1),
    ...(column > 0 ? { column } : {}),
    field: "document",
    rule,
    message,
  };
}

/** One finding per field and line: a second violation of the same value teaches nothing. */
function violations(
  details: readonly ErrorDetail[],
  document: XmlDocument,
  forms: ReadonlyMap<string, string>,
): SchemaFinding[] {
  const findings = new Map<string, SchemaFinding>();
  for (const detail of details) {
    if (findings.size >= MOST_FINDINGS) break;
    const names = detail.xpath === undefined ? [] : namesTo(document, detail.xpath);
    const element = names.at(-1) ?? "document";
    const attribute = attributeIn(detail.message);
    const form = attribute === undefined ? forms.get(element) : undefined;
    const { rule, message, missing } = tellViolation(detail.message, { element, form });
    const field = pathOf(names, attribute === undefined ? missing : `@${attribute}`);
    const key = `${detail.line} ${field}`;
    if (!findings.has(key))
      findings.set(key, { line: Math.max(detail.line, 1), field, rule, message });
  }
  return [...findings.values()];
}

/** Local names from the root down to the element an XPath of positions designates. */
function namesTo(document: XmlDocument, xpath: string): string[] {
  const names: string[] = [];
  // `p:name` would need its prefix declared anew; the name as it is written does not.
  const steps = xpath.replace(/[^/[\]*]+(?=\/|\[|$)/g, '*[name()="$&"]');
  let node: XmlNode | null = document.get(steps);
  while (node instanceof XmlElement) {
    names.unshift(node.name);
    node = node.parent;
  }
  return names;
}

/** A short path: the root is left out, unless it is all there is. */
function pathOf(names: readonly string[], last: string | undefined): string {
  const inner = last === undefined ? names.slice(1) : [...names.slice(1), last];
  const path = inner.length === 0 ? (names[0] ?? "document") : inner.join("/");
  return path.length > LONGEST_FIELD ? `…${path.slice(1 - LONGEST_FIELD)}` : path;
}

function detailOf(error: unknown): string {
  if (!(error instanceof XmlLibError)) return messageOf(error);
  const [first] = error.details;
  if (first === undefined) return messageOf(error);
  const file = (first.file ?? "").replace("mem:/", "");
  return `${file} ligne ${first.line} : ${first.message.trim()}`;
}
