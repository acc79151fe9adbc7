/**
 * Says in French what libxml2 says in English. Each row: the shape of its sentence, our stable code,
 * our sentence. A sentence of no known shape still gives a finding, in general words. The value at
 * fault is never repeated: it could be a name, a date of birth, an income.
 */

import type { FindingKind } from "../../arrive/schema-check.ts";

export interface Told {
  readonly rule: string;
  readonly kind: FindingKind;
  readonly message: string;
  /** The one element that was expected, when the fault is its absence. */
  readonly missing?: string;
}

/** Codes named in a sentence; some lists are long. */
const MOST_CODES = 12;

interface Row {
  readonly shape: RegExp;
  readonly rule: string;
  readonly say: (found: readonly string[], about: About) => string;
}

interface About {
  /** `L'élément « nom »`, `L'attribut « code » de « civilite »`. */
  readonly subject: string;
  /** Built-in type of the element's value, such as `xs:int`, when it is known. */
  readonly form: string | undefined;
}

/** What a built-in type takes, as a landlord would write it. */
const FORMS: Readonly<Record<string, string>> = {
  "xs:date": "une date au format AAAA-MM-JJ (par exemple 2026-01-31) est attendue",
  "xs:dateTime":
    "une date et une heure au format AAAA-MM-JJThh:mm:ss (par exemple 2026-01-31T09:30:00+01:00) sont attendues",
  "xs:boolean": "« true » ou « false » est attendu",
  "xs:int": "un nombre entier est attendu, sans décimale, sans espace et sans symbole",
  "xs:integer": "un nombre entier est attendu, sans décimale, sans espace et sans symbole",
  "xs:positiveInteger": "un nombre entier supérieur à zéro est attendu",
  "xs:long": "un nombre entier est attendu, sans décimale, sans espace et sans symbole",
  "xs:decimal": "un nombre est attendu, avec un point comme séparateur décimal",
  "xs:base64Binary": "un contenu encodé en base64 est attendu",
};

