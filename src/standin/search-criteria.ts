/**
 * The criteria of `rechercheDemandeMulticritere`, each with its form and what it holds of: all those
 * of the published schema. What each means is inferred from its name; the letters of etatDemande are
 * invented.
 */
import { childOf, childrenOf, textIn } from "./operation-file.ts";
import type { SearchFacts } from "./search-facts.ts";
import type { FileElement } from "./standin-xml.ts";
import type { XmlWriter } from "./xml-writer.ts";
import { readDate } from "./xs-date-time.ts";

/** A demande, as the criteria see it. */
export interface Searched extends SearchFacts {
  readonly numUnique: string;
  readonly radiated: boolean;
  readonly motifRadiation: string;
  /** Events of a type of attribution sous conditions. */
  readonly attributionEvents: number;
}

/** One criterion that was given. */
export interface Criterion {
  readonly name: string;
  holds(of: Searched): boolean;
}

export interface ReadCriteria {
  readonly criteria: readonly Criterion[];
  readonly numUnique?: string;
  /** Sentences: values that are not of their form, unknown names, dates the wrong way round. */
  readonly problems: readonly string[];
  /** Writes the criteria again, in the order of the schema, without those that were wrong. */
  readonly echo: (xml: XmlWriter) => void;
}

interface Kind {
  /** Undefined: it has not the form. */
  read(text: string): string | undefined;
  readonly form: string;
}

const DATE: Kind = { read: readDate, form: "une date (xs:date)" };
const TRUTH: Kind = {
  read: (text) => ({ true: "true", "1": "true", false: "false", "0": "false" })[text],
  form: "un booléen (xs:boolean)",
};
const STATE: Kind = {
  read: (text) => (text === "A" || text === "R" ? text : undefined),
  form: "un état connu (simulateur : A active, R radiée, lettres inventées)",
};
const code = (length: number): Kind => ({
  read: (text) => (/^[a-zA-Z0-9]+$/.test(text) && text.length <= length ? text : undefined),
  form: `un code de ${length} caractères au plus`,
});
const text = (length: number): Kind => ({
  read: (value) => (Array.from(value).length <= length ? value : undefined),
  form: `un texte de ${length} caractères au plus`,
});

type Holds = (of: Searched, value: string) => boolean;
interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly holds: Holds;
}

const from =
  (pick: (of: Searched) => string): Holds =>
  (of, value) =>
    pick(of) !== "" && pick(of).slice(0, 10) >= value;
const until =
  (pick: (of: Searched) => string): Holds =>
  (of, value) =>
    pick(of) !== "" && pick(of).slice(0, 10) <= value;
const sameName =
  (pick: (of: Searched) => string): Holds =>
  (of, value) =>
    folded(pick(of)) === folded(value);

/** In the order of the schema; those of persons, associations and documents come after. */
const FIELDS: readonly Field[] = [
  { name: "numUnique", kind: text(18), holds: (of, value) => of.numUnique === value },
  { name: "etatDemande", kind: STATE, holds: (of, value) => of.radiated === (value === "R") },
  { name: "dateDepotDebut", kind: DATE, holds: from((of) => of.depot) },
  { name: "dateDepotFin", kind: DATE, holds: until((of) => of.depot) },
  { name: "dateRenouvellementDebut", kind: DATE, holds: from((of) => of.renouvellement) },
  { name: "dateRenouvellementFin", kind: DATE, holds: until((of) => of.renouvellement) },
  { name: "dateRadiationDebut", kind: DATE, holds: from((of) => of.radiation) },
  { name: "dateRadiationFin", kind: DATE, holds: until((of) => of.radiation) },
  { name: "motifDemande", kind: text(6), holds: (of, value) => of.motifs.includes(value) },
  { name: "motifRadiation", kind: text(6), holds: (of, value) => of.motifRadiation === value },
  { name: "communeSouhaitee", kind: code(5), holds: (of, value) => of.communes.includes(value) },
  {
    name: "communeAttribution",
    kind: code(5),
    holds: (of, value) => of.communeAttribution === value,
  },
  {
    name: "estDelaiAnormalementLong",
    kind: TRUTH,
    holds: (of, value) => of.delaiLong === (value === "true"),
  },
  {
    name: "estMultiplesAttributionsSousConditions",
    kind: TRUTH,
    holds: (of, value) => (of.multiples || of.attributionEvents > 1) === (value === "true"),
  },
];
const ASSOCIATION: readonly Field[] = [
  { name: "nom", kind: text(36), holds: sameName((of) => of.association) },
];
const PERSON: readonly Field[] = [
  { name: "nom", kind: text(36), holds: sameName((of) => of.nom) },
  { name: "prenom", kind: text(36), holds: sameName((of) => of.prenom) },
  { name: "dateNaissance", kind: DATE, holds: (of, value) => of.naissance.startsWith(value) },
];
const BOXES: Readonly<Record<string, readonly Field[]>> = {
  association: ASSOCIATION,
  personneRecherchee: PERSON,
};
const PIECES = "piecesJustificatives";
const PAIRS = ["dateDepot", "dateRenouvellement", "dateRadiation"];

