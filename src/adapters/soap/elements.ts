/** Small pieces of our own answers and faults: a text, a time, a control; what is not known is left out. */
import type { Control } from "../../domain/outcome.ts";
import type { SoapResult } from "./soap-message.ts";

/** One element, none when there is nothing to say. */
export function element(
  name: string,
  value: string | number | boolean | undefined,
): readonly SoapResult[] {
  return value === undefined ? [] : [{ name, text: String(value) }];
}

/** @param at - ms since the epoch */
export function instant(name: string, at: number | undefined): readonly SoapResult[] {
  return element(name, at === undefined ? undefined : new Date(at).toISOString());
}

/** `Controle` of `wsdl/passerelle.wsdl`. */
export function controlElement(name: string, control: Control): SoapResult {
  return {
    name,
    children: [
      ...element("code", control.code),
      ...element("message", control.message),
      ...element("champ", control.field),
      ...element("ligne", control.line),
      ...element("colonne", control.column),
      ...Object.entries(control.complements ?? {}).map(([nom, valeur]) => ({
        name: "complement",
        children: [...element("nom", nom), ...element("valeur", valeur)],
      })),
    ],
  };
}
