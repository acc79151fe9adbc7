/**
 * Gathers from the elements of a demande what the stand-in wants of it, whichever reader brings
 * them: what its rules look at, how a listeDoublons would show it, where its echo is cut.
 */
import type { DemandeReading, ReadDemande, SearchedFacts } from "../../standin/standin-xml.ts";
import { DEMANDE, MOTIF, PERSON, PLACES, WANTED_COMMUNE, type Place } from "./demande-places.ts";
import { makeDoublonCopy } from "./doublon-copy.ts";

/** The echo as the collector steers it. */
export interface SteeredEcho {
  /**
   * Hands over what was written since the last cut, in UTF-8. Bytes and not the string that was put
   * together: V8 keeps that as a tree of a thousand pieces, which cost more to collect than the
   * whole reading.
   */
  cut(): Uint8Array;
  /** While muted, nothing is written. */
  muted: boolean;
}

export interface DemandeCollector {
  /** False: the text that comes now is of no use here. */
  readonly wantsText: boolean;
  /** Before the element is written. @param local - undefined outside the namespace of interfaceNuu */
  open(local: string | undefined, code: string | undefined, depth: number): void;
  /** References resolved. */
  text(text: string): void;
  /** Before the end of the element is written. */
  beforeClose(local: string, depth: number): void;
  afterClose(depth: number): void;
  /** When the whole document was read. */
  result(): DemandeReading;
}

const NUM_GUICHET = `${DEMANDE}/numGuichet`;
const RENEWED = `${DEMANDE}/renouvellement/dateRenouvellement`;
const RADIATED = `${DEMANDE}/radiation/dateRadiation`;
const HOUSED_IN = `${DEMANDE}/radiation/attributionLogement/adresse/commune`;
const TOO_LONG = `${DEMANDE}/informationTraitement/estDelaiAnormalementLong`;
const MULTIPLES = `${DEMANDE}/informationTraitement/estMultiplesAttributionsSousConditions`;
/** Motives and communes kept of one demande; forms have room for ten. */
const MAX_REPEATED = 50;
/** Depth of demandeLogement. */
const DEMANDE_DEPTH = 3;

export function makeDemandeCollector(echo: SteeredEcho): DemandeCollector {
  const found = new Map<string, string>();
  const repeated = new Map<string, string[]>();
  const doublon = makeDoublonCopy();
  const places: (Place | undefined)[] = [PLACES];
  let text = "";
  let code: string | undefined;
  let wantsText = false;
  let mutedFrom = 0;
  let head: Uint8Array | undefined;
  let middle: Uint8Array | undefined;

  return {
    get wantsText() {
      return wantsText;
    },
    open: (local, codeOfElement, depth) => {
      const parent = places[depth - 1];
      const place = local === undefined ? undefined : parent?.children.get(local);
      places[depth] = place;
      text = "";
      code = codeOfElement;
      wantsText = place !== undefined || parent?.doublonChildren !== undefined;
      if (place === undefined) return;
      if (place.leftOut === true && mutedFrom === 0) {
        mutedFrom = depth;
        echo.muted = true;
      }
      if (place.afterAnomalies === true && head !== undefined) middle ??= echo.cut();
      if (place.doublonWrapper !== undefined && place.doublonBox !== undefined) {
        doublon.openWrapper(place.doublonBox, place.doublonWrapper);
      }
    },
    text: (chunk) => {
      text += chunk;
    },
    beforeClose: (local, depth) => {
      const place = places[depth];
      const parent = places[depth - 1];
      if (place !== undefined) {
        if (place.keepAll === true && place.keepAs !== undefined) {
          const before = repeated.get(place.keepAs);
          if (before === undefined) repeated.set(place.keepAs, [code ?? text.trim()]);
          else if (before.length < MAX_REPEATED) before.push(code ?? text.trim());
        } else if (place.keepAs !== undefined && !found.has(place.keepAs)) {
          found.set(place.keepAs, code ?? text.trim());
        }
        if (place.doublonBox !== undefined) {
          if (place.doublonWrapper === undefined) doublon.leaf(place.doublonBox, local, text, code);
          else doublon.closeWrapper(place.doublonBox, place.doublonWrapper);
        }
        if (depth === DEMANDE_DEPTH && head !== undefined) middle ??= echo.cut();
      } else if (parent?.doublonChildren !== undefined) {
        doublon.leaf(parent.doublonChildren, local, text, code);
      }
      text = "";
      code = undefined;
      wantsText = false;
    },
    afterClose: (depth) => {
      if (mutedFrom === depth) {
        mutedFrom = 0;
        echo.muted = false;
      }
      if (head === undefined && places[depth]?.keepAs === NUM_GUICHET) head = echo.cut();
    },
    result: () => {
      const typeFichier = found.get("interfaceNuu/entete/typeFichier") ?? "";
      const dateFichier = found.get("interfaceNuu/entete/dateFichier") ?? "";
      const numGuichet = found.get(NUM_GUICHET) ?? "";
      if (typeFichier === "" || dateFichier === "") {
        return { kind: "unreadable", reason: "entete/typeFichier ou entete/dateFichier absent" };
      }
      if (numGuichet === "" || head === undefined || middle === undefined) {
        return { kind: "unreadable", reason: "demande/demandeLogement/numGuichet absent" };
      }
      const person = personOf(found);
      const association = own(found.get(`${DEMANDE}/association/nom`));
      if (person === undefined && association === undefined) {
        return {
          kind: "unreadable",
          reason: "ni personnePhysique/demandeur complet ni association",
        };
      }
      const numUnique = own(found.get(`${DEMANDE}/numUnique`));
      const refInterne = own(found.get(`${DEMANDE}/refInterne`));
      const statutDalo = own(found.get("interfaceNuu/demande/informationDalo/statutDalo"));
      const radiation = found.has(`${DEMANDE}/radiation`) ? radiationOf(found) : undefined;
      return {
        kind: "read",
        demande: {
          typeFichier: copyOf(typeFichier),
          dateFichier: copyOf(dateFichier),
          numGuichet: copyOf(numGuichet),
          ...(numUnique === undefined ? {} : { numUnique }),
          ...(refInterne === undefined ? {} : { refInterne }),
          dateCreationDemande: copyOf(found.get(`${DEMANDE}/dateCreationDemande`) ?? ""),
          forcerDoublon: /^(true|1)$/.test(found.get(`${DEMANDE}/forcerDoublon`) ?? ""),
          ...(person === undefined ? {} : { person }),
          ...(association === undefined ? {} : { association }),
          hasRenouvellement: found.has(`${DEMANDE}/renouvellement`),
          ...(radiation === undefined ? {} : { radiation }),
          ...(statutDalo === undefined ? {} : { statutDalo }),
          searched: searchedIn(found, repeated),
          asDoublon: person === undefined ? "" : copyOf(doublon.result()),
          echo: { head, middle, tail: echo.cut() },
        },
      };
    },
  };
}

