/**
 * Reads an interfaceNuu demande in one pass: what the stand-in's rules look at, how a listeDoublons
 * would show it, and its echo. Not a validation: a demande against the schema is read all the same,
 * as long as its header, its guichet and its applicant are there.
 */
import type { DemandeReading, ReadDemande } from "../../standin/standin-xml.ts";
import { DEMANDE, PERSON, PLACES, type Place } from "./demande-places.ts";
import { makeDoublonCopy } from "./doublon-copy.ts";
import { makeEchoWriter, NUU } from "./echo-writer.ts";
import { readXml, XmlRefused } from "./xml-events.ts";

const MAX_DEPTH = 64;
const NUM_GUICHET = `${DEMANDE}/numGuichet`;
/** Depth of demandeLogement. */
const DEMANDE_DEPTH = 3;

export function readDemande(bytes: Uint8Array): DemandeReading {
  const found = new Map<string, string>();
  const echo = makeEchoWriter();
  const doublon = makeDoublonCopy();
  const places: (Place | undefined)[] = [PLACES];
  let text = "";
  let code: string | undefined;
  let skipFrom = 0;
  let head: string | undefined;
  let middle: string | undefined;

  const refused = readXml(bytes, MAX_DEPTH, {
    open: (tag, depth) => {
      if (depth === 1 && (tag.local !== "interfaceNuu" || tag.uri !== NUU)) {
        throw new XmlRefused(`la racine n'est pas {${NUU}}interfaceNuu`);
      }
      const place = tag.uri === NUU ? places[depth - 1]?.children.get(tag.local) : undefined;
      places[depth] = place;
      text = "";
      code = tag.attributes["code"]?.value;
      if (place !== undefined) {
        if (place.leftOut === true && skipFrom === 0) skipFrom = depth;
        if (place.afterAnomalies === true && head !== undefined) middle ??= echo.cut();
        if (place.doublonWrapper !== undefined && place.doublonBox !== undefined) {
          doublon.openWrapper(place.doublonBox, place.doublonWrapper);
        }
      }
      if (skipFrom === 0) echo.open(tag);
    },
    close: (tag, depth) => {
      const place = places[depth];
      const parent = places[depth - 1];
      if (place?.keepAs !== undefined && !found.has(place.keepAs)) {
        found.set(place.keepAs, code ?? text.trim());
      }
      if (place?.doublonBox !== undefined) {
        if (place.doublonWrapper === undefined) {
          doublon.leaf(place.doublonBox, tag.local, text, code);
        } else doublon.closeWrapper(place.doublonBox, place.doublonWrapper);
      } else if (parent?.doublonChildren !== undefined) {
        doublon.leaf(parent.doublonChildren, tag.local, text, code);
      }
      text = "";
      code = undefined;
      if (depth === DEMANDE_DEPTH && place !== undefined && head !== undefined) {
        middle ??= echo.cut();
      }
      if (skipFrom === 0) echo.close(tag);
      else if (skipFrom === depth) skipFrom = 0;
      if (place?.keepAs === NUM_GUICHET) head ??= echo.cut();
    },
    text: (chunk) => {
      text += chunk;
      if (skipFrom === 0) echo.text(chunk);
    },
  });
  if (refused !== undefined) return { kind: "unreadable", reason: refused };

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
    return { kind: "unreadable", reason: "ni personnePhysique/demandeur complet ni association" };
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
      asDoublon: person === undefined ? "" : doublon.result(),
      echo: { head, middle, tail: echo.cut() },
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

/** An empty value says nothing: the same as an absent one. */
function own(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : copyOf(value);
}

/** A string of its own: a slice would keep the whole document in memory for as long as it lives. */
function copyOf(value: string): string {
  return Buffer.from(value, "utf8").toString("utf8");
}
