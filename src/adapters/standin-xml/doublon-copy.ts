/**
 * Copies from a demande what a `listeDoublons/doublon` shows of it: identity, addresses,
 * co-applicants, places wanted. Element names and order are those of `schemas/liste-doublons.xsd`;
 * the attribute `modifie`, which that schema does not know, is left behind.
 */
import type { DoublonBox } from "./demande-places.ts";
import { escapeText, escapeValue } from "./echo-writer.ts";

export interface DoublonCopy {
  openWrapper(box: DoublonBox, name: string): void;
  closeWrapper(box: DoublonBox, name: string): void;
  leaf(box: DoublonBox, name: string, text: string, code: string | undefined): void;
  /** All that follows numUnique in a `doublon`. */
  result(): string;
}

export function makeDoublonCopy(): DoublonCopy {
  const boxes: Record<DoublonBox, string> = {
    identity: "",
    postal: "",
    home: "",
    coApplicants: "",
    places: "",
  };
  return {
    openWrapper: (box, name) => (boxes[box] += `<tns:${name}>`),
    closeWrapper: (box, name) => (boxes[box] += `</tns:${name}>`),
    leaf: (box, name, text, code) => {
      boxes[box] +=
        code === undefined
          ? `<tns:${name}>${escapeText(text)}</tns:${name}>`
          : `<tns:${name} code="${escapeValue(code)}"/>`;
    },
    result: () => {
      const home = boxes.home === "" ? "" : element("adresseLogement", boxes.home);
      const places =
        boxes.places === ""
          ? "<tns:localisationSouhaitee><tns:commune/></tns:localisationSouhaitee>"
          : boxes.places;
      return (
        element("demandeur", boxes.identity + element("adressePostale", boxes.postal) + home) +
        (boxes.coApplicants === "" ? "" : element("listeCotitulaire", boxes.coApplicants)) +
        element("listeLocalisationSouhaitee", places)
      );
    },
  };
}

function element(name: string, content: string): string {
  return `<tns:${name}>${content}</tns:${name}>`;
}