function personOf(found: ReadonlyMap<string, string>): ReadDemande["person"] {
  const nom = own(found.get(`${PERSON}/nom`));
  const prenom = own(found.get(`${PERSON}/prenom`));
  const dateNaissance = own(found.get(`${PERSON}/dateNaissance`));
  if (nom === undefined || prenom === undefined || dateNaissance === undefined) return undefined;
  return { nom, prenom, dateNaissance };
}

function radiationOf(found: ReadonlyMap<string, string>): NonNullable<ReadDemande["radiation"]> {
  const sousMotif = own(found.get(`${DEMANDE}/radiation/sousMotifIrrecevabilite`));
  const typeReservataire = own(
    found.get(`${DEMANDE}/radiation/attributionLogement/typeReservataire`),
  );
  return {
    motif: copyOf(found.get(`${DEMANDE}/radiation/motifRadiation`) ?? ""),
    ...(sousMotif === undefined ? {} : { sousMotif }),
    ...(typeReservataire === undefined ? {} : { typeReservataire }),
  };
}

function searchedIn(
  found: ReadonlyMap<string, string>,
  repeated: ReadonlyMap<string, readonly string[]>,
): SearchedFacts {
  const dateRenouvellement = own(found.get(RENEWED));
  const dateRadiation = own(found.get(RADIATED));
  const communeAttribution = own(found.get(HOUSED_IN));
  const long = truth(found.get(TOO_LONG));
  const multiples = truth(found.get(MULTIPLES));
  return {
    ...(dateRenouvellement === undefined ? {} : { dateRenouvellement }),
    ...(dateRadiation === undefined ? {} : { dateRadiation }),
    motifs: repeated.get(MOTIF)?.map(copyOf) ?? [],
    communes: repeated.get(WANTED_COMMUNE)?.map(copyOf) ?? [],
    ...(communeAttribution === undefined ? {} : { communeAttribution }),
    ...(long === undefined ? {} : { estDelaiAnormalementLong: long }),
    ...(multiples === undefined ? {} : { estMultiplesAttributionsSousConditions: multiples }),
  };
}

/** xs:boolean. */
function truth(text: string | undefined): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

/** An empty value says nothing: the same as an absent one. */
function own(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : copyOf(value);
}

/** A string of its own: a slice would keep the whole document in memory for as long as it lives. */
function copyOf(value: string): string {
  return Buffer.from(value, "utf8").toString("utf8");
}
