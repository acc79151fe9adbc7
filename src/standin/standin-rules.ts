/**
 * The rules of the stand-in, in one table. ALL OF THEM ARE INFERRED, except where a row says so: the
 * SNE's own catalogue of controls is not public. They are there so that a client meets refusals of
 * the right shape, never to tell what the SNE would say.
 *
 * Codes: a real one has 13 characters (`CTRL_DEM_0033`) where the published schema takes 10. Ours
 * keep to the schema, and their last character is a letter: none can be taken for a real one. A code
 * that looks real can be had by an `anomaly` order (README.md).
 */
import type { ReadDemande } from "./standin-xml.ts";

/** One line of a listeAnomalie. */
export interface Anomaly {
  /** At most 10 characters to be valid against the schema. */
  readonly code: string;
  /** The element at fault. */
  readonly propriete?: string;
  /** At most 512 characters. */
  readonly message: string;
}

export const RULES = {
  kind: {
    code: "CTRL_DEM_K",
    propriete: "typeFichier",
    message: "Ce typeFichier ne se dépose pas (simulateur : CRE, CRS, MOD, REN, RAD, SUP, COP).",
  },
  numberInCreation: {
    code: "CTRL_DEM_C",
    propriete: "numUnique",
    message: "Une création ne porte pas de numéro unique : c'est la réponse qui l'attribue.",
  },
  knownReference: {
    code: "CTRL_DEM_N",
    propriete: "refInterne",
    message: "Une demande de ce guichet porte déjà cette référence interne.",
  },
  knownPerson: {
    code: "CTRL_DEM_D",
    propriete: "demandeur",
    message:
      "Un demandeur de mêmes nom, prénom et date de naissance a déjà une demande : voir les doublons.",
  },
  unknownNumber: {
    code: "CTRL_DEM_U",
    propriete: "numUnique",
    message: "Aucune demande connue ne porte ce numéro unique ou cette référence interne.",
  },
  radiated: {
    code: "CTRL_DEM_R",
    propriete: "numUnique",
    message: "La demande est radiée.",
  },
  notRadiated: {
    code: "CTRL_DEM_V",
    propriete: "motifRadiation",
    message: "La demande n'est pas radiée : il n'y a pas de radiation à annuler.",
  },
  noRadiation: {
    code: "CTRL_DEM_M",
    propriete: "radiation",
    message: "Une radiation (RAD) porte un élément radiation.",
  },
  // Confirmed: mandatory since v2.1 of the interface (2012). Its code and its sentence are not known.
  noSousMotif: {
    code: "CTRL_DEM_I",
    propriete: "sousMotifIrrecevabilite",
    message: "Le sous-motif est obligatoire pour une radiation pour irrecevabilité (RADIRR).",
  },
  unknownMotif: {
    code: "CTRL_DEM_T",
    propriete: "motifRadiation",
    message:
      "Motif de radiation inconnu (simulateur : RADATT, RADABA, RADIRR, RADCON, RADREN, ou vide).",
  },
  unknownSousMotif: {
    code: "CTRL_DEM_S",
    propriete: "sousMotifIrrecevabilite",
    message: "Sous-motif inconnu (simulateur : IRRSEJ, IRRRES).",
  },
  sousMotifAlone: {
    code: "CTRL_DEM_A",
    propriete: "sousMotifIrrecevabilite",
    message: "Un sous-motif d'irrecevabilité ne va qu'avec le motif RADIRR.",
  },
  noRenouvellement: {
    code: "CTRL_DEM_W",
    propriete: "renouvellement",
    message: "Un renouvellement (REN) porte un élément renouvellement.",
  },
  noDalo: {
    code: "CTRL_DEM_O",
    propriete: "informationDalo",
    message: "Une déclaration de nouveau DALO porte un élément informationDalo/statutDalo.",
  },
} as const satisfies Record<string, Anomaly>;

/** Codes as the schema takes them (10 characters), or as long as the real ones (13). */
export type CodeForm = "short" | "long";

/**
 * Anomalies under codes of the form wanted: `CTRL_DEM_I` is `CTRL_DEM_9909` in the long one. The
 * numbers are invented; that the real ones do not go so far is inferred.
 */
export function withCodes(anomalies: readonly Anomaly[], form: CodeForm): readonly Anomaly[] {
  if (form === "short") return anomalies;
  return anomalies.map((anomaly) => {
    const letter = anomaly.code.charCodeAt(anomaly.code.length - 1) - "A".charCodeAt(0) + 1;
    const digits = letter.toString().padStart(2, "0");
    return { ...anomaly, code: `${anomaly.code.slice(0, -1)}99${digits}` };
  });
}

