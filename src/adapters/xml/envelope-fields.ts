/**
 * The fields of the envelope: where they stand in an interfaceNuu file, and the shape each must have
 * to route a flux (lengths of the 2017 schema, `schemas/`). Whether a value is right is the SNE's to
 * judge.
 */
import type { ErrorCode } from "../../domain/errors.ts";
import type { FileDocument } from "../../domain/sne-operation.ts";

/** A value is cut there: already far over what any field we read may hold. */
export const MAX_VALUE = 1024;

export type FieldName = "typeFichier" | "dateFichier" | "numGuichet" | "numUnique" | "refInterne";

export interface FieldRule {
  readonly name: FieldName;
  /** Characters, schema `maxLength`. */
  readonly max: number;
  readonly shape?: RegExp;
  /** The code when it is absent or cannot be read. */
  readonly required?: ErrorCode;
}

/** An element on the way to a field, or a field. Everything else is only checked for form. */
export interface Step {
  readonly path: string;
  readonly children: ReadonlyMap<string, Step>;
  readonly field?: FieldRule;
}

const TYPE_FICHIER: FieldRule = {
  name: "typeFichier",
  max: 3,
  shape: /^[0-9A-Za-z]{3}$/,
  required: "NO_TYPE_FICHIER",
};
const NUM_GUICHET: FieldRule = { name: "numGuichet", max: 5, required: "NO_GUICHET" };

const DEMANDE_LOGEMENT = step("demande/demandeLogement", [
  leaf("demande/demandeLogement/numGuichet", NUM_GUICHET),
  leaf("demande/demandeLogement/numUnique", { name: "numUnique", max: 18 }),
  leaf("demande/demandeLogement/refInterne", { name: "refInterne", max: 18 }),
]);
const DEMANDE = step("interfaceNuu", [
  step("entete", [
    leaf("entete/typeFichier", TYPE_FICHIER),
    leaf("entete/dateFichier", { name: "dateFichier", max: 40 }),
  ]),
  step("demande", [DEMANDE_LOGEMENT]),
]);
/** A file of the events of a demande: its guichet and its demande stand elsewhere. */
const EVENEMENTS = step("interfaceNuu", [
  step("entete", [
    leaf("entete/typeFichier", TYPE_FICHIER),
    leaf("entete/dateFichier", { name: "dateFichier", max: 40 }),
    leaf("entete/codeGuichet", NUM_GUICHET),
  ]),
  step("operation", [leaf("operation/numUnique", { name: "numUnique", max: 18 })]),
]);
export const ROOTS: Readonly<Record<FileDocument, Step>> = {
  demande: DEMANDE,
  evenements: EVENEMENTS,
};
/** Where the guichet is named, for who says that it is not. */
export const GUICHET_PATHS: Readonly<Record<FileDocument, string>> = {
  demande: "demande/demandeLogement/numGuichet",
  evenements: "entete/codeGuichet",
};

function step(path: string, children: readonly Step[]): Step {
  return { path, children: new Map(children.map((child) => [lastOf(child.path), child])) };
}

function leaf(path: string, field: FieldRule): Step {
  return { path, children: new Map(), field };
}

/** The last name of a path. */
export function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What is wrong with a value, in French; undefined when nothing is. */
export function wrongShape(
  value: string,
  rule: { max: number; shape?: RegExp },
): string | undefined {
  if (/\p{Cc}/u.test(value)) return "Il contient un caractère de commande ou un saut de ligne.";
  // Characters, as the schema counts them, not UTF-16 units.
  const length = value.replace(/[\uDC00-\uDFFF]/g, "").length;
  if (length > rule.max) return `Il dépasse ${rule.max} caractères.`;
  if (rule.shape?.test(value) === false) return "Trois lettres ou chiffres sont attendus.";
  return undefined;
}

/** Without the XML white space around it. */
export function trimmed(value: string): string {
  return value.replace(/^[ \t\r\n]+/, "").replace(/(?<![ \t\r\n])[ \t\r\n]+$/, "");
}
