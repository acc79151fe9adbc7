/**
 * Our writing of the SNE's contract lets through what the published one lets through, no more, no
 * less. The table of facts stands in `test/fixtures/contract-facts.json`; where the published files
 * are at hand the table itself is held to them. What we would say otherwise is in
 * `test/fixtures/contract-deviations.json`, with its reason, and nowhere else.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CONTRACT, factsOf, factsOfFile } from "../../scripts/contract-facts.ts";

const ROOT = join(import.meta.dirname, "../..");
const PUBLISHED = join(ROOT, "../shared/sne-contract/originals");

interface Deviation {
  readonly document: string;
  /** The fact of the table, and what ours says in its place. */
  readonly published: string;
  readonly ours: string;
  readonly reason: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const table = JSON.parse(read("test/fixtures/contract-facts.json")) as Record<string, string[]>;
const { deviations } = JSON.parse(read("test/fixtures/contract-deviations.json")) as {
  deviations: readonly Deviation[];
};

function expectedOf(document: string): string[] {
  const mine = deviations.filter((row) => row.document === document);
  return (table[document] ?? []).map(
    (fact) => mine.find(({ published }) => published === fact)?.ours ?? fact,
  );
}

describe("the published contract", () => {
  it("is described by the table, document by document", () => {
    assert.deepEqual(
      Object.keys(table),
      CONTRACT.map(({ document }) => document),
    );
    const sizes = Object.values(table).map((facts) => facts.length);
    assert.deepEqual(sizes, [90, 22, 42, 289, 295, 36, 31, 36, 42]);
  });

  it("is described by structure only: no comment, no documentation, no markup", () => {
    for (const fact of Object.values(table).flat()) {
      assert.doesNotMatch(fact, /<|documentation|\n/);
      assert.ok(fact.length < 260, fact);
    }
  });

  it("is departed from only where a reason is written", () => {
    for (const { document, published, ours, reason } of deviations) {
      assert.ok(table[document]?.includes(published), `${document} has no fact "${published}"`);
      assert.notEqual(ours, published);
      assert.ok(reason.length > 20, `${published}: a reason, please`);
    }
  });

  it("is written whole: every WSDL and every published schema has its document", () => {
    const ours = CONTRACT.map((row) => row.ours);
    for (const name of readdirSync(join(ROOT, "wsdl"))) {
      if (!/^passerelle/.test(name))
        assert.ok(
          ours.some((path) => path === `wsdl/${name}`),
          name,
        );
    }
    if (!existsSync(PUBLISHED)) return;
    const included = ["domains.xsd", "xmlmime.xsd"];
    const published = readdirSync(PUBLISHED).filter((name) => !included.includes(name));
    assert.deepEqual(published, CONTRACT.map((row) => row.published).toSorted());
  });

  for (const { document, published, ours } of CONTRACT) {
    it(`holds for our ${ours}`, () => {
      assert.deepEqual(factsOfFile(join(ROOT, ours)), expectedOf(document));
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

  describe("is not held by", () => {
    const changes: readonly (readonly [string, string, string | RegExp, string])[] = [
      ["a cardinality", "interfaceNuu-recherche-02.00.xsd", /(codeCategorie.*) maxOcc[^/]*/, "$1"],
      ["an optional element made mandatory", "liste-doublons.xsd", ' minOccurs="0"', ""],
      ["a facet", "interfaceNuu-evenements-02.00.xsd", "g_texte6", "g_texte36"],
      ["a facet of an included file", "interfaceNuu-operation-base.xsd", '"512"', '"513"'],
      ["a pattern", "interfaceNuu-operation-base.xsd", '"[a-zA-Z0-9]+"', '"[a-z0-9]+"'],
      ["a fixed edition", "interfaceNuu-types-evenements-02.00.xsd", ' fixed="02.00"', ""],
      ["a type", "interfaceNuu-recherche-02.00.xsd", '"xs:date"', '"xs:dateTime"'],
      ["an order", "interfaceNuu-demande-02.01.xsd", /(<.*notifSms.*>)(\s*)(<.*Evt.*>)/, "$3$2$1"],
      ["a name", "interfaceNuu-demande-02.00.xsd", '"refInterne"', '"referenceInterne"'],
      ["an element more", "interfaceNuu-demande-02.00.xsd", /(<.*"numUnique".*>)/, "$1$1"],
      [
        "an attribute",
        "interfaceNuu-base.xsd",
        'ref="modifie"/>',
        'ref="modifie" use="required"/>',
      ],
      ["a namespace", "liste-doublons.xsd", /http:\/\/nuu.application.i2\//g, "urn:autre"],
      ["unqualified elements", "liste-doublons.xsd", '"qualified"', '"unqualified"'],
    ];
    const wsdlChanges: typeof changes = [
      ["an order", "RechercheDemande.wsdl", /(<.*"nomFichier".*>)(\s*)(<.*Xml".*>)/, "$3$2$1"],
      ["a cardinality", "RechercheDemande.wsdl", /("nomCertificat".*)\/>/, '$1 minOccurs="0"/>'],
      ["a facet", "DemandeLogement.wsdl", 'minLength value="3"', 'minLength value="0"'],
      ["a namespace", "GestionPartageeEVT.wsdl", /http:\/\/ws.metier.nuu/g, "http://ws.nuu"],
      ["a SOAP action", "GestionPartageeEVT.wsdl", "i2/modifierEvenement", "i2/changerEvenement"],
      ["another SOAP version", "RechercheDemande.wsdl", /wsdl\/soap12\//g, "wsdl/soap/"],
      ["another style", "RechercheDemande.wsdl", 'style="document"', 'style="rpc"'],
      ["the name of an operation", "GestionPartageeEVT.wsdl", /Nationaux">/, 'Regionaux">'],
      ["an answer", "DemandeLogement.wsdl", 'output message="sne:num', 'output message="sne:dem'],
      ["a declared fault", "RechercheDemande.wsdl", /(<in(put message=.*>))/, "$1<fault $2"],
    ];
    const cases = [
      ...changes.map((row) => ["schemas", ...row] as const),
      ...wsdlChanges.map((row) => ["wsdl", ...row] as const),
    ];
    for (const [folder, what, name, from, to] of cases) {
      it(`${what} changed in ${name}`, () => {
        assert.equal(holdsWith(folder, name, from, to), false, "the change was not seen");
      });
    }
  });

  it("is held whatever the layout, the comments and the prefixes", () => {
    for (const [folder, name, from, to] of [
      ["schemas", "liste-doublons.xsd", /\n\s*/g, "\n"],
      ["schemas", "liste-doublons.xsd", "<xs:element", "<!-- encore --><xs:element"],
      ["wsdl", "GestionPartageeEVT.wsdl", /\bsne\b/g, "tns"],
    ] as const) {
      assert.ok(holdsWith(folder, name, from, to), `${name}: ${to}`);
    }
  });
});

/** Whether ours still give the table once a file is changed. */
function holdsWith(folder: string, name: string, from: string | RegExp, to: string): boolean {
  const path = `${folder}/${name}`;
  const changed = read(path).replace(from, to);
  assert.notEqual(changed, read(path), "nothing was changed");
  const text = (of: string): string => (of === path ? changed : read(of));
  return CONTRACT.filter(({ ours }) => ours.startsWith(folder)).every(({ document, ours }) => {
    const facts = told(() => factsOf(text(ours), (location) => text(`${folder}/${location}`)));
    return isDeepStrictEqual(facts, expectedOf(document));
  });
}

/** The facts, or what stopped their reading: a change that cannot be read is seen too. */
function told(facts: () => string[]): string[] {
  try {
    return facts();
  } catch (error) {
    return [String(error)];
  }
}