/** @param element - demandeMulticritere */
export function readCriteria(element: FileElement): ReadCriteria {
  const criteria: Criterion[] = [];
  const problems: string[] = [];
  const writers: ((xml: XmlWriter) => void)[] = [];
  const values = new Map<string, string>();

  const readFields = (
    parent: FileElement,
    fields: readonly Field[],
    write: (name: string, value: string) => void,
  ): void => {
    for (const { name, kind, holds } of fields) {
      const given = textIn(parent, name);
      if (given === undefined) continue;
      const value = kind.read(given);
      if (value === undefined) {
        problems.push(`${name} n'est pas ${kind.form}`);
        continue;
      }
      values.set(name, value);
      criteria.push({ name, holds: (of) => holds(of, value) });
      write(name, value);
    }
  };

  const known = [...FIELDS.map(({ name }) => name), ...Object.keys(BOXES), PIECES];
  for (const { name } of element.children) {
    if (!known.includes(name)) problems.push(`${name.slice(0, 100)} n'est pas un critère`);
  }
  readFields(element, FIELDS, (name, value) => {
    writers.push((xml) => {
      xml.text(name, value);
    });
  });
  for (const [box, fields] of Object.entries(BOXES)) {
    const parent = childOf(element, box);
    if (parent === undefined) continue;
    const inside: (readonly [string, string])[] = [];
    readFields(parent, fields, (name, value) => {
      inside.push([name, value]);
    });
    if (inside.length === 0) continue;
    writers.push((xml) => {
      xml.open(box);
      for (const [name, value] of inside) xml.text(name, value);
      xml.close(box);
    });
  }
  const pieces = childrenOf(childOf(element, PIECES), "codeCategorie").map((one) =>
    one.text.trim(),
  );
  if (pieces.some((one) => code(10).read(one) === undefined)) {
    problems.push(`codeCategorie n'est pas ${code(10).form}`);
  } else if (pieces.length > 0) {
    criteria.push({ name: PIECES, holds: (of) => pieces.every((one) => of.pieces.includes(one)) });
    writers.push((xml) => {
      xml.open(PIECES);
      for (const one of pieces) xml.text("codeCategorie", one);
      xml.close(PIECES);
    });
  }
  for (const pair of PAIRS) {
    const [start, end] = [values.get(`${pair}Debut`), values.get(`${pair}Fin`)];
    if (start !== undefined && end !== undefined && start > end) {
      problems.push(`${pair}Debut est après ${pair}Fin`);
    }
  }
  const numUnique = values.get("numUnique");
  return {
    criteria,
    problems,
    ...(numUnique === undefined ? {} : { numUnique }),
    echo: (xml) => {
      for (const write of writers) write(xml);
    },
  };
}

/** Names as people mean them: without case nor accents. */
function folded(name: string): string {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toUpperCase();
}
