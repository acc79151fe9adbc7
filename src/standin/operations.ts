/**
 * What each of the six operations does: reads its file, judges it by the rules, takes its effect,
 * makes its answer. Knows nothing of HTTP nor of the orders given to the stand-in but the anomalies
 * they add.
 */
import { createHash } from "node:crypto";
import { writeAnswerFile, writeDoublonsFile, type Doublon } from "./answer-file.ts";
import { makeAttestation } from "./attestation-pdf.ts";
import type { DemandeBook } from "./demande-book.ts";
import type { Diary } from "./diary.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import type { OperationName } from "./operations-table.ts";
import type { AnswerField } from "./soap-answer.ts";
import type { FaultCode, SoapCall } from "./soap-request.ts";
import { hasAttestation, isCreation, judge, judgeDalo, type Anomaly } from "./standin-rules.ts";
import type { ReadDemande, StandinXml } from "./standin-xml.ts";
import type { CallFacts, Settings } from "./steering.ts";
import { writeZip } from "./zip-store.ts";

/** Confirmed (libsne): what the SNE says of a file it cannot read, and of more. */
export const SERVER_ERROR = "Une erreur inattendue est survenue lors du traitement de la demande.";

/** A call whose file was read. */
export interface PreparedCall {
  readonly call: SoapCall;
  readonly facts: CallFacts;
  readonly file?: {
    readonly name: string;
    readonly sha256: string;
    readonly bytes: Uint8Array;
    readonly demande: ReadDemande;
  };
}

export type Preparing =
  | { readonly kind: "prepared"; readonly prepared: PreparedCall }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly text: string };

export type Performed =
  | {
      readonly kind: "answer";
      readonly outcome: "taken" | "refused" | "read";
      readonly fields: readonly AnswerField[];
      /** The number the demande now goes by. */
      readonly numUnique?: string;
    }
  | { readonly kind: "fault"; readonly code: FaultCode; readonly text: string };

export interface Operations {
  prepare(call: SoapCall): Preparing;
  /** @param added - anomalies ordered for this call. @param at - ms since the epoch */
  perform(
    prepared: PreparedCall,
    added: readonly Anomaly[],
    settings: Settings,
    of: { readonly call: number; readonly at: number },
  ): Performed;
}

const FILE_PARAMETER: Partial<Record<OperationName, { name: string; file: string }>> = {
  getNumUnique: { name: "nomFichierDemande", file: "fichierDemande" },
  getDoublons: { name: "nomFichierDemande", file: "fichierDemande" },
  getDeclarationNouveauDalo: { name: "nomFichierDalo", file: "fichierDalo" },
};

