/**
 * The three services and their thirteen operations as `wsdl/` gives them: wrapper elements and
 * parameters, in order. The stand-in's own copy, on purpose: the gateway's client and the stand-in
 * share no such table, so that one mistake cannot hide the other.
 */

/** Namespace of the three services: of their wrapper elements, and before the names of actions. */
export const SERVICE = "http://ws.metier.nuu.application.i2/";

export const SERVICE_NAMES = [
  "DemandeLogementImplService",
  "RechercheDemandeImplService",
  "GestionPartageeEVTImplService",
] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Where each is served unless told, and the contract it shows under `?wsdl`. */
export const SERVICES: Readonly<
  Record<ServiceName, { readonly path: string; readonly wsdl: string }>
> = {
  DemandeLogementImplService: {
    path: "/services/DemandeLogementImplService",
    wsdl: "DemandeLogement.wsdl",
  },
  RechercheDemandeImplService: {
    path: "/services/RechercheDemandeImplService",
    wsdl: "RechercheDemande.wsdl",
  },
  GestionPartageeEVTImplService: {
    path: "/services/GestionPartageeEVTImplService",
    wsdl: "GestionPartageeEVT.wsdl",
  },
};

export interface Parameter {
  readonly name: string;
  readonly type: "text" | "file" | "code";
  readonly optional?: true;
}

export interface Operation {
  readonly name: OperationName;
  readonly service: ServiceName;
  /** Wrapper element of the request. */
  readonly element: string;
  /** Wrapper element of the answer. */
  readonly answer: string;
  readonly parameters: readonly Parameter[];
}

/** The six that share one element: only the SOAP action tells them apart. In the WSDL's order. */
export const EVENT_OPERATION_NAMES = [
  "listerTypesEvenementsNationaux",
  "listerTypesEvenementsTerritoriaux",
  "listerEvenementsDemande",
  "ajouterEvenementDemande",
  "modifierEvenementDemande",
  "supprimerEvenementDemande",
] as const;
export type EventOperationName = (typeof EVENT_OPERATION_NAMES)[number];

export const OPERATION_NAMES = [
  "getNumUnique",
  "getDemandeLogement",
  "getDoublons",
  "getDeclarationNouveauDalo",
  "getDemandesRadieesDepuisLe",
  "getNouveauxDaloDepuisLe",
  "rechercheDemandeMulticritere",
  ...EVENT_OPERATION_NAMES,
] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];

const DEMANDES = "DemandeLogementImplService";
const CERTIFICATE: readonly Parameter[] = [
  { name: "nomCertificat", type: "text" },
  { name: "certificat", type: "file" },
];
const DEMANDE: readonly Parameter[] = [
  { name: "nomFichierDemande", type: "text" },
  { name: "fichierDemande", type: "file" },
];
const COMPLET: Parameter = { name: "complet", type: "text", optional: true };
/** What the second and third services take and give, whatever the operation. */
const FILE = {
  element: "fichierXmlParametres",
  answer: "fichierXmlReponse",
  parameters: [
    { name: "nomFichier", type: "text" },
    { name: "fichierXml", type: "file" },
    { name: "nomCertificat", type: "text" },
  ],
} as const;

export const OPERATIONS: readonly Operation[] = [
  {
    name: "getNumUnique",
    service: DEMANDES,
    element: "numUniqueParametres",
    answer: "numUniqueReponse",
    parameters: [...DEMANDE, ...CERTIFICATE, COMPLET],
  },
  {
    name: "getDemandeLogement",
    service: DEMANDES,
    element: "demandeLogementParametres",
    answer: "demandeLogementReponse",
    parameters: [{ name: "numUnique", type: "text" }, ...CERTIFICATE, COMPLET],
  },
  {
    name: "getDoublons",
    service: DEMANDES,
    element: "rechercheDoublonsParametres",
    answer: "rechercheDoublonsReponse",
    parameters: DEMANDE,
  },
  {
    name: "getDeclarationNouveauDalo",
    service: DEMANDES,
    element: "declarationNouveauDaloParametres",
    answer: "declarationNouveauDaloReponse",
    parameters: [
      { name: "nomFichierDalo", type: "text" },
      { name: "fichierDalo", type: "file" },
      ...CERTIFICATE,
    ],
  },
  {
    name: "getDemandesRadieesDepuisLe",
    service: DEMANDES,
    element: "demandesRadieesDepuisLeParametres",
    answer: "demandesRadieesDepuisLeReponse",
    parameters: [
      { name: "dateRadiationDepuisLe", type: "text" },
      { name: "motifRadiation", type: "code", optional: true },
      { name: "statutDalo", type: "code", optional: true },
      { name: "typeReservataire", type: "code", optional: true },
      ...CERTIFICATE,
    ],
  },
  {
    name: "getNouveauxDaloDepuisLe",
    service: DEMANDES,
    element: "nouveauxDaloDepuisLeParametres",
    answer: "nouveauxDaloDepuisLeReponse",
    parameters: [{ name: "dateNouveauDaloDepuisLe", type: "text" }, ...CERTIFICATE],
  },
  { name: "rechercheDemandeMulticritere", service: "RechercheDemandeImplService", ...FILE },
  ...EVENT_OPERATION_NAMES.map((name): Operation => ({
    name,
    service: "GestionPartageeEVTImplService",
    ...FILE,
  })),
];

export function operationNamed(name: OperationName): Operation {
  const found = OPERATIONS.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}
