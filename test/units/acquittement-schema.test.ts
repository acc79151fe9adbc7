/** The schema of our acquittement takes what we mean to send, and nothing that would mislead. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSchemaValidator } from "../../src/adapters/xml/schema-validator.ts";

const FLUX = `<flux>
  <identifiant>01KF0000000000000000000000</identifiant>
  <guichet>G1104</guichet>
  <typeFichier>CRE</typeFichier>
  <nomFichier>DEMG1104-202601150930-000012.xml</nomFichier>
  <refInterne>REF000000012</refInterne>
  <empreinteSha256>${"0123456789abcdef".repeat(4)}</empreinteSha256>
  <recuLe>2026-01-15T09:30:00.000+01:00</recuLe>
  <canal>mail</canal>
</flux>`;
const ACCEPTED = `<accepte><numUnique>0350126000012G1104</numUnique>
  <attestation nom="ATTG1104.pdf"/><prononceLe>2026-01-15T09:30:02Z</prononceLe>
  <par>SNE</par></accepte>`;
const CONTROL = (tag: string): string => `<${tag} code="CTRL_DEM_0033">
  <propriete>demandeur.dateNaissance</propriete><complement nom="valeur">x</complement>
  <message>La date de naissance est dans le futur.</message><ligne>42</ligne><colonne>7</colonne>
</${tag}>`;
const REFUSED = `<refuse><par>PASSERELLE</par><prononceLe>2026-01-15T09:30:02Z</prononceLe>
  ${CONTROL("controle")}<controle code="NOT_XML"><message>Illisible.</message></controle>
  <doublon><numUnique>0350126000012G1104</numUnique></doublon></refuse>`;
const ABANDONED = `<abandonne><prononceLe>2026-01-15T09:30:02Z</prononceLe>
  <motif>Envoyé par erreur.</motif></abandonne>`;

function acquittement(result: string, rest = "", flux = FLUX): Uint8Array {
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>
<acquittement xmlns="urn:passerelle-sne:acquittement:1" version="1">
${flux}<resultat>${result}</resultat>${rest}</acquittement>`,
  );
}

describe("the schema of the acquittement", function () {
  this.timeout(60_000);
  const validator = makeSchemaValidator({
    schemasDir: join(import.meta.dirname, "../../schemas"),
  });
  before(() => validator.start());
  after(() => validator.stop());

  for (const [name, file] of [
    ["an acceptance with its attestation", acquittement(ACCEPTED)],
    [
      "an acceptance by an operator, without attestation",
      acquittement(ACCEPTED.replace(/<attestation.*?\/>/, "").replace("SNE<", "EXPLOITANT<")),
    ],
    ["a refusal with its controls and doublons", acquittement(REFUSED)],
    ["a flux an operator gave up", acquittement(ABANDONED)],
    [
      "remarks, and the first time the file was received",
      acquittement(
        ACCEPTED,
        `${CONTROL("remarque")}${CONTROL("remarque")}<premierEnvoi>
         <recuLe>2026-01-14T18:00:00+01:00</recuLe><canal>file</canal></premierEnvoi>`,
      ),
    ],
    [
      "a file of which nothing could be read",
      acquittement(REFUSED, "", FLUX.replace(/<(typeFichier|nomFichier|refInterne)>.*\n/g, "")),
    ],
  ] as const) {
    it(`takes ${name}`, async () => {
      assert.deepEqual(await validator.checkDocument(file, "acquittement"), { kind: "valid" });
    });
  }

  for (const [name, file, rule, field] of [
    ["two results", acquittement(ACCEPTED + ABANDONED), "SCHEMA_UNEXPECTED", "resultat/abandonne"],
    ["no result", acquittement(""), "SCHEMA_MISSING", "resultat"],
    [
      "a refusal without a control",
      acquittement(REFUSED.replace(/<controle[\s\S]*<\/controle>/, "")),
      "SCHEMA_UNEXPECTED",
      "resultat/refuse/doublon",
    ],
    [
      "an acceptance pronounced by the gateway",
      acquittement(ACCEPTED.replace("SNE<", "PASSERELLE<")),
      "SCHEMA_VALUE",
      "resultat/accepte/par",
    ],
    [
      "an acceptance without a numéro unique",
      acquittement(ACCEPTED.replace(/<numUnique>.*<\/numUnique>/, "<numUnique/>")),
      "SCHEMA_LENGTH",
      "resultat/accepte/numUnique",
    ],
    [
      "a fingerprint that is not one",
      acquittement(ACCEPTED, "", FLUX.replace("0123456789abcdef", "XYZ")),
      "SCHEMA_PATTERN",
      "flux/empreinteSha256",
    ],
    [
      "a line numbered zero",
      acquittement(REFUSED.replace("<ligne>42", "<ligne>0")),
      "SCHEMA_TYPE",
      "resultat/refuse/controle/ligne",
    ],
    [
      "another version",
      Buffer.from(Buffer.from(acquittement(ACCEPTED)).toString().replace('"1">', '"2">')),
      "SCHEMA_VALUE",
      "@version",
    ],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const check = await validator.checkDocument(file, "acquittement");
      if (check.kind !== "invalid") assert.fail(JSON.stringify(check));
      assert.equal(check.findings[0]?.rule, rule, JSON.stringify(check.findings));
      assert.equal(check.findings[0].field, field);
    });
  }
});
