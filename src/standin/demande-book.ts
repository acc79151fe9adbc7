/**
 * The demandes the stand-in has taken: numbers, references, persons, radiations, DALO. In memory; the
 * whole files are kept for the latest ones only, within a limit of bytes, so that a bench of hundreds
 * of thousands does not fill the machine.
 */
import { factsAfter } from "./search-facts.ts";
import { isCreation, type Known } from "./standin-rules.ts";
import type { ReadDemande } from "./standin-xml.ts";

export interface BookEntry {
  readonly numUnique: string;
  /** `<tns:doublon>` content after numUnique; empty for an association. */
  readonly asDoublon: string;
  /** What a search looks at, packed (`search-facts.ts`). */
  readonly facts: string;
  readonly radiation?: {
    /** When the stand-in took it, ms since the epoch: what "since" is compared with (inferred). */
    readonly at: number;
    readonly motif: string;
    readonly typeReservataire?: string;
  };
  readonly dalo?: { readonly at: number; readonly statut: string };
}

export interface DemandeBook extends Known {
  /** A number never given before: territory 999, month and year, sequence, guichet (inferred layout). */
  nextNumber(demande: ReadDemande): string;
  /** Writes down what getNumUnique took. @param at - ms since the epoch */
  take(demande: ReadDemande, numUnique: string, answer: Uint8Array, at: number): void;
  takeDalo(demande: ReadDemande, numUnique: string, answer: Uint8Array, at: number): void;
  entry(numUnique: string): BookEntry | undefined;
  /** The latest answer file of a demande; `forgotten` when it was let go for lack of room. */
  file(numUnique: string): Uint8Array | "forgotten" | undefined;
  entries(): Iterable<BookEntry>;
  forget(): void;
  readonly size: number;
}

export function makeDemandeBook(of: {
  /** Room for whole files, bytes. */
  readonly maxFileBytes: number;
  /** Told of a demande that is no more. */
  readonly deleted: (numUnique: string) => void;
}): DemandeBook {
  const entries = new Map<string, BookEntry>();
  const byReference = new Map<string, string>();
  // One number for almost everyone: a set is made for the second only.
  const byPerson = new Map<string, string | Set<string>>();
  const files = makeFileShelf(of.maxFileBytes);
  let given = 0;

  const live = (numUnique: string): boolean => {
    const entry = entries.get(numUnique);
    return entry !== undefined && entry.radiation === undefined;
  };
  const find = (demande: ReadDemande): BookEntry | undefined => {
    if (demande.numUnique !== undefined) return entries.get(demande.numUnique);
    const reference = referenceKey(demande);
    const numUnique = reference === undefined ? undefined : byReference.get(reference);
    return numUnique === undefined ? undefined : entries.get(numUnique);
  };
  const writeDown = (entry: BookEntry, demande: ReadDemande, answer: Uint8Array): void => {
    const { numUnique } = entry;
    entries.set(numUnique, entry);
    files.put(numUnique, answer);
    const reference = referenceKey(demande);
    if (reference !== undefined) byReference.set(reference, numUnique);
    const person = personKey(demande);
    if (person === undefined) return;
    const others = byPerson.get(person);
    if (others instanceof Set) others.add(numUnique);
    else if (others === undefined) byPerson.set(person, numUnique);
    else if (others !== numUnique) byPerson.set(person, new Set([others, numUnique]));
  };

  return {
    find: (demande) => {
      const entry = find(demande);
      return entry === undefined
        ? undefined
        : { numUnique: entry.numUnique, radiated: entry.radiation !== undefined };
    },
    sameReference: (demande) => {
      const reference = referenceKey(demande);
      const numUnique = reference === undefined ? undefined : byReference.get(reference);
      return numUnique !== undefined && live(numUnique) ? [numUnique] : [];
    },
    samePerson: (demande) => {
      const person = personKey(demande);
      const numbers = person === undefined ? undefined : byPerson.get(person);
      if (numbers === undefined) return [];
      if (!(numbers instanceof Set)) return live(numbers) ? [numbers] : [];
      const found: string[] = [];
      for (const numUnique of numbers) {
        if (live(numUnique)) found.push(numUnique);
        if (found.length === MAX_DOUBLONS) break;
      }
      return found;
    },
    nextNumber: (demande) => {
      for (;;) {
        given += 1;
        const numUnique = numberOf(given, demande);
        if (!entries.has(numUnique)) return numUnique;
      }
    },
    take: (demande, numUnique, answer, at) => {
      if (isCreation(demande.typeFichier)) given = Math.max(given, sequenceOf(numUnique));
      if (demande.typeFichier === "SUP") {
        // The reference and the person lead nowhere once the entry is gone.
        entries.delete(numUnique);
        files.drop(numUnique);
        of.deleted(numUnique);
        return;
      }
      const before = entries.get(numUnique);
      const radiation = radiationAfter(demande, before, at);
      const asDoublon = demande.asDoublon === "" ? before?.asDoublon : demande.asDoublon;
      writeDown(
        {
          numUnique,
          asDoublon: asDoublon ?? "",
          facts: factsAfter(demande, before?.facts, radiation !== undefined),
          ...(radiation === undefined ? {} : { radiation }),
          ...(before?.dalo === undefined ? {} : { dalo: before.dalo }),
        },
        demande,
        answer,
      );
    },
    takeDalo: (demande, numUnique, answer, at) => {
      const before = entries.get(numUnique);
      const dalo = { at, statut: demande.statutDalo ?? "" };
      const asDoublon = before?.asDoublon ?? demande.asDoublon;
      const facts = before?.facts ?? factsAfter(demande, undefined, false);
      writeDown({ ...before, numUnique, asDoublon, facts, dalo }, demande, answer);
    },
    entry: (numUnique) => entries.get(numUnique),
    file: (numUnique) => {
      if (!entries.has(numUnique)) return undefined;
      return files.get(numUnique) ?? "forgotten";
    },
    entries: () => entries.values(),
    forget: () => {
      entries.clear();
      byReference.clear();
      byPerson.clear();
      files.clear();
      given = 0;
    },
    get size() {
      return entries.size;
    },
  };
}

