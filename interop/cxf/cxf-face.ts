/** A target made by Apache CXF from WSDLs: client and server are then not both ours. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import {
  makeEventFile,
  makeEventTypesFile,
  makeSearchFile,
} from "../../src/standin/sample-operation-files.ts";
import { freePort } from "../../test/support/gateway-process.ts";
import { all, faultTells, fileHolds, fileIs, sha256, type Check } from "../checks.ts";
import { declareDalo } from "../declare-dalo.ts";
import type { ExpectedCall, Face } from "../face.ts";
import type { WsdlSet } from "../wsdl-set.ts";
import { cxfClasses, SHORT_LIVED } from "./cxf-toolkit.ts";

/** What SneTarget gives to every demande, and for an attestation. */
export const CXF_NUMBER = "999112600000175A01";
export const CXF_ATTESTATION = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));

const GUICHET = "75A01";
const SNE_SENTENCE = /Une erreur inattendue est survenue lors du traitement de la demande\./;
const SINCE = "2026-01-15T09:30:00+01:00";

/** @throws Error when Java or the jars cannot be had, or when it does not start */
export async function startCxfFace(set: WsdlSet): Promise<Face> {
  const classPath = await cxfClasses(set);
  const port = await freePort();
  const child = spawn(
    "java",
    [...SHORT_LIVED, "-cp", classPath, "interop.SneTarget", String(port)],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  const exited = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    const hear = (piece: Buffer): void => {
      said += piece.toString();
      if (said.includes("ready")) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    void exited.then(() => reject(new Error(`the CXF target did not start:\n${said}`)));
  });
  const services = `http://127.0.0.1:${port}/services`;
  return {
    name: "CXF target",
    alwaysMtom: true,
    // Made from the originals where they are at hand: clients of ours against it is what is to prove.
    sets: ["ours"],
    urls: {
      demandeLogement: `${services}/DemandeLogementImplService`,
      rechercheDemande: `${services}/RechercheDemandeImplService`,
      gestionPartageeEvt: `${services}/GestionPartageeEVTImplService`,
    },
    plan: (folder, run) => Promise.resolve(cxfPlan(folder, run)),
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

/** Against the target itself, or against a gateway that has it behind. */
export function cxfPlan(folder: string, run: number): readonly ExpectedCall[] {
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return `@${path}`;
  };
  // Above CXF's 100 KB attachment-to-disk threshold for one, to see large files whole.
  const demandeOf = (more: object): Uint8Array =>
    makeDemande({
      ...{ typeFichier: "CRE", guichet: GUICHET, refInterne: `INTEROP-${run}` },
      ...{ prefix: "tns", seed: 2 },
      ...more,
    });
  // Above the 100 KB from which CXF keeps a part on disk.
  const demande = demandeOf({ padToBytes: 150_000 });
  const dalo = declareDalo(demandeOf({ typeFichier: "MOD", numUnique: CXF_NUMBER }));
  const certificate = {
    nomCertificat: "CER75A01-202601150930.pem",
    certificat: put("cer", Buffer.alloc(0)),
  };
  const named = { nomFichierDemande: `DEM75A01-202601150930-${String(run).padStart(6, "0")}.xml` };
  const told = (operation: string, file: Uint8Array): string => `${operation} ${sha256(file)}`;
  const answers = (
    operation: string,
    parameters: Readonly<Record<string, string>>,
    check: Check,
  ): ExpectedCall => ({ operation, parameters, expects: "answer", check });
  const ofFile = (operation: string, file: Uint8Array): ExpectedCall =>
    answers(
      operation,
      {
        nomFichier: `${operation}.xml`,
        fichierXml: put(`${operation}.xml`, file),
        nomCertificat: certificate.nomCertificat,
      },
      fileHolds("fichierXmlRetour", told(operation, file)),
    );
  const event = { guichet: GUICHET, numUnique: CXF_NUMBER };
  return [
    answers(
      "getNumUnique",
      { ...named, fichierDemande: put("demande.xml", demande), ...certificate, complet: "true" },
      all(
        fileHolds("fichierDemande", `<tns:numUnique>${CXF_NUMBER}`, `INTEROP-${run}`),
        fileIs("attestation", CXF_ATTESTATION),
      ),
    ),
    answers(
      "getDemandeLogement",
      { numUnique: CXF_NUMBER, ...certificate },
      fileHolds("fichierDemande", told("getDemandeLogement", Buffer.from(CXF_NUMBER))),
    ),
    answers(
      "getDoublons",
      { ...named, fichierDemande: put("doublons.xml", demande) },
      fileHolds("fichierDemande", told("getDoublons", demande)),
    ),
    answers(
      "getDeclarationNouveauDalo",
      { ...{ nomFichierDalo: "DALO.xml", fichierDalo: put("dalo.xml", dalo) }, ...certificate },
      fileHolds("fichierDalo", told("getDeclarationNouveauDalo", dalo), CXF_NUMBER),
    ),
    answers(
      "getDemandesRadieesDepuisLe",
      { dateRadiationDepuisLe: SINCE, motifRadiation: "RADATT", ...certificate },
      fileHolds("fichierDemandesRadiees", "getDemandesRadieesDepuisLe", "RADATT", "2026-01-15T"),
    ),
    answers(
      "getNouveauxDaloDepuisLe",
      { dateNouveauDaloDepuisLe: SINCE, ...certificate },
      fileHolds("fichierNouveauxDalo", "getNouveauxDaloDepuisLe", "2026-01-15T"),
    ),
    ofFile(
      "rechercheDemandeMulticritere",
      makeSearchFile({ guichet: GUICHET, criteres: { numUnique: CXF_NUMBER } }),
    ),
    ofFile("listerTypesEvenementsNationaux", makeEventTypesFile({ guichet: GUICHET })),
    ofFile(
      "listerTypesEvenementsTerritoriaux",
      makeEventTypesFile({ guichet: GUICHET, territoire: "075" }),
    ),
    ofFile("listerEvenementsDemande", makeEventFile({ ...event })),
    ofFile(
      "ajouterEvenementDemande",
      makeEventFile({ ...event, evenements: [{ commentaire: "à noter" }] }),
    ),
    ofFile(
      "modifierEvenementDemande",
      makeEventFile({ ...event, evenements: [{ idEvenement: "1" }] }),
    ),
    ofFile(
      "supprimerEvenementDemande",
      makeEventFile({ ...event, evenements: [{ idEvenement: "1" }] }),
    ),
    {
      operation: "getDoublons",
      parameters: { ...named, fichierDemande: put("panne.xml", demandeOf({ precision: "PANNE" })) },
      expects: "fault",
      check: faultTells(SNE_SENTENCE),
    },
    {
      operation: "listerEvenementsDemande",
      parameters: {
        nomFichier: "panne.xml",
        fichierXml: put(
          "panne-evt.xml",
          makeEventFile({ ...event, evenements: [{ commentaire: "PANNE" }] }),
        ),
        nomCertificat: certificate.nomCertificat,
      },
      expects: "fault",
      check: faultTells(SNE_SENTENCE),
    },
  ];
}
