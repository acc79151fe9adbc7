/**
 * What the schema of an edition says of a file. A finding is a remark, not a refusal: the SNE alone
 * judges, and its later editions are not public. A check that could not be made says so, and why;
 * it is never taken for a valid file.
 */

export interface SchemaFinding {
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
  /** Never rejects. @param versionInterface - the file's own `@versionInterface`. */
  check(file: Uint8Array, versionInterface: string | undefined): Promise<SchemaCheck>;
  /** Waits for the files in hand; later ones are `notChecked`. May be called twice. */
  stop(): Promise<void>;
}