export function makeOperations(deps: {
  readonly book: DemandeBook;
  readonly ledger: EffectLedger;
  readonly diary: Diary;
  readonly xml: StandinXml;
}): Operations {
  const { book, ledger, diary, xml } = deps;

  const doublonsOf = (numbers: readonly string[]): Doublon[] =>
    numbers.flatMap((numUnique) => {
      const entry = book.entry(numUnique);
      return entry === undefined ? [] : [entry];
    });

  const perform: Operations["perform"] = (prepared, added, settings, { call, at }) => {
    const { operation } = prepared.call;
    if (prepared.file === undefined) return read(prepared.call);
    if (operation === "getDoublons") return searchDoublons(prepared.file);
    return write(operation, prepared.file, added, settings, call, at);
  };

  const write = (
    operation: OperationName,
    file: NonNullable<PreparedCall["file"]>,
    added: readonly Anomaly[],
    settings: Settings,
    call: number,
    at: number,
  ): Performed => {
    const { demande, sha256 } = file;
    const isDalo = operation === "getDeclarationNouveauDalo";
    const judgement = (isDalo ? judgeDalo : judge)(demande, book, settings);
    const anomalies = [...added, ...judgement.anomalies];
    const creates = !isDalo && isCreation(demande.typeFichier);
    const known = creates ? undefined : (demande.numUnique ?? book.find(demande)?.numUnique);
    const names = isDalo
      ? { name: "nomFichierDalo", file: "fichierDalo" }
      : { name: "nomFichierDemande", file: "fichierDemande" };
    const answerWith = (bytes: Uint8Array): AnswerField[] => [
      { name: names.name, text: file.name },
      { name: names.file, file: bytes, contentType: "text/xml" },
    ];
    const numUnique = anomalies.length > 0 ? known : creates ? book.nextNumber(demande) : known;
    const answer = writeAnswerFile({
      echo: demande.echo,
      numUnique,
      anomalies,
      doublons: doublonsOf(judgement.doublons),
    });
    const numbered = numUnique === undefined ? {} : { numUnique };
    if (anomalies.length > 0 || numUnique === undefined) {
      diary.write({ result: "refused", operation, at, ...numbered, file: file.bytes });
      ledger.count({ sha256, operation, demande, result: "refused", ...numbered, call });
      return { kind: "answer", outcome: "refused", fields: answerWith(answer), ...numbered };
    }
    diary.write({ result: "taken", operation, at, numUnique, file: file.bytes });
    if (isDalo) book.takeDalo(demande, numUnique, answer, at);
    else book.take(demande, numUnique, answer, at);
    ledger.count({ sha256, operation, demande, result: "taken", numUnique, call });
    const attestation = isDalo ? [] : attestationFor(demande, numUnique, settings);
    return {
      kind: "answer",
      outcome: "taken",
      fields: [...answerWith(answer), ...attestation],
      numUnique,
    };
  };

  const searchDoublons = (file: NonNullable<PreparedCall["file"]>): Performed => {
    const { demande } = file;
    // Confirmed (libsne): a known bug of the SNE, which an administrator should meet here first.
    if (demande.person === undefined) {
      return { kind: "fault", code: "Receiver", text: SERVER_ERROR };
    }
    const numbers = book.samePerson(demande).filter((number) => number !== demande.numUnique);
    const list = writeDoublonsFile(doublonsOf(numbers));
    if (list !== undefined) {
      return {
        kind: "answer",
        outcome: "read",
        fields: [
          { name: "nomFichierDoublons", text: `DBL-${file.name}` },
          { name: "listeDoublons", file: list, contentType: "text/xml" },
        ],
      };
    }
    // Inferred: nothing found gives the demande back as it came.
    const { echo, numUnique } = demande;
    const answer = writeAnswerFile({ echo, numUnique, anomalies: [], doublons: [] });
    return {
      kind: "answer",
      outcome: "read",
      fields: [
        { name: "nomFichierDemande", text: file.name },
        { name: "fichierDemande", file: answer, contentType: "text/xml" },
      ],
    };
  };

  const read = (call: SoapCall): Performed => {
    switch (call.operation) {
      case "getDemandesRadieesDepuisLe":
        return listSince(call, "dateRadiationDepuisLe", "RadieesDepuisLe");
      case "getNouveauxDaloDepuisLe":
        return listSince(call, "dateNouveauDaloDepuisLe", "NouveauxDalo");
      default:
        return readOne(call);
    }
  };

  const readOne = (call: SoapCall): Performed => {
    const numUnique = call.text("numUnique") ?? "";
    const file = book.file(numUnique);
    if (file === undefined) {
      const text = `Aucune demande ne porte le numéro unique ${numUnique.slice(0, 40)}.`;
      return { kind: "fault", code: "Sender", text };
    }
    if (file === "forgotten") return FORGOTTEN;
    return {
      kind: "answer",
      outcome: "read",
      fields: [
        { name: "nomFichierDemande", text: `DEM${numUnique}.xml` },
        { name: "fichierDemande", file, contentType: "text/xml" },
      ],
    };
  };

  const listSince = (call: SoapCall, parameter: string, what: string): Performed => {
    // Confirmed (libsne): both operations refuse a certificate name they do not like, in these words.
    const certificate = call.text("nomCertificat") ?? "";
    if (certificate === "") {
      const text = "Le nom du certificat associé [] n’est pas conforme.";
      return { kind: "fault", code: "Sender", text };
    }
    const since = Date.parse(call.text(parameter) ?? "");
    if (Number.isNaN(since)) {
      return {
        kind: "fault",
        code: "Sender",
        text: `${parameter} n'est pas une date (xs:dateTime).`,
      };
    }
    const radiated = call.operation === "getDemandesRadieesDepuisLe";
    const wanted = (filter: string, value: string | undefined): boolean => {
      const code = call.code(filter);
      return code === undefined || code === "" || code === value;
    };
    const files: { name: string; bytes: Uint8Array }[] = [];
    for (const { numUnique, radiation, dalo } of book.entries()) {
      const listed = radiated
        ? radiation !== undefined &&
          radiation.at >= since &&
          wanted("motifRadiation", radiation.motif) &&
          wanted("typeReservataire", radiation.typeReservataire) &&
          wanted("statutDalo", dalo?.statut)
        : dalo !== undefined && dalo.at >= since;
      if (!listed) continue;
      const bytes = book.file(numUnique);
      if (bytes === undefined || bytes === "forgotten") return FORGOTTEN;
      files.push({ name: `${numUnique}.xml`, bytes });
    }
    if (files.length === 0) return { kind: "answer", outcome: "read", fields: [] };
    const fields = radiated
      ? { name: "nomFichierDemandesRadiees", file: "fichierDemandesRadiees" }
      : { name: "nomFichierNouveauxDalo", file: "fichierNouveauxDalo" };
    return {
      kind: "answer",
      outcome: "read",
      fields: [
        { name: fields.name, text: `${what}.zip` },
        { name: fields.file, file: writeZip(files), contentType: "application/zip" },
      ],
    };
  };

  return {
    prepare: (call) => {
      const { operation } = call;
      const parameter = FILE_PARAMETER[operation];
      if (parameter === undefined) {
        const numUnique = call.text("numUnique");
        const facts = { operation, ...(numUnique === undefined ? {} : { numUnique }) };
        return { kind: "prepared", prepared: { call, facts } };
      }
      const bytes = call.file(parameter.file) ?? new Uint8Array();
      const reading = xml.readDemande(bytes);
      if (reading.kind === "unreadable") {
        const text = `${SERVER_ERROR} (simulateur : fichier illisible, ${reading.reason})`;
        return { kind: "fault", code: "Receiver", text };
      }
      const { demande } = reading;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const name = call.text(parameter.name) ?? "";
      return {
        kind: "prepared",
        prepared: {
          call,
          facts: {
            operation,
            sha256,
            typeFichier: demande.typeFichier,
            guichet: demande.numGuichet,
            ...(demande.person === undefined ? {} : { nom: demande.person.nom }),
            ...(demande.association === undefined ? {} : { nom: demande.association }),
            ...(demande.refInterne === undefined ? {} : { refInterne: demande.refInterne }),
            ...(demande.numUnique === undefined ? {} : { numUnique: demande.numUnique }),
          },
          file: { name, sha256, bytes, demande },
        },
      };
    },
    perform,
  };
}

const FORGOTTEN: Performed = {
  kind: "fault",
  code: "Receiver",
  text: "Le simulateur n'a plus le contenu de cette demande : il ne garde que les dernières.",
};

function attestationFor(
  demande: ReadDemande,
  numUnique: string,
  settings: Settings,
): readonly AnswerField[] {
  if (settings.attestation === "none" || !hasAttestation(demande.typeFichier)) return [];
  if (settings.attestation === "text") {
    const text = `Ceci n'est pas une attestation : simulateur, numéro ${numUnique}.\n`;
    return [
      { name: "nomAttestation", text: `ATT${numUnique}.txt` },
      { name: "attestation", file: Buffer.from(text, "utf8"), contentType: "text/plain" },
    ];
  }
  return [
    { name: "nomAttestation", text: `ATT${numUnique}.pdf` },
    { name: "attestation", file: makeAttestation(numUnique), contentType: "application/pdf" },
  ];
}