const ROWS: readonly Row[] = [
  {
    shape: /This element is not expected\. Expected is (?:one of )?\( (.*) \)\.$/s,
    rule: "SCHEMA_UNEXPECTED",
    say: ([expected], { subject }) =>
      `${subject} n'est pas attendu à cet endroit. À cet endroit, le schéma attend : ` +
      `${listOf(expected)}. Un élément obligatoire manque peut-être avant lui, ou l'ordre diffère.`,
  },
  {
    shape: /This element is not expected\.$/,
    rule: "SCHEMA_UNEXPECTED",
    say: (_, { subject }) => `${subject} n'est pas attendu : plus rien ne doit suivre ici.`,
  },
  {
    shape: /Missing child element\(s\)\.(?: Expected is (?:one of )?\( (.*) \)\.)?$/s,
    rule: "SCHEMA_MISSING",
    say: ([expected], { subject }) =>
      expected === undefined
        ? `${subject} est incomplet : un élément obligatoire manque.`
        : `${subject} est incomplet : il manque ${listOf(expected)}.`,
  },
  {
    shape: /No matching global (?:element )?declaration available/,
    rule: "SCHEMA_ROOT",
    say: (_, { subject }) =>
      `${subject} n'est pas une racine prévue par le schéma : vérifiez son nom et son espace de noms (xmlns).`,
  },
  {
    shape: /The attribute '[^']*' is required but missing\.$/,
    rule: "SCHEMA_ATTRIBUTE_MISSING",
    say: (_, { subject }) => `${subject} est obligatoire, et il manque.`,
  },
  {
    shape: /The attribute '[^']*' is not allowed\.$/,
    rule: "SCHEMA_ATTRIBUTE_UNKNOWN",
    say: (_, { subject }) => `${subject} n'est pas prévu par le schéma.`,
  },
  {
    shape: /has a length of '(\d+)'; this exceeds the allowed maximum length of '(\d+)'\.$/,
    rule: "SCHEMA_LENGTH",
    say: ([is, most], { subject }) =>
      `${subject} est trop long : ${is} caractères, ${most} au plus.`,
  },
  {
    shape: /has a length of '(\d+)'; this underruns the allowed minimum length of '(\d+)'\.$/,
    rule: "SCHEMA_LENGTH",
    say: ([is, least], { subject }) =>
      is === "0"
        ? `${subject} est vide : ${least} caractère${plural(least)} au moins.`
        : `${subject} est trop court : ${is} caractère${plural(is)}, ${least} au moins.`,
  },
  {
    shape: /has a length of '(\d+)'; this differs from the allowed length of '(\d+)'\.$/,
    rule: "SCHEMA_LENGTH",
    say: ([is, wanted], { subject }) =>
      `${subject} n'a pas la longueur attendue : ${is} caractère${plural(is)} au lieu de ${wanted}.`,
  },
  {
    shape: /is not accepted by the pattern '(.*)'\.$/s,
    rule: "SCHEMA_PATTERN",
    say: ([pattern], { subject }) =>
      `${subject} n'a pas la forme attendue : ${patternInWords(pattern ?? "")}.`,
  },
  {
    shape: /is less than the minimum value allowed \('([^']*)'\)\.$/,
    rule: "SCHEMA_RANGE",
    say: ([least], { subject }) => `${subject} est trop petit : ${least} au moins.`,
  },
  {
    shape: /is greater than the maximum value allowed \('([^']*)'\)\.$/,
    rule: "SCHEMA_RANGE",
    say: ([most], { subject }) => `${subject} est trop grand : ${most} au plus.`,
  },
  {
    shape: /must be (greater|less) than '([^']*)'\.$/,
    rule: "SCHEMA_RANGE",
    say: ([way, limit], { subject }) =>
      `${subject} doit être ${way === "greater" ? "supérieur" : "inférieur"} à ${limit}.`,
  },
  {
    shape: /has more (?:fractional )?digits than are allowed/,
    rule: "SCHEMA_RANGE",
    say: (_, { subject }) => `${subject} compte trop de chiffres.`,
  },
  {
    shape: /is not an element of the set \{(.*)\}\.$/s,
    rule: "SCHEMA_VALUE",
    say: ([set], { subject }) =>
      `${subject} n'est pas l'une des valeurs admises : ${valuesOf(set ?? "")}.`,
  },
  {
    shape: /does not match the fixed value constraint '([^']*)'\.$/,
    rule: "SCHEMA_VALUE",
    say: ([value], { subject }) => `${subject} doit valoir « ${value} ».`,
  },
  {
    shape: /is not a valid value of the (?:local )?(?:atomic|list|union) type(?: '([^']*)')?\.$/,
    rule: "SCHEMA_TYPE",
    say: ([type], { subject, form }) => {
      const wanted = FORMS[type ?? ""] ?? FORMS[form ?? ""];
      return wanted === undefined
        ? `${subject} n'a pas la forme attendue.`
        : `${subject} n'est pas valable : ${wanted}.`;
    },
  },
  {
    shape: /Element content is not allowed/,
    rule: "SCHEMA_CONTENT",
    say: (_, { subject }) => `${subject} ne doit contenir aucun autre élément.`,
  },
  {
    shape: /Character content is not allowed, because the content type is empty/,
    rule: "SCHEMA_CONTENT",
    say: (_, { subject }) =>
      `${subject} doit rester vide : sa valeur se met dans son attribut « code ».`,
  },
  {
    shape: /Character content other than whitespace is not allowed/,
    rule: "SCHEMA_CONTENT",
    say: (_, { subject }) => `${subject} ne doit contenir que des éléments, pas de texte.`,
  },
  {
    shape: /nillable|'nilled'|xsi:type|is abstract|specified by/,
    rule: "SCHEMA_XSI",
    say: (_, { subject }) =>
      `${subject} porte un attribut xsi (nil ou type) que le schéma n'admet pas ici.`,
  },
  {
    shape: /key-sequence|key identity-constraint|unique identity-constraint/,
    rule: "SCHEMA_KEY",
    say: (_, { subject }) =>
      `${subject} répète, ou désigne à tort, une valeur qui doit être unique.`,
  },
];

