/** The sample demandes: repeatable, varied, of the size asked for, and coded as the lists say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFileName } from "../../src/domain/file-name.ts";
import { fileName, makeDemande, sampleNumUnique } from "../../src/standin/sample-demandes.ts";

const text = (options: Parameters<typeof makeDemande>[0]): string =>
  Buffer.from(makeDemande(options)).toString();

describe("a sample demande", () => {
  it("is the same bytes for the same options, and another household for another seed", () => {
    const of = (seed: number): string =>
      text({ typeFichier: "CRE", guichet: "G1104", refInterne: "R1", seed });
    assert.equal(of(7), of(7));
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => of(seed)));
    assert.equal(seen.size, 200);
  });

  it("has exactly the size asked for, in either encoding, or its own when that is more", () => {
    for (const encoding of ["utf-8", "iso-8859-1"] as const) {
      for (let padToBytes = 5_500; padToBytes < 6_500; padToBytes += 37) {
        const file = makeDemande({ typeFichier: "CRE", guichet: "G1104", padToBytes, encoding });
        assert.equal(file.byteLength, padToBytes);
      }
    }
    const bare = makeDemande({ typeFichier: "CRE", guichet: "G1104" });
    const small = makeDemande({ typeFichier: "CRE", guichet: "G1104", padToBytes: 10 });
    assert.deepEqual(small, bare);
  });

  it("carries what its kind carries", () => {
    const of = (typeFichier: string, more = {}): string =>
      text({ typeFichier, guichet: "G1104", seed: 5, ...more });
    assert.match(of("CRE"), /<refInterne>REF000000005</);
    assert.doesNotMatch(of("CRE"), /numUnique|renouvellement|radiation/);
    assert.match(of("CRS"), /<numUniqueAssocie>/);
    assert.match(of("MOD"), new RegExp(`<numUnique>${sampleNumUnique("G1104", 5)}<`));
    assert.doesNotMatch(of("MOD", { refInterne: "R1" }), /<numUnique>/);
    assert.match(of("REN"), /<dateRenouvellement>/);
    assert.match(of("RAD", { motifRadiation: "RADATT" }), /<dateSignatureBail>/);
    assert.match(of("CRE", { forcerDoublon: true }), /<forcerDoublon>true</);
    assert.match(of("CRE", { nom: "L'Hôte & Cie <x>" }), /<nom>L'Hôte &amp; Cie &lt;x&gt;</);
  });

  it("says its encoding, and keeps by reference what Latin-1 cannot hold", () => {
    const options = { typeFichier: "CRE", guichet: "G1104", nom: "Œuvray é" };
    const latin1 = Buffer.from(makeDemande({ ...options, encoding: "iso-8859-1" }));
    assert.match(latin1.toString("latin1"), /encoding="ISO-8859-1"[\s\S]*<nom>&#338;uvray é</);
    const marked = Buffer.from(makeDemande({ ...options, bom: true }));
    assert.deepEqual([...marked.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  });

  it("uses codes of the lists only", () => {
    const { listes } = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../schemas/codes.json"), "utf8"),
    ) as { listes: Record<string, { champs: string[]; codes: Record<string, string | null> }> };
    const byElement = new Map<string, Set<string>>();
    for (const { champs, codes } of Object.values(listes)) {
      for (const path of champs) {
        const element = path.replace("/@code", "").split("/").at(-1) ?? "";
        const known = byElement.get(element) ?? new Set();
        for (const code of Object.keys(codes)) known.add(code);
        byElement.set(element, known);
      }
    }
    const used = new Set<string>();
    for (const typeFichier of ["CRE", "CRS", "RAD"]) {
      for (let seed = 0; seed < 60; seed += 1) {
        const file = text({ typeFichier, guichet: "G1104", seed });
        for (const [, element = "", code = ""] of file.matchAll(/<(\w+) code="([^"]*)"/g)) {
          if (element === "commune") continue;
          used.add(element);
          assert.ok(byElement.get(element)?.has(code), `${element} ${code}`);
        }
      }
    }
    assert.ok(used.size > 15, [...used].join(" "));
  });

  it("has a name that says its guichet, its minute and its sequence", () => {
    const at = new Date("2026-01-15T08:30:59Z");
    const name = fileName({ guichet: "G1104", at, sequence: 12 });
    assert.equal(name, "DEMG1104-202601150830-000012.xml");
    assert.deepEqual(readFileName(name), { guichet: "G1104", sequence: 12 });
  });
});
