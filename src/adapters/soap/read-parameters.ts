/**
 * Maps the fields of a request to the parameters of an operation: order, cardinality and form are
 * those of the contract, values are exactly those written.
 *
 * Promise: nothing is converted that could change on the way (no numbers, no trimming), nothing is
 * dropped without a word: an element that could not be sent on is refused by name, unless the caller
 * of this function chose to pass over it. What is wrong is told in French with the parameter's name.
 */
import { readBase64 } from "../../wire/base64.ts";
import { senderFault } from "./read-soap-request.ts";
import type { SoapFault, SoapField, SoapRequest } from "./soap-message.ts";

/** A child of the request's element; `SneParameter` of `wire/sne-contract.ts` is one. */
export interface ParameterShape {
  readonly name: string;
  readonly type: "text" | "dateTime" | "code" | "file";
  readonly optional?: true;
  /** maxOccurs unbounded. */
  readonly repeated?: true;
}

export interface SoapFile {
  /** A view of the request's body where it came in a part. */
  readonly bytes: Uint8Array;
  /** Its `@contentType`, or the Content-Type of its part. */
  readonly contentType?: string;
}

export interface SoapParameters {
  /** As written; a dateTime without the blanks around it. Of a repeated one, the first. */
  text(name: string): string | undefined;
  /** Every value of a repeated one, in order. */
  texts(name: string): readonly string[];
  code(name: string): string | undefined;
  file(name: string): SoapFile | undefined;
  /** Unknown elements that were passed over, by local name. */
  readonly passedOver: readonly string[];
}

export type ParametersReading =
  | { readonly kind: "parameters"; readonly parameters: SoapParameters }
  | { readonly kind: "fault"; readonly fault: SoapFault };

export interface ParameterRules {
  /**
   * What to do with an element the contract does not have. `refuse`, the default: it could not be
   * sent on, and a later edition's parameter left out without a word would change what is asked.
   */
  readonly unknown?: "refuse" | "passOver";
}

type Value =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly code: string }
  | { readonly kind: "file"; readonly file: SoapFile };

class Refusal extends Error {
  readonly field: string;

  constructor(field: string, detail: string) {
    super(detail);
    this.field = field;
  }
}

export function readParameters(
  { fields }: Pick<SoapRequest, "fields">,
  shape: readonly ParameterShape[],
  { unknown = "refuse" }: ParameterRules = {},
): ParametersReading {
  try {
    const passedOver: string[] = [];
    const values = readValues(fields, shape, (field) => {
      if (unknown === "refuse") throw new Refusal(qualified(field), unknownDetail(field, shape));
      passedOver.push(field.name);
    });
    return { kind: "parameters", parameters: asParameters(values, passedOver) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { field, message: detail } = error;
    return { kind: "fault", fault: senderFault("SOAP_PARAMETER_INVALID", { field, detail }) };
  }
}

/** The xs:sequence of the WSDL: each in its place, as often as it may. */
function readValues(
  fields: readonly SoapField[],
  shape: readonly ParameterShape[],
  meetUnknown: (field: SoapField) => void,
): ReadonlyMap<string, readonly Value[]> {
  const values = new Map<string, Value[]>();
  let reached = 0;
  for (const field of fields) {
    const at = shape.findIndex(({ name }) => name === field.name);
    const parameter = shape[at];
    if (parameter === undefined || field.namespace !== undefined) {
      meetUnknown(field);
      continue;
    }
    const { name } = parameter;
    if (at < reached) {
      throw new Refusal(name, `il vient après ${shape[reached]?.name ?? ""}, qui doit le suivre`);
    }
    reached = at;
    const before = values.get(name) ?? [];
    if (before.length > 0 && parameter.repeated !== true) throw new Refusal(name, "il est répété");
    if (field.nil === true) {
      if (parameter.optional !== true) throw new Refusal(name, "il est vide (xsi:nil)");
      continue;
    }
    before.push(readValue(field, parameter));
    values.set(name, before);
  }
  const missing = shape.find(({ name, optional }) => optional !== true && !values.has(name));
  if (missing !== undefined) throw new Refusal(missing.name, "il est absent");
  return values;
}

function readValue(field: SoapField, { name, type }: ParameterShape): Value {
  if (field.nested === true) throw new Refusal(name, "il ne doit pas contenir d'élément");
  if (type === "file") return { kind: "file", file: readFile(field) };
  if (field.part !== undefined) throw new Refusal(name, "ce n'est pas un fichier (xop:Include)");
  switch (type) {
    case "text":
      return { kind: "text", text: field.text };
    case "dateTime": {
      const text = field.text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");
      if (!isDateTime(text)) {
        throw new Refusal(name, "une date et heure est attendue, comme 2026-01-31T08:00:00+01:00");
      }
      return { kind: "text", text };
    }
    case "code": {
      const { code, text } = field;
      if (code === undefined) throw new Refusal(name, "son attribut code est absent");
      if (!/^[A-Za-z0-9]{1,6}$/.test(code)) {
        throw new Refusal(name, "son attribut code doit avoir 1 à 6 lettres ou chiffres");
      }
      if (/[^ \t\r\n]/.test(text)) throw new Refusal(name, "il doit être vide, avec le seul code");
      return { kind: "code", code };
    }
  }
}

function readFile({ name, text, part, partType, contentType }: SoapField): SoapFile {
  const type = contentType ?? partType;
  const typed = type === undefined ? {} : { contentType: type };
  if (part !== undefined) return { bytes: part, ...typed };
  const reading = readBase64(text);
  if (reading.kind === "wrong") throw new Refusal(name, reading.reason);
  return { bytes: reading.bytes, ...typed };
}

function asParameters(
  values: ReadonlyMap<string, readonly Value[]>,
  passedOver: readonly string[],
): SoapParameters {
  const texts = (name: string): string[] =>
    (values.get(name) ?? []).flatMap((value) => (value.kind === "text" ? [value.text] : []));
  const first = (name: string): Value | undefined => values.get(name)?.[0];
  return {
    text: (name) => texts(name)[0],
    texts,
    code: (name) => {
      const value = first(name);
      return value?.kind === "code" ? value.code : undefined;
    },
    file: (name) => {
      const value = first(name);
      return value?.kind === "file" ? value.file : undefined;
    },
    passedOver,
  };
}

function unknownDetail({ name, namespace }: SoapField, shape: readonly ParameterShape[]): string {
  const isKnown = shape.some((parameter) => parameter.name === name);
  if (isKnown && namespace !== undefined) return "les paramètres n'ont pas d'espace de noms";
  return `il est inconnu ; attendus : ${shape.map((parameter) => parameter.name).join(", ")}`;
}

function qualified({ name, namespace }: SoapField): string {
  const local = name.slice(0, 60);
  return namespace === undefined ? local : `{${namespace.slice(0, 120)}}${local}`;
}

/** XML Schema part 2 section 3.2.7, years of four digits: what a register of our time can hold. */
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,12})?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?$/;

function isDateTime(text: string): boolean {
  const found = DATE_TIME.exec(text);
  if (found === null) return false;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = found
    .slice(1, 7)
    .map(Number);
  const days = new Date(Date.UTC(2000, month, 0)).getUTCDate();
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 && !isLeap ? 28 : days;
  const isMidnight =
    hours === 24 && minutes === 0 && seconds === 0 && !/[1-9]/.test(found[7] ?? "");
  return (
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= last &&
    (hours <= 23 || isMidnight) &&
    minutes <= 59 &&
    seconds <= 59
  );
}