function radiationAfter(
  demande: ReadDemande,
  before: BookEntry | undefined,
  at: number,
): BookEntry["radiation"] {
  if (demande.typeFichier !== "RAD" || demande.radiation === undefined) return before?.radiation;
  const { motif, typeReservataire } = demande.radiation;
  if (motif === "") return undefined;
  return { at, motif, ...(typeReservataire === undefined ? {} : { typeReservataire }) };
}

/** Doublons listed in one answer, at most. */
const MAX_DOUBLONS = 20;
const TERRITORY = 999;

/** `999` + MMYY of the creation + sequence + guichet; past a million, the territory goes down. */
function numberOf(sequence: number, demande: ReadDemande): string {
  const territory = TERRITORY - Math.floor(sequence / 1_000_000);
  const date = /^\d\d(\d\d)-(\d\d)/.exec(demande.dateCreationDemande || demande.dateFichier);
  const guichet = demande.numGuichet.toUpperCase().replace(/[^0-9A-Z]/g, "0");
  return (
    territory.toString().padStart(3, "0") +
    `${date?.[2] ?? "00"}${date?.[1] ?? "00"}` +
    (sequence % 1_000_000).toString().padStart(6, "0") +
    guichet.padStart(5, "0").slice(-5)
  );
}

/** The sequence a number was made from: what a restart goes on from. */
function sequenceOf(numUnique: string): number {
  const territory = Number(numUnique.slice(0, 3));
  return (TERRITORY - territory) * 1_000_000 + Number(numUnique.slice(7, 13));
}

function referenceKey(demande: ReadDemande): string | undefined {
  return demande.refInterne === undefined
    ? undefined
    : `${demande.numGuichet}|${demande.refInterne}`;
}

function personKey(demande: ReadDemande): string | undefined {
  if (demande.person === undefined) return undefined;
  const { nom, prenom, dateNaissance } = demande.person;
  return `${nom}|${prenom}|${dateNaissance}`.normalize("NFC").toUpperCase();
}

/** Keeps the latest files within a limit of bytes. */
function makeFileShelf(maxBytes: number): {
  put(key: string, bytes: Uint8Array): void;
  get(key: string): Uint8Array | undefined;
  drop(key: string): void;
  clear(): void;
} {
  const shelf = new Map<string, Uint8Array>();
  let held = 0;
  const drop = (key: string): void => {
    held -= shelf.get(key)?.length ?? 0;
    shelf.delete(key);
  };
  return {
    put: (key, bytes) => {
      drop(key);
      // A copy of its own: a Buffer is a view on a pool of 64 KB, which would stay with it.
      shelf.set(key, new Uint8Array(bytes));
      held += bytes.length;
      for (const oldest of shelf.keys()) {
        if (held <= maxBytes) break;
        drop(oldest);
      }
    },
    get: (key) => shelf.get(key),
    drop,
    clear: () => {
      shelf.clear();
      held = 0;
    },
  };
}
