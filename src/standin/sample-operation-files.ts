/**
 * Makes the files of the second and third services as a landlord's system would send them: searches,
 * events of a demande, requests for types of events. Valid against `schemas/` when their content is;
 * the same options always give the same bytes.
 */
import { makeXmlWriter, type XmlWriter } from "./xml-writer.ts";

export interface SampleHead {
  /** codeGuichet, at most 5 characters. */
  readonly guichet: string;
  /** At most 3 characters for events, 4 for the others; what the SNE wants there is not known. */
  readonly typeFichier?: string;
  /** xs:dateTime */
  readonly dateFichier?: string;
}

export interface SampleEvent {
  readonly idEvenement?: number | string;
  readonly codeTypeEvenement?: string;
  /** xs:date */
  readonly dateSurvenance?: string;
  readonly commentaire?: string;
  /** Values by code. */
  readonly caracteristiques?: Readonly<Record<string, string>>;
}

/** For listerEvenementsDemande (no event), and for the three that change events. */
export function makeEventFile(
  of: SampleHead & { readonly numUnique?: string; readonly evenements?: readonly SampleEvent[] },
): Uint8Array {
  return write(of, "EVT", (xml) => {
    xml.open("operation");
    if (of.numUnique !== undefined) xml.text("numUnique", of.numUnique);
    xml.close("operation");
    const { evenements = [] } = of;
    if (evenements.length === 0) return;
    xml.open("listeEvenements");
    for (const event of evenements) writeEvent(xml, event);
    xml.close("listeEvenements");
  });
}

function writeEvent(xml: XmlWriter, event: SampleEvent): void {
  xml.open("evenement");
  const texts = ["idEvenement", "codeTypeEvenement", "dateSurvenance", "commentaire"] as const;
  for (const name of texts) {
    const value = event[name];
    if (value !== undefined) xml.text(name, `${value}`);
  }
  if (event.caracteristiques !== undefined) {
    xml.open("listeCaracteristiquesSpecifiques");
    for (const [code, value] of Object.entries(event.caracteristiques)) {
      xml.open("caracteristiqueSpecifique");
      xml.text("code", code);
      xml.text("valeurCaracteristiqueSpecifique", value);
      xml.close("caracteristiqueSpecifique");
    }
    xml.close("listeCaracteristiquesSpecifiques");
  }
  xml.close("evenement");
}

/** For the two operations that list types of events. @param of.territoire - three characters */
export function makeEventTypesFile(of: SampleHead & { readonly territoire?: string }): Uint8Array {
  return write(of, "TEVT", (xml) => {
    if (of.territoire === undefined) return;
    xml.open("operation");
    xml.text("codeTerritoire", of.territoire);
    xml.close("operation");
  });
}

/** Criteria by name, in the order of the schema; a criterion of criteria is an element that holds them. */
export interface SampleCriteria {
  readonly [name: string]: string | readonly string[] | SampleCriteria;
}

/** For rechercheDemandeMulticritere. */
export function makeSearchFile(of: SampleHead & { readonly criteres: SampleCriteria }): Uint8Array {
  return write(of, "RECH", (xml) => {
    xml.open("operation");
    xml.open("demandeMulticritere");
    writeCriteria(xml, of.criteres);
    xml.close("demandeMulticritere");
    xml.close("operation");
  });
}

function writeCriteria(xml: XmlWriter, criteria: SampleCriteria): void {
  for (const [name, value] of Object.entries(criteria)) {
    if (typeof value === "string") xml.text(name, value);
    else if (isList(value)) for (const one of value) xml.text(name, one);
    else {
      xml.open(name);
      writeCriteria(xml, value);
      xml.close(name);
    }
  }
}

function isList(value: readonly string[] | SampleCriteria): value is readonly string[] {
  return Array.isArray(value);
}

function write(head: SampleHead, kind: string, body: (xml: XmlWriter) => void): Uint8Array {
  const xml = makeXmlWriter({ prefix: undefined, eol: "\n" });
  xml.open("interfaceNuu", 'xmlns="http://nuu.application.i2/" versionInterface="02.00"');
  xml.open("entete");
  xml.text("typeFichier", head.typeFichier ?? kind);
  xml.text("dateFichier", head.dateFichier ?? "2026-01-15T09:30:00.000+01:00");
  xml.text("codeGuichet", head.guichet);
  xml.close("entete");
  body(xml);
  xml.close("interfaceNuu");
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml.result()}`, "utf8");
}
