/** The reader of envelopes: what it reads, every refusal with its place, encodings, hostile files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import { makeEnvelopeReader } from "../../src/adapters/xml/envelope-reader.ts";
import { frenchDetail } from "../../src/adapters/xml/saxes-errors.ts";
import type { ErrorCode } from "../../src/domain/errors.ts";
import { makeDemande } from "../../src/standin/sample-demandes.ts";

const read = makeEnvelopeReader({ limitBytes: 10_000_000 });

const NUU = "http://nuu.application.i2/";
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A small file whose lines are known, to check places. */
function small({
  declaration = DECLARATION,
  root = `<interfaceNuu xmlns="${NUU}" versionInterface="02.01">`,
  entete = "<typeFichier>CRE</typeFichier><dateFichier>2026-01-15T09:30:00.000+01:00</dateFichier>",
  keys = "<numGuichet>75A01</numGuichet><refInterne>REF-1</refInterne>",
  rest = "<precision>é</precision>",
} = {}): string {
  return `${declaration}${root}
<entete>
${entete}
</entete>
<demande>
<demandeLogement>
${keys}
${rest}
</demandeLogement>
</demande>
</interfaceNuu>`;
}
/** Lines of `small()`, from 1. */
const LINE = { root: 2, entete: 3, enteteContent: 4, demandeLogement: 7, keys: 8, rest: 9 };

function envelopeOf(file: string | Uint8Array) {
  const reading = read(typeof file === "string" ? Buffer.from(file) : file);
  assert.equal(reading.kind, "read", JSON.stringify(reading));
  return reading.envelope;
}

function refusalOf(file: string | Uint8Array, reader = read) {
  const reading = reader(typeof file === "string" ? Buffer.from(file) : file);
  assert.equal(reading.kind, "unreadable", JSON.stringify(reading));
  return reading.control;
}

function refused(
  file: string | Uint8Array,
  code: ErrorCode,
  line: number,
  column: number,
  reader = read,
) {
  const control = refusalOf(file, reader);
  assert.deepEqual(
    { code: control.code, line: control.line, column: control.column },
    { code, line, column },
    control.message,
  );
  return control;
}

describe("reading an envelope", () => {
  it("reads the type, the date, the version and the keys", () => {
    const file = makeDemande({
      typeFichier: "MOD",
      guichet: "75A01",
      numUnique: "1110318016982G1104",
      refInterne: "DOSSIER 42",
      dateFichier: "2026-03-01T10:00:00.000+01:00",
    });
    assert.deepEqual(envelopeOf(file), {
      kind: "MOD",
      numGuichet: "75A01",
      numUnique: "1110318016982G1104",
      refInterne: "DOSSIER 42",
      versionInterface: "02.01",
      dateFichier: "2026-03-01T10:00:00.000+01:00",
    });
  });

  it("reads the same whatever the prefix, the line ends and the byte order mark", () => {
    const options = { typeFichier: "CRE", guichet: "G1226", refInterne: "R1" } as const;
    const plain = envelopeOf(makeDemande(options));
    assert.deepEqual(envelopeOf(makeDemande({ ...options, prefix: "ns2" })), plain);
    assert.deepEqual(envelopeOf(makeDemande({ ...options, eol: "\r\n" })), plain);
    assert.deepEqual(envelopeOf(makeDemande({ ...options, bom: true })), plain);
    assert.deepEqual(envelopeOf(makeDemande({ ...options, encoding: "iso-8859-1" })), plain);
  });

  it("takes CDATA, entities and comments inside a value as an XML reader does", () => {
    const keys =
      "<numGuichet><![CDATA[7]]>5A<!-- guichet -->01</numGuichet><refInterne>A&amp;B&#45;1</refInterne>";
    const envelope = envelopeOf(small({ keys }));
    assert.equal(envelope.numGuichet, "75A01");
    assert.equal(envelope.refInterne, "A&B-1");
  });

  it("leaves the white space around a value out of it", () => {
    const keys = "<numGuichet>\n\t75A01 </numGuichet><refInterne>\r\n REF  1\r\n</refInterne>";
    const envelope = envelopeOf(small({ keys }));
    assert.equal(envelope.numGuichet, "75A01");
    assert.equal(envelope.refInterne, "REF  1");
  });

  it("takes an empty optional element for an absent one", () => {
    const keys = "<numGuichet>75A01</numGuichet><numUnique/><refInterne>  </refInterne>";
    const envelope = envelopeOf(
      small({ keys, entete: "<typeFichier>CRE</typeFichier><dateFichier/>" }),
    );
    assert.deepEqual(envelope, { kind: "CRE", numGuichet: "75A01", versionInterface: "02.01" });
  });

  it("is not misled by elements of the same name elsewhere", () => {
    const rest = `<autre><numGuichet>XXXXX</numGuichet><typeFichier>RAD</typeFichier></autre>
      <entete><typeFichier>RAD</typeFichier></entete>`;
    assert.equal(envelopeOf(small({ rest })).kind, "CRE");
  });

  it("reads a document labelled XML 1.1 by the rules of 1.0", () => {
    assert.equal(envelopeOf(small({ declaration: '<?xml version="1.1"?>\n' })).kind, "CRE");
    refused(
      small({ declaration: '<?xml version="1.1"?>\n', rest: "<precision>&#1;</precision>" }),
      "NOT_XML",
      LINE.rest,
      12,
    );
  });

  it("counts characters, not UTF-16 units, in a length", () => {
    const refInterne = "𝄞".repeat(18);
    const keys = `<numGuichet>75A01</numGuichet><refInterne>${refInterne}</refInterne>`;
    assert.equal(envelopeOf(small({ keys })).refInterne, refInterne);
  });
});

