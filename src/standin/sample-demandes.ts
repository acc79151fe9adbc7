/**
 * Makes realistic interfaceNuu files of fictitious applicants: what a landlord's system would send.
 * The same options always give the same bytes; every kind is valid against `schemas/` (a test says
 * so). For tests, the demonstration and the bench: no demande of a real person is ever needed.
 */
import { escapeXml } from "../wire/xml-text.ts";
import { writeHousehold, writeAssociation } from "./sample-household.ts";
import { makeDraw, type Draw } from "./sample-people.ts";
import { samplePlace, sampleStreet, type SamplePerson } from "./sample-people.ts";
import { makeXmlWriter, type XmlWriter } from "./xml-writer.ts";

export interface SampleDemande {
  /** CRE, CRS, MOD, REN, RAD; another kind gives the same file with its name in the header. */
  readonly typeFichier: string;
  /** numGuichet, at most 5 characters. */
  readonly guichet: string;
  /** Given by the seed for CRE and CRS. */
  readonly refInterne?: string;
  /** Given by the seed for MOD, REN and RAD that have neither it nor a refInterne. */
  readonly numUnique?: string;
  /** The demande left by a separation (CRS); given by the seed. */
  readonly numUniqueAssocie?: string;
  /** "02.01" unless told. */
  readonly versionInterface?: string;
  /** xs:dateTime; the demande is dated that day. */
  readonly dateFichier?: string;
  readonly nom?: string;
  readonly prenom?: string;
  readonly dateNaissance?: string;
  readonly forcerDoublon?: boolean;
  /** Free text, at most 255 characters. */
  readonly precision?: string;
  /** A legal person instead of a natural one. */
  readonly association?: boolean;
  /** RADATT, RADABA, RADIRR, RADCON, RADREN; given by the seed. */
  readonly motifRadiation?: string;
  /** Exact size, bytes; a file that is already longer stays as it is. */
  readonly padToBytes?: number;
  readonly encoding?: "utf-8" | "iso-8859-1";
  /** Starts with a byte order mark (utf-8 only). */
  readonly bom?: boolean;
  readonly eol?: "\n" | "\r\n";
  /** Namespace prefix; none unless told. */
  readonly prefix?: string;
  readonly seed?: number;
}

const NAMESPACE = "http://nuu.application.i2/";
/** Bytes a personne à charge takes, near enough to know when to stop adding them. */
const PERSON_BYTES = 330;

/** One demande file, encoded. */
export function makeDemande(options: SampleDemande): Uint8Array {
  const bare = encode(options, write(options, 0));
  const missing = (options.padToBytes ?? 0) - bare.length;
  if (missing <= 0) return bare;
  // Many people first, as a big file really has; a comment for the exact size.
  let people = options.association === true ? 0 : Math.floor(missing / PERSON_BYTES);
  let text = write(options, people);
  while (people > 0 && encode(options, text).length > bare.length + missing - COMMENT.length) {
    people -= 1;
    text = write(options, people);
  }
  const left = bare.length + missing - encode(options, text).length;
  return encode(options, text + comment(left));
}

const COMMENT = "<!---->";

/** A comment of exactly that many bytes; too few for one: spaces, allowed after the root. */
function comment(bytes: number): string {
  if (bytes < COMMENT.length) return " ".repeat(bytes);
  return `<!--${".".repeat(bytes - COMMENT.length)}-->`;
}

function write(options: SampleDemande, people: number): string {
  const draw = makeDraw(options.seed ?? 1);
  const version = options.versionInterface ?? "02.01";
  const date = options.dateFichier ?? "2026-01-15T09:30:00.000+01:00";
  const xml = makeXmlWriter({ prefix: options.prefix, eol: options.eol ?? "\n" });
  const xmlns = options.prefix === undefined ? "xmlns" : `xmlns:${options.prefix}`;
  xml.open("interfaceNuu", `${xmlns}="${NAMESPACE}" versionInterface="${escapeXml(version)}"`);
  xml.open("entete");
  xml.text("typeFichier", options.typeFichier);
  xml.text("dateFichier", date);
  xml.close("entete");
  xml.open("demande");
  xml.open("demandeLogement");
  writeIdentity(xml, options, date.slice(0, 10));
  writeWanted(xml, draw);
  if (options.association === true) writeAssociation(xml, draw, options.nom);
  else writeHousehold(xml, draw, { applicant: applicantOf(options), people, version });
  if (options.typeFichier === "REN") {
    xml.open("renouvellement");
    xml.text("dateRenouvellement", date.slice(0, 10));
    xml.close("renouvellement");
  }
  if (options.typeFichier === "RAD") writeRadiation(xml, draw, options, date.slice(0, 10));
  xml.close("demandeLogement");
  xml.close("demande");
  xml.close("interfaceNuu");
  const declared = (options.encoding ?? "utf-8").toUpperCase();
  return `<?xml version="1.0" encoding="${declared}"?>${options.eol ?? "\n"}${xml.result()}`;
}

function applicantOf(options: SampleDemande): Partial<SamplePerson> {
  return {
    ...(options.nom === undefined ? {} : { nom: options.nom }),
    ...(options.prenom === undefined ? {} : { prenom: options.prenom }),
    ...(options.dateNaissance === undefined ? {} : { dateNaissance: options.dateNaissance }),
  };
}

