/**
 * The operations of the first service that carry a demande: getNumUnique and
 * getDeclarationNouveauDalo take effect, getDoublons only looks.
 */
import { writeAnswerFile, writeDoublonsFile, type Doublon } from "./answer-file.ts";
import { makeAttestation } from "./attestation-pdf.ts";
import type { DemandeBook } from "./demande-book.ts";
import type { Diary } from "./diary.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import { faulty, SERVER_ERROR, sha256Of, unreadableFile } from "./prepared-call.ts";
import type { Performed, Performing, PrepareCall } from "./prepared-call.ts";
import type { AnswerField } from "./soap-answer.ts";
import { hasAttestation, isCreation, judge, judgeDalo, withCodes } from "./standin-rules.ts";
import type { ReadDemande, StandinXml } from "./standin-xml.ts";
import type { CallFacts, Settings } from "./steering.ts";

interface DemandeFile {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly demande: ReadDemande;
}

type WriteName = "getNumUnique" | "getDeclarationNouveauDalo";

export function makeDemandeFileOperations(deps: {
  readonly book: DemandeBook;
  readonly ledger: EffectLedger;
  readonly diary: Diary;
  readonly xml: StandinXml;
}): PrepareCall {
  const { book, ledger, diary, xml } = deps;

  const doublonsOf = (numbers: readonly string[]): Doublon[] =>
    numbers.flatMap((numUnique) => {
      const entry = book.entry(numUnique);
      return entry === undefined ? [] : [entry];
    });

  const write = (operation: WriteName, file: DemandeFile, of: Performing): Performed => {
    const { demande, sha256 } = file;
    const { settings, call, at } = of;
    const isDalo = operation === "getDeclarationNouveauDalo";
    const judgement = (isDalo ? judgeDalo : judge)(demande, book, settings);
    const anomalies = [...of.added, ...withCodes(judgement.anomalies, settings.codes)];
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
      ledger.count({ sha256, operation, subject: demande, result: "refused", ...numbered, call });
      return { kind: "answer", outcome: "refused", fields: answerWith(answer), ...numbered };
    }
    diary.write({ result: "taken", operation, at, numUnique, file: file.bytes });
    if (isDalo) book.takeDalo(demande, numUnique, answer, at);
    else book.take(demande, numUnique, answer, at);
    ledger.count({ sha256, operation, subject: demande, result: "taken", numUnique, call });
    const attestation = isDalo ? [] : attestationFor(demande, numUnique, settings);
    return {
      kind: "answer",
      outcome: "taken",
      fields: [...answerWith(answer), ...attestation],
      numUnique,
    };
  };

  const searchDoublons = (file: DemandeFile): Performed => {
    const { demande } = file;
    // Confirmed (libsne): a known bug of the SNE, which an administrator should meet here first.
    if (demande.person === undefined) return faulty("Receiver", SERVER_ERROR);
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

  return (call) => {
    const { operation } = call;
    const isDalo = operation === "getDeclarationNouveauDalo";
    const bytes = call.file(isDalo ? "fichierDalo" : "fichierDemande") ?? new Uint8Array();
    const reading = xml.readDemande(bytes);
    if (reading.kind === "unreadable") return unreadableFile(reading.reason);
    const { demande } = reading;
    const sha256 = sha256Of(bytes);
    const name = call.text(isDalo ? "nomFichierDalo" : "nomFichierDemande") ?? "";
    const file: DemandeFile = { name, sha256, bytes, demande };
    const writeName: WriteName = isDalo ? "getDeclarationNouveauDalo" : "getNumUnique";
    const writes = operation !== "getDoublons";
    return {
      kind: "prepared",
      prepared: {
        facts: { operation, sha256, ...factsOf(demande) },
        file: { sha256, subject: demande },
        writes,
        perform: (of) => (writes ? write(writeName, file, of) : searchDoublons(file)),
      },
    };
  };
}

function factsOf(demande: ReadDemande): Omit<CallFacts, "operation"> {
  return {
    typeFichier: demande.typeFichier,
    guichet: demande.numGuichet,
    ...(demande.person === undefined ? {} : { nom: demande.person.nom }),
    ...(demande.association === undefined ? {} : { nom: demande.association }),
    ...(demande.refInterne === undefined ? {} : { refInterne: demande.refInterne }),
    ...(demande.numUnique === undefined ? {} : { numUnique: demande.numUnique }),
  };
}

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
