/**
 * The thirteen operations of the SNE's three published services (WSDLs of May 2017), by what they do
 * to a flux: five take a file and have an effect, and go through the outbox; eight read, and do not.
 *
 * Only names stand here; what each takes and gives back is `wire/sne-contract.ts`.
 */

/** Operations that may have an effect on the SNE: kept first, then forwarded, once each. */
export const WRITE_OPERATIONS = [
  "getNumUnique",
  "getDeclarationNouveauDalo",
  "ajouterEvenementDemande",
  "modifierEvenementDemande",
  "supprimerEvenementDemande",
] as const;
export type WriteOperation = (typeof WRITE_OPERATIONS)[number];

/** Operations that only read: passed through, and free to be asked again. */
export const READ_OPERATIONS = [
  "getDemandeLogement",
  "getDoublons",
  "getDemandesRadieesDepuisLe",
  "getNouveauxDaloDepuisLe",
  "rechercheDemandeMulticritere",
  "listerTypesEvenementsNationaux",
  "listerTypesEvenementsTerritoriaux",
  "listerEvenementsDemande",
] as const;
export type ReadOperation = (typeof READ_OPERATIONS)[number];

export type SneOperation = WriteOperation | ReadOperation;

/** What a flux is sent by when nothing says otherwise: every typeFichier travels by it (inferred). */
export const DEFAULT_OPERATION: WriteOperation = "getNumUnique";

/**
 * The call a client of the SNE made, where it says more than its file does. Kept with the flux, so
 * that what reaches the SNE is what its sender asked.
 */
export interface SneCall {
  readonly operation: WriteOperation;
  /** nomCertificat, as given; absent: the gateway's own. */
  readonly certificateName?: string;
  /** certificat, base64; absent: the gateway's own. Often empty, as libsne sends it. */
  readonly certificate?: string;
  /** complet of getNumUnique, as given. */
  readonly complet?: string;
}

/** Which of the documents rooted in interfaceNuu a writing operation carries. */
export type FileDocument = "demande" | "evenements";

export function documentOf(call: SneCall | undefined): FileDocument {
  return call?.operation.endsWith("EvenementDemande") === true ? "evenements" : "demande";
}

export function isWriteOperation(name: string): name is WriteOperation {
  return WRITE_OPERATIONS.some((operation) => operation === name);
}
