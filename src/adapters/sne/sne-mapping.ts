/**
 * What a call gives the SNE, and what its answer comes to: from the words of the port to the values
 * of the contract, and back. What was asked must be there: an answer without its file, a creation
 * without its number, a file of another kind, is never a success.
 */
import { safeFileName } from "../../domain/file-name.ts";
import type {
  AnswerReading,
  ReadAnswer,
  ReadCall,
  RegistryAnswer,
  SneValue,
  WriteCall,
} from "../../forward/registry.ts";
import type { SneOperationShape, SneParameter } from "../../wire/sne-contract.ts";
import {
  bytesHoldErrorSentence,
  ERROR_SENTENCE,
  textHoldsErrorSentence,
} from "./error-sentence.ts";
import { DEMANDE_ANSWER, readAnswerFile } from "./read-answer-file.ts";
import type { AnswerDocument } from "./read-answer-file.ts";
import { rootOfXml } from "./root-of-xml.ts";

/** The gateway's own nomCertificat and certificat. */
export interface OwnCertificate {
  readonly name: string;
  /** An empty file, as libsne sends, when there is none. */
  readonly file: Uint8Array;
}

/** Kinds that create a demande: the answer must carry its number (creation, after a separation). */
const CREATIONS = ["CRE", "CRS"];

/** Answer about the events of a demande: the number is repeated in `operation`. */
const EVENTS_ANSWER: AnswerDocument = { roots: ["interfaceNuu"], numberIn: "operation" };

/** The parameters of a flux, in order; the caller's own certificate where it gave one. */
export function writeValues(
  shape: SneOperationShape,
  { call, file }: Pick<WriteCall, "call" | "file">,
  own: OwnCertificate,
): readonly SneValue[] {
  return shape.parameters.flatMap((parameter): readonly SneValue[] => {
    const { name, type } = parameter;
    if (name === "complet")
      return call?.complet === undefined ? [] : [{ name, text: call.complet }];
    if (name === "nomCertificat") return [{ name, text: call?.certificateName ?? own.name }];
    if (name === "certificat") return [certificate(name, call?.certificate, own)];
    if (type !== "file") return [{ name, text: file.name }];
    return [{ name, file: file.bytes, contentType: "text/xml" }];
  });
}

function certificate(name: string, given: string | undefined, own: OwnCertificate): SneValue {
  const bytes = given === undefined ? own.file : Buffer.from(given, "base64");
  return { name, file: bytes, contentType: "application/x-x509-ca-cert" };
}

/** The parameters of a question as given, in order; the gateway's own certificate where none is. */
export function readValues(
  shape: SneOperationShape,
  { parameters }: Pick<ReadCall, "parameters">,
  own: OwnCertificate,
): readonly SneValue[] {
  const takes = (name: string): boolean => shape.parameters.some((one) => one.name === name);
  const given = (name: string): boolean => parameters.some((one) => one.name === name);
  return [
    ...parameters,
    ...["nomCertificat", "certificat"]
      .filter((name) => takes(name) && !given(name))
      .map((name) =>
        name === "certificat" ? certificate(name, undefined, own) : { name, text: own.name },
      ),
  ];
}

/** @param values - what was there of the results, by name */
export function writeAnswer(
  shape: SneOperationShape,
  values: ReadonlyMap<string, SneValue>,
  call: Omit<WriteCall, "signal">,
): RegistryAnswer {
  const [nameOf, fileOf, attestationNameOf, attestationOf] = shape.results;
  const bytes = fileIn(values, fileOf);
  if (bytes === undefined) return unreadable(`réponse sans ${fileOf?.name ?? "fichier"}`);
  const isEvent = shape.service === "gestionPartageeEvt";
  const file = readAnswerFile(bytes, isEvent ? EVENTS_ANSWER : DEMANDE_ANSWER);
  if (file.kind === "unreadable") {
    if (bytesHoldErrorSentence(bytes)) return serverError();
    return unreadable(`${fileOf?.name ?? "fichier"} illisible : ${file.reason}`);
  }
  const { reading } = file;
  // A failure of the server that took the form of an anomaly is no verdict.
  if (reading.controls.some(({ message }) => textHoldsErrorSentence(message))) return serverError();
  const denied = deniedBy(reading, shape, call);
  if (denied !== undefined) return unreadable(denied);
  const attestation = fileIn(values, attestationOf);
  return {
    kind: "answered",
    reading,
    answer: { name: safeFileName(textIn(values, nameOf), call.file.name), bytes },
    ...(attestation === undefined || attestation.length === 0
      ? {}
      : {
          attestation: {
            name: safeFileName(textIn(values, attestationNameOf), "attestation"),
            bytes: attestation,
          },
        }),
  };
}

