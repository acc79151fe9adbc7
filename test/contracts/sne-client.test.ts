/**
 * What the SNE client makes of every kind of answer: whole ones, nearly right ones, faults, statuses
 * and hostile ones. The server speaks bytes; nothing of the client is replaced.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import type { Registry, RegistryAnswer } from "../../src/forward/registry.ts";
import { readContentType } from "../../src/wire/content-type.ts";
import { readMultipart, rootPart as rootOf } from "../../src/wire/multipart-related.ts";
import {
  acceptedAnswer,
  answerFile,
  envelope,
  ERROR_SENTENCE,
  fault11,
  fault12,
  fileChildren,
  include,
  inlineAnswer,
  multipartAnswer,
  NUMBER,
  reponse,
  rootPart,
  SNE,
  SOAP_11,
} from "../support/sne-answers.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { answering, httpAnswer, startScriptedSoapServer } from "../support/scripted-soap-server.ts";
import type { ScriptedSoapServer } from "../support/scripted-soap-server.ts";
import { creation, makeSneClient } from "../support/sne-client.ts";

const SOAP = { "Content-Type": "application/soap+xml; charset=utf-8" };
const HTML = { "Content-Type": "text/html" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");
/** One line of a table of answers. */
type Case = readonly [title: string, bytes: Buffer];