describe("refusing a file that cannot be routed", () => {
  it("EMPTY_FILE: no byte, or white space only, or a byte order mark alone", () => {
    refused("", "EMPTY_FILE", 1, 1);
    refused(" \r\n\t\n", "EMPTY_FILE", 1, 1);
    refused(Buffer.from([0xef, 0xbb, 0xbf]), "EMPTY_FILE", 1, 1);
    refused(Buffer.from([0xff, 0xfe]), "EMPTY_FILE", 1, 1);
  });

  it("FILE_TOO_LARGE: unread", () => {
    const reader = makeEnvelopeReader({ limitBytes: 100 });
    const control = refused(small(), "FILE_TOO_LARGE", 1, 1, reader);
    assert.match(control.message, /100 octets/);
  });

  it("NOT_XML: at the character at fault, in French", () => {
    const control = refused(
      small({ rest: "<precision>a & b</precision>" }),
      "NOT_XML",
      LINE.rest,
      14,
    );
    assert.match(control.message, /« & » doit s'écrire « &amp; »/);
    const literal = "<!-- a & b --><precision><![CDATA[c & d]]><?e & f?>g &h i</precision>";
    refused(small({ rest: literal }), "NOT_XML", LINE.rest, 54);
    const undefinedEntity = refused(
      small({ rest: "<precision>&amp;&eacute;</precision>" }),
      "NOT_XML",
      LINE.rest,
      17,
    );
    assert.match(undefinedEntity.message, /« &eacute; » n'est pas définie/);
    refused(small({ rest: "<precision>\u0001</precision>" }), "NOT_XML", LINE.rest, 12);
    refused("Bonjour", "NOT_XML", 1, 8);
    refused(Buffer.alloc(5000), "NOT_XML", 1, 1);
    refused(small() + "\n<autre/>", "NOT_XML", 13, 1);
    refused(small({ rest: '<precision code="1" code="2"/>' }), "NOT_XML", LINE.rest, 30);
    refused(small({ rest: "<a:precision/>" }), "NOT_XML", LINE.rest, 1);
  });

  it("NOT_XML: names the two tags that do not answer each other", () => {
    const control = refused(small({ rest: "<precision>x</precisions>" }), "NOT_XML", LINE.rest, 13);
    assert.match(control.message, /« precisions » ne répond pas à « precision »/);
  });

  it("NOT_XML: a truncated file, wherever it was cut, even in a character", () => {
    const whole = Buffer.from(small());
    const control = refusalOf(whole.subarray(0, whole.indexOf("</demandeLogement>")));
    assert.equal(control.code, "NOT_XML");
    assert.match(
      control.message,
      /s'arrête avant la fin \(élément « demandeLogement » non fermé\)/,
    );
    const inCharacter = whole.subarray(0, whole.indexOf("é") + 1);
    assert.match(refused(inCharacter, "NOT_XML", LINE.rest, 12).message, /milieu d'un caractère/);
    for (let length = 1; length < whole.length; length += 1) {
      assert.equal(refusalOf(whole.subarray(0, length)).code, "NOT_XML", `cut at ${length}`);
    }
  });

  it("DOCTYPE_REFUSED: whatever it declares, entities and references included", () => {
    const bomb = `${DECLARATION}<!-- x --><!DOCTYPE interfaceNuu [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n`;
    refused(small({ declaration: bomb }), "DOCTYPE_REFUSED", 2, 11);
    const external = `${DECLARATION}<!DOCTYPE interfaceNuu SYSTEM "file:///etc/passwd">\n`;
    refused(small({ declaration: external }), "DOCTYPE_REFUSED", 2, 1);
  });

  it("TOO_DEEP: one level more than allowed", () => {
    const reader = makeEnvelopeReader({ limitBytes: 1_000_000, maxDepth: 20 });
    // Three levels hold the rest: interfaceNuu, demande, demandeLogement.
    const nested = (levels: number) => "<a>".repeat(levels) + "</a>".repeat(levels);
    assert.equal(reader(Buffer.from(small({ rest: nested(17) }))).kind, "read");
    const control = refused(small({ rest: nested(18) }), "TOO_DEEP", LINE.rest, 52, reader);
    assert.match(control.message, /20 niveaux/);
  });

  it("WRONG_ROOT: says which, before any other fault of the file", () => {
    const html = "<html><body><p>502 Bad Gateway<br></body></html>";
    assert.match(refused(html, "WRONG_ROOT", 1, 1).message, /« html »/);
    refused(`${DECLARATION}<listeDoublons xmlns="${NUU}"/>`, "WRONG_ROOT", 2, 1);
  });

  it("WRONG_NAMESPACE: none, or another", () => {
    refused(small({ root: "<interfaceNuu>" }), "WRONG_NAMESPACE", LINE.root, 1);
    const other = '<interfaceNuu xmlns="http://nuu.application.i2">';
    const control = refused(small({ root: other }), "WRONG_NAMESPACE", LINE.root, 1);
    assert.match(control.message, /« http:\/\/nuu\.application\.i2 »/);
  });

  it("NO_TYPE_FICHIER: absent, empty or misshapen, at the nearest element there is", () => {
    refused(small({ entete: "<dateFichier/>" }), "NO_TYPE_FICHIER", LINE.entete, 1);
    refused(
      small({ entete: "<typeFichier> </typeFichier>" }),
      "NO_TYPE_FICHIER",
      LINE.enteteContent,
      1,
    );
    const control = refused(
      small({ entete: "<typeFichier>CREA</typeFichier>" }),
      "NO_TYPE_FICHIER",
      LINE.enteteContent,
      1,
    );
    assert.equal(control.field, "entete/typeFichier");
    refused(
      small({ entete: "<typeFichier>C E</typeFichier>" }),
      "NO_TYPE_FICHIER",
      LINE.enteteContent,
      1,
    );
    refused(`<interfaceNuu xmlns="${NUU}"/>`, "NO_TYPE_FICHIER", 1, 1);
  });

  it("NO_GUICHET: absent, empty, too long or not a text", () => {
    const at = LINE.demandeLogement;
    const control = refused(small({ keys: "" }), "NO_GUICHET", at, 1);
    assert.equal(control.field, "demande/demandeLogement/numGuichet");
    refused(small({ keys: "<numGuichet/>" }), "NO_GUICHET", LINE.keys, 1);
    refused(small({ keys: "<numGuichet>123456</numGuichet>" }), "NO_GUICHET", LINE.keys, 1);
    refused(small({ keys: "<numGuichet>7\u00855A</numGuichet>" }), "NO_GUICHET", LINE.keys, 1);
    refused(small({ keys: "<numGuichet>75<b/></numGuichet>" }), "NO_GUICHET", LINE.keys, 15);
  });

  it("NO_GUICHET: another document of the SNE (search, events) carries its guichet elsewhere", () => {
    const search = `<interfaceNuu xmlns="${NUU}" versionInterface="02.00"><entete><typeFichier>REC</typeFichier><codeGuichet>75A01</codeGuichet></entete><operation><numUnique>1110318016982G1104</numUnique></operation></interfaceNuu>`;
    refused(search, "NO_GUICHET", 1, 1);
  });

  it("INVALID_FIELD: too long, with a control, repeated, or in the wrong namespace", () => {
    const guichet = "<numGuichet>75A01</numGuichet>";
    const long = refused(
      small({ keys: `${guichet}\n<numUnique>${"1".repeat(19)}</numUnique>` }),
      "INVALID_FIELD",
      LINE.keys + 1,
      1,
    );
    assert.equal(long.field, "demande/demandeLogement/numUnique");
    assert.match(long.message, /L'élément numUnique .* Il dépasse 18 caractères\./);
    refused(
      small({ keys: `${guichet}<refInterne>A\nB</refInterne>` }),
      "INVALID_FIELD",
      LINE.keys,
      31,
    );
    const twice = refused(small({ keys: guichet + guichet }), "INVALID_FIELD", LINE.keys, 31);
    assert.equal(twice.field, "demande/demandeLogement/numGuichet");
    const stranger = refused(
      small({ keys: '<numGuichet xmlns="urn:x">75A01</numGuichet>' }),
      "INVALID_FIELD",
      LINE.keys,
      1,
    );
    assert.match(stranger.message, /« urn:x »/);
    refused(
      small({ root: `<interfaceNuu xmlns="${NUU}" versionInterface="02.01 ou plus">` }),
      "INVALID_FIELD",
      LINE.root,
      1,
    );
    refused(small({ rest: "</demandeLogement><demandeLogement>" }), "INVALID_FIELD", LINE.rest, 19);
  });

  it("NOT_XML: more attributes or longer names than any exporter writes", () => {
    const many = Array.from({ length: 65 }, (_, i) => `a${i}="1"`).join(" ");
    assert.match(refusalOf(small({ rest: `<precision ${many}/>` })).message, /64 attributs/);
    assert.match(refusalOf(small({ rest: `<${"p".repeat(300)}/>` })).message, /256 caractères/);
  });

  it("places a fault after CR LF line ends and characters of two UTF-16 units", () => {
    const file = small({ rest: "<precision>é𝄞𝄞 &</precision>" }).replaceAll("\n", "\r\n");
    refused(file.replace(" &<", " \u0001<"), "NOT_XML", LINE.rest, 16);
  });

  it("has a French sentence for every message of the pinned parser", () => {
    const source = readFileSync(createRequire(import.meta.url).resolve("saxes"), "utf8");
    const messages = [...source.matchAll(/fail\(\s*(["`])((?:\\.|(?!\1).)*)\1/gs)].map((found) =>
      (found[2] ?? "").replace(/\$\{[^}]*\}/g, "x").replace(/\\(.)/g, "$1"),
    );
    assert.ok(messages.length > 50, `only ${messages.length} messages found in the parser`);
    const untold = messages.filter(
      (message) => frenchDetail(message) === message && !message.startsWith("cannot write after"),
    );
    assert.deepEqual(untold, []);
  });
});

describe("decoding a file", () => {
  const utf16 = (text: string) => Buffer.from(text, "utf16le");
  const declared = (encoding: string) =>
    small({ declaration: `<?xml version="1.0" encoding="${encoding}"?>\n` });

  it("reads UTF-16 of both orders, with or without byte order mark", () => {
    const text = declared("UTF-16");
    assert.equal(envelopeOf(utf16("\uFEFF" + text)).kind, "CRE");
    assert.equal(envelopeOf(utf16("\uFEFF" + text).swap16()).kind, "CRE");
    assert.equal(envelopeOf(utf16(text)).kind, "CRE");
    assert.equal(envelopeOf(utf16(declared("utf-16be")).swap16()).kind, "CRE");
  });

  it("reads the one-byte encodings exactly, each euro sign and each œ where it is", () => {
    const inKey = (encoding: string, byte: number) => {
      const text = small({
        declaration: `<?xml version='1.0' encoding='${encoding}' standalone="yes"?>\n`,
        keys: "<numGuichet>75A01</numGuichet><refInterne>A@</refInterne>",
        rest: "",
      });
      const bytes = Buffer.from(text, "latin1");
      bytes[bytes.indexOf("@")] = byte;
      return bytes;
    };
    assert.equal(envelopeOf(inKey("windows-1252", 0x80)).refInterne, "A€");
    assert.equal(envelopeOf(inKey("ISO-8859-15", 0xa4)).refInterne, "A€");
    assert.equal(envelopeOf(inKey("ISO-8859-15", 0xbd)).refInterne, "Aœ");
    assert.equal(envelopeOf(inKey("iso-8859-1", 0xe9)).refInterne, "Aé");
    assert.equal(envelopeOf(inKey("us-ascii", 0x42)).refInterne, "AB");
    // 0x80 is a control in iso-8859-1: no key may hold one.
    assert.equal(refusalOf(inKey("iso-8859-1", 0x80)).code, "INVALID_FIELD");
  });

  it("reads on when a mislabelled character stands where no key is", () => {
    const text = small({
      declaration: '<?xml version="1.0" encoding="iso-8859-1"?>\n',
      rest: "<precision>@</precision>",
    });
    const bytes = Buffer.from(text, "latin1");
    bytes[bytes.indexOf("@")] = 0x92;
    assert.equal(envelopeOf(bytes).kind, "CRE");
  });

  it("WRONG_ENCODING: UTF-8 declared or understood, and bytes that are not, at their place", () => {
    for (const declaration of [DECLARATION, "<!-- no declaration -->\n"]) {
      const bytes = Buffer.from(
        small({ declaration, rest: "<precision>abc é</precision>" }),
        "latin1",
      );
      refused(bytes, "WRONG_ENCODING", LINE.rest, 16);
    }
    const late = Buffer.from(small({ rest: `<precision>${"é€𝄞".repeat(5000)}@</precision>` }));
    late[late.lastIndexOf("@")] = 0xff;
    refused(late, "WRONG_ENCODING", LINE.rest, 12 + 15_000);
    const overlong = Buffer.from(small());
    overlong[overlong.indexOf("</demandeLogement>")] = 0xc0;
    refused(overlong, "WRONG_ENCODING", LINE.rest + 1, 1);
  });

  it("WRONG_ENCODING: us-ascii declared and a byte over 127", () => {
    const bytes = Buffer.from(
      small({ declaration: '<?xml version="1.0" encoding="us-ascii"?>\n' }),
    );
    refused(bytes, "WRONG_ENCODING", LINE.rest, 12);
  });

  it("WRONG_ENCODING: the mark or the bytes contradict the declaration", () => {
    refused(declared("UTF-16"), "WRONG_ENCODING", 1, 31);
    refused("\uFEFF" + declared("iso-8859-1"), "WRONG_ENCODING", 1, 31);
    refused(utf16("\uFEFF" + declared("utf-8")), "WRONG_ENCODING", 1, 31);
    refused(
      utf16("\uFEFF" + declared("UTF-16").replace("é", "\uD834")),
      "WRONG_ENCODING",
      LINE.rest,
      12,
    );
  });

  it("NOT_XML: UTF-16 cut in a character", () => {
    const bytes = utf16("\uFEFF" + declared("UTF-16"));
    refused(bytes.subarray(0, 101), "NOT_XML", 2, 10);
  });

  it("UNSUPPORTED_ENCODING: says which", () => {
    assert.match(refused(declared("Shift_JIS"), "UNSUPPORTED_ENCODING", 1, 1).message, /Shift_JIS/);
    refused(Buffer.from([0xff, 0xfe, 0x00, 0x00, 0x3c, 0, 0, 0]), "UNSUPPORTED_ENCODING", 1, 1);
    refused(Buffer.from([0x4c, 0x6f, 0xa7, 0x94]), "UNSUPPORTED_ENCODING", 1, 1);
  });
});

describe("hostile files", () => {
  it("never throws and always places its refusal, whatever bytes of a good file are changed", () => {
    const good = Buffer.from(makeDemande({ typeFichier: "CRE", guichet: "75A01" }));
    const edit = fc.record({
      at: fc.nat(good.length - 1),
      remove: fc.nat(12),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc
          .constantFrom(
            "<",
            "</",
            "<!--",
            "<![CDATA[",
            "]]>",
            "&",
            "&#0;",
            "<!DOCTYPE a>",
            "<?",
            '"',
            "xmlns=",
            ":",
          )
          .map((text) => Buffer.from(text)),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let bytes: Uint8Array = good;
        for (const { at, remove, insert } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        const reading = read(bytes);
        if (reading.kind === "read") return reading.envelope.numGuichet.length <= 5;
        const { line = 0, column = 0, message } = reading.control;
        return line >= 1 && column >= 1 && message !== "";
      }),
      { interruptAfterTimeLimit: 1200, markInterruptAsFailure: false, numRuns: 3000 },
    );
  });

  it("takes a time that grows with the file, not with its depth", () => {
    const levels = 190;
    const file = (count: number) =>
      Buffer.from(
        small({ rest: "<d>".repeat(levels) + "<a/>".repeat(count) + "</d>".repeat(levels) }),
      );
    const timed = (bytes: Buffer) => {
      const start = process.cpuUsage();
      assert.equal(read(bytes).kind, "read");
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    timed(file(10_000));
    // The parser's own namespaces took 2,000 ms for this one, and ours 100.
    const ms = timed(file(400_000));
    assert.ok(ms < 1000, `${ms} ms`);
  });

  it("looks for the fault of a file without end in one pass", () => {
    // Each `<?` would have a search of its own to the end of the file.
    const start = process.cpuUsage();
    refusalOf(small({ rest: "<precision>" + "<?a ".repeat(60_000) }));
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 1_000_000, `${user + system} µs`);
  });
});