/** Why the answer cannot be the one about this flux; undefined when it can. */
function deniedBy(
  { numUnique, controls, doublons }: AnswerReading,
  shape: SneOperationShape,
  call: Omit<WriteCall, "signal">,
): string | undefined {
  if (shape.name === "getNumUnique" && CREATIONS.includes(call.kind)) {
    const isSettled = numUnique !== undefined || controls.length > 0 || doublons.length > 0;
    return isSettled ? undefined : "création sans numéro unique ni anomalie";
  }
  // The number stays the same across changes and renewals (CCH R441-2-7).
  return speaksOfAnother(numUnique, call.numUnique)
    ? "le numéro unique de la réponse n'est pas celui de la demande"
    : undefined;
}

function speaksOfAnother(answered: string | undefined, asked: string | undefined): boolean {
  if (answered === undefined || asked === undefined) return false;
  return answered.toUpperCase() !== asked.trim().toUpperCase();
}

/**
 * The results of a question, in the order of the contract: all that is required, each file of the
 * kind its operation gives. Files are not read beyond their root: they are the caller's.
 */
export function readAnswer(
  shape: SneOperationShape,
  values: ReadonlyMap<string, SneValue>,
): ReadAnswer {
  const results: SneValue[] = [];
  for (const result of shape.results) {
    const value = values.get(result.name);
    if (value === undefined) {
      if (result.optional !== true) return unreadable(`réponse sans ${result.name}`);
      continue;
    }
    if ("file" in value && (value.file.length > 0 || result.optional !== true)) {
      const denied = wrongFile(shape.name, result.name, value.file);
      if (denied !== undefined) return denied;
    }
    results.push(value);
  }
  return { kind: "read", results };
}

/** What is wrong with a file, by its root; undefined for a file that may be what was asked. */
function wrongFile(operation: string, name: string, bytes: Uint8Array): Failure | undefined {
  const root = rootOfXml(bytes);
  const isKnown =
    root === "interfaceNuu" || (root === "listeDoublons" && operation === "getDoublons");
  if (isKnown) return undefined;
  if (bytesHoldErrorSentence(bytes)) return serverError();
  // Nothing published says what the DepuisLe give (a ZIP? a list?): all but a page may be theirs.
  if (operation.endsWith("DepuisLe") && !isPage(bytes, root)) return undefined;
  const found = root === undefined ? "n'est pas du XML" : `a la racine « ${root.slice(0, 60)} »`;
  return unreadable(`${name} ${found}`);
}

/** True for what a server or a proxy shows to people, well-formed or not. */
function isPage(bytes: Uint8Array, root: string | undefined): boolean {
  const start = Buffer.from(bytes.subarray(0, 256)).toString("latin1").trimStart();
  return /^html$/i.test(root ?? "") || /^<(!doctype|html)/i.test(start);
}

type Failure = Exclude<RegistryAnswer, { kind: "answered" }>;

function unreadable(detail: string): Failure {
  return { kind: "notRead", why: "unreadable", detail };
}

function serverError(): Failure {
  return { kind: "fault", who: "receiver", text: ERROR_SENTENCE };
}

function fileIn(
  values: ReadonlyMap<string, SneValue>,
  result: SneParameter | undefined,
): Uint8Array | undefined {
  const value = values.get(result?.name ?? "");
  return value !== undefined && "file" in value ? value.file : undefined;
}

function textIn(values: ReadonlyMap<string, SneValue>, result: SneParameter | undefined): string {
  const value = values.get(result?.name ?? "");
  return value !== undefined && "text" in value ? value.text : "";
}
