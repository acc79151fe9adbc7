/** What a SOAP caller is answered can be read by its toolkit: its version, its framing, its alphabet. */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { SaxesParser } from "saxes";
import { readSoapRequest } from "../../src/adapters/soap/read-soap-request.ts";
import type { SoapFault, SoapResult } from "../../src/adapters/soap/soap-message.ts";
import { writeSoapAnswer, type SoapAnswer } from "../../src/adapters/soap/write-soap-answer.ts";
import { writeSoapFault } from "../../src/adapters/soap/write-soap-fault.ts";
import { readContentType } from "../../src/wire/content-type.ts";
import type { HttpReply } from "../../src/wire/http-message.ts";
import { partById, readMultipart, type Part } from "../../src/wire/multipart-related.ts";
import { SOAP11, SOAP12 } from "../support/soap-framings.ts";

const SNE = "http://ws.metier.nuu.application.i2/";
const XML = Buffer.from(
  "<ns2:interfaceNuu xmlns:ns2='http://nuu.application.i2/'>é</ns2:interfaceNuu>\r\n",
);
const PDF = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0xfe, 0x00, 0x0d, 0x0a]);

const RESULTS: readonly SoapResult[] = [
  { name: "nomFichierDemande", text: 'a<b>&"c".xml' },
  { name: "fichierDemande", file: XML, contentType: "text/xml" },
  { name: "nomAttestation", text: "A.pdf" },
  { name: "attestation", file: PDF, contentType: "application/pdf" },
];