function writeIdentity(xml: XmlWriter, options: SampleDemande, day: string): void {
  const { typeFichier, guichet } = options;
  const seed = options.seed ?? 1;
  const creates = typeFichier === "CRE" || typeFichier === "CRS";
  const refInterne = options.refInterne ?? (creates ? `REF${digits(seed, 9)}` : undefined);
  const numUnique =
    options.numUnique ?? (refInterne === undefined ? sampleNumUnique(guichet, seed) : undefined);
  const associated =
    options.numUniqueAssocie ??
    (typeFichier === "CRS" ? sampleNumUnique(guichet, seed + 1) : undefined);
  xml.text("numGuichet", guichet);
  if (numUnique !== undefined) xml.text("numUnique", numUnique);
  if (associated !== undefined) xml.text("numUniqueAssocie", associated);
  if (refInterne !== undefined) xml.text("refInterne", refInterne);
  xml.text("dateCreationDemande", day);
  if (options.forcerDoublon !== undefined) xml.text("forcerDoublon", `${options.forcerDoublon}`);
  xml.text("precision", options.precision ?? "");
}

function writeWanted(xml: XmlWriter, draw: Draw): void {
  xml.open("logementRecherche");
  xml.code("categorieLogementRecherche", draw.pick(["A", "M", "I"]));
  xml.text("avecParking", `${draw.chance(40)}`);
  xml.text("montantLoyer", `${300 + draw.int(600)}`);
  xml.text("demandeElargie", `${draw.chance(50)}`);
  xml.open("listeTypeLogement");
  const rooms = 1 + draw.int(4);
  xml.code("typeLogement", `T${rooms}`);
  xml.code("typeLogement", `T${rooms + 1}`);
  xml.close("listeTypeLogement");
  xml.open("listeLocalisationSouhaite");
  for (let wish = draw.int(3); wish >= 0; wish -= 1) {
    xml.open("localisationSouhaite");
    xml.code("commune", samplePlace(draw).commune);
    xml.close("localisationSouhaite");
  }
  xml.close("listeLocalisationSouhaite");
  xml.close("logementRecherche");
  xml.open("principauxMotifDemande");
  xml.code("motifDemande", digits(1 + draw.int(22), 2));
  xml.close("principauxMotifDemande");
}

function writeRadiation(xml: XmlWriter, draw: Draw, options: SampleDemande, day: string): void {
  const motif =
    options.motifRadiation ?? draw.pick(["RADATT", "RADABA", "RADIRR", "RADCON", "RADREN"]);
  xml.open("radiation");
  xml.text("dateRadiation", day);
  xml.code("motifRadiation", motif);
  if (motif === "RADIRR") xml.code("sousMotifIrrecevabilite", draw.pick(["IRRSEJ", "IRRRES"]));
  if (motif === "RADCON") {
    xml.open("absenceReponse");
    xml.text("dateCourrier", day);
    xml.close("absenceReponse");
  }
  if (motif === "RADATT") {
    const place = samplePlace(draw);
    xml.open("attributionLogement");
    xml.text("dateSignatureBail", day);
    xml.code("dejaLogeParcBailleur", draw.pick(["OUI", "NON"]));
    xml.text("numeroRpls", digits(draw.int(1_000_000), 10));
    xml.text("attribueEnComDALO", `${draw.chance(10)}`);
    xml.code("accordCollectif", "AUCUN");
    xml.code("typeReservataire", draw.pick(["AUCUN", "COLTER", "PPRIOR"]));
    xml.code("typeLogement", `T${1 + draw.int(5)}`);
    xml.text("surface", `${25 + draw.int(80)}`);
    xml.text("montantLoyer", `${250 + draw.int(500)}`);
    xml.open("adresse");
    xml.text("numero", `${1 + draw.int(120)}`);
    xml.text("voie", sampleStreet(draw));
    xml.text("codePostal", place.codePostal);
    xml.code("commune", place.commune);
    xml.close("adresse");
    xml.close("attributionLogement");
  }
  xml.close("radiation");
}

/**
 * A numéro unique of the shape seen in 2018: territory, month and year, sequence, guichet.
 * That layout is inferred from one sample; nothing else in the gateway relies on it.
 */
export function sampleNumUnique(guichet: string, sequence: number): string {
  return `0350126${digits(sequence % 1_000_000, 6)}${guichet.padStart(5, "0").slice(-5)}`;
}

/** `DEM<guichet>-YYYYMMDDHHMM-NNNNNN.xml`, the name libsne gives its files. */
export function fileName(of: { guichet: string; at: Date; sequence: number }): string {
  const minute = of.at.toISOString().replace(/\D/g, "").slice(0, 12);
  return `DEM${of.guichet}-${minute}-${digits(of.sequence % 1_000_000, 6)}.xml`;
}

function digits(value: number, length: number): string {
  return value.toString().padStart(length, "0");
}

function encode(options: SampleDemande, text: string): Uint8Array {
  if (options.encoding !== "iso-8859-1") {
    return Buffer.from(options.bom === true ? `\uFEFF${text}` : text, "utf8");
  }
  // What Latin-1 cannot hold travels as a character reference.
  const held = text.replace(/[^\u0000-\u00FF]/gu, (c) => `&#${c.codePointAt(0) ?? 0xfffd};`);
  return Buffer.from(held, "latin1");
}
