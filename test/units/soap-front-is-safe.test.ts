/**
 * What a SOAP service may be sent, by mistake or by malice, is answered with a fault of its own
 * version that says what is wrong and where. Each hole of node-soap's server has its test here.
 */
import assert from "node:assert/strict";
import { readSoapRequest, type SoapLimits } from "../../src/adapters/soap/read-soap-request.ts";
import type { SoapFault, SoapRequest } from "../../src/adapters/soap/soap-message.ts";
import { cpuMs } from "../support/cpu-time.ts";
import {
  children,
  envelopeCall,
  httpCall,
  include,
  numUnique,
  packageCall,
  SOAP11,
  SOAP12,
  XOP,
  type RawPart,
} from "../support/soap-framings.ts";
import type { RawCall } from "../support/standin-calls.ts";

const SOAP_XML = "application/soap+xml; charset=utf-8";

function readCall(call: RawCall, limits?: Partial<SoapLimits>) {
  return readSoapRequest(httpCall(call), limits);
}

function faultOf(call: RawCall, limits?: Partial<SoapLimits>): SoapFault & { version: string } {
  const reading = readCall(call, limits);
  assert.ok(reading.kind === "fault", JSON.stringify(reading).slice(0, 500));
  return { ...reading.fault, version: reading.version };
}

function whyNot(call: RawCall): string {
  const fault = faultOf(call);
  assert.equal(fault.code, "SOAP_UNREADABLE", fault.text);
  assert.equal(fault.who, "sender");
  return fault.text;
}

function requestOf(call: RawCall, limits?: Partial<SoapLimits>): SoapRequest {
  const reading = readCall(call, limits);
  assert.ok(reading.kind === "request", JSON.stringify(reading));
  return reading.request;
}

const plain = (xml: string | Uint8Array, type = SOAP_XML): RawCall => envelopeCall(xml, type);

const rootPart = (xml: string): RawPart => ({
  head: [
    'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
    "Content-ID: <racine>",
  ],
  bytes: xml,
});
const filePart = (id: string, bytes: string | Uint8Array, encoding = "binary"): RawPart => ({
  head: ["Content-Type: text/xml", `Content-Transfer-Encoding: ${encoding}`, `Content-ID: <${id}>`],
  bytes,
});
const mtom = (parts: readonly RawPart[], start = "<racine>"): RawCall =>
  packageCall(
    `multipart/related; type="application/xop+xml"; start="${start}"; start-info="application/soap+xml"; boundary=B`,
    "B",
    parts,
  );
const withFile = (cid: string): RawPart => rootPart(numUnique(children(include(cid))));

