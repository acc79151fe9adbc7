/**
 * Reads the interfaceNuu file of an answer: its numéro unique, its anomalies, its doublons. Lenient,
 * since editions differ (`CTRL_DEM_0033` has 13 characters where the 2017 schema takes 10): names
 * are matched without their namespace, and what is not known is passed over.
 *
 * Promise: costs time linear in the size of the file; no entity, no DOCTYPE; it never says "no
 * anomaly" of a document it could not read to its end.
 */
import { SaxesParser } from "saxes";
import type { SaxesTagPlain } from "saxes";
import { errorText, type ErrorCode } from "../../domain/errors.ts";
import type { Control } from "../../domain/outcome.ts";
import type { AnswerReading } from "../../forward/registry.ts";
import { walkPlainXml } from "../../wire/plain-xml.ts";
import { decodeXml } from "./decode-xml.ts";

export type AnswerFileReading =
  | { readonly kind: "read"; readonly reading: AnswerReading }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The documents an answer file may be, and where its numéro unique stands. */
export interface AnswerDocument {
  readonly roots: readonly string[];
  /** Parent of the `numUnique` that is the demande's own. */
  readonly numberIn: "demandeLogement" | "operation";
}

/** Answer about a demande (sne-contract: `listeDoublons` is a root of its own). */
export const DEMANDE_ANSWER: AnswerDocument = {
  roots: ["interfaceNuu", "listeDoublons"],
  numberIn: "demandeLogement",
};

const MAX_DEPTH = 200;
/** What is kept of a list: more would only repeat itself in an acquittement. */
const MAX_ITEMS = 1_000;
const MAX_TEXT = 2_000;

/** The code of an anomaly that carries none, and what it says when it has no message either. */
const NO_CODE = "SANS_CODE" satisfies ErrorCode;

class Refusal extends Error {}

export function readAnswerFile(
  bytes: Uint8Array,
  document: AnswerDocument = DEMANDE_ANSWER,
): AnswerFileReading {
  const plain = readPlainAnswer(bytes, document);
  if (plain !== undefined) return { kind: "read", reading: plain };
  const collector = makeCollector(document);
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("error", (error) => {
    throw new Refusal(`XML incorrect (${error.message})`);
  });
  parser.on("doctype", () => {
    throw new Refusal("déclaration DOCTYPE");
  });
  parser.on("opentag", collector.open);
  parser.on("closetag", collector.close);
  parser.on("text", collector.text);
  parser.on("cdata", collector.text);
  try {
    parser.write(decodeXml(bytes)).close();
  } catch (error) {
    if (error instanceof Refusal) return { kind: "unreadable", reason: error.message };
    throw error;
  }
  return { kind: "read", reading: collector.reading() };
}

/**
 * An answer with neither anomaly nor doublon, in plain XML, as nearly all are: read without saxes,
 * several times faster. Undefined when it is anything else.
 */
function readPlainAnswer(
  bytes: Uint8Array,
  { roots, numberIn }: AnswerDocument,
): AnswerReading | undefined {
  const path: string[] = [];
  let numUnique: string | undefined;
  const isWalked = walkPlainXml(bytes, {
    open: (qualified, colon) => {
      const name = colon < 0 ? qualified : qualified.slice(colon + 1);
      if (path.length === 0 && !roots.includes(name)) return false;
      path.push(name);
      return name !== "anomalie" && name !== "doublon";
    },
    close: (text) => {
      const isNumber = path.pop() === "numUnique" && path.at(-1) === numberIn;
      if (!isNumber) return true;
      const value = text?.trim();
      // Line ends inside a value are the parser's to normalise.
      if (value === undefined || value.includes("\r")) return false;
      // A copy: a slice would keep the whole answer in memory as long as the flux lives.
      if (value !== "") numUnique ??= Buffer.from(value).toString();
      return true;
    },
  });
  if (!isWalked) return undefined;
  return { ...(numUnique === undefined ? {} : { numUnique }), controls: [], doublons: [] };
}

function makeCollector({ roots, numberIn }: AnswerDocument) {
  const path: string[] = [];
  const controls: Control[] = [];
  const doublons: string[] = [];
  let numUnique: string | undefined;
  let anomaly: { code: string; field?: string; complements: [string, string][]; message: string };
  let complementName = "";
  /** The text of the element wanted, undefined inside any other. */
  let text: string | undefined;

  return {
    open: (tag: SaxesTagPlain): void => {
      const name = localName(tag.name);
      const parent = path.at(-1);
      if (parent === undefined && !roots.includes(name)) {
        throw new Refusal(`racine « ${clip(name, 60)} » au lieu de « ${roots.join(" » ou « ")} »`);
      }
      path.push(name);
      if (path.length > MAX_DEPTH) throw new Refusal("trop de niveaux d'éléments");
      text = undefined;
      if (isAnomaly(path)) {
        const field = attributeOf(tag, "propriete");
        anomaly = {
          code: attributeOf(tag, "code") ?? NO_CODE,
          ...(field === undefined ? {} : { field }),
          complements: [],
          message: "",
        };
      } else if (isAnomaly(path, 1)) {
        if (name === "complement") complementName = attributeOf(tag, "nom") ?? "";
        text = "";
      } else if (name === "numUnique" && (parent === numberIn || parent === "doublon")) {
        text = "";
      }
    },
    text: (piece: string): void => {
      if (text !== undefined && text.length < MAX_TEXT) text += piece;
    },
    close: (): void => {
      const name = path.at(-1);
      const parent = path.at(-2);
      const value = clip((text ?? "").trim(), MAX_TEXT);
      if (isAnomaly(path)) {
        if (controls.length < MAX_ITEMS) controls.push(controlOf(anomaly));
      } else if (text === undefined) {
        // Not an element whose text is wanted.
      } else if (isAnomaly(path, 1)) {
        if (name === "complement" && anomaly.complements.length < MAX_ITEMS) {
          anomaly.complements.push([complementName, value]);
        } else if (name === "message") {
          anomaly.message = value;
        }
      } else if (parent === "doublon") {
        if (value !== "" && doublons.length < MAX_ITEMS) doublons.push(value);
      } else if (value !== "") {
        numUnique ??= value;
      }
      text = undefined;
      path.pop();
    },
    reading: (): AnswerReading => ({
      ...(numUnique === undefined ? {} : { numUnique }),
      controls,
      doublons,
    }),
  };
}

/** True when the path, without its last `below` names, ends with an anomaly. */
function isAnomaly(path: readonly string[], below = 0): boolean {
  const list = path.at(-2 - below);
  return (
    path.at(-1 - below) === "anomalie" && (list === "listeAnomalie" || list === "listeAnomalies")
  );
}

function controlOf(anomaly: {
  code: string;
  field?: string;
  complements: [string, string][];
  message: string;
}): Control {
  const isBare = anomaly.code === NO_CODE && anomaly.message === "";
  return {
    code: anomaly.code,
    message: isBare ? errorText(NO_CODE) : anomaly.message,
    ...(anomaly.field === undefined ? {} : { field: anomaly.field }),
    ...(anomaly.complements.length === 0
      ? {}
      : // fromEntries makes own properties, whatever the names.
        { complements: Object.fromEntries(anomaly.complements) }),
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function attributeOf(tag: SaxesTagPlain, wanted: string): string | undefined {
  for (const [name, value] of Object.entries(tag.attributes)) {
    if (localName(name) === wanted && value.trim() !== "") return clip(value.trim(), 200);
  }
  return undefined;
}

function clip(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max);
}
