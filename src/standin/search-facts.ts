/**
 * What a search may look at of each demande. Kept as one short text per demande: hundreds of
 * thousands of them must fit in memory.
 */
import type { ReadDemande } from "./standin-xml.ts";

export interface SearchFacts {
  /** xs:date, as the others; empty when not known. */
  readonly depot: string;
  readonly renouvellement: string;
  readonly radiation: string;
  readonly motifs: readonly string[];
  readonly communes: readonly string[];
  readonly communeAttribution: string;
  readonly delaiLong: boolean;
  readonly multiples: boolean;
  readonly association: string;
  readonly nom: string;
  readonly prenom: string;
  readonly naissance: string;
  /** Codes of categories of documents. */
  readonly pieces: readonly string[];
}

/**
 * The one category of documents the stand-in knows, an invented one: that of a demande a COP was
 * taken for. A demande file says nothing of its documents.
 */
export const PIECES_OF_COP = "SIMCOP";

/** The facts of a demande once a file was taken. @param before - packed */
export function factsAfter(
  demande: ReadDemande,
  before: string | undefined,
  radiated: boolean,
): string {
  const known = before === undefined ? undefined : unpackFacts(before);
  const { searched, person } = demande;
  const copy = demande.typeFichier === "COP";
  return packFacts({
    depot: demande.dateCreationDemande || (known?.depot ?? ""),
    renouvellement: searched.dateRenouvellement ?? known?.renouvellement ?? "",
    radiation: radiated ? (searched.dateRadiation ?? known?.radiation ?? "") : "",
    motifs: searched.motifs,
    communes: searched.communes,
    communeAttribution: radiated
      ? (searched.communeAttribution ?? known?.communeAttribution ?? "")
      : "",
    delaiLong: searched.estDelaiAnormalementLong ?? known?.delaiLong ?? false,
    multiples: searched.estMultiplesAttributionsSousConditions ?? known?.multiples ?? false,
    association: demande.association ?? "",
    nom: person?.nom ?? "",
    prenom: person?.prenom ?? "",
    naissance: person?.dateNaissance ?? "",
    pieces: copy ? [PIECES_OF_COP] : (known?.pieces ?? []),
  });
}

const FIELDS = 13;

function packFacts(facts: SearchFacts): string {
  const fields = [
    facts.depot,
    facts.renouvellement,
    facts.radiation,
    facts.motifs.join(" "),
    facts.communes.join(" "),
    facts.communeAttribution,
    facts.delaiLong ? "1" : "",
    facts.multiples ? "1" : "",
    facts.association,
    facts.nom,
    facts.prenom,
    facts.naissance,
    facts.pieces.join(" "),
  ];
  // A string of its own: a tree of joined pieces would weigh more than what it says.
  return Buffer.from(fields.map((field) => field.replaceAll("\n", " ")).join("\n")).toString();
}

export function unpackFacts(packed: string): SearchFacts {
  const fields = packed.split("\n");
  if (fields.length !== FIELDS) throw new Error("facts of a demande that were not packed here");
  const [depot = "", renouvellement = "", radiation = "", motifs = "", communes = ""] = fields;
  const [communeAttribution = "", delaiLong = "", multiples = ""] = fields.slice(5);
  const [association = "", nom = "", prenom = "", naissance = "", pieces = ""] = fields.slice(8);
  return {
    depot,
    renouvellement,
    radiation,
    motifs: words(motifs),
    communes: words(communes),
    communeAttribution,
    delaiLong: delaiLong === "1",
    multiples: multiples === "1",
    association,
    nom,
    prenom,
    naissance,
    pieces: words(pieces),
  };
}

function words(text: string): readonly string[] {
  return text === "" ? [] : text.split(" ");
}
