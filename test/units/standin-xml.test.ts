/** The stand-in's two readers of a demande give one reading, and neither ever throws. */
import assert from "node:assert/strict";
import { readAnyDemande, readDemande } from "../../src/adapters/standin-xml/read-demande.ts";
import {
  makeKnownTags,
  readPlainDemande,
} from "../../src/adapters/standin-xml/read-plain-demande.ts";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { LONG } from "../support/long-form.ts";

const ALTERED = LONG ? 10_000 : 1_000;

const SHAPES: Readonly<Record<string, Partial<SampleDemande>>> = {
  "a creation": {},
  "a separation": { typeFichier: "CRS" },
  "a change by number": { typeFichier: "MOD" },
  "a radiation": { typeFichier: "RAD", motifRadiation: "RADATT" },
  "an irrecevabilité": { typeFichier: "RAD", motifRadiation: "RADIRR" },
  "an association": { association: true, nom: 'L\'A & <B> "C"' },
  "a prefix, a byte order mark and CRLF": { prefix: "ns2", bom: true, eol: "\r\n" },
  "ten kilobytes": { padToBytes: 10_240 },
  "the 02.00 edition": { versionInterface: "02.00" },
};

/** Changes after which a file is no longer plain, or no longer XML, or means something else. */
const TWISTS: readonly (readonly [string, string])[] = [
  ["<precision", '<precision xmlns="urn:x"'],
  ["<precision", '<precision a="1" b="2"'],
  ["<precision", '<precision code="a&amp;b"'],
  ["<precision", '<precision code="a>b"'],
  ["<precision", "<precision code='a'"],
  ["<precision", "<![CDATA[<x>]]><precision"],
  ["<precision", "<!-- <x> --><precision"],
  ["<precision", "<!-- -- --><precision"],
  ["<precision", "<?pi data?><precision"],
  ["<precision", "&#233;&#xE9;<precision"],
  ["<precision", "&lt;&quot;&apos;&gt;&amp;<precision"],
  ["<precision", "&unknown;<precision"],
  ["<precision", "& <precision"],
  ["<precision", "]]><precision"],
  ["<precision", "\u0085\u00AD<precision"],
  ["<precision", "\u0001<precision"],
  ["<precision", "<é/><precision"],
  ["<precision", "<x:y/><precision"],
  ["<precision", "<numUnique>1</numUnique><precision"],
  ["<precision", "<listeAnomalie><anomalie code='x'/></listeAnomalie><precision"],
  ["</demandeLogement>", "<incrementFichier>3</incrementFichier></demandeLogement>"],
  ["</demandeLogement>", "</demande>"],
  ["</interfaceNuu>", "</interfaceNuu><more/>"],
  ["</interfaceNuu>", "</interfaceNuu>text"],
  ["</interfaceNuu>", "</interfaceNuu >\n<!-- end -->\n"],
  ["</interfaceNuu>", ""],
  ["<interfaceNuu", "<!DOCTYPE interfaceNuu><interfaceNuu"],
  ["<interfaceNuu", '<interfaceNuu xmlns:a="urn:a" a:b="c"'],
  ["<interfaceNuu", '<interfaceNuu versionInterface="02.01"'],
  ["http://nuu.application.i2/", "urn:other"],
  ['encoding="UTF-8"', 'encoding="ISO-8859-1"'],
  ['encoding="UTF-8"', 'encoding="UTF-7"'],
  ['version="1.0"', 'version="1.1"'],
  ["<nom>", "<nom><b/>"],
  ["<numGuichet>", "<!-- --><numGuichet >"],
];

describe("the stand-in's reading of a demande", () => {
  const tags = makeKnownTags();

  for (const [name, shape] of Object.entries(SHAPES)) {
    it(`reads ${name} the same fast as by saxes`, () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const file = makeDemande({ typeFichier: "CRE", guichet: "G1104", seed, ...shape });
        const fast = readPlainDemande(file, tags);
        assert.ok(fast?.kind === "read", "a plain file is read by the fast reader");
        assert.deepEqual(fast, readAnyDemande(file));
      }
    });
  }

  it("leaves to saxes what is not plain, and never reads it otherwise", () => {
    const plain = Buffer.from(
      makeDemande({ typeFichier: "CRE", guichet: "G1", precision: "é" }),
    ).toString("utf8");
    for (const [found, put] of TWISTS) {
      assert.ok(plain.includes(found), found);
      const file = Buffer.from(plain.replace(found, put), "utf8");
      const fast = readPlainDemande(file, tags);
      if (fast !== undefined) assert.deepEqual(fast, readAnyDemande(file), put);
    }
  });

  it("agrees with saxes on thousands of files mangled at random", () => {
    const whole = Buffer.from(makeDemande({ typeFichier: "RAD", guichet: "G1", seed: 3 }));
    const bits = [
      "<",
      ">",
      "/",
      "&",
      '"',
      " ",
      "<!--",
      "-->",
      "]]>",
      "\r",
      "x",
      "=",
      "\u00e9",
      "a:",
    ];
    let seed = 11;
    const draw = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 8) % below;
    };
    let read = 0;
    for (let i = 0; i < ALTERED; i += 1) {
      const file = Buffer.from(whole);
      for (let change = 0; change <= draw(3); change += 1) {
        file.write(bits[draw(bits.length)] ?? "", draw(file.length), "utf8");
      }
      const fast = readPlainDemande(file, tags);
      if (fast === undefined) continue;
      read += 1;
      assert.deepEqual(fast, readAnyDemande(file), file.toString("utf8"));
    }
    assert.ok(read > ALTERED / 15, `${read} were still plain`);
  });

  it("refuses with a reason, never throws, whatever the bytes", () => {
    const hostile: readonly (string | Buffer)[] = [
      "",
      "<",
      "<interfaceNuu",
      '<interfaceNuu xmlns="http://nuu.application.i2/"/>',
      `<interfaceNuu xmlns="http://nuu.application.i2/">${"<a>".repeat(5_000)}`,
      `<!DOCTYPE a [<!ENTITY a "${"x".repeat(1_000)}">]><a>&a;</a>`,
      Buffer.from([0xff, 0xfe, 0x3c]),
      Buffer.from([0x3c, 0xff, 0x3e]),
      Buffer.alloc(1_000_000, "<a "),
    ];
    for (const bytes of hostile) {
      const reading = readDemande(Buffer.from(bytes), tags);
      assert.ok(reading.kind === "unreadable" && reading.reason !== "");
    }
  });
});
