/**
 * The few places of a demande that the stand-in looks at, as a tree: following it element by element
 * costs one look-up each, where comparing whole paths would cost more than the parsing itself.
 */

/** What to do with an element of the demande. */
export interface Place {
  readonly children: Map<string, Place>;
  /** Keeps its text, or the `@code` of an empty element, under this name. */
  keepAs?: string;
  /** Repeated: all are kept, under that name. */
  keepAll?: true;
  /** Left out of the echo: an answer brings its own. */
  leftOut?: true;
  /** Comes after listeAnomalie and listeDoublons in the schema. */
  afterAnomalies?: true;
  /** Where a listeDoublons shows it. */
  doublonBox?: DoublonBox;
  /** A repeated element of that box, under this name. */
  doublonWrapper?: string;
  /** All its children go to that box. */
  doublonChildren?: DoublonBox;
}

export type DoublonBox = "identity" | "postal" | "home" | "coApplicants" | "places";

export const DEMANDE = "interfaceNuu/demande/demandeLogement";
export const PERSON = `${DEMANDE}/personnePhysique/demandeur`;

export const WANTED_COMMUNE = `${DEMANDE}/logementRecherche/listeLocalisationSouhaite/localisationSouhaite/commune`;
export const MOTIF = `${DEMANDE}/principauxMotifDemande/motifDemande`;

const IDENTITY = ["civilite", "nom", "nomPatronymique", "prenom", "dateNaissance"];

/** The document node: its child is interfaceNuu. */
export const PLACES: Place = makePlaces();

function makePlaces(): Place {
  const root: Place = { children: new Map() };
  const place = (path: string): Place => {
    let at = root;
    for (const name of path.split("/")) {
      const next: Place = at.children.get(name) ?? { children: new Map() };
      at.children.set(name, next);
      at = next;
    }
    return at;
  };
  const keep = (base: string, names: readonly string[]): void => {
    for (const name of names) place(`${base}/${name}`).keepAs = `${base}/${name}`;
  };
  keep("interfaceNuu/entete", ["typeFichier", "dateFichier"]);
  keep("interfaceNuu/demande/informationDalo", ["statutDalo"]);
  keep(DEMANDE, ["numGuichet", "numUnique", "refInterne", "dateCreationDemande", "forcerDoublon"]);
  keep(PERSON, ["nom", "prenom", "dateNaissance"]);
  keep(`${DEMANDE}/association`, ["nom"]);
  keep(DEMANDE, ["renouvellement", "radiation"]);
  keep(`${DEMANDE}/radiation`, ["motifRadiation", "sousMotifIrrecevabilite"]);
  keep(`${DEMANDE}/radiation`, ["dateRadiation"]);
  keep(`${DEMANDE}/radiation/attributionLogement`, ["typeReservataire"]);
  keep(`${DEMANDE}/radiation/attributionLogement/adresse`, ["commune"]);
  keep(`${DEMANDE}/renouvellement`, ["dateRenouvellement"]);
  keep(`${DEMANDE}/informationTraitement`, [
    "estDelaiAnormalementLong",
    "estMultiplesAttributionsSousConditions",
  ]);

  for (const name of ["numUnique", "listeAnomalie", "listeDoublons"]) {
    place(`${DEMANDE}/${name}`).leftOut = true;
  }
  for (const name of ["dateDerniereModificationPiece", "incrementFichier"]) {
    place(`${DEMANDE}/${name}`).afterAnomalies = true;
  }

  const coApplicant = `${DEMANDE}/personnePhysique/listeCotitulaire/cotitulaire`;
  const wanted = `${DEMANDE}/logementRecherche/listeLocalisationSouhaite/localisationSouhaite`;
  for (const name of IDENTITY) {
    place(`${PERSON}/${name}`).doublonBox = "identity";
    place(`${coApplicant}/${name}`).doublonBox = "coApplicants";
  }
  place(coApplicant).doublonBox = "coApplicants";
  place(coApplicant).doublonWrapper = "cotitulaire";
  for (const path of [WANTED_COMMUNE, MOTIF]) {
    place(path).keepAs = path;
    place(path).keepAll = true;
  }
  for (const name of ["commune", "quartier"]) place(`${wanted}/${name}`).doublonBox = "places";
  place(wanted).doublonBox = "places";
  place(wanted).doublonWrapper = "localisationSouhaitee";
  place(`${PERSON}/adressePostale`).doublonChildren = "postal";
  place(`${DEMANDE}/personnePhysique/adresseLogement`).doublonChildren = "home";
  return root;
}
