/**
 * What each of the SNE's thirteen operations takes and gives back, in the order of the published
 * WSDLs (May 2017): the one table of the client that calls them and of the face that serves them.
 * A contract test holds it equal to `wsdl/`. The stand-in has its own, on purpose.
 */

export type SneService = "demandeLogement" | "rechercheDemande" | "gestionPartageeEvt";

export interface SneParameter {
  readonly name: string;
  /** `file`: base64Binary with `@contentType`, MTOM-optimisable. `code`: an empty element with `@code`. */
  readonly type: "text" | "dateTime" | "code" | "file";
  readonly optional?: true;
}

export interface SneOperationShape {
  readonly name: string;
  readonly service: SneService;
  /** Local name of the request's wrapper element, in SNE_NAMESPACE. */
  readonly request: string;
  readonly parameters: readonly SneParameter[];
  /** Local name of the answer's wrapper element. */
  readonly answer: string;
  readonly results: readonly SneParameter[];
}

/** Namespace of the three services; their wrapper elements are in it, their children in none. */
export const SNE_NAMESPACE = "http://ws.metier.nuu.application.i2/";

const text = (name: string): SneParameter => ({ name, type: "text" });
const file = (name: string): SneParameter => ({ name, type: "file" });
const code = (name: string): SneParameter => ({ name, type: "code", optional: true });
const maybe = (parameter: SneParameter): SneParameter => ({ ...parameter, optional: true });

const DEMANDE = [text("nomFichierDemande"), file("fichierDemande")];
const CERTIFICATE = [text("nomCertificat"), file("certificat")];
const COMPLET = maybe(text("complet"));

/** The seven operations that share their elements: only the SOAP action tells them apart. */
function ofFiles(name: string, service: SneService): SneOperationShape {
  return {
    name,
    service,
    request: "fichierXmlParametres",
    parameters: [text("nomFichier"), file("fichierXml"), text("nomCertificat")],
    answer: "fichierXmlReponse",
    results: [text("nomFichierXmlRetour"), file("fichierXmlRetour")],
  };
}

export const SNE_OPERATIONS: readonly SneOperationShape[] = [
  {
    name: "getNumUnique",
    service: "demandeLogement",
    request: "numUniqueParametres",
    parameters: [...DEMANDE, ...CERTIFICATE, COMPLET],
    answer: "numUniqueReponse",
    results: [...DEMANDE, maybe(text("nomAttestation")), maybe(file("attestation"))],
  },
  {
    name: "getDemandeLogement",
    service: "demandeLogement",
    request: "demandeLogementParametres",
    parameters: [text("numUnique"), ...CERTIFICATE, COMPLET],
    answer: "demandeLogementReponse",
    results: DEMANDE,
  },
  {
    name: "getDoublons",
    service: "demandeLogement",
    request: "rechercheDoublonsParametres",
    parameters: DEMANDE,
    answer: "rechercheDoublonsReponse",
    results: [
      maybe(text("nomFichierDoublons")),
      maybe(file("listeDoublons")),
      ...DEMANDE.map((parameter) => maybe(parameter)),
    ],
  },
  {
    name: "getDeclarationNouveauDalo",
    service: "demandeLogement",
    request: "declarationNouveauDaloParametres",
    parameters: [text("nomFichierDalo"), file("fichierDalo"), ...CERTIFICATE],
    answer: "declarationNouveauDaloReponse",
    results: [text("nomFichierDalo"), file("fichierDalo")],
  },
  {
    name: "getDemandesRadieesDepuisLe",
    service: "demandeLogement",
    request: "demandesRadieesDepuisLeParametres",
    parameters: [
      { name: "dateRadiationDepuisLe", type: "dateTime" },
      code("motifRadiation"),
      code("statutDalo"),
      code("typeReservataire"),
      ...CERTIFICATE,
    ],
    answer: "demandesRadieesDepuisLeReponse",
    results: [maybe(text("nomFichierDemandesRadiees")), maybe(file("fichierDemandesRadiees"))],
  },
  {
    name: "getNouveauxDaloDepuisLe",
    service: "demandeLogement",
    request: "nouveauxDaloDepuisLeParametres",
    parameters: [{ name: "dateNouveauDaloDepuisLe", type: "dateTime" }, ...CERTIFICATE],
    answer: "nouveauxDaloDepuisLeReponse",
    results: [maybe(text("nomFichierNouveauxDalo")), maybe(file("fichierNouveauxDalo"))],
  },
  ofFiles("rechercheDemandeMulticritere", "rechercheDemande"),
  ofFiles("listerTypesEvenementsNationaux", "gestionPartageeEvt"),
  ofFiles("listerTypesEvenementsTerritoriaux", "gestionPartageeEvt"),
  ofFiles("listerEvenementsDemande", "gestionPartageeEvt"),
  ofFiles("ajouterEvenementDemande", "gestionPartageeEvt"),
  ofFiles("modifierEvenementDemande", "gestionPartageeEvt"),
  ofFiles("supprimerEvenementDemande", "gestionPartageeEvt"),
];

/** @throws Error when no operation has that name: a mistake of ours, names come from `domain/` */
export function sneOperation(name: string): SneOperationShape {
  const found = SNE_OPERATIONS.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name} in the SNE's contract`);
  return found;
}
