/**
 * What the schema of an edition says of a file. A finding is a remark, not a refusal: the SNE alone
 * judges, and its later editions are not public. A check that could not be made says so, and why;
 * it is never taken for a valid file.
 */
import type { FileDocument } from "../domain/sne-operation.ts";

/**
 * What a finding is about: `structure` (an element missing, misplaced or once too often), `value`
 * (length, pattern, range, type), `unknown` (an element or attribute the schema has never heard of),
 * `code` (a code that is in no list). Later editions add the last two: they refuse only if
 * `GATEWAY_SCHEMA_REFUSES` says so.
 */
export type FindingKind = "structure" | "value" | "unknown" | "code";

export interface SchemaFinding {
  readonly kind: FindingKind;
  /** Line in the file, from 1. */
  readonly line: number;
  /** Column in the line, from 1, where it is known. */
  readonly column?: number;
  /** Short path of the element, such as `demande/demandeLogement/numGuichet`. */
  readonly field: string;
  /** Stable code: `SCHEMA_PATTERN`, `SCHEMA_MISSING`… (`adapters/xml/schema-messages.ts`). */
  readonly rule: string;
  /** French sentence a landlord understands. Quotes no value that could be personal data. */
  readonly message: string;
}

export type SchemaCheck =
  | { readonly kind: "valid" }
  /** At most 20 findings, in document order. */
  | { readonly kind: "invalid"; readonly findings: readonly SchemaFinding[] }
  /** French reason: no schema for that version, a file too big, a check that broke down. */
  | { readonly kind: "notChecked"; readonly reason: string };

export interface SchemaChecker {
  /**
   * Never rejects.
   * @param versionInterface - the file's own `@versionInterface`
   * @param document - which of the documents rooted in interfaceNuu it is @defaultValue "demande"
   */
  check(
    file: Uint8Array,
    versionInterface: string | undefined,
    document?: FileDocument,
  ): Promise<SchemaCheck>;
  /** Waits for the files in hand; later ones are `notChecked`. May be called twice. */
  stop(): Promise<void>;
}
