/**
 * Writes the files of the stand-in's answers: the demande echoed with its number, its anomalies and
 * its doublons; a listeDoublons. Valid against `schemas/` when the demande was, and readable by
 * libsne: prefix of three characters, xmlns on the root, message first in an anomaly. Each opens
 * with a comment that says where it comes from.
 */
import { escapeXml } from "../wire/xml-text.ts";
import type { Anomaly } from "./standin-rules.ts";
import type { DemandeEcho } from "./standin-xml.ts";

export const NUU = "http://nuu.application.i2/";
/** Opens every file. "interfaceNuu" must not stand in it: libsne takes the first one for the root. */
export const ANSWER_HEAD = utf8(
  `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<!-- Ceci n'est pas le SNE : réponse d'un simulateur, sans aucune valeur. -->\n`,
);

export interface Doublon {
  readonly numUnique: string;
  /** Content of `<tns:doublon>` after numUnique. */
  readonly asDoublon: string;
}

export function writeAnswerFile(of: {
  readonly echo: DemandeEcho;
  readonly numUnique: string | undefined;
  readonly anomalies: readonly Anomaly[];
  readonly doublons: readonly Doublon[];
}): Uint8Array {
  const number =
    of.numUnique === undefined ? "" : `<tns:numUnique>${escapeXml(of.numUnique)}</tns:numUnique>`;
  const anomalies =
    of.anomalies.length === 0
      ? ""
      : `<tns:listeAnomalie>${of.anomalies.map(writeAnomaly).join("")}</tns:listeAnomalie>`;
  const { head, middle, tail } = of.echo;
  const added = anomalies + writeDoublons(of.doublons, "");
  return Buffer.concat([ANSWER_HEAD, head, utf8(number), middle, utf8(added), tail]);
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, "utf8");
}

/** A listeDoublons as a document; undefined when there is none to list: the schema wants one. */
export function writeDoublonsFile(doublons: readonly Doublon[]): Uint8Array | undefined {
  const written = writeDoublons(doublons, ` xmlns:tns="${NUU}"`);
  return written === "" ? undefined : Buffer.concat([ANSWER_HEAD, utf8(written)]);
}

function writeDoublons(doublons: readonly Doublon[], attributes: string): string {
  // An association has no shape in a listeDoublons.
  const shown = doublons.filter(({ asDoublon }) => asDoublon.length > 0);
  if (shown.length === 0) return "";
  const written = shown.map(
    ({ numUnique, asDoublon }) =>
      `<tns:doublon><tns:numUnique>${escapeXml(numUnique)}</tns:numUnique>` +
      `${asDoublon}</tns:doublon>`,
  );
  return `<tns:listeDoublons${attributes}>${written.join("")}</tns:listeDoublons>`;
}

function writeAnomaly(anomaly: Anomaly): string {
  const propriete =
    anomaly.propriete === undefined ? "" : ` propriete="${escapeXml(anomaly.propriete)}"`;
  return (
    `<tns:anomalie code="${escapeXml(anomaly.code)}"${propriete}>` +
    `<tns:message>${escapeXml(anomaly.message)}</tns:message></tns:anomalie>`
  );
}
