/**
 * What each operation of our own service takes and is called: the one table its endpoint follows. A
 * contract test holds it equal to `wsdl/passerelle.wsdl`.
 */
import type { ParameterShape } from "../read-parameters.ts";

/** Namespace of the service; its wrapper elements are in it, their children in none. */
export const SERVICE_NAMESPACE = "urn:passerelle-sne:service:1";

/** The element of every fault. */
export const FAULT_ELEMENT = "erreurPasserelle";

export type ServiceOperationName =
  | "deposerFlux"
  | "suivreFlux"
  | "listerFluxDepuis"
  | "retirerAcquittement"
  | "confirmerAcquittement"
  | "deposerBordereau";

export interface ServiceOperation {
  readonly name: ServiceOperationName;
  readonly namespace: string;
  /** Local name of the request's wrapper element. */
  readonly element: string;
  readonly action: string;
  readonly answer: string;
  readonly parameters: readonly ParameterShape[];
}

const text = (name: string): ParameterShape => ({ name, type: "text" });
const maybe = (parameter: ParameterShape): ParameterShape => ({ ...parameter, optional: true });
const several = (parameter: ParameterShape): ParameterShape => ({ ...parameter, repeated: true });

function operation(
  name: ServiceOperationName,
  parameters: readonly ParameterShape[],
): ServiceOperation {
  return {
    name,
    namespace: SERVICE_NAMESPACE,
    element: name,
    action: `${SERVICE_NAMESPACE}:${name}`,
    answer: `${name}Reponse`,
    parameters,
  };
}

export const SERVICE_OPERATIONS: readonly ServiceOperation[] = [
  operation("deposerFlux", [
    text("nomFichier"),
    { name: "fichier", type: "file" },
    maybe(text("cleIdempotence")),
  ]),
  operation("suivreFlux", [text("identifiant")]),
  operation("listerFluxDepuis", [
    maybe({ name: "depuis", type: "dateTime" }),
    maybe(several(text("etat"))),
    maybe(text("curseur")),
    maybe(text("limite")),
  ]),
  operation("retirerAcquittement", [text("identifiant")]),
  operation("confirmerAcquittement", [text("identifiant")]),
  operation("deposerBordereau", [maybe(text("nomBordereau")), several(text("nomFichier"))]),
];