describe("The SOAP front", () => {
  it("answers an empty body, and never waits for one", () => {
    assert.match(whyNot(plain("")), /corps de la requête est vide/);
    assert.match(whyNot(plain("", 'multipart/related; boundary="B"')), /vide/);
    assert.match(whyNot(plain("  \n ")), /ligne 2/);
  });

  it("says 415 to what is no SOAP at all, without echoing it", () => {
    for (const type of [
      "application/json",
      "text/html",
      "multipart/form-data; boundary=x",
      "<script>",
    ]) {
      const reading = readCall(plain(numUnique(""), type));
      assert.ok(reading.kind === "http", type);
      assert.equal(reading.reply.status, 415);
      assert.equal(reading.reply.headers["Content-Type"], "text/plain; charset=utf-8");
    }
    const without = readCall({ headers: {}, body: Buffer.from("x") });
    assert.equal(without.kind, "http");
  });

  it("tells the version by the envelope, whatever the head says", () => {
    assert.equal(requestOf(plain(numUnique(children("")), "text/xml")).version, "1.2");
    assert.equal(requestOf(plain(numUnique(children(""), SOAP11), SOAP_XML)).version, "1.1");
    assert.equal(requestOf(plain(numUnique(children("")), "application/xml")).version, "1.2");
  });

  it("answers an unknown version in SOAP 1.1, with those it understands", () => {
    const unknown = faultOf(plain(numUnique("", "http://www.w3.org/2001/12/soap-envelope")));
    assert.equal(unknown.who, "versionMismatch");
    assert.equal(unknown.version, "1.1");
    assert.deepEqual(unknown.supported, ["1.1", "1.2"]);
    const old = faultOf(plain(numUnique(children(""), SOAP11), "text/xml"), { versions: ["1.2"] });
    assert.equal(old.who, "versionMismatch");
    assert.deepEqual(old.supported, ["1.2"]);
    assert.match(whyNot(plain("<interfaceNuu xmlns='x'/>")), /n'est pas une enveloppe/);
  });

  it("words a fault in the version of the envelope once it was read, else of the head", () => {
    assert.equal(faultOf(plain("x", "text/xml")).version, "1.1");
    assert.equal(faultOf(plain("x")).version, "1.2");
    assert.equal(
      faultOf(plain(`<s:Envelope xmlns:s="${SOAP12}"><s:Body>`, "text/xml")).version,
      "1.2",
    );
    assert.equal(faultOf(plain(`<s:Envelope xmlns:s="${SOAP11}"><s:Body>`)).version, "1.1");
    assert.equal(faultOf(mtom([])).version, "1.2");
  });

  it("refuses a DOCTYPE and processing instructions, and says where", () => {
    const body = numUnique(children(""));
    assert.match(
      whyNot(plain(`<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "y">]>${body}`)),
      /DOCTYPE refusée, ligne 2, colonne 1/,
    );
    assert.match(whyNot(plain(`<?xml version="1.0"?><?x y?>${body}`)), /instruction/);
    assert.match(
      whyNot(plain(body.replace("<certificat/>", "<?php x?><certificat/>"))),
      /instruction/,
    );
    assert.match(whyNot(plain(`${body}<!-- a --><?x?>`)), /instruction/);
    assert.equal(
      requestOf(plain(`<!-- <?a?> <!DOCTYPE --><!---->${body}`)).element,
      "numUniqueParametres",
    );
  });

  it("refuses entities it was not told of, and characters XML 1.0 does not have", () => {
    for (const text of [
      "&nbsp;",
      "&constructor;",
      "&__proto__;",
      "&#0;",
      "&#x1F;",
      "&",
      "\u0001",
    ]) {
      assert.match(whyNot(plain(numUnique(children(text)))), /ligne 1/, text);
    }
    // Declared as 1.1, which has them: they could not be sent on.
    const xml11 = `<?xml version="1.1"?>${numUnique(children("&#1;"))}`;
    assert.match(whyNot(plain(xml11)), /XML mal formé/);
  });

  it("refuses names and references that reach beyond an object", () => {
    for (const hostile of [
      "<__proto__/>",
      "<constructor>x</constructor>",
      "<x:prototype xmlns:x='u'/>",
      "<x xmlns:__proto__='u'/>",
      "<x id='__proto__'/>",
      "<x href='#constructor'/>",
      "<x ref='prototype'/>",
      `<x><xop:Include xmlns:xop="${XOP}" href="cid:__proto__"/></x>`,
      "<x __proto__='1'/>",
    ]) {
      assert.match(whyNot(plain(numUnique(children("") + hostile))), /refusés/, hostile);
      const inHeader = numUnique(children("")).replace(
        "<s:Body>",
        `<s:Header><h xmlns="u">${hostile}</h></s:Header><s:Body>`,
      );
      assert.match(whyNot(plain(inHeader)), /refusés/, hostile);
    }
    assert.equal(Object.keys(Object.prototype).length, 0);
  });

  it("refuses too much depth, too many elements, too many attributes", () => {
    const deep = "<a>".repeat(20_000);
    assert.match(whyNot(plain(numUnique(deep))), /trop de niveaux \(64 au plus\)/);
    assert.match(whyNot(plain(numUnique("<a/>".repeat(20_000)))), /trop d'éléments/);
    const wide = Array.from({ length: 100 }, (_, n) => `a${n}=""`).join(" ");
    assert.match(whyNot(plain(numUnique(`<a ${wide}/>`))), /trop d'attributs/);
    const fits = `${"<b>".repeat(60)}${"</b>".repeat(60)}`;
    assert.equal(requestOf(plain(numUnique(`<a>${fits}</a>`))).fields[0]?.nested, true);
  });

  it("wants one element in the Body, one Body, and nothing beside", () => {
    const envelope = (inside: string): string =>
      `<s:Envelope xmlns:s="${SOAP12}">${inside}</s:Envelope>`;
    assert.match(whyNot(plain(envelope("<s:Body/>"))), /corps SOAP vide/);
    assert.match(whyNot(plain(envelope(""))), /corps SOAP vide/);
    assert.match(whyNot(plain(envelope("<s:Body><a/><b/></s:Body>"))), /plusieurs éléments/);
    assert.match(
      whyNot(plain(envelope("<s:Body><a/></s:Body><s:Body><b/></s:Body>"))),
      /mal placé/,
    );
    assert.match(whyNot(plain(envelope("<s:Body><a/></s:Body><s:Header/>"))), /mal placé/);
    assert.match(whyNot(plain(envelope("<Body><a/></Body>"))), /Body mal placé/);
    assert.match(whyNot(plain(envelope("<s:Body>texte<a/></s:Body>"))), /texte hors/);
    assert.match(whyNot(plain(envelope("<s:Body><a>texte</a></s:Body>"))), /texte hors/);
  });

  it("faults a header it must understand, and passes over the others", () => {
    const headed = (attributes: string, soap = SOAP12): RawCall =>
      plain(
        numUnique(children(""), soap).replace(
          "<s:Body>",
          `<s:Header><w:Security xmlns:w="urn:w" ${attributes}>x</w:Security></s:Header><s:Body>`,
        ),
        soap === SOAP12 ? SOAP_XML : "text/xml",
      );
    for (const [attributes, soap] of [
      ['s:mustUnderstand="1"', SOAP11],
      ['s:mustUnderstand="1" s:actor="http://schemas.xmlsoap.org/soap/actor/next"', SOAP11],
      ['s:mustUnderstand="1"', SOAP12],
      ['s:mustUnderstand=" true "', SOAP12],
      [
        's:mustUnderstand="1" s:role="http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"',
        SOAP12,
      ],
      ['s:mustUnderstand="1" s:role=""', SOAP12],
    ] as const) {
      const fault = faultOf(headed(attributes, soap));
      assert.equal(fault.who, "mustUnderstand", attributes);
      assert.equal(fault.version, soap === SOAP11 ? "1.1" : "1.2");
      assert.deepEqual(fault.notUnderstood, [{ namespace: "urn:w", name: "Security" }]);
    }
    for (const [attributes, soap] of [
      ["", SOAP12],
      ['s:mustUnderstand="0"', SOAP12],
      ['s:mustUnderstand="false"', SOAP12],
      ['mustUnderstand="1"', SOAP12],
      ['s:mustUnderstand="1" s:role="http://www.w3.org/2003/05/soap-envelope/role/none"', SOAP12],
      ['s:mustUnderstand="1" s:actor="urn:un-autre"', SOAP11],
    ] as const) {
      assert.equal(requestOf(headed(attributes, soap)).element, "numUniqueParametres", attributes);
    }
  });

  it("keeps text exactly: digits, white space, CDATA that looks like a document", () => {
    const text = "  0012.50\n<![CDATA[<?xml version='1.0'?><!DOCTYPE a><a>&amp;</a>]]>&#233;&lt;\t";
    const { fields } = requestOf(
      plain(numUnique(`<nomFichierDemande>${text}</nomFichierDemande>`)),
    );
    assert.deepEqual(fields, [
      {
        name: "nomFichierDemande",
        text: "  0012.50\n<?xml version='1.0'?><!DOCTYPE a><a>&amp;</a>é<\t",
      },
    ]);
  });

  it("reads attributes, nil and elements within for what they are", () => {
    const xsi = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"';
    const { fields } = requestOf(
      plain(
        numUnique(
          `<a code="RADATT"/><b n:contentType="text/xml">YQ==</b><c ${xsi} i:nil="true"/>` +
            `<d>x<e>y</e>z</d><n:f/>`,
        ),
      ),
    );
    assert.deepEqual(fields, [
      { name: "a", text: "", code: "RADATT" },
      { name: "b", text: "YQ==", contentType: "text/xml" },
      { name: "c", text: "", nil: true },
      { name: "d", text: "xz", nested: true },
      { name: "f", text: "", namespace: "http://ws.metier.nuu.application.i2/" },
    ]);
  });

  it("reads the encoding it is told, and refuses bytes that are not in it", () => {
    const xml = numUnique("<nomFichierDemande>é€</nomFichierDemande>");
    const latin = numUnique("<nomFichierDemande>é</nomFichierDemande>");
    const nameIn = (body: Uint8Array, type: string): string | undefined =>
      requestOf(plain(body, type)).fields[0]?.text;
    const bom = Buffer.from("\ufeff");
    assert.equal(nameIn(Buffer.from(xml), "application/soap+xml"), "é€");
    assert.equal(nameIn(Buffer.concat([bom, Buffer.from(xml)]), SOAP_XML), "é€");
    assert.equal(nameIn(Buffer.from(`\ufeff${xml}`, "utf16le"), SOAP_XML), "é€");
    assert.equal(nameIn(Buffer.from(xml, "utf16le"), "text/xml; charset=utf-16"), "é€");
    assert.equal(nameIn(Buffer.from(`\ufeff${xml}`, "utf16le").swap16(), "text/xml"), "é€");
    assert.equal(nameIn(Buffer.from(latin, "latin1"), "text/xml; charset=ISO-8859-1"), "é");
    const declared = `<?xml version="1.0" encoding="iso-8859-1"?>${latin}`;
    assert.equal(nameIn(Buffer.from(declared, "latin1"), "text/xml"), "é");
    // The charset of the head wins over the declaration (RFC 7303 section 3).
    assert.equal(nameIn(Buffer.from(declared, "utf8"), "text/xml; charset=utf-8"), "é");
    assert.match(whyNot(plain(Buffer.from(latin, "latin1"))), /octets qui ne sont pas du UTF-8/);
    assert.match(whyNot(plain(Buffer.from(latin), "text/xml; charset=us-ascii")), /US-ASCII/);
    assert.match(whyNot(plain(Buffer.from(latin), "text/xml; charset=utf-16")), /UTF-16/);
    assert.match(whyNot(plain(Buffer.from(latin), "text/xml; charset=ebcdic")), /« ebcdic »/);
    assert.match(whyNot(plain(Buffer.from([0xff, 0xfe, 0x3c, 0x00, 0x00, 0xd8]))), /UTF-16LE/);
  });

  it("takes the root by start, wherever it stands, and every transfer encoding of MIME", () => {
    const bytes = "é <a/> \r\n";
    for (const [encoding, written] of [
      ["binary", bytes],
      ["7bit", bytes],
      ["8BIT", bytes],
      ["base64", Buffer.from(bytes).toString("base64")],
      [
        "BASE64",
        `${Buffer.from(bytes).toString("base64").slice(0, 5)}\r\n${Buffer.from(bytes).toString("base64").slice(5)}`,
      ],
      ["quoted-printable", "=C3=A9 <a=\r\n/>=20\r\n"],
    ] as const) {
      const request = requestOf(mtom([filePart("f", written, encoding), withFile("f")]));
      assert.equal(Buffer.from(request.fields[1]?.part ?? []).toString(), bytes, encoding);
      assert.equal(request.readsBinary, encoding === "binary");
      assert.equal(request.fields[1]?.partType, "text/xml");
    }
    assert.equal(requestOf(mtom([filePart("f", "x"), withFile("f")], "racine")).fields.length, 4);
  });

  it("refuses a package that is not whole, or whose references lead nowhere", () => {
    const good = mtom([withFile("f"), filePart("f", "x")]);
    const cut = { ...good, body: good.body.subarray(0, good.body.length - 4) };
    assert.match(whyNot(cut), /séparateur de fin absent/);
    assert.match(whyNot({ ...good, body: Buffer.from("abc") }), /séparateur annoncé/);
    assert.match(whyNot(plain("x", "multipart/related")), /boundary/);
    assert.match(whyNot(mtom([withFile("f"), filePart("f", "x")], "<autre>")), /nomme start/);
    assert.match(whyNot(mtom([withFile("g"), filePart("f", "x")])), /Content-ID g/);
    assert.match(whyNot(mtom([withFile("racine")])), /l'enveloppe elle-même/);
    const twice = [withFile("f"), filePart("f", "x"), filePart("f", "y")];
    assert.match(whyNot(mtom(twice)), /plusieurs parties/);
    assert.match(whyNot(mtom([withFile("f"), filePart("f", "*", "base64")])), /mal encodée/);
    assert.match(whyNot(mtom([withFile("f"), filePart("f", "x", "x-zip")])), /mal encodée/);
    assert.match(whyNot(plain(numUnique(children(include("f"))))), /hors d'un message multipart/);
    const many = Array.from({ length: 40 }, (_, n) => filePart(`p${n}`, "x"));
    assert.match(whyNot(mtom([withFile("p1"), ...many])), /trop de parties/);
    const html = {
      ...rootPart(numUnique("")),
      head: ["Content-Type: text/html", "Content-ID: <racine>"],
    };
    assert.match(whyNot(mtom([html])), /text\/html/);
  });

  it("takes xop:Include alone in its element, and refuses other ways to refer", () => {
    const xop = `<xop:Include xmlns:xop="${XOP}" href="cid:f"/>`;
    const of = (inside: string): RawCall => mtom([rootPart(numUnique(inside)), filePart("f", "x")]);
    assert.equal(requestOf(of(`<a>\r\n  ${xop}\r\n</a>`)).fields[0]?.part?.byteLength, 1);
    assert.match(whyNot(of(`<a>YQ==${xop}</a>`)), /doit y être seul/);
    assert.match(whyNot(of(`<a>${xop}${xop}</a>`)), /deux xop:Include/);
    assert.match(whyNot(of(`<a><b/>${xop}</a>`)), /doit y être seul/);
    assert.match(whyNot(of(`<a><b>${xop}</b></a>`)), /mal placé/);
    assert.match(whyNot(of(`<a><xop:Include xmlns:xop="${XOP}"/></a>`)), /sans href/);
    assert.match(whyNot(of(`<a>${xop.replace("cid:f", "http://exemple/")}</a>`)), /pas un cid/);
    assert.match(whyNot(of('<a href="cid:f"/>')), /href n'est suivi que dans xop:Include/);
  });

  it("undoes one encoded part once, however often it is referred to", () => {
    const part = filePart("f", "QUJD".repeat(250_000), "base64");
    const fields = `<a>${include("f")}</a>`.repeat(2_000);
    const call = httpCall(mtom([rootPart(numUnique(fields)), part]));
    const begun = cpuMs();
    const reading = readSoapRequest(call);
    assert.ok(reading.kind === "request");
    assert.equal(new Set(reading.request.fields.map(({ part: bytes }) => bytes)).size, 1);
    assert.ok(cpuMs() - begun < 2_000);
  });

  it("reads megabytes of base64 in the envelope without parsing them, lines or not", () => {
    const base64 = Buffer.alloc(6_000_000, "<é/>").toString("base64");
    const took = (text: string): number => {
      const call = httpCall(plain(numUnique(children(text))));
      readSoapRequest(call);
      const begun = cpuMs();
      const reading = readSoapRequest(call);
      const spent = cpuMs() - begun;
      assert.ok(reading.kind === "request");
      const read = reading.request.fields[1]?.text;
      assert.ok(read === text.replaceAll("\r\n", "\n"), "the text is another");
      return spent;
    };
    const inLines = base64.replace(/.{76}/g, "$&\r\n");
    // One character more, and it is no base64: the parser reads it all.
    const parsed = took(`${base64}*`);
    for (const text of [base64, inLines]) {
      const lifted = took(text);
      assert.ok(lifted < parsed / 2, `${lifted} ms, and ${parsed} ms by the parser`);
    }
  });

  it("is not misled by long base64 that is not an element's text", () => {
    const long = "QUJD".repeat(2_000);
    const fieldsOf = (inside: string) => requestOf(plain(numUnique(inside))).fields;
    assert.deepEqual(fieldsOf(`<a><!-- <b>${long}<c> --></a>`), [{ name: "a", text: "" }]);
    assert.deepEqual(fieldsOf(`<a><![CDATA[<b>${long}<c>]]></a>`), [
      { name: "a", text: `<b>${long}<c>` },
    ]);
    assert.deepEqual(fieldsOf(`<a>${long}<!-- x -->${long}</a>`), [
      { name: "a", text: long + long },
    ]);
    assert.deepEqual(fieldsOf(`<a>x</a><b>${long}</b>`), [
      { name: "a", text: "x" },
      { name: "b", text: long },
    ]);
    assert.deepEqual(fieldsOf(`<a>x<c/>${long}</a>`), [
      { name: "a", text: `x${long}`, nested: true },
    ]);
    assert.deepEqual(fieldsOf(`<a>x<c>${long}</c></a>`), [{ name: "a", text: "x", nested: true }]);
    assert.match(whyNot(plain(numUnique(`<a/>${long}`))), /texte hors/);
    assert.match(whyNot(plain(numUnique(`<a b=">${long}</a>`))), /XML mal formé/);
    // What stands after it is still told at its place.
    assert.match(whyNot(plain(numUnique(`<a>${long}</a>\n<b>&x;</b>`))), /ligne 2, colonne/);
  });
});
