/**
 * The schema validator on real files, in its real worker: what it finds, where, in which words; and
 * that no document, however hostile, makes it reject, hang or call valid what it did not check.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  makeSchemaValidator,
  type SchemaValidator,
  type SchemaValidatorOptions,
} from "../../src/adapters/xml/schema-validator.ts";
import type { SchemaCheck, SchemaFinding } from "../../src/arrive/schema-check.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";

const ROOT = join(import.meta.dirname, "../..");
const SCHEMAS = join(ROOT, "schemas");
const PUBLISHED = join(ROOT, "../shared/sne-contract/originals");

const text = (options: Partial<SampleDemande> = {}): string =>
  Buffer.from(
    makeDemande({ typeFichier: "CRE", guichet: "G1104", seed: 3, ...options }),
  ).toString();
const bytes = (xml: string): Uint8Array => Buffer.from(xml);

function findingsOf(check: SchemaCheck): readonly SchemaFinding[] {
  if (check.kind === "invalid") return check.findings;
  assert.fail(`invalid expected: ${JSON.stringify(check)}`);
}

/** Line, from 1, of the first place where the text stands. */
function lineOf(xml: string, part: string): number {
  const at = xml.indexOf(part);
  assert.notEqual(at, -1, `${part} is not in the document`);
  return xml.slice(0, at).split("\n").length;
}