/** What the stand-in knows already, as the rules ask it. */
export interface Known {
  /** The demande a file is about: by its number, else by guichet and refInterne. */
  find(
    demande: ReadDemande,
  ): { readonly numUnique: string; readonly radiated: boolean } | undefined;
  /** Numbers of the demandes that carry the same guichet and refInterne. */
  sameReference(demande: ReadDemande): readonly string[];
  /** Numbers of the demandes of the same person. */
  samePerson(demande: ReadDemande): readonly string[];
}

/** What the administrator of the stand-in may relax (order `settings`). */
export interface RuleSettings {
  /** False: creations are never doublons, even of themselves; what a bench of made-up people wants. */
  readonly doublons: boolean;
  /** False: MOD, REN, RAD of a number never seen are taken, as if it had always been there. */
  readonly unknownNumbers: boolean;
  /** False: a motive of radiation that is on no list of 2017 is taken; later editions may have more. */
  readonly unknownCodes: boolean;
}

/** Confirmed (libsne's code lists, 2017). */
const MOTIFS_RADIATION = ["RADATT", "RADABA", "RADIRR", "RADCON", "RADREN"];
const SOUS_MOTIFS = ["IRRSEJ", "IRRRES"];

export interface Judgement {
  readonly anomalies: readonly Anomaly[];
  /** Numbers of the demandes it looks like. */
  readonly doublons: readonly string[];
}

const TAKEN: Judgement = { anomalies: [], doublons: [] };

/** Creations: they get a number. */
export function isCreation(typeFichier: string): boolean {
  return typeFichier === "CRE" || typeFichier === "CRS";
}

/** The SNE gives a new attestation at creation and renewal, none for a change (sne-facts, section 5). */
export function hasAttestation(typeFichier: string): boolean {
  return isCreation(typeFichier) || typeFichier === "REN";
}

/** Judges what getNumUnique was given. */
export function judge(demande: ReadDemande, known: Known, settings: RuleSettings): Judgement {
  const kind = demande.typeFichier;
  if (isCreation(kind)) return judgeCreation(demande, known, settings);
  if (!["MOD", "REN", "RAD", "SUP", "COP"].includes(kind)) return refused(RULES.kind);
  const found = known.find(demande);
  if (found === undefined && (settings.unknownNumbers || demande.numUnique === undefined)) {
    return refused(RULES.unknownNumber);
  }
  const radiated = found?.radiated ?? false;
  if (kind === "RAD") return judgeRadiation(demande, radiated, found !== undefined, settings);
  if (radiated) return refused(RULES.radiated);
  if (kind === "REN" && !demande.hasRenouvellement) return refused(RULES.noRenouvellement);
  return TAKEN;
}

function judgeCreation(demande: ReadDemande, known: Known, settings: RuleSettings): Judgement {
  if (demande.numUnique !== undefined) return refused(RULES.numberInCreation);
  if (demande.forcerDoublon || !settings.doublons) return TAKEN;
  const references = known.sameReference(demande);
  if (references.length > 0) return { anomalies: [RULES.knownReference], doublons: references };
  const persons = known.samePerson(demande);
  if (persons.length > 0) return { anomalies: [RULES.knownPerson], doublons: persons };
  return TAKEN;
}

function judgeRadiation(
  demande: ReadDemande,
  radiated: boolean,
  known: boolean,
  settings: RuleSettings,
): Judgement {
  if (demande.radiation === undefined) return refused(RULES.noRadiation);
  const { motif, sousMotif } = demande.radiation;
  // Confirmed (libsne's code list): an empty motif is an un-radiation.
  if (motif === "") return radiated || !known ? TAKEN : refused(RULES.notRadiated);
  if (radiated) return refused(RULES.radiated);
  if (settings.unknownCodes && !MOTIFS_RADIATION.includes(motif)) {
    return refused(RULES.unknownMotif);
  }
  if (motif !== "RADIRR") return sousMotif === undefined ? TAKEN : refused(RULES.sousMotifAlone);
  if (sousMotif === undefined) return refused(RULES.noSousMotif);
  return settings.unknownCodes && !SOUS_MOTIFS.includes(sousMotif)
    ? refused(RULES.unknownSousMotif)
    : TAKEN;
}

/** Judges what getDeclarationNouveauDalo was given. */
export function judgeDalo(demande: ReadDemande, known: Known, settings: RuleSettings): Judgement {
  const found = known.find(demande);
  if (found === undefined && settings.unknownNumbers) return refused(RULES.unknownNumber);
  if (found?.radiated === true) return refused(RULES.radiated);
  return demande.statutDalo === undefined ? refused(RULES.noDalo) : TAKEN;
}

function refused(anomaly: Anomaly): Judgement {
  return { anomalies: [anomaly], doublons: [] };
}
