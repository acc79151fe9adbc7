/**
 * Where node-soap's `any` ends: its loose result, and the files taken out of the answer before it,
 * become a RegistryAnswer. What was asked must be there: an answer without its file, or a creation
 * without its number, is never a success.
 */
import { safeFileName } from "../../domain/file-name.ts";
import type { WriteCall, RegistryAnswer } from "../../forward/registry.ts";
import { bytesHoldErrorSentence, ERROR_SENTENCE } from "./error-sentence.ts";
import { readAnswerFile } from "./read-answer-file.ts";
import type { ExpectedElement } from "./soap-answer.ts";

export const SNE_NAMESPACE = "http://ws.metier.nuu.application.i2/";

/** `numUniqueReponse` of the published WSDL. */
export const NUM_UNIQUE_REPONSE: ExpectedElement = {
  namespace: SNE_NAMESPACE,
  name: "numUniqueReponse",
  texts: ["nomFichierDemande", "nomAttestation"],
  files: ["fichierDemande", "attestation"],
};

/** Kinds that create a demande: the answer must carry its number (creation, after a separation). */
const CREATIONS = ["CRE", "CRS"];

/** The arguments of getNumUnique, in the form node-soap writes from. */
export function numUniqueArguments(names: {
  readonly fileName: string;
  readonly fileInclude: string;
  readonly certificateName: string;
  readonly certificateInclude: string;
}): object {
  return {
    nomFichierDemande: names.fileName,
    fichierDemande: fileElement("text/xml", names.fileInclude),
    nomCertificat: names.certificateName,
    certificat: fileElement("application/x-x509-ca-cert", names.certificateInclude),
  };
}

function fileElement(contentType: string, include: string): object {
  return {
    // Declared on the spot: the prefix the WSDL gives this namespace is its own affair.
    attributes: { "xmlns:svc": SNE_NAMESPACE, "svc:contentType": contentType },
    $xml: include,
  };
}

/**
 * @param result - what node-soap made of the envelope
 * @param files - the files of the answer, by the text that stands for them in it
 */
export function numUniqueAnswer(
  result: unknown,
  files: ReadonlyMap<string, Uint8Array>,
  call: Omit<WriteCall, "signal">,
): RegistryAnswer {
  const bytes = fileIn(result, "fichierDemande", files);
  if (bytes === undefined) return unreadable("réponse sans fichierDemande");
  const file = readAnswerFile(bytes);
  if (file.kind === "unreadable") {
    if (bytesHoldErrorSentence(bytes))
      return { kind: "fault", who: "receiver", text: ERROR_SENTENCE };
    return unreadable(`fichierDemande illisible : ${file.reason}`);
  }
  const { reading } = file;
  const refused = reading.controls.length > 0 || reading.doublons.length > 0;
  if (CREATIONS.includes(call.kind)) {
    if (reading.numUnique === undefined && !refused) {
      return unreadable("création sans numéro unique ni anomalie");
    }
  } else if (speaksOfAnother(reading.numUnique, call.numUnique)) {
    // The number stays the same across changes and renewals (CCH R441-2-7).
    return unreadable("le numéro unique de la réponse n'est pas celui de la demande");
  }
  const attestation = fileIn(result, "attestation", files);
  return {
    kind: "answered",
    reading,
    answer: { name: safeFileName(textIn(result, "nomFichierDemande"), call.file.name), bytes },
    ...(attestation === undefined || attestation.length === 0
      ? {}
      : {
          attestation: {
            name: safeFileName(textIn(result, "nomAttestation"), "attestation"),
            bytes: attestation,
          },
        }),
  };
}

function unreadable(detail: string): RegistryAnswer {
  return { kind: "notRead", why: "unreadable", detail };
}

function speaksOfAnother(answered: string | undefined, asked: string | undefined): boolean {
  if (answered === undefined || asked === undefined) return false;
  return answered.toUpperCase() !== asked.trim().toUpperCase();
}

function fileIn(
  result: unknown,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  return files.get(textIn(result, name));
}

/** A child of node-soap's result as text; empty when it is absent or of another shape. */
function textIn(result: unknown, name: string): string {
  if (typeof result !== "object" || result === null || !Object.hasOwn(result, name)) return "";
  const value = (result as Record<string, unknown>)[name];
  return typeof value === "string" ? value : "";
}