describe("The SNE client", () => {
  let server: ScriptedSoapServer;
  let client: Registry;

  before(async () => {
    server = await startScriptedSoapServer();
    client = await makeSneClient(server.url);
  });
  afterEach(() => {
    // Whatever the answer, one call is one request: nothing is re-sent, no redirect is followed.
    const seen = server.requests.length;
    assert.equal(seen, calls, `${seen} requests for ${calls} calls`);
  });
  after(async () => {
    await client.stop();
    await server.stop();
  });

  let calls = 0;
  async function answerTo(bytes: Buffer, changes = {}): Promise<RegistryAnswer> {
    server.play((_request, socket) => {
      socket.end(bytes);
    });
    calls += 1;
    return await client.write(creation(changes));
  }

  describe("sends", () => {
    it("SOAP 1.2 with MTOM, rightly labelled, the file raw in its own part", async () => {
      // Every byte, and what looks like a boundary: nothing may be read, changed or cut.
      const bytes = Buffer.concat([
        Buffer.from(Array.from({ length: 256 }, (_, index) => index)),
        Buffer.from("\r\n--passerelle-\r\n\r\n--limite--\r\n"),
      ]);
      await answerTo(acceptedAnswer(), { file: { name: "DEM & <1>.xml", bytes } });
      const request = server.requests.at(-1);
      assert.ok(request);
      assert.equal(request.method, "POST");
      assert.equal(request.path, "/services/DemandeLogementImplService/");
      assert.equal(request.headers.get("transfer-encoding"), undefined);
      const outer = readContentType(request.headers.get("content-type"));
      assert.equal(outer?.type, "multipart/related");
      assert.equal(outer.parameters.get("type"), "application/xop+xml");
      assert.equal(outer.parameters.get("start-info"), "application/soap+xml");
      assert.equal(outer.parameters.get("action"), `${SNE}getNumUnique`);
      const read = readMultipart(request.body, outer.parameters.get("boundary") ?? "");
      assert.equal(read.kind, "read");
      const [root, file, certificate, ...others] = read.parts;
      assert.deepEqual(others, []);
      assert.equal(rootOf(read.parts, outer.parameters.get("start")), root);
      const rootType = readContentType(root?.headers.get("content-type"));
      assert.equal(rootType?.type, "application/xop+xml");
      assert.equal(
        readContentType(rootType.parameters.get("type"))?.parameters.get("action"),
        `${SNE}getNumUnique`,
      );
      assert.equal(file?.headers.get("content-type"), "text/xml");
      assert.deepEqual(Buffer.from(file.bytes), bytes);
      assert.equal(certificate?.bytes.length, 0);
      const xml = Buffer.from(root?.bytes ?? []).toString();
      assert.match(
        xml,
        /<soap:Envelope xmlns:soap="http:\/\/www\.w3\.org\/2003\/05\/soap-envelope"/,
      );
      assert.match(xml, /<nomFichierDemande>DEM &amp; &lt;1&gt;\.xml<\/nomFichierDemande>/);
      assert.match(
        xml,
        /<fichierDemande xmlns:svc="http:\/\/ws\.metier\.nuu\.application\.i2\/" svc:contentType="text\/xml"><xop:Include [^>]*href="cid:fichierDemande@passerelle"\/><\/fichierDemande>/,
      );
      assert.match(xml, /<certificat [^>]*svc:contentType="application\/x-x509-ca-cert">/);
      assert.match(xml, /<nomCertificat>CERG1104-202611220800\.pem<\/nomCertificat>/);
    });
  });

  describe("takes for an answer", () => {
    const file = answerFile();
    const other = { id: "autre", bytes: "rien" };
    const cases: readonly Case[] = [
      ["MTOM as CXF makes it", acceptedAnswer()],
      ["base64 in a SOAP 1.2 envelope", inlineAnswer()],
      ["base64 in a SOAP 1.1 envelope", inlineAnswer(undefined, { namespace: SOAP_11 })],
      ["base64 cut in lines", inlineAnswer(fileChildren(base64(file).replace(/.{76}/g, "$&\r\n")))],
      [
        "a root part that is not first, named by start",
        multipartAnswer(
          [
            { id: "f", bytes: file },
            other,
            rootPart(envelope(reponse(fileChildren(include("f"))))),
          ],
          { start: "<racine@sne>" },
        ),
      ],
      [
        "a start without angle brackets, as libsne writes it",
        multipartAnswer(
          [rootPart(envelope(reponse(fileChildren(include("f"))))), { id: "f", bytes: file }],
          { start: "racine@sne" },
        ),
      ],
      [
        "a percent-encoded cid",
        multipartAnswer([
          rootPart(envelope(reponse(fileChildren(include("f%40sne%2B1"))))),
          { id: "f@sne+1", bytes: file },
        ]),
      ],
      [
        "a part whose transfer encoding is base64",
        multipartAnswer([
          rootPart(envelope(reponse(fileChildren(include("f"))))),
          { id: "f", bytes: base64(file), encoding: "base64" },
        ]),
      ],
      [
        "elements of a later edition, passed over",
        inlineAnswer(fileChildren(base64(file), "<nouveau><dedans/></nouveau>")),
      ],
      [
        "a file in ISO-8859-1",
        acceptedAnswer(
          Buffer.from(file.replace("UTF-8", "ISO-8859-1").replace("RET", "é"), "latin1"),
        ),
      ],
    ];
    for (const [title, bytes] of cases) {
      it(title, async () => {
        const answer = await answerTo(bytes);
        assert.equal(answer.kind, "answered", JSON.stringify(answer));
        assert.equal(answer.reading.numUnique, NUMBER);
        assert.equal(answer.answer.name, "REP.xml");
      });
    }

    it("a file and a binary attestation, byte for byte", async () => {
      const attestation = Buffer.concat([
        Buffer.from("%PDF-1.4\r\n-- --limite\r\n\r\n--limiteX\r\n\n"),
        Buffer.from(Array.from({ length: 2048 }, (_, index) => (index * 7) % 256)),
        Buffer.from("\r\n\r\n--"),
      ]);
      const children = fileChildren(
        include("f"),
        `<nomAttestation>../../etc/att.pdf</nomAttestation><attestation>${include("a")}</attestation>`,
      );
      const answer = await answerTo(
        multipartAnswer([
          rootPart(envelope(reponse(children))),
          { id: "f", bytes: answerFile() },
          { id: "a", type: "application/pdf", encoding: "binary", bytes: attestation },
        ]),
      );
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
      assert.deepEqual(Buffer.from(answer.attestation?.bytes ?? []), attestation);
      assert.equal(answer.attestation?.name, "att.pdf");
      assert.equal(Buffer.from(answer.answer.bytes).toString(), answerFile());
    });

    it("a refusal, with its controls, their fields and the doublons", async () => {
      const inside =
        `<ns2:listeAnomalie><ns2:anomalie code="CTRL_DEM_0033" propriete="demandeur.nom">` +
        `<ns2:complement nom="valeur">é &amp; è</ns2:complement><ns2:message>Le nom manque.</ns2:message>` +
        `</ns2:anomalie></ns2:listeAnomalie>` +
        `<ns2:listeDoublons><ns2:doublon><ns2:numUnique>0110318016982G1104</ns2:numUnique></ns2:doublon></ns2:listeDoublons>`;
      const answer = await answerTo(acceptedAnswer(answerFile(inside)));
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
      assert.deepEqual(answer.reading, {
        controls: [
          {
            code: "CTRL_DEM_0033",
            message: "Le nom manque.",
            field: "demandeur.nom",
            complements: { valeur: "é & è" },
          },
        ],
        doublons: ["0110318016982G1104"],
      });
    });

    it("a modification whose file comes back without its number", async () => {
      const answer = await answerTo(acceptedAnswer(answerFile("")), {
        kind: "MOD",
        numUnique: NUMBER,
      });
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
      assert.equal(answer.reading.numUnique, undefined);
    });

    it("a megabyte of carriage returns, in linear time", async () => {
      const children = fileChildren(include("f"), `<attestation>${include("a")}</attestation>`);
      const begun = cpuMs();
      const answer = await answerTo(
        multipartAnswer([
          rootPart(envelope(reponse(children))),
          { id: "f", bytes: answerFile() },
          { id: "a", bytes: Buffer.alloc(1_000_000, 13) },
        ]),
      );
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
      // node-soap's own reader takes 31 s of it (stack.md, section 3).
      assert.ok(cpuMs() - begun < 10_000);
    });
  });

  describe("never takes for an answer, and calls the effect unknown,", () => {
    const file = base64(answerFile());
    const good = envelope(reponse(fileChildren(file)));
    const soap = (xml: string, status = 200): Buffer => httpAnswer(status, SOAP, xml);
    const cases: readonly Case[] = [
      ["an empty 200", httpAnswer(200, SOAP)],
      ["an empty 202", httpAnswer(202)],
      ["a 204", httpAnswer(204)],
      ["a 202 carrying an answer", soap(good, 202)],
      ["an empty Body", soap(envelope(""))],
      ["an unknown element", soap(envelope(`<a:autre xmlns:a="${SNE}"/>`))],
      ["the right element in another namespace", soap(good.replace(SNE, "http://autre/"))],
      ["the right element without namespace", soap(envelope("<numUniqueReponse/>"))],
      ["two elements in the body", soap(envelope(`<b/>${reponse(fileChildren(file))}`))],
      ["the request's own element sent back", soap(good.replace(/Reponse/g, "Parametres"))],
      ["an HTTP 500 carrying a whole answer", soap(good, 500)],
      ["an HTTP 400 carrying a whole answer", soap(good, 400)],
      [
        "an answer without file",
        soap(envelope(reponse("<nomFichierDemande>x</nomFichierDemande>"))),
      ],
      ["an empty file", soap(envelope(reponse(fileChildren(""))))],
      ["a file that is not XML", soap(envelope(reponse(fileChildren(base64("bonjour")))))],
      [
        "a file of another root",
        soap(
          envelope(reponse(fileChildren(base64(answerFile().replaceAll("interfaceNuu", "autre"))))),
        ),
      ],
      [
        "a file cut short",
        soap(envelope(reponse(fileChildren(base64(answerFile().slice(0, -9)))))),
      ],
      [
        "a file with a DOCTYPE",
        soap(envelope(reponse(fileChildren(base64(answerFile().replace("?>", "?><!DOCTYPE a>")))))),
      ],
      ["base64 with a stray mark", soap(envelope(reponse(fileChildren(`${file}!`))))],
      ["two files", soap(envelope(reponse(`${fileChildren(file)}${fileChildren(file)}`)))],
      ["a creation without number nor anomaly", acceptedAnswer(answerFile(""))],
      ["a whole answer labelled HTML", httpAnswer(200, HTML, good)],
      [
        "a whole answer labelled as bytes",
        httpAnswer(200, { "Content-Type": "application/octet-stream" }, good),
      ],
      ["HTML under 200", httpAnswer(200, HTML, "<html>ok</html>")],
      ["HTML under 500", httpAnswer(500, HTML, "<html>oops</html>")],
      ["an HTTP 408", httpAnswer(408)],
      ["an HTTP 502", httpAnswer(502, HTML, "<html>Bad Gateway</html>")],
      ["an HTTP 504", httpAnswer(504, HTML, "<html>Gateway Timeout</html>")],
      ["no Content-Type", httpAnswer(200, {}, good)],
      ["a compressed answer", httpAnswer(200, { ...SOAP, "Content-Encoding": "gzip" }, good)],
      ["a DOCTYPE", soap(`<!DOCTYPE a [<!ENTITY b "c">]>${good}`)],
      ["an undefined entity", soap(good.replace("REP.xml", "&b;"))],
      ["XML cut short", soap(good.slice(0, -5))],
      [
        "a deep envelope",
        soap(envelope(reponse(fileChildren(file, "<a>".repeat(5_000) + "</a>".repeat(5_000))))),
      ],
      ["an element named __proto__", soap(good.replace("<nomF", "<__proto__/><nomF"))],
      ["an element named constructor", soap(good.replace("<nomF", "<constructor/><nomF"))],
      [
        "an id named __proto__",
        soap(good.replace("<nomFichierDemande>", '<nomFichierDemande id="__proto__">')),
      ],
      [
        "an href named __proto__",
        soap(good.replace("<nomFichierDemande>", '<nomFichierDemande href="#__proto__">')),
      ],
      [
        "a multipart without its closing boundary",
        multipartAnswer(
          [
            rootPart(envelope(reponse(fileChildren(include("f"))))),
            { id: "f", bytes: answerFile() },
          ],
          { end: "" },
        ),
      ],
      [
        "a start that names no part",
        multipartAnswer([rootPart(good)], { start: "<personne@sne>" }),
      ],
      [
        "a root part of another type",
        multipartAnswer([{ id: "r", type: "text/html", bytes: good }]),
      ],
      [
        "an Include that names no part",
        multipartAnswer([rootPart(envelope(reponse(fileChildren(include("absent")))))]),
      ],
      [
        "an Include that is no cid",
        multipartAnswer([
          rootPart(envelope(reponse(fileChildren(include("f").replace("cid:", "file:///etc/"))))),
        ]),
      ],
      [
        "a part in quoted-printable, whose bytes we would not have",
        multipartAnswer([
          rootPart(envelope(reponse(fileChildren(include("f"))))),
          { id: "f", bytes: answerFile(), encoding: "quoted-printable" },
        ]),
      ],
      ["JSON", httpAnswer(200, { "Content-Type": "application/json" }, "{}")],
      ["more than the limit", inlineAnswer(fileChildren("A".repeat(6_000_000)))],
    ];
    for (const [title, bytes] of cases) {
      it(title, async () => {
        const answer = await answerTo(bytes);
        assert.equal(answer.kind, "notRead", JSON.stringify(answer));
        assert.equal(answer.why, "unreadable", answer.detail);
        assert.notEqual(answer.detail, "");
      });
    }

    it("the answer about another demande", async () => {
      const answer = await answerTo(acceptedAnswer(), {
        kind: "MOD",
        numUnique: "9990318016982G1104",
      });
      assert.equal(answer.kind, "notRead", JSON.stringify(answer));
    });

    it("and leaves every object as it was", () => {
      assert.deepEqual(Object.keys(Object.prototype), []);
      assert.equal(Object.hasOwn(Object.prototype, "obj"), false);
      assert.equal(Object.hasOwn(Object.prototype, "hrefs"), false);
    });
  });

  describe("reads a fault", () => {
    const under = (status: number, xml: string): Buffer => httpAnswer(status, SOAP, xml);
    const cases: readonly (readonly [string, Buffer, "sender" | "receiver"])[] = [
      ["1.2 of the sender, under 400", under(400, fault12("Sender", "Non")), "sender"],
      ["1.2 of the sender, under 200", under(200, fault12("Sender", "Non")), "sender"],
      ["1.2 of the receiver, under 500", under(500, fault12("Receiver", "Non")), "receiver"],
      ["1.2 of the receiver, under 200", under(200, fault12("Receiver", "Non")), "receiver"],
      ["1.1 of the client, under 500", under(500, fault11("Client.Auth", "Non")), "sender"],
      ["1.1 of the server, under 500", under(500, fault11("Server", "Non")), "receiver"],
      [
        "1.1 in text/xml",
        httpAnswer(500, { "Content-Type": "text/xml" }, fault11("Server", "Non")),
        "receiver",
      ],
      ["of a version we do not speak", under(500, fault12("VersionMismatch", "Non")), "sender"],
      ["of a header we do not know", under(500, fault12("MustUnderstand", "Non")), "sender"],
      ["without a known code", under(500, fault12("Autre", "Non")), "receiver"],
      ["under 415", under(415, fault12("Sender", "Non")), "sender"],
      [
        "in a multipart, as an MTOM server sends it",
        multipartAnswer([rootPart(fault12("Receiver", "Non"))], { status: 500 }),
        "receiver",
      ],
    ];
    for (const [title, bytes, who] of cases) {
      it(title, async () => {
        assert.deepEqual(await answerTo(bytes), { kind: "fault", who, text: "Non" });
      });
    }

    it("in a 400 or 415 without explanation: the request was refused", async () => {
      for (const status of [400, 415, 422]) {
        const answer = await answerTo(httpAnswer(status, HTML, "<html>Bad Request</html>"));
        assert.equal(answer.kind, "fault");
        assert.equal(answer.who, "sender");
      }
    });

    it("in the SNE's error sentence, wherever it stands", async () => {
      const bodies: readonly Buffer[] = [
        httpAnswer(200, HTML, `<html><p>${ERROR_SENTENCE}</p></html>`),
        httpAnswer(500, HTML, `<html><p>${ERROR_SENTENCE}</p></html>`),
        httpAnswer(400, HTML, ERROR_SENTENCE),
        under(200, envelope(`<a:erreur xmlns:a="${SNE}">${ERROR_SENTENCE}</a:erreur>`)),
        under(500, fault12("Sender", ERROR_SENTENCE)),
        acceptedAnswer(ERROR_SENTENCE),
      ];
      for (const bytes of bodies) {
        assert.deepEqual(await answerTo(bytes), {
          kind: "fault",
          who: "receiver",
          text: ERROR_SENTENCE,
        });
      }
    });

    it("and tells its text on one line, cut when it is long", async () => {
      const answer = await answerTo(under(500, fault12("Receiver", `a\n\tb ${"x".repeat(9_000)}`)));
      assert.equal(answer.kind, "fault");
      assert.match(answer.text, /^a b x+…$/);
      assert.equal(answer.text.length, 500);
    });
  });

  describe("knows that nothing was processed", () => {
    const cases: readonly (readonly [number, string])[] = [
      [401, "accessRefused"],
      [403, "accessRefused"],
      [301, "wrongAddress"],
      [302, "wrongAddress"],
      [307, "wrongAddress"],
      [308, "wrongAddress"],
      [404, "wrongAddress"],
      [405, "wrongAddress"],
      [410, "wrongAddress"],
      [413, "tooLarge"],
      [429, "busy"],
      [503, "busy"],
    ];
    for (const [status, why] of cases) {
      it(`under HTTP ${status}: ${why}`, async () => {
        const answer = await answerTo(
          httpAnswer(status, { Location: server.url, ...HTML }, "<p/>"),
        );
        assert.equal(answer.kind, "notProcessed", JSON.stringify(answer));
        assert.equal(answer.why, why);
        assert.equal(answer.status, status);
        assert.equal(answer.retryAfterMs, undefined);
      });
    }

    it("and when to come back: Retry-After in seconds, or a date", async () => {
      const inSeconds = await answerTo(httpAnswer(503, { "Retry-After": "7" }));
      assert.equal(inSeconds.kind === "notProcessed" && inSeconds.retryAfterMs, 7_000);
      const date = new Date(Date.now() + 60_000).toUTCString();
      const byDate = await answerTo(httpAnswer(429, { "Retry-After": date }));
      assert.ok(byDate.kind === "notProcessed" && byDate.retryAfterMs !== undefined);
      assert.ok(byDate.retryAfterMs > 50_000 && byDate.retryAfterMs <= 60_000);
      const nonsense = await answerTo(httpAnswer(503, { "Retry-After": "demain" }));
      assert.equal(nonsense.kind === "notProcessed" && nonsense.retryAfterMs, undefined);
    });
  });

  describe("asked whether the SNE is reachable", () => {
    const signal = new AbortController().signal;
    const asked = async (bytes: Buffer): Promise<{ ok: boolean; detail: string }> => {
      server.play(answering(bytes));
      calls += 1;
      return await client.reachable("demandeLogement", signal);
    };
    it("asks for the WSDL, and says what it saw", async () => {
      const wsdl = await asked(
        httpAnswer(200, { "Content-Type": "text/xml" }, "<x>getNumUnique</x>"),
      );
      assert.deepEqual(
        [server.requests.at(-1)?.method, server.requests.at(-1)?.path],
        ["GET", "/services/DemandeLogementImplService/?wsdl"],
      );
      assert.match(wsdl.detail, /getNumUnique/);
      assert.equal(wsdl.ok, true);
      assert.equal((await asked(httpAnswer(404))).ok, true);
      assert.equal((await asked(httpAnswer(403))).ok, false);
      assert.equal((await asked(httpAnswer(302, { Location: "/" }))).ok, false);
      assert.equal((await asked(httpAnswer(503))).ok, false);
    });
  });
});