/** Rows about a document that is not well-formed; there is then no element to speak of. */
const MALFORMED: readonly (readonly [RegExp, string])[] = [
  [/Document is empty/, "Le document est vide, ou ne commence pas par du XML."],
  [/Excessive depth/, "Le document imbrique trop d'éléments."],
  [/amplification|reference loop/, "Le document définit des entités qui s'emboîtent sans fin."],
  [/XML_PARSE_HUGE|too long/, "Un texte, un nom ou une balise dépasse la taille permise."],
  [
    /Premature end of data|Couldn't find end of Start Tag/,
    "Le document s'arrête avant la fin, ou une balise n'est pas fermée.",
  ],
  [
    /Opening and ending tag mismatch/,
    "Une balise fermante ne correspond pas à la balise ouverte avant elle.",
  ],
  [/Entity '[^']*' not defined/, "Une entité (&…;) n'est pas définie : écrivez le caractère."],
  [/EntityRef/, "Le signe « & » est mal employé : il s'écrit « &amp; »."],
  [/Unescaped '<'|invalid element name/, "Le signe « < » est mal employé : il s'écrit « &lt; »."],
  [
    /invalid character in attribute|Char 0x0|invalid Char|invalid xmlChar/i,
    "Un caractère de contrôle est présent ; XML ne l'admet pas.",
  ],
  [/Unsupported encoding/, "L'encodage déclaré n'est pas connu."],
  [
    /Invalid bytes in character encoding|Incomplete UTF-8|Input is not proper UTF-8/,
    "Le document n'est pas écrit dans l'encodage qu'il déclare.",
  ],
  [/XML declaration allowed only at the start/, "La déclaration <?xml…?> n'est pas au début."],
  [/redefined/, "Un attribut est écrit deux fois dans la même balise."],
  [/AttValue|attributes construct error/, "La valeur d'un attribut n'est pas entre guillemets."],
  [/Namespace prefix/, "Un préfixe d'espace de noms n'est pas déclaré."],
  [/Extra content at the end/, "Quelque chose suit la fin du document."],
];

/** What each rule is about; those not named are of structure. */
const KINDS: Readonly<Record<string, FindingKind>> = {
  SCHEMA_UNKNOWN: "unknown",
  SCHEMA_ATTRIBUTE_UNKNOWN: "unknown",
  SCHEMA_LENGTH: "value",
  SCHEMA_PATTERN: "value",
  SCHEMA_RANGE: "value",
  SCHEMA_TYPE: "value",
  SCHEMA_VALUE: "value",
  SCHEMA_CODE: "code",
};

export function kindOf(rule: string): FindingKind {
  return KINDS[rule] ?? "structure";
}

/** The rule a sentence of libxml2 is about. */
export function ruleOf(english: string): string {
  return ROWS.find(({ shape }) => shape.test(english.trim()))?.rule ?? "SCHEMA_OTHER";
}

/** An element no edition at hand knows at that place; what follows it was judged without it. */
export function tellUnknown(element: string): Told {
  return {
    rule: "SCHEMA_UNKNOWN",
    kind: "unknown",
    message:
      `L'élément « ${short(element)} » n'est pas connu du schéma à cet endroit ; ` +
      "le reste a été contrôlé sans lui.",
  };
}

/** A code that no list holds. The lists are public, the code of the file is not repeated. */
export function tellStrayCode(
  element: string,
  onAttribute: boolean,
  known: readonly string[],
): Told {
  const subject = onAttribute
    ? `L'attribut « code » de « ${short(element)} »`
    : `L'élément « ${short(element)} »`;
  const shown = known.slice(0, MOST_CODES).map((code) => `« ${code} »`);
  const list = known.length > MOST_CODES ? `${shown.join(", ")}…` : shown.join(", ");
  return {
    rule: "SCHEMA_CODE",
    kind: "code",
    message: `${subject} n'est pas dans la liste des codes connus : ${list}.`,
  };
}

