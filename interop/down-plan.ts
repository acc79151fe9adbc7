/**
 * What a client of the SNE meets at the gateway while the SNE is down: what it writes is kept, and told
 * « différé » with the identifier to follow; what it reads is refused at once. In words each toolkit
 * can read.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemande } from "../src/standin/sample-demandes.ts";
import { makeEventFile } from "../src/standin/sample-operation-files.ts";
import { faultTells } from "./checks.ts";
import type { ExpectedCall } from "./face.ts";

/** With the identifier of a flux, a ULID: all that a client needs to follow it. */
const DEFERRED = /Différé.*\b[0-9A-HJKMNP-TV-Z]{26}\b/;
const UNREACHABLE = /SNE.*(injoignable|joint|suspendu)/;

export function downPlan(
  folder: string,
  run: number,
  guichet: string,
): Promise<readonly ExpectedCall[]> {
  const put = (name: string, bytes: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return `@${path}`;
  };
  const nomCertificat = `CER${guichet}-202601150930.pem`;
  const certificat = put("certificat", Buffer.alloc(0));
  const creation = makeDemande({ typeFichier: "CRE", guichet, refInterne: `B${run}`, seed: 2 });
  const numUnique = `999012600${String(run % 10_000).padStart(4, "0")}75A01`;
  const evenements = [{ codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-14" }];
  const event = makeEventFile({ guichet, numUnique, evenements });
  return Promise.resolve([
    {
      operation: "getNumUnique",
      parameters: {
        nomFichierDemande: `DEM${guichet}-202601150930-${String(run % 1_000_000).padStart(6, "0")}.xml`,
        fichierDemande: put("creation.xml", creation),
        nomCertificat,
        certificat,
      },
      expects: "fault",
      check: faultTells(DEFERRED),
    },
    {
      operation: "ajouterEvenementDemande",
      parameters: { nomFichier: "EVT.xml", fichierXml: put("evenement.xml", event), nomCertificat },
      expects: "fault",
      check: faultTells(DEFERRED),
    },
    {
      operation: "getDemandeLogement",
      parameters: { numUnique, nomCertificat, certificat },
      expects: "fault",
      check: faultTells(UNREACHABLE),
    },
  ]);
}
