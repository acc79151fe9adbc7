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
} from "libxml2-wasm";
import type { SchemaFinding } from "../../arrive/schema-check.ts";
import { messageOf } from "../../domain/errors.ts";
import { makeStrayCodeFinder, type CodeList, type FindStrayCodes } from "./code-lists.ts";
import { makeKnownChildren } from "./known-children.ts";
import { findingsIn, type CompiledSchema } from "./schema-findings.ts";
import { valueForms } from "./schema-forms.ts";
import { DOCTYPE_TOLD, tellMalformed } from "./schema-messages.ts";

export interface SchemaJob {
  readonly file: Uint8Array;
  /** File name of a compiled schema. */
  readonly schema: string;
  /** Its codes are checked against the lists too. */
  readonly withCodes: boolean;
}

interface SchemaSources {
  /** Every XSD of the folder, by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Those that are compiled. */
  readonly mains: readonly string[];
  readonly codeLists: readonly CodeList[];
}

export type ToSchemaWorker =
  | ({ readonly kind: "compile" } & SchemaSources)
  | { readonly kind: "check"; readonly jobs: readonly SchemaJob[] };

/** What became of one job. */
export type SchemaResult =
  | { readonly kind: "checked"; readonly findings: readonly SchemaFinding[] }
  | { readonly kind: "broken"; readonly detail: string };

export type FromSchemaWorker =
  | { readonly kind: "ready" }
  /** A schema does not compile. */
  | { readonly kind: "unusable"; readonly detail: string }
  /** Of each job, in their order. */
  | { readonly kind: "checked"; readonly results: readonly SchemaResult[] };

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
      const known = compiled;
      tell({ kind: "checked", results: message.jobs.map((job) => checkDocument(job, known)) });
    }
  });
  // The gateway ends its workers itself, after the work in hand; a signal sent to all of its process
  // group must not. When the gateway is gone, so is the reason to live.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) parent.on(signal, () => undefined);
  parent.on("disconnect", () => parent.exit(0));
}

interface Compiled {
  readonly schemas: ReadonlyMap<string, CompiledSchema>;
  readonly findStrays: FindStrayCodes;
}

function compile({ files, mains, codeLists }: SchemaSources): Compiled {
  const url = (name: string): string => `mem:/${name}`;
  const provided = Object.fromEntries([...files].map(([name, bytes]) => [url(name), bytes]));
  xmlRegisterInputProvider(new XmlBufferInputProvider(provided));
  const documents = new Map<string, XmlDocument>();
  const schemas = new Map<string, CompiledSchema>();
  try {
    for (const [name, bytes] of files) {
      // Never disposed: names are read from them later.
      documents.set(name, XmlDocument.fromBuffer(bytes, { url: url(name), option: OPTIONS }));
    }
    for (const name of new Set(mains)) {
      const bytes = files.get(name);
      if (bytes === undefined) throw new Error(`${name} manque`);
      // Never disposed: the compiled schema still points into it.
      const main = XmlDocument.fromBuffer(bytes, { url: url(name), option: OPTIONS });
      schemas.set(name, {
        validator: XsdValidator.fromDoc(main),
        names: once(() => {
          const used = withIncluded(name, documents);
          return { forms: valueForms(used), isKnownChild: makeKnownChildren(used) };
        }),
      });
    }
    return { schemas, findStrays: makeStrayCodeFinder(codeLists) };
  } finally {
    xmlCleanupInputProvider();
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A schema and all it includes or imports, each once. */
function withIncluded(name: string, documents: ReadonlyMap<string, XmlDocument>): XmlDocument[] {
  const used = new Map<string, XmlDocument>();
  const gather = (one: string): void => {
    const document = documents.get(one.replace(/^\.\//, ""));
    if (document === undefined || used.has(one)) return;
    used.set(one, document);
    for (const node of document.root.find("*[@schemaLocation]")) {
      if (node instanceof XmlElement) gather(node.attr("schemaLocation")?.value ?? "");
    }
  };
  gather(name);
  return [...used.values()];
}

function checkDocument(job: SchemaJob, compiled: Compiled): SchemaResult {
  try {
    return { kind: "checked", findings: judge(job, compiled) };
  } catch (error) {
    // A trap of the wasm machine leaves it unfit: the worker ends here, and is replaced.
    if (error instanceof Error && error.name === "RuntimeError") throw error;
    return { kind: "broken", detail: messageOf(error) };
  }
}

function judge(job: SchemaJob, { schemas, findStrays }: Compiled): readonly SchemaFinding[] {
  const schema = schemas.get(job.schema);
  if (schema === undefined) throw new Error(`no schema ${job.schema}`);
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(job.file, { option: OPTIONS });
  } catch (error) {
    if (error instanceof XmlParseError) return [malformed(error)];
    throw error;
  }
  try {
    if (document.dtd !== null) return [{ line: 1, field: "document", ...DOCTYPE_TOLD }];
    return findingsIn(document, schema, job.withCodes ? findStrays : undefined);
  } finally {
    document.dispose();
  }
}

function malformed(error: XmlParseError): SchemaFinding {
  const [first] = error.details;
  const column = first?.col ?? 0;
  return {
    line: Math.max(first?.line ?? 1, 1),
    ...(column > 0 ? { column } : {}),
    field: "document",
    ...tellMalformed(first?.message ?? ""),
  };
}

function detailOf(error: unknown): string {
  if (!(error instanceof XmlLibError)) return messageOf(error);
  const [first] = error.details;
  if (first === undefined) return messageOf(error);
  const file = (first.file ?? "").replace("mem:/", "");
  return `${file} ligne ${first.line} : ${first.message.trim()}`;
}