/** What a violation of the schema means. @param english - libxml2's sentence. */
export function tellViolation(
  english: string,
  about: { element: string; form: string | undefined },
): Told {
  const attribute = attributeIn(english);
  const subject =
    attribute === undefined
      ? `L'élément « ${short(about.element)} »`
      : `L'attribut « ${short(attribute)} » de « ${short(about.element)} »`;
  const sentence = english.trim();
  for (const { shape, rule, say } of ROWS) {
    const found = shape.exec(sentence);
    if (found === null) continue;
    const parts = found.slice(1);
    const message = say(parts, { subject, form: about.form });
    const missing = rule === "SCHEMA_MISSING" ? onlyName(parts[0]) : undefined;
    return { rule, kind: kindOf(rule), message, ...(missing === undefined ? {} : { missing }) };
  }
  const message = `${subject} n'est pas conforme au schéma.`;
  return { rule: "SCHEMA_OTHER", kind: "structure", message };
}

/** What stops the document from being read at all. */
export function tellMalformed(english: string): Told {
  const row = MALFORMED.find(([shape]) => shape.test(english));
  return {
    rule: "SCHEMA_NOT_WELL_FORMED",
    kind: "structure",
    message: row?.[1] ?? "Le document XML est mal formé à cet endroit.",
  };
}

export const DOCTYPE_TOLD: Told = {
  rule: "SCHEMA_DOCTYPE",
  kind: "structure",
  message: "Le document contient une déclaration DOCTYPE, qui n'est pas admise : retirez-la.",
};

/** The attribute a violation is about; libxml2 names it before or inside its sentence. */
export function attributeIn(english: string): string | undefined {
  const named =
    /^Element '[^']*', attribute '([^']*)':/.exec(english) ??
    /The attribute '([^']*)' is required but missing\.\s*$/.exec(english);
  return named?.[1] === undefined ? undefined : localName(named[1]);
}

function localName(clark: string): string {
  return clark.slice(clark.lastIndexOf("}") + 1);
}

/** At most 60 characters of a name the sender chose. */
function short(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}

/** `{ns}a, {ns}b` as « a » ou « b »; the first six, since lists can be long. */
function listOf(expected: string | undefined): string {
  const names = namesOf(expected).map((name) => `« ${name} »`);
  if (names.length > 6) return `${names.slice(0, 6).join(", ")}…`;
  const last = names.pop() ?? "autre chose";
  return names.length === 0 ? last : `${names.join(", ")} ou ${last}`;
}

function namesOf(expected: string | undefined): string[] {
  return (expected ?? "")
    .split(/,\s+/)
    .map((name) => (name.startsWith("##") ? "un autre élément" : localName(name)))
    .filter((name) => name !== "");
}

function onlyName(expected: string | undefined): string | undefined {
  const [first, ...others] = namesOf(expected);
  return others.length === 0 ? first : undefined;
}

/** `'A', 'B'` as « A », « B »: values of the schema, not of the file. */
function valuesOf(set: string): string {
  return set
    .split(/,\s+/)
    .map((value) => `« ${value.replace(/^'|'$/g, "")} »`)
    .join(", ");
}

/** The usual patterns in words; another is given as it is. */
function patternInWords(pattern: string): string {
  if (pattern.includes("@")) return "une adresse de courriel est attendue, comme nom@exemple.fr";
  if (pattern === "[0-9]{2}\\.[0-9]{2}") {
    return "deux chiffres, un point et deux chiffres sont attendus, comme 02.01";
  }
  const simple = /^\[(0-9|a-zA-Z0-9)\](?:\{(\d+)(?:,(\d+))?\}|(\+))$/.exec(pattern);
  if (simple === null) return `le motif attendu est ${pattern}`;
  const [, letters, least, most, plus] = simple;
  const what =
    letters === "0-9" ? "chiffres, sans espace ni point" : "lettres sans accent ou chiffres";
  if (plus !== undefined) return `uniquement des ${what}`;
  if (most === undefined) return `${least} ${what}`;
  return least === "0" ? `au plus ${most} ${what}` : `${least} à ${most} ${what}`;
}

function plural(count: string | undefined): string {
  return count === "0" || count === "1" ? "" : "s";
}
