/**
 * The thirteen operations on a stand-in, as one landlord goes through them: a creation, what is known
 * of it, a radiation, a DALO, a search, an event from its addition to its removal; then faults.
 *
 * What must exist before is put there by our own client; every run has people and references of its
 * own, since the stand-in knows doublons.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WriteOperation } from "../src/domain/sne-operation.ts";
import { makeAttestation } from "../src/standin/attestation-pdf.ts";
import { makeDemande } from "../src/standin/sample-demandes.ts";
import {
  makeEventFile,
  makeEventTypesFile,
  makeSearchFile,
} from "../src/standin/sample-operation-files.ts";
import { makeSneClient } from "../test/support/sne-client.ts";
import { all, faultTells, fileBegins, fileHolds, type Check } from "./checks.ts";
import { fileOf } from "./call-lines.ts";
import { declareDalo } from "./declare-dalo.ts";
import type { ExpectedCall } from "./face.ts";

/** Of the stand-in's list, all invented (src/standin/event-types.ts). */
const EVENT = { codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-14" };
/** A sample without Corsican communes: libsne refuses their letters. */
const SEED = 2;
const TERRITORY = "999";
const SNE_SENTENCE = /Une erreur inattendue est survenue lors du traitement de la demande\./;

export interface PlanOptions {
  /** Address of its first service: what must exist before goes there straight. */
  readonly standinUrl: string;
  /** For our own client, to put there what must exist before. */
  readonly tls?: NonNullable<Parameters<typeof makeSneClient>[1]>["tls"];
  readonly guichet: string;
  readonly folder: string;
  readonly run: number;
  /** What a caller reads when its file is no XML; the SNE's own sentence unless told. */
  readonly unreadable?: RegExp;
}

export async function standinPlan(options: PlanOptions): Promise<readonly ExpectedCall[]> {
  const { folder, run, guichet } = options;
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return `@${path}`;
  };
  // Letters only: a digit in a name is refused by some editions.
  const family = `INTEROP ${String(run).replace(/\d/g, (digit) => "ABCDEFGHIJ".charAt(Number(digit)))}`;
  const person = (prenom: string): { nom: string; prenom: string; dateNaissance: string } => ({
    ...{ nom: family, prenom, dateNaissance: "1980-05-17" },
  });
  const demande = (typeFichier: string, prenom: string, more: object = {}): Uint8Array =>
    makeDemande({ typeFichier, guichet, prefix: "tns", seed: SEED, ...person(prenom), ...more });
  const since = new Date(Date.now() - 2_000).toISOString();
  const known = await prime(options, demande);

  const certificate = {
    nomCertificat: `CER${guichet}-202601150930.pem`,
    certificat: put("certificat", Buffer.alloc(0)),
  };
  const nomFichierDemande = `DEM${guichet}-202601150930-${String(run % 1_000_000).padStart(6, "0")}.xml`;
  const answers = (
    operation: string,
    parameters: Readonly<Record<string, string>>,
    check: Check,
  ): ExpectedCall => ({ operation, parameters, expects: "answer", check });
  const ofFile = (operation: string, file: Uint8Array, ...texts: readonly string[]): ExpectedCall =>
    answers(
      operation,
      {
        nomFichier: `${operation}.xml`,
        fichierXml: put(`${operation}.xml`, file),
        nomCertificat: certificate.nomCertificat,
      },
      all(fileHolds("fichierXmlRetour", ...texts), noAnomaly("fichierXmlRetour")),
    );
  const event = { ...EVENT, commentaire: "Reçu à l'accueil" };

  return [
    answers(
      "getNumUnique",
      {
        nomFichierDemande,
        // Large enough to go through CXF's and our own large-part paths.
        fichierDemande: put(
          "creation.xml",
          demande("CRE", "Élodie", { padToBytes: 120_000, refInterne: `N${run}` }),
        ),
        ...certificate,
      },
      all(
        fileHolds("fichierDemande", "numUnique>", "Élodie"),
        noAnomaly("fichierDemande"),
        attestationOfItsNumber,
      ),
    ),
    answers(
      "getDemandeLogement",
      { numUnique: known.number, ...certificate },
      fileHolds("fichierDemande", known.number, "Sidonie"),
    ),
    answers(
      "getDoublons",
      {
        nomFichierDemande,
        fichierDemande: put("doublons.xml", demande("CRE", "Sidonie", { refInterne: `D${run}` })),
      },
      fileHolds("listeDoublons", "listeDoublons", known.number),
    ),
    answers(
      "getDeclarationNouveauDalo",
      {
        nomFichierDalo: nomFichierDemande,
        fichierDalo: put(
          "dalo.xml",
          declareDalo(demande("MOD", "Sidonie", { numUnique: known.number })),
        ),
        ...certificate,
      },
      all(fileHolds("fichierDalo", known.number), noAnomaly("fichierDalo")),
    ),
    answers(
      "getDemandesRadieesDepuisLe",
      { dateRadiationDepuisLe: since, motifRadiation: "RADATT", ...certificate },
      fileBegins("fichierDemandesRadiees", "PK", "<"),
    ),
    answers(
      "getNouveauxDaloDepuisLe",
      { dateNouveauDaloDepuisLe: since, ...certificate },
      fileBegins("fichierNouveauxDalo", "PK", "<"),
    ),
    ofFile(
      "rechercheDemandeMulticritere",
      makeSearchFile({ guichet, criteres: { numUnique: known.number } }),
      "listeDemandes",
      known.number,
    ),
    ofFile(
      "listerTypesEvenementsNationaux",
      makeEventTypesFile({ guichet }),
      EVENT.codeTypeEvenement,
    ),
    ofFile(
      "listerTypesEvenementsTerritoriaux",
      makeEventTypesFile({ guichet, territoire: TERRITORY }),
      `SIM${TERRITORY}A`,
    ),
    ofFile(
      "listerEvenementsDemande",
      makeEventFile({ guichet, numUnique: known.number }),
      `>${known.eventId}<`,
      "à changer",
    ),
    ofFile(
      "ajouterEvenementDemande",
      makeEventFile({ guichet, numUnique: known.number, evenements: [event] }),
      "idEvenement",
      "accueil",
    ),
    ofFile(
      "modifierEvenementDemande",
      makeEventFile({
        guichet,
        numUnique: known.number,
        evenements: [
          {
            ...event,
            idEvenement: known.eventId,
            commentaire: "changé",
          },
        ],
      }),
      `>${known.eventId}<`,
      "changé",
    ),
    ofFile(
      "supprimerEvenementDemande",
      makeEventFile({
        guichet,
        numUnique: known.number,
        evenements: [{ idEvenement: known.eventId }],
      }),
      "interfaceNuu",
    ),
    {
      operation: "getDoublons",
      // Confirmed (libsne): the SNE fails so on a legal person.
      parameters: {
        nomFichierDemande,
        fichierDemande: put("association.xml", demande("CRE", "", { association: true })),
      },
      expects: "fault",
      check: faultTells(SNE_SENTENCE),
    },
    {
      operation: "getNumUnique",
      unsendable: true,
      parameters: {
        nomFichierDemande,
        fichierDemande: put("illisible.xml", Buffer.from("<illisible>")),
        ...certificate,
      },
      expects: "fault",
      check: faultTells(options.unreadable ?? SNE_SENTENCE),
    },
  ];
}

