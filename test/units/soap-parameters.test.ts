/** Fields become the parameters of the contract exactly as written, or a fault that names them. */
import assert from "node:assert/strict";
import {
  readParameters,
  type ParameterRules,
  type ParameterShape,
} from "../../src/adapters/soap/read-parameters.ts";
import type { SoapField } from "../../src/adapters/soap/soap-message.ts";
import { readBase64 } from "../../src/wire/base64.ts";
import { sneOperation } from "../../src/wire/sne-contract.ts";

const RADIEES = sneOperation("getDemandesRadieesDepuisLe").parameters;
const BORDEREAU: readonly ParameterShape[] = [
  { name: "nomBordereau", type: "text", optional: true },
  { name: "nomFichier", type: "text", repeated: true },
];

const field = (name: string, text = "", more: Partial<SoapField> = {}): SoapField => ({
  name,
  text,
  ...more,
});
const DATE = field("dateRadiationDepuisLe", "2026-01-31T08:00:00.000+01:00");
const NAME = field("nomCertificat", "C.pem");
const FILE = field("certificat");

function read(fields: readonly SoapField[], shape = RADIEES, rules?: ParameterRules) {
  const reading = readParameters({ fields }, shape, rules);
  assert.ok(reading.kind === "parameters", JSON.stringify(reading));
  return reading.parameters;
}

function whyNot(fields: readonly SoapField[], shape: readonly ParameterShape[] = RADIEES): string {
  const reading = readParameters({ fields }, shape);
  assert.ok(reading.kind === "fault", "it was read");
  assert.equal(reading.fault.code, "SOAP_PARAMETER_INVALID");
  assert.equal(reading.fault.who, "sender");
  return reading.fault.text;
}