describe("the schema validator", function () {
  // Every start is a process that compiles the schemas.
  this.timeout(60_000);
  const started: SchemaValidator[] = [];
  const folders: string[] = [];
  const start = async (options: Partial<SchemaValidatorOptions> = {}): Promise<SchemaValidator> => {
    const validator = makeSchemaValidator({ schemasDir: SCHEMAS, ...options });
    started.push(validator);
    await validator.start();
    return validator;
  };
  const folder = (files: Record<string, string>): string => {
    const path = mkdtempSync(join(tmpdir(), "schemas-"));
    folders.push(path);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
    return path;
  };
  let validator: SchemaValidator;
  before(async () => {
    validator = await start();
  });
  after(async () => {
    for (const each of started) await each.stop();
    for (const path of folders) rmSync(path, { recursive: true });
  });

  describe("finds valid", () => {
    for (const typeFichier of ["CRE", "CRS", "MOD", "REN", "RAD", "SUP"]) {
      for (const versionInterface of ["02.00", "02.01"]) {
        it(`every sample ${typeFichier} of edition ${versionInterface}`, async () => {
          for (let seed = 0; seed < 25; seed += 1) {
            const options = { typeFichier, guichet: "G1104", versionInterface, seed };
            for (const variant of [{}, { association: true }, { padToBytes: 10_240 }]) {
              const file = makeDemande({ ...options, ...variant });
              const check = await validator.check(file, versionInterface);
              assert.deepEqual(check, { kind: "valid" }, `seed ${seed}`);
            }
          }
        });
      }
    }

    it("a file in Latin-1, one with a byte order mark, one with CRLF, one with a prefix", async () => {
      const options: readonly Partial<SampleDemande>[] = [
        { encoding: "iso-8859-1" },
        { bom: true },
        { eol: "\r\n" },
        { prefix: "ns2" },
        { encoding: "iso-8859-1", eol: "\r\n", prefix: "tns", padToBytes: 20_000 },
      ];
      for (const variant of options) {
        const file = makeDemande({ typeFichier: "CRE", guichet: "G1104", nom: "Gaël", ...variant });
        assert.deepEqual(await validator.check(file, "02.01"), { kind: "valid" });
      }
    });

    it("a file of 100 KB and one of 1 MB, of exactly that size", async () => {
      for (const padToBytes of [102_400, 1_048_576]) {
        const file = makeDemande({ typeFichier: "CRE", guichet: "G1104", padToBytes });
        assert.equal(file.byteLength, padToBytes);
        assert.deepEqual(await validator.check(file, "02.01"), { kind: "valid" });
      }
    });

    it("a file that names a schema of its own: nothing is fetched, ours is used", async () => {
      const xml = text().replace(
        "<interfaceNuu ",
        '<interfaceNuu xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
          'xsi:schemaLocation="http://nuu.application.i2/ http://127.0.0.1:9/evil.xsd" ',
      );
      assert.deepEqual(await validator.check(bytes(xml), "02.01"), { kind: "valid" });
    });

    it("the same samples against the published schemas", async function () {
      if (!existsSync(join(PUBLISHED, "InterfaceNuu_v0201.xsd"))) {
        process.stdout.write("      not compared: the published schemas are not at hand\n");
        this.skip();
      }
      const names = ["InterfaceNuu_v0200.xsd", "InterfaceNuu_v0201.xsd", "Doublon_V0200.xsd"];
      const theirs = await start({
        schemasDir: folder({
          ...Object.fromEntries(
            names.map((name) => [name, readFileSync(join(PUBLISHED, name), "utf8")]),
          ),
          "schemas.json": JSON.stringify({
            versionInterface: { "02.00": names[0], "02.01": names[1] },
          }),
        }),
      });
      for (const typeFichier of ["CRE", "CRS", "MOD", "REN", "RAD"]) {
        for (const versionInterface of ["02.00", "02.01"]) {
          for (let seed = 0; seed < 10; seed += 1) {
            for (const association of [false, true]) {
              const of = { typeFichier, guichet: "G1104", versionInterface, seed, association };
              const check = await theirs.check(makeDemande(of), versionInterface);
              assert.deepEqual(check, { kind: "valid" });
            }
          }
        }
      }
    });
  });

  describe("says where and why, in French", () => {
    /** What is wrong, how, where it is found, and the sentence. */
    const faults: readonly {
      name: string;
      change: (xml: string) => string;
      at: string;
      field: string;
      rule: string;
      says: RegExp;
    }[] = [
      {
        name: "a pattern",
        change: (xml) => xml.replace(/<telPortable>[^<]*/, "<telPortable>06 39"),
        at: "<telPortable>",
        field: "demande/demandeLogement/personnePhysique/demandeur/telPortable",
        rule: "SCHEMA_PATTERN",
        says: /^L'élément « telPortable » n'a pas la forme attendue : au plus 10 chiffres, sans espace ni point\.$/,
      },
      {
        name: "a mail address",
        change: (xml) => xml.replace(/<mel>[^<]*/, "<mel>arobase"),
        at: "<mel>",
        field: "demande/demandeLogement/personnePhysique/demandeur/mel",
        rule: "SCHEMA_PATTERN",
        says: /une adresse de courriel est attendue, comme nom@exemple\.fr/,
      },
      {
        name: "a length",
        change: (xml) => xml.replace("<numGuichet>G1104", "<numGuichet>G1104567"),
        at: "<numGuichet>",
        field: "demande/demandeLogement/numGuichet",
        rule: "SCHEMA_LENGTH",
        says: /^L'élément « numGuichet » est trop long : 8 caractères, 5 au plus\.$/,
      },
      {
        name: "a code",
        change: (xml) => xml.replace(/<civilite code="."/, '<civilite code="M."'),
        at: "<civilite",
        field: "demande/demandeLogement/personnePhysique/demandeur/civilite/@code",
        rule: "SCHEMA_PATTERN",
        says: /^L'attribut « code » de « civilite » n'a pas la forme attendue : 1 à 6 lettres sans accent ou chiffres\.$/,
      },
      {
        name: "a date",
        change: (xml) => xml.replace(/<dateNaissance>[^<]*/, "<dateNaissance>12/03/1980"),
        at: "<dateNaissance>",
        field: "demande/demandeLogement/personnePhysique/demandeur/dateNaissance",
        rule: "SCHEMA_TYPE",
        says: /une date au format AAAA-MM-JJ \(par exemple 2026-01-31\) est attendue\.$/,
      },
      {
        name: "a date without its hour",
        change: (xml) => xml.replace(/<dateFichier>[^<]*/, "<dateFichier>2026-01-15"),
        at: "<dateFichier>",
        field: "entete/dateFichier",
        rule: "SCHEMA_TYPE",
        says: /une date et une heure au format AAAA-MM-JJThh:mm:ss/,
      },
      {
        name: "a number with decimals, where the type has limits",
        change: (xml) => xml.replace(/<montantLoyer>[^<]*/, "<montantLoyer>450,50"),
        at: "<montantLoyer>",
        field: "demande/demandeLogement/logementRecherche/montantLoyer",
        rule: "SCHEMA_TYPE",
        says: /un nombre entier est attendu, sans décimale, sans espace et sans symbole\.$/,
      },
      {
        name: "a number too big",
        change: (xml) => xml.replace(/<montantLoyer>[^<]*/, "<montantLoyer>12000"),
        at: "<montantLoyer>",
        field: "demande/demandeLogement/logementRecherche/montantLoyer",
        rule: "SCHEMA_RANGE",
        says: /est trop grand : 9999 au plus\.$/,
      },
      {
        name: "a number too small",
        change: (xml) => xml.replace(/<montantLoyer>[^<]*/, "<montantLoyer>-1"),
        at: "<montantLoyer>",
        field: "demande/demandeLogement/logementRecherche/montantLoyer",
        rule: "SCHEMA_RANGE",
        says: /est trop petit : 0 au moins\.$/,
      },
      {
        name: "a boolean in words",
        change: (xml) => xml.replace(/<demandeElargie>[^<]*/, "<demandeElargie>oui"),
        at: "<demandeElargie>",
        field: "demande/demandeLogement/logementRecherche/demandeElargie",
        rule: "SCHEMA_TYPE",
        says: /« true » ou « false » est attendu\.$/,
      },
      {
        name: "an element nobody knows",
        change: (xml) => xml.replace("<precision>", "<inconnu/><precision>"),
        at: "<inconnu/>",
        field: "demande/demandeLogement/inconnu",
        rule: "SCHEMA_UNKNOWN",
        says: /^L'élément « inconnu » n'est pas connu du schéma à cet endroit ; le reste a été contrôlé sans lui\.$/,
      },
      {
        name: "an element known elsewhere only",
        change: (xml) => xml.replace("<precision>", "<etage>3</etage><precision>"),
        at: "<etage>3",
        field: "demande/demandeLogement/etage",
        rule: "SCHEMA_UNKNOWN",
        says: /^L'élément « etage » n'est pas connu du schéma à cet endroit/,
      },
      {
        name: "an element in the wrong place",
        change: (xml) => xml.replace("<precision>", "<numUnique/><precision>"),
        at: "<numUnique/>",
        field: "demande/demandeLogement/numUnique",
        rule: "SCHEMA_UNEXPECTED",
        says: /^L'élément « numUnique » n'est pas attendu à cet endroit\. À cet endroit, le schéma attend : « forcerDoublon », « renouvellementElec » ou « precision »\./,
      },
      {
        name: "a demande where another document of the same root is at home",
        change: (xml) => xml.replace("</demande>", "</demande>\n<listeAnomalies/>"),
        at: "<listeAnomalies/>",
        field: "listeAnomalies",
        rule: "SCHEMA_UNKNOWN",
        says: /n'est pas connu du schéma/,
      },
      {
        name: "an element after the end",
        change: (xml) => xml.replace("</demande>", "</demande>\n<autre/>"),
        at: "<autre/>",
        field: "autre",
        rule: "SCHEMA_UNKNOWN",
        says: /^L'élément « autre » n'est pas connu du schéma à cet endroit/,
      },
      {
        name: "a known element after the end",
        change: (xml) => xml.replace("</interfaceNuu>", "<entete/></interfaceNuu>"),
        at: "<entete/>",
        field: "entete",
        rule: "SCHEMA_UNEXPECTED",
        says: /^L'élément « entete » n'est pas attendu : plus rien ne doit suivre ici\.$/,
      },
      {
        name: "a code of no list",
        change: (xml) => xml.replace(/<civilite code="."/, '<civilite code="9"'),
        at: '<civilite code="9"',
        field: "demande/demandeLogement/personnePhysique/demandeur/civilite/@code",
        rule: "SCHEMA_CODE",
        says: /^L'attribut « code » de « civilite » n'est pas dans la liste des codes connus : « 1 », « 2 », « 3 »\.$/,
      },
      {
        name: "a kind of file of no list",
        change: (xml) => xml.replace("<typeFichier>CRE", "<typeFichier>XXX"),
        at: "<typeFichier>",
        field: "entete/typeFichier",
        rule: "SCHEMA_CODE",
        says: /^L'élément « typeFichier » n'est pas dans la liste des codes connus : « CRE », /,
      },
      {
        name: "an element that is missing at the end",
        change: (xml) => xml.replace(/\s*<dateFichier>.*<\/dateFichier>/, ""),
        at: "<entete>",
        field: "entete/dateFichier",
        rule: "SCHEMA_MISSING",
        says: /^L'élément « entete » est incomplet : il manque « dateFichier »\.$/,
      },
      {
        name: "an empty demande",
        change: (xml) => xml.replace(/<demande>[\s\S]*<\/demande>/, "<demande/>"),
        at: "<demande/>",
        field: "demande",
        rule: "SCHEMA_MISSING",
        says: /il manque « informationDalo » ou « demandeLogement »\.$/,
      },
      {
        name: "an attribute that is missing",
        change: (xml) => xml.replace(' versionInterface="02.01"', ""),
        at: "<interfaceNuu",
        field: "@versionInterface",
        rule: "SCHEMA_ATTRIBUTE_MISSING",
        says: /^L'attribut « versionInterface » de « interfaceNuu » est obligatoire, et il manque\.$/,
      },
      {
        name: "an attribute nobody knows",
        change: (xml) => xml.replace("<numGuichet>", '<numGuichet modifie="true">'),
        at: "<numGuichet",
        field: "demande/demandeLogement/numGuichet/@modifie",
        rule: "SCHEMA_ATTRIBUTE_UNKNOWN",
        says: /^L'attribut « modifie » de « numGuichet » n'est pas prévu par le schéma\.$/,
      },
      {
        name: "an element inside a value",
        change: (xml) => xml.replace("<numGuichet>", "<numGuichet><b/>"),
        at: "<numGuichet>",
        field: "demande/demandeLogement/numGuichet",
        rule: "SCHEMA_CONTENT",
        says: /ne doit contenir aucun autre élément\.$/,
      },
      {
        name: "text between elements",
        change: (xml) => xml.replace("<entete>", "<entete>texte"),
        at: "<entete>",
        field: "entete",
        rule: "SCHEMA_CONTENT",
        says: /ne doit contenir que des éléments, pas de texte\.$/,
      },
      {
        name: "a code written as text",
        change: (xml) => xml.replace(/<civilite code="."\/>/, "<civilite>1</civilite>"),
        at: "<civilite>",
        field: "demande/demandeLogement/personnePhysique/demandeur/civilite",
        rule: "SCHEMA_CONTENT",
        says: /doit rester vide : sa valeur se met dans son attribut « code »\.$/,
      },
      {
        name: "an inclusion, which is not followed",
        change: (xml) =>
          xml.replace(
            "<precision>",
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/><precision>',
          ),
        at: "<xi:include",
        field: "demande/demandeLogement/include",
        rule: "SCHEMA_UNKNOWN",
        says: /^L'élément « include » n'est pas connu du schéma à cet endroit/,
      },
      {
        name: "a value in a document whose elements have a prefix",
        change: (xml) =>
          xml
            .replace(/<(\/?)(?=[a-z])/gi, "<$1ns2:")
            .replace("xmlns=", "xmlns:ns2=")
            .replace(/<ns2:prenom>[^<]*/, `<ns2:prenom>${"x".repeat(40)}`),
        at: "<ns2:prenom>",
        field: "demande/demandeLogement/personnePhysique/demandeur/prenom",
        rule: "SCHEMA_LENGTH",
        says: /« prenom » est trop long : 40 caractères, 36 au plus/,
      },
      {
        name: "another namespace",
        change: (xml) => xml.replace("nuu.application.i2", "ailleurs.example"),
        at: "<interfaceNuu",
        field: "interfaceNuu",
        rule: "SCHEMA_ROOT",
        says: /vérifiez son nom et son espace de noms \(xmlns\)\.$/,
      },
      {
        name: "xsi:nil",
        change: (xml) =>
          xml.replace(
            "<numGuichet>",
            '<numGuichet xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">',
          ),
        at: "<numGuichet",
        field: "demande/demandeLogement/numGuichet",
        rule: "SCHEMA_XSI",
        says: /porte un attribut xsi/,
      },
      {
        name: "a DOCTYPE, which is not loaded",
        change: (xml) =>
          xml.replace("?>", '?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        at: "<?xml",
        field: "document",
        rule: "SCHEMA_DOCTYPE",
        says: /déclaration DOCTYPE, qui n'est pas admise/,
      },
    ];
    for (const { name, change, at, field, rule, says } of faults) {
      it(`of ${name}`, async () => {
        const xml = change(text());
        assert.notEqual(xml, text(), "the document was not changed");
        const findings = findingsOf(await validator.check(bytes(xml), "02.01"));
        const [first] = findings;
        assert.equal(findings.length, 1, JSON.stringify(findings));
        assert.equal(first?.field, field);
        assert.equal(first.rule, rule);
        assert.equal(first.line, lineOf(xml, at));
        assert.match(first.message, says);
      });
    }

    it("of every other limit a schema can set", async () => {
      const limit = (name: string, base: string, facet: string): string =>
        `<xs:element name="${name}" minOccurs="0"><xs:simpleType><xs:restriction base="xs:${base}">` +
        `${facet}</xs:restriction></xs:simpleType></xs:element>`;
      const other = await start({
        schemasDir: folder({
          "schemas.json": JSON.stringify({ versionInterface: { "9.9": "other.xsd" } }),
          "other.xsd":
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="r">' +
            "<xs:complexType><xs:sequence>" +
            limit("court", "string", '<xs:minLength value="2"/>') +
            limit("vide", "string", '<xs:minLength value="1"/>') +
            limit("exact", "string", '<xs:length value="3"/>') +
            limit("choix", "string", '<xs:enumeration value="A"/><xs:enumeration value="B"/>') +
            limit("plus", "int", '<xs:minExclusive value="0"/>') +
            limit("moins", "int", '<xs:maxExclusive value="10"/>') +
            limit("chiffres", "decimal", '<xs:totalDigits value="3"/>') +
            limit("decimales", "decimal", '<xs:fractionDigits value="2"/>') +
            limit("motif", "string", '<xs:pattern value="[A-Z]\\d"/>') +
            '<xs:element name="fixe" type="xs:string" fixed="oui" minOccurs="0"/>' +
            '<xs:element name="prix" type="xs:decimal" minOccurs="0"/>' +
            '<xs:element name="n" type="xs:string" minOccurs="0" maxOccurs="9"/>' +
            "</xs:sequence></xs:complexType>" +
            '<xs:unique name="u"><xs:selector xpath="n"/><xs:field xpath="."/></xs:unique>' +
            "</xs:element></xs:schema>",
        }),
      });
      const file =
        "<r>\n<court>a</court>\n<vide/>\n<exact>ab</exact>\n<choix>C</choix>\n<plus>0</plus>\n" +
        "<moins>10</moins>\n<chiffres>1234</chiffres>\n<decimales>1.234</decimales>\n" +
        "<motif>x</motif>\n<fixe>non</fixe>\n<prix>1,5</prix>\n<n>1</n>\n<n>1</n>\n</r>";
      const findings = findingsOf(await other.check(bytes(file), "9.9"));
      assert.deepEqual(
        findings.map(({ line, rule, message }) => `${line} ${rule} ${message}`),
        [
          "2 SCHEMA_LENGTH L'élément « court » est trop court : 1 caractère, 2 au moins.",
          "3 SCHEMA_LENGTH L'élément « vide » est vide : 1 caractère au moins.",
          "4 SCHEMA_LENGTH L'élément « exact » n'a pas la longueur attendue : 2 caractères au lieu de 3.",
          "5 SCHEMA_VALUE L'élément « choix » n'est pas l'une des valeurs admises : « A », « B ».",
          "6 SCHEMA_RANGE L'élément « plus » doit être supérieur à 0.",
          "7 SCHEMA_RANGE L'élément « moins » doit être inférieur à 10.",
          "8 SCHEMA_RANGE L'élément « chiffres » compte trop de chiffres.",
          "9 SCHEMA_RANGE L'élément « decimales » compte trop de chiffres.",
          "10 SCHEMA_PATTERN L'élément « motif » n'a pas la forme attendue : le motif attendu est [A-Z]\\d.",
          "11 SCHEMA_VALUE L'élément « fixe » doit valoir « oui ».",
          "12 SCHEMA_TYPE L'élément « prix » n'est pas valable : un nombre est attendu, avec un point comme séparateur décimal.",
          "14 SCHEMA_KEY L'élément « n » répète, ou désigne à tort, une valeur qui doit être unique.",
        ],
      );
    });

    const malformed: readonly [string, (xml: string) => string | Uint8Array, RegExp][] = [
      ["a tag that is not closed", (xml) => xml.replace("</entete>", ""), /balise fermante/],
      ["a file cut short", (xml) => xml.slice(0, xml.indexOf("<precision>")), /avant la fin/],
      ["a sign & left as it is", (xml) => xml.replace("G1104", "A & B"), /« &amp; »/],
      ["a control character", (xml) => xml.replace("G1104", "A\u0001B"), /caractère de contrôle/],
      ["a text of twelve million characters", () => `<a>${"x".repeat(12e6)}</a>`, /taille permise/],
      ["an entity nobody defined", (xml) => xml.replace("G1104", "&eacute;"), /entité/],
      [
        "an attribute written twice",
        (xml) => xml.replace("?>\n<", "?>\n<a b='1' b='2'/><"),
        /deux/,
      ],
      ["no document", () => "", /vide/],
      ["bytes of another encoding", (xml) => Buffer.from(xml, "latin1"), /encodage/],
      [
        "elements nested ever deeper",
        () => `${"<a>".repeat(10_000)}${"</a>".repeat(10_000)}`,
        /imbrique trop/,
      ],
      [
        "entities that swell",
        () =>
          `<!DOCTYPE a [<!ENTITY a "${"x".repeat(1000)}">${Array.from(
            { length: 9 },
            (_, i) => `<!ENTITY ${"bcdefghij"[i]} "${`&${"abcdefghi"[i]};`.repeat(20)}">`,
          ).join("")}]><a>&j;</a>`,
        /./,
      ],
    ];
    for (const [name, change, says] of malformed) {
      it(`of ${name}`, async () => {
        const file = change(text());
        const check = await validator.check(typeof file === "string" ? bytes(file) : file, "02.01");
        const [first, second] = findingsOf(check);
        assert.equal(second, undefined);
        assert.ok((first?.line ?? 0) >= 1);
        assert.match(first?.rule ?? "", /^SCHEMA_(NOT_WELL_FORMED|DOCTYPE)$/);
        assert.match(first?.message ?? "", says);
      });
    }

    it("without ever repeating a value, which could be personal", async () => {
      const xml = text()
        .replace(/<nom>[^<]*/, `<nom>${"SECRET".repeat(9)}`)
        .replace(/<dateNaissance>[^<]*/, "<dateNaissance>SECRET")
        .replace(/<telPortable>[^<]*/, "<telPortable>SECRET")
        .replace(/<situationFamiliale code="[^"]*/, '<situationFamiliale code="SECRET!')
        .replace(/<montantMoins1>[^<]*/, "<montantMoins1>SECRET");
      const findings = findingsOf(await validator.check(bytes(xml), "02.01"));
      assert.equal(findings.length, 5);
      assert.doesNotMatch(JSON.stringify(findings), /SECRET/);
    });

    it("at most twenty times, in document order", async () => {
      const wrong = "<doublon/>".replace("doublon", "personneACharge");
      const child = wrong.replace("/>", "><dateNaissance>hier</dateNaissance></personneACharge>\n");
      const xml = text({ padToBytes: 9_000 }).replace(
        /(<listePersonneACharge>)/,
        `$1${child.repeat(60)}`,
      );
      const findings = findingsOf(await validator.check(bytes(xml), "02.01"));
      assert.equal(findings.length, 20);
      const lines = findings.map(({ line }) => line);
      assert.deepEqual(
        lines,
        lines.toSorted((a, b) => a - b),
      );
    });
  });

  describe("tells what a later edition may have added from what has always been a fault", () => {
    const kindsOf = (check: SchemaCheck): string[] =>
      findingsOf(check).map(({ kind, field }) => `${kind} ${field.split("/").at(-1) ?? ""}`);

    it("by its kind: structure, value, unknown, code", async () => {
      const xml = text()
        .replace(/\s*<dateFichier>.*<\/dateFichier>/, "")
        .replace("<numGuichet>G1104", '<numGuichet modifie="true">G1104567')
        .replace(/<nationalite code="."/, '<nationalite code="8"');
      assert.deepEqual(kindsOf(await validator.check(bytes(xml), "02.01")), [
        "structure dateFichier",
        "unknown @modifie",
        "value numGuichet",
        "code @code",
      ]);
    });

    it("even what stands behind unknown elements, at every depth", async () => {
      const xml = text()
        .replace("<numGuichet>", "<nouveau><dedans/></nouveau>\n<numGuichet>")
        .replace("<precision>", "<neuf1/>\n<neuf2/>\n<precision>")
        .replace(/<precision>[^<]*/, `<precision>${"x".repeat(300)}`)
        .replace("<demandeElargie>", "<neuf3/>\n<demandeElargie>peut-être")
        .replace(/\s*<situationFamiliale[^>]*>/, "")
        .replace("<telPortable>", "<reseauSocial>a</reseauSocial>\n<telPortable>");
      assert.deepEqual(kindsOf(await validator.check(bytes(xml), "02.01")), [
        "unknown nouveau",
        "unknown neuf1",
        "unknown neuf2",
        "value precision",
        "unknown neuf3",
        "value demandeElargie",
        "unknown reseauSocial",
        "structure telPortable",
      ]);
    });

    it("with the first of each kind always told, however many others come before", async () => {
      const many = Array.from({ length: 300 }, (_, i) => `<neuf${i}/>\n`).join("");
      const xml = text()
        .replace("<numGuichet>", `${many}<numGuichet>`)
        .replace(/<montantLoyer>[^<]*/, "<montantLoyer>beaucoup")
        .replace(/\s*<listeRessourceVersee>[\s\S]*?<\/listeRessourceVersee>/, "");
      const findings = findingsOf(await validator.check(bytes(xml), "02.01"));
      assert.equal(findings.length, 20);
      const counts = Object.groupBy(findings, ({ kind }) => kind);
      assert.equal(counts.unknown?.length, 18);
      assert.equal(counts.value?.length, 1);
      assert.equal(counts.structure?.length, 1);
    });

    it("by the edition of the file: what 02.01 added is unknown to 02.00", async () => {
      assert.match(text(), /<notifSms>/);
      assert.deepEqual(await validator.check(bytes(text()), "02.01"), { kind: "valid" });
      const kinds = kindsOf(await validator.check(bytes(text()), "02.00"));
      assert.ok(kinds.includes("unknown notifSms"), kinds.join());
      assert.ok(
        kinds.every((kind) => kind.startsWith("unknown ")),
        kinds.join(),
      );
    });

    it("by the list of the place, where one name has several", async () => {
      const resource = (list: string, code: string): string =>
        text().replace(
          new RegExp(`<${list}>[\\s\\S]*?</${list}>|<${list}/>`),
          `<${list}><detailRessource><ressource code="${code}"/></detailRessource></${list}>`,
        );
      for (const [list, good, stray] of [
        ["listeRessourceRecue", "SAL", "PAV"],
        ["listeRessourceVersee", "PAV", "SAL"],
      ] as const) {
        const check = await validator.check(bytes(resource(list, good)), "02.01");
        assert.deepEqual(check, { kind: "valid" }, list);
        const [finding] = findingsOf(await validator.check(bytes(resource(list, stray)), "02.01"));
        assert.match(finding?.field ?? "", new RegExp(`${list}/detailRessource/ressource/@code$`));
      }
    });

    it("by lists that a folder can replace, one by one, without touching a schema", async () => {
      const names = readdirSync(SCHEMAS).filter((name) => /\.(xsd|json)$/.test(name));
      const files = Object.fromEntries(
        names.map((name) => [name, readFileSync(join(SCHEMAS, name), "utf8")]),
      );
      const manifest = JSON.parse(files["schemas.json"] ?? "") as Record<string, unknown>;
      const added = {
        listes: { civilite: { champs: ["civilite/@code"], codes: { "9": "neuf" } } },
      };
      const later = await start({
        schemasDir: folder({
          ...files,
          "codes-2026.json": JSON.stringify(added),
          "schemas.json": JSON.stringify({ ...manifest, codes: ["codes.json", "codes-2026.json"] }),
        }),
      });
      const xml = text()
        .replaceAll(/<civilite code="."/g, '<civilite code="9"')
        .replace(/<nationalite code="."/, '<nationalite code="8"');
      assert.deepEqual(kindsOf(await later.check(bytes(xml), "02.01")), ["code @code"]);
      // The later list stands in place of the first, not beside it.
      const before = bytes(text().replace(/<civilite code="."/, '<civilite code="1"'));
      assert.deepEqual(kindsOf(await later.check(before, "02.01")).slice(0, 1), ["code @code"]);
      const none = await start({
        schemasDir: folder({
          ...files,
          "schemas.json": JSON.stringify({ ...manifest, codes: [] }),
        }),
      });
      assert.deepEqual(await none.check(bytes(xml), "02.01"), { kind: "valid" });
    });
  });

  describe("says that it did not check", () => {
    const reasonOf = (check: SchemaCheck): string => {
      if (check.kind === "notChecked") return check.reason;
      assert.fail(`notChecked expected: ${JSON.stringify(check)}`);
    };

    it("a version it has no schema for", async () => {
      const file = bytes(text());
      assert.match(
        reasonOf(await validator.check(file, "05.02")),
        /version d'interface « 05\.02 »/,
      );
      assert.match(
        reasonOf(await validator.check(file, "<script>")),
        /version d'interface indiquée/,
      );
      assert.match(reasonOf(await validator.check(file, undefined)), /ne dit pas sa version/);
    });

    it("a file that is too big", async () => {
      const small = await start({ maxBytes: 1_000 });
      assert.match(reasonOf(await small.check(bytes(text()), "02.01")), /dépasse 1000 octets/);
    });

    it("a file that takes too long, and checks the next one", async () => {
      const hurried = await start({ timeLimitMs: 1_000 });
      // Every element is a violation whose path has to be counted: libxml2 takes quadratic time.
      const endless = text().replace(
        "<listeTypeLogement>",
        `<listeTypeLogement>${'<typeLogement code="!!"/>'.repeat(100_000)}`,
      );
      const [first, second] = await Promise.all([
        hurried.check(bytes(endless), "02.01"),
        hurried.check(bytes(text()), "02.01"),
      ]);
      assert.match(reasonOf(first), /s'est interrompu/);
      assert.deepEqual(second, { kind: "valid" });
    });

    for (const [name, order] of [
      ["whose worker dies", "die"],
      ["whose worker throws", "throw"],
      ["whose worker runs out of memory", "devour"],
    ] as const) {
      it(`a file ${name}, and a fresh worker takes the next`, async () => {
        const workerFile = new URL("../fixtures/fragile-worker.ts", import.meta.url);
        const fragile = await start({ workerFile });
        const [lost, next] = await Promise.all([
          fragile.check(bytes(order), "02.01"),
          fragile.check(bytes("fine"), "02.01"),
        ]);
        assert.match(reasonOf(lost), /s'est interrompu/);
        assert.deepEqual(next, { kind: "valid" });
      });
    }

    it("no file that was only in the same hands as one that ends the worker", async () => {
      const workerFile = new URL("../fixtures/fragile-worker.ts", import.meta.url);
      const fragile = await start({ workerFile });
      const orders = ["first", "fine", "die", "fine", "die", "last"];
      const checks = await Promise.all(orders.map((order) => fragile.check(bytes(order), "02.01")));
      assert.deepEqual(
        checks.map(({ kind }) => kind),
        ["valid", "valid", "notChecked", "valid", "notChecked", "valid"],
      );
    });

    it("gives each of many files its own findings", async () => {
      const good = text();
      const bad = good.replace(/<civilite code="."/, '<civilite code="!!"');
      assert.notEqual(bad, good);
      const files = Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? bad : good));
      const checks = await Promise.all(files.map((file) => validator.check(bytes(file), "02.01")));
      assert.deepEqual(
        checks.map(({ kind }) => kind),
        files.map((file) => (file === bad ? "invalid" : "valid")),
      );
    });

    it("once it is stopped, and stopping waits for the files in hand", async () => {
      const brief = await start();
      const inHand = Promise.all([1, 2, 3].map(() => brief.check(bytes(text()), "02.01")));
      await brief.stop();
      assert.deepEqual(
        (await inHand).map(({ kind }) => kind),
        ["valid", "valid", "valid"],
      );
      assert.match(reasonOf(await brief.check(bytes(text()), "02.01")), /s'arrête/);
      await brief.stop();
    });
  });

  describe("refuses to start", () => {
    const refused = async (schemasDir: string, says: RegExp): Promise<void> => {
      await assert.rejects(start({ schemasDir }), (error) => {
        assert.ok(error instanceof GatewayError);
        assert.equal(error.code, "INVALID_SETTING");
        assert.match(error.message, says);
        return true;
      });
    };

    it("without a folder, without a manifest, with a manifest that is not one", async () => {
      await refused("/nowhere/at/all", /GATEWAY_SCHEMAS_DIR/);
      await refused(folder({}), /schemas\.json/);
      await refused(folder({ "schemas.json": "[]" }), /pas un objet/);
    });

    it("with a manifest that names a file outside the folder", async () => {
      const manifest = JSON.stringify({ versionInterface: { "02.00": "../../etc/passwd" } });
      await refused(folder({ "schemas.json": manifest }), /absent du dossier/);
    });

    it("with code lists that are none, and says which", async () => {
      const of = (codes: unknown, lists: string): Record<string, string> => ({
        "schemas.json": JSON.stringify({ codes }),
        "c.json": lists,
      });
      await refused(folder(of("c.json", "{}")), /pas une liste/);
      await refused(folder(of(["ailleurs.json"], "{}")), /absent du dossier/);
      await refused(folder(of(["c.json"], "{}")), /c\.json : « listes » y manque/);
      await refused(folder(of(["c.json"], '{"listes":{"sexe":{}}}')), /à la liste « sexe »/);
    });

    it("with a schema that does not compile, and says where", async () => {
      const files = {
        "schemas.json": JSON.stringify({ versionInterface: { "02.00": "a.xsd" } }),
        "a.xsd":
          '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">\n' +
          '<xs:element name="a" type="nowhere"/>\n</xs:schema>',
      };
      await refused(folder(files), /a\.xsd ligne 2/);
    });
  });

  it("checks the other documents of the manifest by their name", async () => {
    const file = bytes(
      '<listeDoublons xmlns="http://nuu.application.i2/"><doublon><numUnique/></doublon></listeDoublons>',
    );
    const findings = findingsOf(await validator.checkDocument(file, "listeDoublons"));
    assert.equal(findings[0]?.field, "doublon/demandeur");
    assert.equal((await validator.checkDocument(file, "inconnu")).kind, "notChecked");
  });

  it("checks searches, events and their types, which share their root with the demandes", async () => {
    const entete =
      "<entete><typeFichier>REC</typeFichier><dateFichier>2017-05-01T09:30:00+02:00</dateFichier>" +
      "<codeGuichet>G1104</codeGuichet></entete>";
    const file = (inner: string): Uint8Array =>
      bytes(
        `<interfaceNuu xmlns="http://nuu.application.i2/" versionInterface="02.00">${entete}${inner}</interfaceNuu>`,
      );
    const search = file(
      "<operation><demandeMulticritere><communeSouhaitee>2A004</communeSouhaitee>" +
        "</demandeMulticritere></operation>",
    );
    const events = file(
      "<operation><numUnique>1110318016982G1104</numUnique></operation><listeEvenements><evenement>" +
        "<codeTypeEvenement>PROPO</codeTypeEvenement></evenement></listeEvenements>",
    );
    const types = file("<operation><codeTerritoire>111</codeTerritoire></operation>");
    const valid = { kind: "valid" };
    assert.deepEqual(await validator.checkDocument(search, "recherche", "02.00"), valid);
    assert.deepEqual(await validator.checkDocument(events, "evenements", "02.00"), valid);
    assert.deepEqual(await validator.checkDocument(types, "typesEvenements", "02.00"), valid);
    assert.deepEqual(await validator.checkDocument(file(""), "typesEvenements", "02.00"), valid);
    for (const [wrong, document] of [
      [search, "evenements"],
      [events, "recherche"],
      [types, "evenements"],
      [file(""), "recherche"],
    ] as const) {
      assert.equal((await validator.checkDocument(wrong, document, "02.00")).kind, "invalid");
    }
    const later = await validator.checkDocument(search, "recherche", "05.02");
    assert.match(later.kind === "notChecked" ? later.reason : "", /« 05\.02 »/);
  });

  it("leaves the caller its bytes", async () => {
    const file = bytes(text());
    await validator.check(file, "02.01");
    assert.equal(Buffer.from(file).toString(), text());
  });

  it("shares the work between several workers", async () => {
    const pair = await start({ workers: 2 });
    const checks = await Promise.all(
      Array.from({ length: 40 }, (_, seed) => pair.check(bytes(text({ seed })), "02.01")),
    );
    assert.ok(checks.every(({ kind }) => kind === "valid"));
  });
});