/** A demande with a number, and another declared DALO, then radiated; an event of the first. */
async function prime(
  { standinUrl, tls, guichet, run }: PlanOptions,
  demande: (typeFichier: string, prenom: string, more?: object) => Uint8Array,
): Promise<{ readonly number: string; readonly eventId: string }> {
  const registry = await makeSneClient(standinUrl, tls === undefined ? {} : { tls });
  const send = async (
    kind: string,
    bytes: Uint8Array,
    operation: WriteOperation = "getNumUnique",
  ): Promise<{ readonly text: string; readonly number: string }> => {
    const answer = await registry.write({
      call: { operation },
      file: { name: `DEM${guichet}-202601150930-000000.xml`, bytes },
      kind,
      signal: AbortSignal.timeout(20_000),
    });
    if (answer.kind !== "answered" || answer.reading.controls.length > 0) {
      throw new Error(`${kind} before the run: ${JSON.stringify(answer).slice(0, 600)}`);
    }
    const text = Buffer.from(answer.answer.bytes).toString("utf8");
    return { text, number: answer.reading.numUnique ?? "" };
  };
  try {
    const { number } = await send("CRE", demande("CRE", "Sidonie", { refInterne: `P${run}` }));
    const left = await send("CRE", demande("CRE", "Basile", { refInterne: `R${run}` }));
    await send(
      "MOD",
      declareDalo(demande("MOD", "Basile", { numUnique: left.number })),
      "getDeclarationNouveauDalo",
    );
    await send(
      "RAD",
      demande("RAD", "Basile", { numUnique: left.number, motifRadiation: "RADATT" }),
    );
    const event = { ...EVENT, commentaire: "à changer" };
    const added = await send(
      "EVT",
      makeEventFile({ guichet, numUnique: number, evenements: [event] }),
      "ajouterEvenementDemande",
    );
    const eventId = /idEvenement>(\d+)</.exec(added.text)?.[1];
    if (eventId === undefined) throw new Error(`no idEvenement in ${added.text.slice(0, 400)}`);
    return { number, eventId };
  } finally {
    await registry.stop();
  }
}

function noAnomaly(name: string): Check {
  return (report) => {
    const text = fileOf(report, name)?.toString("utf8") ?? "";
    const anomaly = /<[^<]*anomalie [\s\S]{0,300}/.exec(text)?.[0];
    return anomaly === undefined ? undefined : `${name} carries ${anomaly}`;
  };
}

/** The attestation is the one of the number in the answer, byte for byte: it is binary. */
const attestationOfItsNumber: Check = (report) => {
  const file = fileOf(report, "fichierDemande")?.toString("utf8") ?? "";
  const number = /numUnique>([^<]+)</.exec(file)?.[1] ?? "";
  const attestation = fileOf(report, "attestation");
  if (attestation === undefined) return "no attestation in the answer";
  return attestation.equals(makeAttestation(number))
    ? undefined
    : `attestation is not that of ${number}: ${attestation.length} bytes`;
};