describe("The parameters of a SOAP request", () => {
  it("are given as written, absent ones as absent", () => {
    const parameters = read([
      DATE,
      field("motifRadiation", " ", { code: "RADATT" }),
      field("typeReservataire", "", { code: "PFONCT" }),
      field("nomCertificat", "  0012.50 \n"),
      field("certificat", "QUJD\nREVG", { contentType: "application/x-x509-ca-cert" }),
    ]);
    assert.equal(parameters.text("dateRadiationDepuisLe"), "2026-01-31T08:00:00.000+01:00");
    assert.equal(parameters.code("motifRadiation"), "RADATT");
    assert.equal(parameters.code("statutDalo"), undefined);
    assert.equal(parameters.code("typeReservataire"), "PFONCT");
    assert.equal(parameters.text("nomCertificat"), "  0012.50 \n");
    assert.deepEqual(parameters.file("certificat"), {
      bytes: Buffer.from("ABCDEF"),
      contentType: "application/x-x509-ca-cert",
    });
    // Asked as what they are not, or under names of no parameter.
    assert.equal(parameters.text("certificat"), undefined);
    assert.equal(parameters.file("__proto__"), undefined);
  });

  it("come in the order and number of the contract", () => {
    assert.match(whyNot([NAME, DATE, FILE]), /dateRadiationDepuisLe .*après nomCertificat/);
    assert.match(whyNot([DATE, NAME, NAME, FILE]), /nomCertificat .*répété/);
    assert.match(whyNot([DATE, NAME]), /certificat .*absent/);
    assert.match(whyNot([]), /dateRadiationDepuisLe .*absent/);
    const names = read([field("nomFichier", "a"), field("nomFichier", " b")], BORDEREAU);
    assert.deepEqual(names.texts("nomFichier"), ["a", " b"]);
    assert.match(whyNot([field("nomBordereau", "x")], BORDEREAU), /nomFichier .*absent/);
  });

  it("are refused by name when unknown, or passed over where that was chosen", () => {
    const later = field("nouveauCritere", "x");
    assert.match(
      whyNot([DATE, NAME, FILE, later]),
      /nouveauCritere .*inconnu ; attendus : dateRad/,
    );
    const lax = read([DATE, later, NAME, FILE], RADIEES, { unknown: "passOver" });
    assert.deepEqual(lax.passedOver, ["nouveauCritere"]);
    assert.match(
      whyNot([field("dateRadiationDepuisLe", DATE.text, { namespace: "urn:x" }), NAME, FILE]),
      /\{urn:x\}dateRadiationDepuisLe .*pas d'espace de noms/,
    );
    assert.match(whyNot([DATE, field("constructor"), NAME, FILE]), /constructor .*inconnu/);
  });

  it("hold no elements, and a nil one is an absent one", () => {
    assert.match(whyNot([DATE, field("nomCertificat", "", { nested: true }), FILE]), /d'élément/);
    const nil = [DATE, field("statutDalo", "", { nil: true }), NAME, FILE];
    assert.equal(read(nil).code("statutDalo"), undefined);
    assert.match(whyNot([DATE, field("nomCertificat", "", { nil: true }), FILE]), /xsi:nil/);
  });

  it("are files by part or by strict base64, wrong by the place where it is wrong", () => {
    const bytes = Buffer.from([0, 255, 10]);
    const part = field("certificat", "\r\n ", { part: bytes, partType: "text/xml; charset=x" });
    assert.equal(read([DATE, NAME, part]).file("certificat")?.bytes, bytes);
    assert.equal(read([DATE, NAME, part]).file("certificat")?.contentType, "text/xml; charset=x");
    const wrong = (text: string): string => whyNot([DATE, NAME, field("certificat", text)]);
    assert.match(wrong("cid:abc"), /certificat .*position 4/);
    assert.match(wrong("QUJ"), /tronqué/);
    assert.match(wrong("QQ==QUJD"), /remplissage/);
    assert.match(
      whyNot([DATE, field("nomCertificat", "", { part: bytes }), FILE]),
      /pas un fichier/,
    );
  });

  it("are dates and times as XML Schema writes them", () => {
    const text = (value: string): string | undefined =>
      read([field("dateRadiationDepuisLe", value), NAME, FILE]).text("dateRadiationDepuisLe");
    for (const value of [
      "2026-01-31T08:00:00Z",
      "2024-02-29T23:59:59.123456+14:00",
      "2026-12-31T24:00:00",
      "2000-02-29T00:00:00-05:30",
    ]) {
      assert.equal(text(value), value);
    }
    assert.equal(text(" \n2026-01-31T08:00:00Z\t"), "2026-01-31T08:00:00Z");
    for (const value of [
      "",
      "2026-01-31",
      "2026-02-29T00:00:00",
      "1900-02-29T00:00:00",
      "2026-04-31T00:00:00",
      "2026-13-01T00:00:00",
      "2026-00-01T00:00:00",
      "2026-01-00T00:00:00",
      "2026-01-01T24:00:01",
      "2026-01-01T00:60:00",
      "2026-01-01T00:00:60",
      "2026-01-01T00:00:00+15:00",
      "2026-01-01T00:00:00 +01:00",
      "2026-01-01 00:00:00",
      "31/01/2026",
      "\u00a02026-01-31T08:00:00Z",
    ]) {
      assert.match(
        whyNot([field("dateRadiationDepuisLe", value), NAME, FILE]),
        /date et heure/,
        value,
      );
    }
  });

  it("are codes of one to six letters or digits, in an empty element", () => {
    const of = (more: Partial<SoapField>, text = ""): readonly SoapField[] => [
      DATE,
      field("motifRadiation", text, more),
      NAME,
      FILE,
    ];
    for (const code of ["1", "RADATT"])
      assert.equal(read(of({ code })).code("motifRadiation"), code);
    for (const code of ["", "RADATTX", "RAD-1", "É", " A", "A\n"]) {
      assert.match(whyNot(of({ code })), /1 à 6 lettres/, JSON.stringify(code));
    }
    assert.match(whyNot(of({})), /motifRadiation .*code est absent/);
    assert.match(whyNot(of({ code: "A" }, "texte")), /doit être vide/);
  });
});

describe("Base64", () => {
  it("is read with its line breaks, and never nearly", () => {
    for (const [text, read] of [
      ["", ""],
      [" \r\n", ""],
      ["QQ==", "A"],
      ["QUI=", "AB"],
      ["Q U\tJ\rD\n", "ABC"],
      ["QQ =\n= ", "A"],
    ] as const) {
      const reading = readBase64(text);
      assert.ok(reading.kind === "bytes", text);
      assert.equal(Buffer.from(reading.bytes).toString(), read);
    }
    for (const text of [
      ..."A,AB,ABC,ABCDE,=,==,====,A===,QQ=,QQ===,QQ==QQ==,QU=D,QU-D,QU_D,QU*D,QUJŁ,QUJD\u00a0".split(
        ",",
      ),
      "QUJD\u0000",
      "\ufeffQUJD",
      "QU\u000bJD",
    ]) {
      assert.equal(readBase64(text).kind, "wrong", JSON.stringify(text));
    }
  });
});
