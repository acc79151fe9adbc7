/**
 * Reads the head that search and event files share (`entete`, then `operation`), and writes the
 * answer files in the same shape: prefix of three characters, a comment that says where it comes
 * from. An answer is valid against `schemas/` when what is echoed of the request was.
 */
import { ANSWER_HEAD, NUU } from "./answer-file.ts";
import type { AnswerField } from "./soap-answer.ts";
import type { SoapCall } from "./soap-request.ts";
import type { Anomaly } from "./standin-rules.ts";
import type { FileElement, FileReading } from "./standin-xml.ts";
import { makeXmlWriter, type XmlWriter } from "./xml-writer.ts";

export interface OperationFile {
  readonly typeFichier: string;
  readonly dateFichier: string;
  readonly codeGuichet: string;
  readonly operation?: FileElement;
  readonly root: FileElement;
}

export type OperationFileReading =
  | { readonly kind: "read"; readonly file: OperationFile }
  | { readonly kind: "unreadable"; readonly reason: string };

/** The head of a file; without it none can be answered. */
export function readOperationFile(reading: FileReading): OperationFileReading {
  if (reading.kind === "unreadable") return reading;
  const { root } = reading;
  const entete = childOf(root, "entete");
  const typeFichier = textIn(entete, "typeFichier");
  const dateFichier = textIn(entete, "dateFichier");
  const codeGuichet = textIn(entete, "codeGuichet");
  if (typeFichier === undefined || dateFichier === undefined || codeGuichet === undefined) {
    const reason = "entete/typeFichier, entete/dateFichier ou entete/codeGuichet absent";
    return { kind: "unreadable", reason };
  }
  const operation = childOf(root, "operation");
  return {
    kind: "read",
    file: {
      typeFichier,
      dateFichier,
      codeGuichet,
      root,
      ...(operation === undefined ? {} : { operation }),
    },
  };
}

export function childOf(element: FileElement | undefined, name: string): FileElement | undefined {
  return element?.children.find((child) => child.name === name);
}

export function childrenOf(element: FileElement | undefined, name: string): readonly FileElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The text of a child, without the spaces around it; undefined when absent or empty. */
export function textIn(element: FileElement | undefined, name: string): string | undefined {
  const text = childOf(element, name)?.text.trim();
  return text === "" ? undefined : text;
}

export interface OperationAnswer {
  /** The file answered. */
  readonly file: OperationFile;
  /** Writes what stands between the header and the anomalies. */
  readonly body: (xml: XmlWriter) => void;
  readonly anomalies: readonly Anomaly[];
}

/** The answer to a file: its header, then what the operation writes, then the anomalies. */
export function writeOperationFile(of: OperationAnswer): Uint8Array {
  const xml = makeXmlWriter({ prefix: "tns", eol: "\n" });
  xml.open("interfaceNuu", `xmlns:tns="${NUU}" versionInterface="02.00"`);
  xml.open("entete");
  xml.text("typeFichier", of.file.typeFichier);
  xml.text("dateFichier", of.file.dateFichier);
  xml.text("codeGuichet", of.file.codeGuichet);
  xml.close("entete");
  of.body(xml);
  if (of.anomalies.length > 0) {
    xml.open("listeAnomalies");
    for (const { code, message } of of.anomalies) {
      xml.openCoded("anomalie", code);
      xml.text("message", message.slice(0, 512));
      xml.close("anomalie");
    }
    xml.close("listeAnomalies");
  }
  xml.close("interfaceNuu");
  return Buffer.concat([ANSWER_HEAD, Buffer.from(xml.result(), "utf8")]);
}

/** The fields of the one answer element that the second and third services share. */
export function operationFields(call: SoapCall, of: OperationAnswer): readonly AnswerField[] {
  return [
    // Inferred: only that the answer names its file is known.
    { name: "nomFichierXmlRetour", text: `RET-${call.text("nomFichier") ?? ""}` },
    { name: "fichierXmlRetour", file: writeOperationFile(of), contentType: "text/xml" },
  ];
}
