/**
 * Reads an event file: the demande it is about, the events it gives. A value that is not of the form
 * the schema gives it is a problem said in a sentence, and is left out of what is echoed.
 */
import type { EventTraitValue, GivenEvent } from "./event-book.ts";
import { childOf, childrenOf, textIn, type OperationFile } from "./operation-file.ts";
import type { FileElement } from "./standin-xml.ts";
import { readDate } from "./xs-date-time.ts";

export interface EventFile {
  readonly file: OperationFile;
  readonly numUnique?: string;
  readonly events: readonly ReadEvent[];
}

export interface ReadEvent {
  readonly given: GivenEvent;
  /** Sentences. */
  readonly problems: readonly string[];
}

const CODE = /^[a-zA-Z0-9]{1,10}$/;

export function readEventFile(file: OperationFile): EventFile {
  const numUnique = textIn(file.operation, "numUnique");
  const events = childrenOf(childOf(file.root, "listeEvenements"), "evenement").map(readEvent);
  return { file, events, ...(numUnique === undefined ? {} : { numUnique }) };
}

function readEvent(element: FileElement): ReadEvent {
  const problems: string[] = [];
  const read = <T>(
    name: string,
    of: (text: string) => T | undefined,
    form: string,
  ): T | undefined => {
    const text = textIn(element, name);
    if (text === undefined) return undefined;
    const value = of(text);
    if (value === undefined) problems.push(`${name} n'est pas ${form}`);
    return value;
  };
  const id = read("idEvenement", readId, "un entier positif");
  const type = read("codeTypeEvenement", readCode, "un code de 10 caractères au plus");
  const dateSurvenance = read("dateSurvenance", readDate, "une date (xs:date)");
  const commentaire = read("commentaire", upTo(500), "un texte de 500 caractères au plus");
  const list = childOf(element, "listeCaracteristiquesSpecifiques");
  const traits = childrenOf(list, "caracteristiqueSpecifique").flatMap((trait) =>
    readTrait(trait, problems),
  );
  const given: GivenEvent = {
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(dateSurvenance === undefined ? {} : { dateSurvenance }),
    ...(commentaire === undefined ? {} : { commentaire }),
    ...(traits.length === 0 ? {} : { traits }),
  };
  return { given, problems };
}

function readTrait(element: FileElement, problems: string[]): EventTraitValue[] {
  const code = readCode(textIn(element, "code") ?? "");
  if (code === undefined) {
    problems.push("caracteristiqueSpecifique/code absent, ou plus long que 10 caractères");
    return [];
  }
  const text = textIn(element, "valeurCaracteristiqueSpecifique");
  const valeur = text === undefined ? undefined : upTo(100)(text);
  if (text !== undefined && valeur === undefined) {
    problems.push(`valeurCaracteristiqueSpecifique de ${code} : 100 caractères au plus`);
  }
  return [{ code, ...(valeur === undefined ? {} : { valeur }) }];
}

/** xs:long from 0, as far as JavaScript counts exactly. */
function readId(text: string): number | undefined {
  const id = /^\+?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

function readCode(text: string): string | undefined {
  return CODE.test(text) ? text : undefined;
}

function upTo(length: number): (text: string) => string | undefined {
  // As XML Schema counts: characters, not UTF-16 units.
  return (text) => (Array.from(text).length <= length ? text : undefined);
}