function answer(more: Partial<SoapAnswer> = {}): HttpReply {
  return writeSoapAnswer({
    version: "1.2",
    framing: "mtom",
    readsBinary: true,
    namespace: SNE,
    element: "numUniqueReponse",
    results: RESULTS,
    unique: "0a1b",
    ...more,
  });
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

/** Well-formed, its prefixes bound; what a tree of it would hold. */
function elements(xml: string): { name: string; uri: string; text: string }[] {
  const seen: { name: string; uri: string; text: string }[] = [];
  const open: { name: string; uri: string; text: string }[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on("opentag", ({ local, uri }) => {
    const element = { name: local, uri, text: "" };
    open.push(element);
    seen.push(element);
  });
  parser.on("text", (text) => {
    const at = open.at(-1);
    if (at !== undefined) at.text += text;
  });
  parser.on("closetag", () => open.pop());
  parser.write(xml).close();
  return seen;
}

function packageOf(reply: HttpReply): { type: Map<string, string>; parts: readonly Part[] } {
  const type = readContentType(reply.headers["Content-Type"]);
  assert.equal(type?.type, "multipart/related");
  const reading = readMultipart(reply.body, type.parameters.get("boundary") ?? "");
  assert.ok(reading.kind === "read");
  return { type: new Map(type.parameters), parts: reading.parts };
}

describe("A SOAP answer", () => {
  it("goes to an MTOM caller as a package: root first, files raw in their parts, in order", () => {
    for (const [version, media] of [
      ["1.2", "application/soap+xml"],
      ["1.1", "text/xml"],
    ] as const) {
      const { type, parts } = packageOf(answer({ version }));
      assert.equal(type.get("type"), "application/xop+xml");
      assert.equal(type.get("start-info"), media);
      const [root, ...files] = parts;
      assert.ok(root !== undefined);
      assert.equal(root, partById(parts, type.get("start") ?? ""));
      const rootType = readContentType(root.headers.get("content-type"));
      assert.equal(rootType?.type, "application/xop+xml");
      assert.equal(rootType.parameters.get("type"), media);
      assert.equal(rootType.parameters.get("charset"), "UTF-8");
      assert.deepEqual(
        files.map(({ bytes }) => Buffer.from(bytes)),
        [XML, PDF],
      );
      assert.deepEqual(
        files.map(({ headers }) => [
          headers.get("content-type"),
          headers.get("content-transfer-encoding"),
        ]),
        [
          ["text/xml", "binary"],
          ["application/pdf", "binary"],
        ],
      );
      const xml = textOf(root.bytes);
      const hrefs = [...xml.matchAll(/href="cid:([^"]+)"/g)].map(([, cid]) => cid ?? "");
      assert.deepEqual(
        hrefs.map((cid) => partById(parts, cid)),
        files,
      );
      const seen = elements(xml);
      assert.equal(seen[0]?.uri, version === "1.2" ? SOAP12 : SOAP11);
      assert.deepEqual(seen[2], { name: "numUniqueReponse", uri: SNE, text: "" });
      assert.deepEqual(seen[3], { name: "nomFichierDemande", uri: "", text: 'a<b>&"c".xml' });
      assert.match(
        xml,
        /<fichierDemande tns:contentType="text\/xml"><xop:Include [^<]*\/><\/fichier/,
      );
    }
  });

  it("goes to a plain caller as one envelope with base64, and says no other content type", () => {
    for (const [version, type] of [
      ["1.2", "application/soap+xml; charset=utf-8"],
      ["1.1", "text/xml; charset=utf-8"],
    ] as const) {
      const reply = answer({ version, framing: "plain", readsBinary: false });
      assert.equal(reply.status, 200);
      assert.deepEqual(reply.headers, { "Content-Type": type });
      const seen = elements(textOf(reply.body));
      const fileIn = (name: string) =>
        Buffer.from(seen.find((element) => element.name === name)?.text ?? "", "base64");
      assert.deepEqual(fileIn("fichierDemande"), XML);
      assert.deepEqual(fileIn("attestation"), PDF);
    }
  });

  it("decodes as UTF-8 as a whole for a caller that has sent no binary part, as libsne needs", () => {
    const reply = answer({ readsBinary: false });
    assert.ok(isUtf8(reply.body));
    const { parts } = packageOf(reply);
    // The demande is raw in its part; the attestation, which is not UTF-8, is in the envelope.
    assert.deepEqual(
      parts.slice(1).map(({ bytes }) => Buffer.from(bytes)),
      [XML],
    );
    const body = textOf(reply.body);
    assert.ok(body.includes(`>${PDF.toString("base64")}</attestation>`));
    // What libsne looks for: the first `xxx:interfaceNuu` of the body is the file's own.
    assert.equal(/[^\s<]{3}:(?:interfaceNuu|listeDoublons)/.exec(body)?.[0], "ns2:interfaceNuu");
    const doublons = textOf(
      answer({
        readsBinary: false,
        element: "rechercheDoublonsReponse",
        results: [{ name: "listeDoublons", file: XML, contentType: "text/xml" }],
      }).body,
    );
    assert.equal(
      /[^\s<]{3}:(?:interfaceNuu|listeDoublons)/.exec(doublons)?.[0],
      "ns2:interfaceNuu",
    );
    assert.ok(!isUtf8(answer({ readsBinary: true }).body));
  });

  it("keeps xop:Include on its parent's line", () => {
    const [root] = packageOf(answer()).parts;
    assert.equal(textOf(root?.bytes ?? new Uint8Array()).split("\n").length, 1);
  });

  it("names the content type of a file as the SNE's contract does, and in no other", () => {
    const own = answer({ namespace: "urn:passerelle-sne:service:1", framing: "plain" });
    assert.ok(!textOf(own.body).includes("contentType"));
  });

  it("holds lists, and files within them", () => {
    const reply = answer({
      results: [
        { name: "vide", children: [] },
        {
          name: "fichier",
          children: [
            { name: "nom", text: "é" },
            { name: "contenu", file: PDF, contentType: "application/pdf" },
          ],
        },
      ],
    });
    const { parts } = packageOf(reply);
    assert.deepEqual(Buffer.from(parts[1]?.bytes ?? []), PDF);
    assert.match(textOf(parts[0]?.bytes ?? new Uint8Array()), /<fichier><nom>é<\/nom><contenu/);
  });

  it("is whole whatever its files hold, its own boundary or a header's end among them", () => {
    const foreseen = Buffer.from("\r\n--passerelle-0a1b--\r\n--passerelle-0a1b-x\r\n");
    const { parts } = packageOf(
      answer({
        results: [{ name: "f", file: foreseen, contentType: "text/xml\r\nX-Injected: 1" }],
      }),
    );
    assert.equal(parts.length, 2);
    assert.deepEqual(Buffer.from(parts[1]?.bytes ?? []), foreseen);
    assert.equal(parts[1]?.headers.get("content-type"), "application/octet-stream");
    assert.equal(parts[1].headers.get("x-injected"), undefined);
  });

  it("can be read back by our own front: the same text and the same bytes", () => {
    for (const framing of ["mtom", "plain"] as const) {
      const reply = answer({ framing });
      const reading = readSoapRequest({
        headers: new Map([["content-type", reply.headers["Content-Type"] ?? ""]]),
        body: reply.body,
        gone: new AbortController().signal,
      });
      assert.ok(reading.kind === "request", JSON.stringify(reading));
      const { fields } = reading.request;
      const fieldOf = (wanted: string) => fields.find(({ name }) => name === wanted);
      const bytesOf = (wanted: string): Buffer => {
        const { part, text = "" } = fieldOf(wanted) ?? {};
        return Buffer.from(part ?? Buffer.from(text, "base64"));
      };
      assert.equal(fieldOf("nomFichierDemande")?.text, 'a<b>&"c".xml');
      assert.equal(fieldOf("fichierDemande")?.contentType, "text/xml");
      assert.deepEqual(bytesOf("fichierDemande"), XML);
      assert.deepEqual(bytesOf("attestation"), PDF);
    }
  });
});

describe("A SOAP fault", () => {
  const FAULT: SoapFault = {
    who: "sender",
    code: "SOAP_PARAMETER_INVALID",
    text: "Le paramètre <x> est « faux ».",
    detail: [{ name: "identifiant", text: "F&1" }],
  };
  const read = (reply: HttpReply) => elements(textOf(reply.body));
  const textIn = (reply: HttpReply, name: string): string | undefined =>
    read(reply).find((element) => element.name === name)?.text;

  it("is SOAP 1.1's for a 1.1 caller: unqualified children, its text in French", () => {
    const reply = writeSoapFault({ version: "1.1", fault: FAULT });
    assert.equal(reply.status, 500);
    assert.equal(reply.headers["Content-Type"], "text/xml; charset=utf-8");
    assert.deepEqual(
      read(reply).map(({ name, uri }) => (uri === "" ? name : `{${uri}}${name}`)),
      [
        `{${SOAP11}}Envelope`,
        `{${SOAP11}}Body`,
        `{${SOAP11}}Fault`,
        "faultcode",
        "faultstring",
        "detail",
        "{urn:passerelle-sne:service:1}erreurPasserelle",
        "code",
        "message",
        "identifiant",
      ],
    );
    assert.equal(textIn(reply, "faultcode"), "soap:Client");
    assert.equal(textIn(reply, "faultstring"), FAULT.text);
    assert.match(textOf(reply.body), /<faultstring xml:lang="fr">/);
    assert.equal(textIn(reply, "code"), FAULT.code);
    assert.equal(textIn(reply, "identifiant"), "F&1");
  });

  it("is SOAP 1.2's for a 1.2 caller: code, subcode in a namespace of ours, reason in French", () => {
    const reply = writeSoapFault({ version: "1.2", fault: FAULT });
    assert.equal(reply.headers["Content-Type"], "application/soap+xml; charset=utf-8");
    assert.deepEqual(
      read(reply).map(({ name, uri }) => (uri === SOAP12 ? `env:${name}` : name)),
      [
        ...["env:Envelope", "env:Body", "env:Fault", "env:Code", "env:Value", "env:Subcode"],
        ...["env:Value", "env:Reason", "env:Text", "env:Detail", "erreurPasserelle"],
        ...["code", "message", "identifiant"],
      ],
    );
    const xml = textOf(reply.body);
    assert.match(xml, /<soap:Value>soap:Sender<\/soap:Value>/);
    assert.match(
      xml,
      /<soap:Value xmlns:err="urn:passerelle-sne:erreurs:1">err:SOAP_PARAMETER_INVALID</,
    );
    assert.match(xml, /<soap:Text xml:lang="fr">/);
    assert.equal(textIn(reply, "Text"), FAULT.text);
  });

  it("says whose fault it is in each version's own words", () => {
    const said = (version: "1.1" | "1.2", who: SoapFault["who"]): string =>
      /soap:(Client|Server|Sender|Receiver|VersionMismatch|MustUnderstand)</.exec(
        textOf(writeSoapFault({ version, fault: { ...FAULT, who } }).body),
      )?.[1] ?? "";
    const all = ["sender", "receiver", "versionMismatch", "mustUnderstand"] as const;
    const words = (version: "1.1" | "1.2") => all.map((who) => said(version, who));
    assert.deepEqual(words("1.1"), ["Client", "Server", "VersionMismatch", "MustUnderstand"]);
    assert.deepEqual(words("1.2"), ["Sender", "Receiver", "VersionMismatch", "MustUnderstand"]);
  });

  it("carries alone the element its WSDL declares, lists included", () => {
    const typed = {
      namespace: "urn:x",
      element: "erreur",
      children: [
        { name: "code", text: "C" },
        { name: "controle", children: [{ name: "champ", text: "é" }] },
      ],
    };
    const reply = writeSoapFault({ version: "1.2", fault: { ...FAULT, typed } });
    assert.match(
      textOf(reply.body),
      /<soap:Detail><err:erreur xmlns:err="urn:x"><code>C<\/code><controle><champ>é<\/champ><\/controle><\/err:erreur><\/soap:Detail>/,
    );
  });

  it("tells an unknown version in SOAP 1.1, with the versions understood (SOAP 1.2 appendix A)", () => {
    const fault: SoapFault = { ...FAULT, who: "versionMismatch", supported: ["1.2"] };
    const reply = writeSoapFault({ version: "1.2", fault });
    assert.equal(reply.headers["Content-Type"], "text/xml; charset=utf-8");
    const xml = textOf(reply.body);
    assert.match(
      xml,
      new RegExp(
        `<up:Upgrade xmlns:up="${SOAP12}"><up:SupportedEnvelope qname="ns:Envelope" xmlns:ns="${SOAP12}"/></up:Upgrade>`,
      ),
    );
    assert.ok(!/detail/i.test(xml));
    assert.equal(read(reply)[0]?.uri, SOAP11);
  });

  it("names the headers not understood in SOAP 1.2, and has no detail for them", () => {
    const fault: SoapFault = {
      ...FAULT,
      who: "mustUnderstand",
      notUnderstood: [{ namespace: 'urn:"w"', name: "Security" }],
    };
    const xml = textOf(writeSoapFault({ version: "1.2", fault }).body);
    assert.match(xml, /<soap:NotUnderstood qname="ns:Security" xmlns:ns="urn:&quot;w&quot;"\/>/);
    assert.ok(!/detail/i.test(xml));
    assert.ok(!textOf(writeSoapFault({ version: "1.1", fault }).body).includes("NotUnderstood"));
  });

  it("takes another status and more headers where an intermediary acts on them", () => {
    const headers = { "Retry-After": "30", "Content-Type": "text/html" };
    const reply = writeSoapFault({ version: "1.2", fault: FAULT, status: 503, headers });
    assert.equal(reply.status, 503);
    assert.deepEqual(reply.headers, {
      "Retry-After": "30",
      "Content-Type": "application/soap+xml; charset=utf-8",
    });
  });
});
