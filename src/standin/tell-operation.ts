/**
 * Tells which operation a call is for: by the element of its Body where that decides, by its SOAP
 * action for the six operations on events, which share one element. Never guessed, unless the
 * stand-in is told to behave as Apache CXF was seen to (setting `actionMissing`).
 */
import { readContentType, readParameters } from "../wire/content-type.ts";
import { OPERATIONS, SERVICE, type Operation, type ServiceName } from "./operations-table.ts";

/**
 * What becomes of a call that no action tells. `first`: the first operation of the WSDL runs, with a
 * 200, as Apache CXF 4.1 does (seen; it does not look at a SOAPAction header either). That the SNE
 * is served by CXF is inferred.
 */
export type ActionMissing = "fault" | "first";

/** Where a call may say its action. */
export interface ActionPlaces {
  /** Parameters of the outer Content-Type. */
  readonly outer: ReadonlyMap<string, string>;
  /** Content-Type of the root part; the outer one when there is no package. */
  readonly rootType: string | undefined;
  /** The SOAPAction header of SOAP 1.1 stacks. */
  readonly soapAction: string | undefined;
}

/** The actions a call carries, as they were written; empty ones say nothing. */
export function actionsOf(places: ActionPlaces, readHeader: boolean): readonly string[] {
  const startInfo = places.outer.get("start-info") ?? "";
  const semicolon = startInfo.indexOf(";");
  const said = [
    places.outer.get("action"),
    semicolon < 0 ? undefined : readParameters(startInfo.slice(semicolon)).get("action"),
    readContentType(places.rootType)?.parameters.get("action"),
    readHeader ? places.soapAction : undefined,
  ];
  return said
    .map((action) => (action ?? "").trim().replace(/^"(.*)"$/s, "$1"))
    .filter((action) => action !== "");
}

export type ToldOperation =
  | { readonly kind: "told"; readonly operation: Operation }
  | { readonly kind: "unknown"; readonly text: string };

export function tellOperation(of: {
  readonly service: ServiceName;
  readonly namespace: string;
  readonly element: string;
  readonly places: ActionPlaces;
  readonly actionMissing: ActionMissing;
}): ToldOperation {
  const candidates = OPERATIONS.filter(
    ({ service, element }) =>
      service === of.service && element === of.element && of.namespace === SERVICE,
  );
  const [first, ...others] = candidates;
  if (first === undefined) {
    return unknown(`Opération inconnue de ${of.service} : {${of.namespace}}${of.element}`);
  }
  if (others.length === 0) return { kind: "told", operation: first };
  const actions = new Set(
    actionsOf(of.places, of.actionMissing === "fault").map((action) =>
      action.startsWith(SERVICE) ? action.slice(SERVICE.length) : action,
    ),
  );
  const [action, ...contrary] = actions;
  if (action === undefined) {
    return of.actionMissing === "first"
      ? { kind: "told", operation: first }
      : unknown(
          `Action SOAP absente : l'élément ${of.element} est celui de ` +
            `${candidates.length} opérations, que seule l'action distingue.`,
        );
  }
  if (contrary.length > 0) {
    return unknown(`Actions SOAP contraires : ${[...actions].join(", ").slice(0, 200)}`);
  }
  const operation = candidates.find(({ name }) => name === action);
  return operation === undefined
    ? unknown(`Action SOAP inconnue : ${action.slice(0, 200)}`)
    : { kind: "told", operation };
}

function unknown(text: string): ToldOperation {
  return { kind: "unknown", text };
}
