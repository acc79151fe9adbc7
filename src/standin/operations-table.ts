/**
 * The six operations of `DemandeLogementImplService` as `wsdl/DemandeLogement.wsdl` gives them:
 * wrapper elements and parameters, in order. The stand-in's own copy, on purpose: the gateway's
 * client and the stand-in share no such table, so that one mistake cannot hide the other.
 */

export interface Parameter {
  readonly name: string;
  readonly type: "text" | "file" | "code";
  readonly optional?: true;
}

export interface Operation {
  readonly name: OperationName;
  /** Wrapper element of the request. */
  readonly element: string;
  /** Wrapper element of the answer. */
  readonly answer: string;
  readonly parameters: readonly Parameter[];
}

export const OPERATION_NAMES = [
  "getNumUnique",
  "getDemandeLogement",
  "getDoublons",
  "getDeclarationNouveauDalo",
  "getDemandesRadieesDepuisLe",
  "getNouveauxDaloDepuisLe",
] as const;
export type OperationName = (typeof OPERATION_NAMES)[number];

const CERTIFICATE: readonly Parameter[] = [
  { name: "nomCertificat", type: "text" },
  { name: "certificat", type: "file" },
];
const DEMANDE: readonly Parameter[] = [
  { name: "nomFichierDemande", type: "text" },
  { name: "fichierDemande", type: "file" },
];
const COMPLET: Parameter = { name: "complet", type: "text", optional: true };

export const OPERATIONS: readonly Operation[] = [
  {
    name: "getNumUnique",
    element: "numUniqueParametres",
    answer: "numUniqueReponse",
    parameters: [...DEMANDE, ...CERTIFICATE, COMPLET],
  },
  {
    name: "getDemandeLogement",
    element: "demandeLogementParametres",
    answer: "demandeLogementReponse",
    parameters: [{ name: "numUnique", type: "text" }, ...CERTIFICATE, COMPLET],
  },
  {
    name: "getDoublons",
    element: "rechercheDoublonsParametres",
    answer: "rechercheDoublonsReponse",
    parameters: DEMANDE,
  },
  {
    name: "getDeclarationNouveauDalo",
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
    element: "nouveauxDaloDepuisLeParametres",
    answer: "nouveauxDaloDepuisLeReponse",
    parameters: [{ name: "dateNouveauDaloDepuisLe", type: "text" }, ...CERTIFICATE],
  },
];

export function operationNamed(name: OperationName): Operation {
  const found = OPERATIONS.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}
