/**
 * Our writing of the SNE's contract lets through what the published one lets through, no more, no
 * less. The table of facts stands in `test/fixtures/contract-facts.json`; where the published files
 * are at hand the table itself is held to them.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import soap from "soap";
import { CONTRACT, factsOfFile } from "../../scripts/contract-facts.ts";

const ROOT = join(import.meta.dirname, "../..");
const PUBLISHED = join(ROOT, "../shared/sne-contract/originals");

/** Where ours says otherwise than the published contract, and why. None so far. */
const DEVIATIONS: Readonly<Record<string, { ours: string; published: string; why: string }[]>> = {};

const table = JSON.parse(
  readFileSync(join(ROOT, "test/fixtures/contract-facts.json"), "utf8"),
) as Record<string, string[]>;

describe("the published contract", () => {
  it("is described by the table, document by document", () => {
    assert.deepEqual(
      Object.keys(table),
      CONTRACT.map(({ document }) => document),
    );
    for (const [document, facts] of Object.entries(table)) {
      assert.ok(facts.length > 30, `${document} has only ${facts.length} facts`);
    }
  });

  for (const { document, published, ours } of CONTRACT) {
    it(`holds for our ${ours}`, () => {
      const expected = (table[document] ?? []).map(
        (fact) => DEVIATIONS[document]?.find((row) => row.published === fact)?.ours ?? fact,
      );
      assert.deepEqual(factsOfFile(join(ROOT, ours)), expected);
    });

    it(`is what the table says of ${published}`, function () {
      const file = join(PUBLISHED, published);
      if (!existsSync(file)) {
        process.stdout.write(
          `      not compared: ${published} is not at hand (../shared/sne-contract/originals); ` +
            "it comes with the source distribution of the Python package libsne 0.1.0a8\n",
        );
        this.skip();
      }
      assert.deepEqual(factsOfFile(file), table[document]);
    });
  }

  it("loads in node-soap, with its six operations and their fields in order", async () => {
    const client = await soap.createClientAsync(join(ROOT, "wsdl/DemandeLogement.wsdl"));
    const description = client.describe() as Record<string, Record<string, Record<string, Io>>>;
    const operations = description["DemandeLogementImplService"]?.["DemandeLogementImplPort"] ?? {};
    assert.deepEqual(Object.keys(operations), [
      "getNumUnique",
      "getDemandeLogement",
      "getDoublons",
      "getDeclarationNouveauDalo",
      "getDemandesRadieesDepuisLe",
      "getNouveauxDaloDepuisLe",
    ]);
    assert.deepEqual(Object.keys(operations["getNumUnique"]?.input ?? {}), [
      "nomFichierDemande",
      "fichierDemande",
      "nomCertificat",
      "certificat",
      "complet",
    ]);
  });
});

/** What node-soap says of an operation. */
interface Io {
  readonly input: Record<string, unknown>;
}
