/**
 * Says which operation of a service a request calls: by its element where that is the operation's
 * own, by the SOAP action where several share one (the seven operations on files of the SNE).
 *
 * Promise: never guessed. Apache CXF runs the first operation when the action is missing or unknown;
 * here an action that does not decide, or two places that disagree, is a fault that says so, since
 * the next operation in the list may be a deletion.
 */
import { senderFault } from "./read-soap-request.ts";
import type { SoapFault, SoapRequest } from "./soap-message.ts";

export interface OperationCandidate {
  readonly name: string;
  readonly namespace: string;
  /** Local name of the request's element. */
  readonly element: string;
  /** Its soapAction in the WSDL. */
  readonly action: string;
}

export type OperationMatch<C extends OperationCandidate> =
  | { readonly kind: "operation"; readonly operation: C }
  | { readonly kind: "fault"; readonly fault: SoapFault };

export function matchOperation<C extends OperationCandidate>(
  request: Pick<SoapRequest, "namespace" | "element" | "actions">,
  candidates: readonly C[],
): OperationMatch<C> {
  const sharing = candidates.filter(
    ({ namespace, element }) => namespace === request.namespace && element === request.element,
  );
  const [first] = sharing;
  if (first === undefined) return unknownElement(request, candidates);
  const said = request.actions.map(({ place, action }) => ({
    place,
    action,
    operation: candidates.find((candidate) => names(candidate, action)),
  }));
  const known = [...new Set(said.flatMap(({ operation }) => operation ?? []))];
  const undecided = (detail: string): OperationMatch<C> => {
    const expected = sharing.map(({ action }) => action).join(", ");
    return { kind: "fault", fault: senderFault("SOAP_ACTION_UNDECIDED", { detail, expected }) };
  };
  const places = said.map(({ place, action }) => `${place} : ${shown(action)}`).join(" ; ");
  if (sharing.length === 1) {
    // An odd action beside an element that tells is common, and harmless; another operation's is not.
    const other = known.find((operation) => operation !== first);
    return other === undefined
      ? { kind: "operation", operation: first }
      : undecided(`l'élément ${first.element} et l'action se contredisent (${places})`);
  }
  if (said.length === 0) {
    return undecided(`aucune n'est donnée, et plusieurs opérations ont l'élément ${first.element}`);
  }
  const [one, ...others] = known;
  if (one === undefined) return undecided(`elle est inconnue (${places})`);
  if (others.length > 0 || said.some(({ operation }) => operation === undefined)) {
    return undecided(`le message en donne plusieurs (${places})`);
  }
  return sharing.includes(one)
    ? { kind: "operation", operation: one }
    : undecided(`elle est celle d'un autre élément (${places})`);
}

/** The action of the WSDL, or the operation's name alone, as libsne writes on its root part. */
function names({ name, action }: OperationCandidate, said: string): boolean {
  return said === action || said === name;
}

function unknownElement(
  { namespace, element }: Pick<SoapRequest, "namespace" | "element">,
  candidates: readonly OperationCandidate[],
): { readonly kind: "fault"; readonly fault: SoapFault } {
  const qualified = (uri: string, name: string): string => `{${shown(uri)}}${shown(name)}`;
  const expected = [
    ...new Set(candidates.map((candidate) => qualified(candidate.namespace, candidate.element))),
  ].join(", ");
  const found = qualified(namespace, element);
  return { kind: "fault", fault: senderFault("SOAP_OPERATION_UNKNOWN", { found, expected }) };
}

/** What came from outside, short enough for a sentence. */
function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
