/**
 * Reads what an operator asks in JSON. Every field at fault is named; a field that is not known is a
 * fault, so that a misspelt one never passes for absent.
 */
import type { Resolution } from "../../operate/operations.ts";
import { looksLikeNumeroUnique } from "../../domain/numero-unique.ts";
import type { FieldFault } from "./problem.ts";

export type OperationReading<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "faults"; readonly faults: readonly FieldFault[] };

/** Who asks, when the body does not say. */
const ANONYMOUS_OPERATOR = "exploitant";

/** Longest note or reason, characters: it travels in the acquittement. */
const MAX_TEXT = 500;

interface Fields {
  /** A one-line text, trimmed; undefined and a fault when it is not that. */
  text(name: string, options: { required: boolean; max: number }): string | undefined;
  fault(name: string, message: string): void;
}

/** Opens a JSON object with these fields at most; what `read` gives counts only without faults. */
function readFields<T>(
  body: unknown,
  known: readonly string[],
  read: (fields: Fields) => T | undefined,
): OperationReading<T> {
  const faults: FieldFault[] = [];
  const fault = (field: string, message: string): void => void faults.push({ field, message });
  const values = new Map<string, unknown>();
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { kind: "faults", faults: [{ field: "", message: "Un objet JSON est attendu." }] };
  }
  // A Map, so that a field named __proto__ is a name like any other.
  for (const [name, value] of Object.entries(body)) {
    if (known.includes(name)) values.set(name, value);
    else fault(name.slice(0, 60), "Champ inconnu.");
  }
  const value = read({
    fault,
    text: (name, { required, max }) => {
      const given = values.get(name);
      if (given === undefined || given === null) {
        if (required) fault(name, "Ce champ est demandé.");
        return undefined;
      }
      const text = typeof given === "string" ? given.trim() : "";
      if (text === "" || text.length > max || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
        fault(name, `Un texte d'une ligne, de 1 à ${max} caractères, est attendu.`);
        return undefined;
      }
      return text;
    },
  });
  return faults.length > 0 || value === undefined
    ? { kind: "faults", faults }
    : { kind: "read", value };
}

function operatorOf(fields: Fields): string {
  return fields.text("operator", { required: false, max: 64 }) ?? ANONYMOUS_OPERATOR;
}

/** `{ "operator"? }`, or nothing at all. */
export function readPlainOperation(body: unknown): OperationReading<{ operator: string }> {
  return readFields(body ?? {}, ["operator"], (fields) => ({ operator: operatorOf(fields) }));
}

/** `{ "reason", "operator"? }` */
export function readDiscard(body: unknown): OperationReading<{ reason: string; operator: string }> {
  return readFields(body, ["reason", "operator"], (fields) => {
    const operator = operatorOf(fields);
    const reason = fields.text("reason", { required: true, max: MAX_TEXT });
    return reason === undefined ? undefined : { reason, operator };
  });
}

/** `{ "as", "numeroUnique"?, "note"?, "operator"? }` */
export function readResolution(
  body: unknown,
  numeroUniquePattern: RegExp,
): OperationReading<{ resolution: Resolution; operator: string }> {
  return readFields(body, ["as", "numeroUnique", "note", "operator"], (fields) => {
    const operator = operatorOf(fields);
    const as = fields.text("as", { required: true, max: 20 });
    const note = fields.text("note", {
      required: as === "refused" || as === "failed",
      max: MAX_TEXT,
    });
    const number = fields.text("numeroUnique", { required: as === "accepted", max: 64 });
    const noted = note === undefined ? {} : { note };
    if (as !== "accepted" && number !== undefined) {
      fields.fault("numeroUnique", "Ce champ n'accompagne que « accepted ».");
    }
    switch (as) {
      case "accepted":
        if (number === undefined) return undefined;
        if (!looksLikeNumeroUnique(number, numeroUniquePattern)) {
          fields.fault("numeroUnique", "Ce n'est pas la forme d'un numéro unique.");
        }
        return { operator, resolution: { as, numeroUnique: number, ...noted } };
      case "resend":
        return { operator, resolution: { as, ...noted } };
      case "refused":
      case "failed":
        return note === undefined ? undefined : { operator, resolution: { as, note } };
      case undefined:
        return undefined;
      default:
        fields.fault("as", "accepted, refused, resend ou failed est attendu.");
        return undefined;
    }
  });
}
