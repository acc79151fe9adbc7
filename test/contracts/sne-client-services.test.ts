/**
 * The SNE client on all thirteen operations of the three services: what leaves is what the WSDL of
 * the service takes, at its address and under its action; what comes back is handed on as it came,
 * or named for what is wrong with it. The server speaks bytes.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import type { ReadOperation, WriteOperation } from "../../src/domain/sne-operation.ts";
import { READ_OPERATIONS, WRITE_OPERATIONS } from "../../src/domain/sne-operation.ts";
import type { ReadAnswer, Registry, RegistryAnswer, SneValue } from "../../src/forward/registry.ts";
import { readContentType } from "../../src/wire/content-type.ts";
import { partById, readMultipart, rootPart as rootOf } from "../../src/wire/multipart-related.ts";
import { SNE_OPERATIONS, sneOperation } from "../../src/wire/sne-contract.ts";
import type { SneService } from "../../src/wire/sne-contract.ts";
import { httpAnswer, startScriptedSoapServer } from "../support/scripted-soap-server.ts";
import type { ReceivedRequest, ScriptedSoapServer } from "../support/scripted-soap-server.ts";
import {
  answerFile,
  envelope,
  ERROR_SENTENCE,
  fault12,
  NUMBER,
  SNE,
} from "../support/sne-answers.ts";
import { creation, makeSneClient } from "../support/sne-client.ts";
import { element, eventsFile, mtomAnswer, plainAnswer } from "../support/sne-service-answers.ts";
import { compileSchema, type Verdict } from "../support/xsd-compiler.ts";

const SOAP = { "Content-Type": "application/soap+xml; charset=utf-8" };
const PATHS: Readonly<Record<SneService, string>> = {
  demandeLogement: "/services/DemandeLogementImplService/",
  rechercheDemande: "/services/RechercheDemandeImplService/",
  gestionPartageeEvt: "/services/GestionPartageeEVTImplService/",
};
const WSDLS: Readonly<Record<SneService, string>> = {
  demandeLogement: "DemandeLogement",
  rechercheDemande: "RechercheDemande",
  gestionPartageeEvt: "GestionPartageeEVT",
};
const DOUBLONS = `<ns2:listeDoublons xmlns:ns2="http://nuu.application.i2/"><ns2:doublon/></ns2:listeDoublons>`;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A question of each operation, every parameter given. */
function questionOf(operation: ReadOperation): readonly SneValue[] {
  return sneOperation(operation).parameters.map(({ name, type }): SneValue => {
    if (type === "file") return { name, file: Buffer.from(`<${name}/>`), contentType: "text/xml" };
    if (type === "code") return { name, code: "RADATT" };
    if (type === "dateTime") return { name, text: "2026-11-01T00:00:00.0+01:00" };
    return { name, text: `${name} & « donné » <ici>` };
  });
}

/** A right answer of each operation: its results, all of them. */
function rightResults(operation: string): [string, string | { file: string }][] {
  return sneOperation(operation).results.map(({ name, type }) => {
    if (type !== "file") return [name, `${name}.xml`];
    if (name === "listeDoublons") return [name, { file: DOUBLONS }];
    return [name, { file: name === "fichierXmlRetour" ? eventsFile() : answerFile() }];
  });
}

describe("The SNE client, on three services", () => {
  let server: ScriptedSoapServer;
  let client: Registry;
  let calls = 0;
  const verdicts = new Map<string, Verdict>();

  before(async () => {
    server = await startScriptedSoapServer();
    client = await makeSneClient(server.url, { certificateFile: Buffer.from("le nôtre") });
  });
  afterEach(() => {
    assert.equal(server.requests.length, calls, "one call is one request");
  });
  after(async () => {
    await client.stop();
    await server.stop();
  });

  function play(bytes: Buffer): void {
    server.play((_request, socket) => {
      socket.end(bytes);
    });
    calls += 1;
  }
  async function write(
    operation: WriteOperation,
    bytes: Buffer,
    changes: Partial<Parameters<Registry["write"]>[0]> = {},
  ): Promise<RegistryAnswer> {
    play(bytes);
    return await client.write(
      creation({ call: { operation }, kind: "MOD", numUnique: NUMBER, ...changes }),
    );
  }
  async function read(
    operation: ReadOperation,
    bytes: Buffer,
    parameters: readonly SneValue[] = questionOf(operation),
  ): Promise<ReadAnswer> {
    play(bytes);
    return await client.read({ operation, parameters, signal: new AbortController().signal });
  }

  /** What left, its files put back where they are named, as the types of the WSDL judge it. */
  function assertSentRightly(operation: string): { xml: string; files: Map<string, Buffer> } {
    const { service, request } = sneOperation(operation);
    const last = server.requests.at(-1);
    assert.ok(last);
    assert.equal(last.path, PATHS[service]);
    const { xml, files } = messageIn(last, `${SNE}${operation}`);
    const wsdl = join(import.meta.dirname, `../../wsdl/${WSDLS[service]}.wsdl`);
    const verdict = verdicts.get(wsdl) ?? compileSchema(wsdl);
    verdicts.set(wsdl, verdict);
    const body = /<soap:Body>(.*)<\/soap:Body>/s.exec(xml)?.[1] ?? "";
    assert.match(body, new RegExp(`^<sne:${request} xmlns:sne="${SNE}">`));
    const inlined = body.replace(/<xop:Include [^>]*href="cid:([^"]+)"\/>/g, (_all, id: string) =>
      (files.get(id) ?? assert.fail(`no part ${id}`)).toString("base64"),
    );
    assert.equal(verdict(inlined), undefined, inlined);
    return { xml, files };
  }

  for (const operation of WRITE_OPERATIONS) {
    const { answer, parameters, results } = sneOperation(operation);
    const [nameOf, fileOf] = results.map(({ name }) => name);

    describe(operation, () => {
      const right = (file: string): Buffer =>
        mtomAnswer(answer, [
          [nameOf ?? "", "REP.xml"],
          [fileOf ?? "", { file }],
        ]);
      const good = answer === "fichierXmlReponse" ? eventsFile() : answerFile();

      it("leaves as its WSDL takes it, with the gateway's own certificate", async () => {
        await write(operation, right(good));
        const { xml, files } = assertSentRightly(operation);
        const [name, file] = parameters.map((parameter) => parameter.name);
        assert.match(xml, new RegExp(`<${name ?? ""}>DEMG1104-202611220800-000001.xml</`));
        assert.equal(String(files.get(`${file ?? ""}@passerelle`)), "<interfaceNuu/>");
        assert.match(xml, /<nomCertificat>CERG1104-202611220800\.pem<\/nomCertificat>/);
        const hasCertificate = parameters.some((parameter) => parameter.name === "certificat");
        const certificate = files.get("certificat@passerelle");
        assert.equal(certificate?.toString(), hasCertificate ? "le nôtre" : undefined);
        assert.doesNotMatch(xml, /complet/);
      });

      it("leaves with the certificate its caller gave, even empty", async () => {
        const certificateName = "CERG1226 & <le sien>.pem";
        const call = { operation, certificateName, certificate: base64("le sien") };
        await write(operation, right(good), { call });
        const { xml, files } = assertSentRightly(operation);
        assert.match(xml, /<nomCertificat>CERG1226 &amp; &lt;le sien&gt;\.pem<\/nomCertificat>/);
        const hasCertificate = parameters.some((parameter) => parameter.name === "certificat");
        assert.equal(
          files.get("certificat@passerelle")?.toString(),
          hasCertificate ? "le sien" : undefined,
        );
        await write(operation, right(good), { call: { ...call, certificate: "" } });
        const empty = assertSentRightly(operation).files.get("certificat@passerelle");
        assert.equal(empty?.length, hasCertificate ? 0 : undefined);
      });

      it("comes back with its file byte for byte, and the number", async () => {
        const given = await write(operation, right(good));
        assert.equal(given.kind, "answered", JSON.stringify(given));
        assert.equal(given.answer.name, "REP.xml");
        assert.equal(Buffer.from(given.answer.bytes).toString(), good);
        assert.deepEqual(given.reading, { numUnique: NUMBER, controls: [], doublons: [] });
        assert.equal(given.attestation, undefined);
      });

      it("comes back without MTOM too", async () => {
        const children = `<${nameOf ?? ""}>a</${nameOf ?? ""}><${fileOf ?? ""}>${base64(good)}</${fileOf ?? ""}>`;
        const given = await write(operation, plainAnswer(answer, children));
        assert.equal(given.kind, "answered", JSON.stringify(given));
        assert.equal(Buffer.from(given.answer.bytes).toString(), good);
      });

      const others = SNE_OPERATIONS.find((one) => one.answer !== answer);
      const wrong: readonly (readonly [string, Buffer])[] = [
        ["an empty 200", httpAnswer(200, SOAP)],
        ["an empty 202", httpAnswer(202)],
        ["an empty Body", httpAnswer(200, SOAP, envelope(""))],
        [
          "the element of another operation",
          mtomAnswer(others?.answer ?? "", [
            [nameOf ?? "", "a"],
            [fileOf ?? "", { file: good }],
          ]),
        ],
        [
          "the element of the request",
          plainAnswer(
            sneOperation(operation).request,
            `<${fileOf ?? ""}>${base64(good)}</${fileOf ?? ""}>`,
          ),
        ],
        ["an answer without its file", mtomAnswer(answer, [[nameOf ?? "", "a"]])],
        ["an empty file", right("")],
        ["a file that is a page", right("<html><p>Bienvenue</p></html>")],
        ["a file cut short", right(good.slice(0, -12))],
        ["a file of another root", right(good.replaceAll("interfaceNuu", "autre"))],
        ["the answer about another demande", right(good.replace(NUMBER, "9990318016982G1104"))],
        [
          "no closing boundary",
          mtomAnswer(
            answer,
            [
              [nameOf ?? "", "a"],
              [fileOf ?? "", { file: good }],
            ],
            { end: "" },
          ),
        ],
        [
          "an HTTP 500 carrying a whole answer",
          plainAnswer(answer, `<${fileOf ?? ""}>${base64(good)}</${fileOf ?? ""}>`, {
            status: 500,
          }),
        ],
      ];
      for (const [title, bytes] of wrong) {
        it(`does not take for a success ${title}`, async () => {
          const given = await write(operation, bytes);
          assert.equal(given.kind, "notRead", JSON.stringify(given));
          assert.equal(given.why, "unreadable");
        });
      }

      it("reads a fault, and the error sentence wherever it stands", async () => {
        assert.deepEqual(await write(operation, httpAnswer(500, SOAP, fault12("Sender", "Non"))), {
          kind: "fault",
          who: "sender",
          text: "Non",
        });
        const anomaly = `<ns2:listeAnomalies><ns2:anomalie><ns2:message>${ERROR_SENTENCE}</ns2:message></ns2:anomalie></ns2:listeAnomalies>`;
        for (const bytes of [
          right(ERROR_SENTENCE),
          right(good.replace("</ns2:interfaceNuu>", `${anomaly}</ns2:interfaceNuu>`)),
        ]) {
          assert.deepEqual(await write(operation, bytes), {
            kind: "fault",
            who: "receiver",
            text: ERROR_SENTENCE,
          });
        }
      });
    });
  }

  describe("an event", () => {
    const answered = (file: string): Promise<RegistryAnswer> =>
      write(
        "ajouterEvenementDemande",
        mtomAnswer("fichierXmlReponse", [
          ["nomFichierXmlRetour", "RET.xml"],
          ["fichierXmlRetour", { file }],
        ]),
      );

    it("is refused by its anomalies, with a code of ours where they have none", async () => {
      const given = await answered(
        eventsFile(
          `<ns2:listeAnomalies><ns2:anomalie code="CTRL_EVT_01"><ns2:message>Type inconnu.</ns2:message></ns2:anomalie>` +
            `<ns2:anomalie><ns2:message><![CDATA[Date < création.]]></ns2:message></ns2:anomalie><ns2:anomalie/></ns2:listeAnomalies>`,
        ),
      );
      assert.equal(given.kind, "answered", JSON.stringify(given));
      assert.deepEqual(given.reading.controls, [
        { code: "CTRL_EVT_01", message: "Type inconnu." },
        { code: "SANS_CODE", message: "Date < création." },
        {
          code: "SANS_CODE",
          message: "Le SNE a refusé le fichier, sans donner de code ni d'explication.",
        },
      ]);
    });

    it("is not known by a list of doublons, nor by a number that stands elsewhere", async () => {
      assert.equal((await answered(DOUBLONS)).kind, "notRead");
      const elsewhere = eventsFile().replaceAll("operation>", "autre>");
      const given = await answered(elsewhere);
      assert.equal(given.kind, "answered", JSON.stringify(given));
      assert.equal(given.reading.numUnique, undefined);
    });
  });

  it("getNumUnique carries complet as its caller gave it", async () => {
    const right = mtomAnswer("numUniqueReponse", [
      ["nomFichierDemande", "a"],
      ["fichierDemande", { file: answerFile() }],
    ]);
    await write("getNumUnique", right, { call: { operation: "getNumUnique", complet: "true" } });
    assert.match(assertSentRightly("getNumUnique").xml, /<complet>true<\/complet>/);
  });

  for (const operation of READ_OPERATIONS) {
    const { answer, parameters, results } = sneOperation(operation);
    const isWhollyOptional = results.every(({ optional }) => optional === true);

    describe(operation, () => {
      it("asks as its WSDL takes it, in order, whatever the order given", async () => {
        await read(
          operation,
          mtomAnswer(answer, rightResults(operation)),
          [...questionOf(operation)].reverse(),
        );
        const { xml, files } = assertSentRightly(operation);
        for (const { name, type } of parameters) {
          if (type === "file") {
            assert.equal(String(files.get(`${name}@passerelle`)), `<${name}/>`);
          } else if (type === "code") {
            assert.match(xml, new RegExp(`<${name} code="RADATT"></${name}>`));
          } else if (type === "dateTime") {
            assert.match(xml, new RegExp(`<${name}>2026-11-01T00:00:00\\.0\\+01:00</${name}>`));
          } else {
            assert.match(xml, new RegExp(`<${name}>${name} &amp; « donné » &lt;ici&gt;</`));
          }
        }
      });

      it("asks with the gateway's own certificate when none was given", async () => {
        const bare = questionOf(operation).filter(({ name }) => !/ertificat$/.test(name));
        await read(operation, mtomAnswer(answer, rightResults(operation)), bare);
        const { xml, files } = assertSentRightly(operation);
        const takes = (name: string): boolean => parameters.some((one) => one.name === name);
        assert.equal(
          /<nomCertificat>(.*)<\/nomCertificat>/.exec(xml)?.[1],
          takes("nomCertificat") ? "CERG1104-202611220800.pem" : undefined,
        );
        assert.equal(
          files.get("certificat@passerelle")?.toString(),
          takes("certificat") ? "le nôtre" : undefined,
        );
      });

      it("gives every result in the order of the contract, files byte for byte", async () => {
        const given = await read(operation, mtomAnswer(answer, rightResults(operation).reverse()));
        assert.equal(given.kind, "read", JSON.stringify(given));
        assert.deepEqual(
          given.results.map((value) =>
            "file" in value ? { ...value, file: Buffer.from(value.file).toString() } : value,
          ),
          rightResults(operation).map(([name, value]) =>
            typeof value === "string"
              ? { name, text: value }
              : { name, file: value.file, contentType: "text/xml" },
          ),
        );
      });

      for (const { name, type, optional } of results) {
        it(`${optional === true ? "may come" : "is no answer"} without ${name}`, async () => {
          const rest = rightResults(operation).filter(([one]) => one !== name);
          const given = await read(operation, mtomAnswer(answer, rest));
          assert.equal(given.kind, optional === true ? "read" : "notRead", JSON.stringify(given));
          if (given.kind === "read") {
            assert.deepEqual(
              given.results.map((value) => value.name),
              rest.map(([one]) => one),
            );
          }
        });
        if (type === "file") {
          it(`is no answer when ${name} is an error page, or the error sentence`, async () => {
            const withFile = (file: string): Buffer =>
              mtomAnswer(
                answer,
                rightResults(operation).map(([one, value]) => [
                  one,
                  one === name ? { file } : value,
                ]),
              );
            const page = await read(operation, withFile("<html><p>Bienvenue</p></html>"));
            assert.equal(page.kind, "notRead", JSON.stringify(page));
            const sentence = await read(operation, withFile(ERROR_SENTENCE));
            assert.deepEqual(sentence, { kind: "fault", who: "receiver", text: ERROR_SENTENCE });
          });
        }
      }

      const whole = rightResults(operation)
        .map(([name, value]) => {
          const content = typeof value === "string" ? value : base64(value.file);
          return `<${name}>${content}</${name}>`;
        })
        .join("");

      it("gives the same without MTOM", async () => {
        const given = await read(operation, plainAnswer(answer, whole));
        assert.equal(given.kind, "read", JSON.stringify(given));
        assert.equal(given.results.length, results.length);
      });

      const wrong: readonly (readonly [string, Buffer])[] = [
        ["an empty 200", httpAnswer(200, SOAP)],
        ["an empty 202", httpAnswer(202)],
        ["an empty Body", httpAnswer(200, SOAP, envelope(""))],
        ["HTML", httpAnswer(200, { "Content-Type": "text/html" }, "<html/>")],
        ["the element of another", mtomAnswer("numUniqueReponse", rightResults(operation))],
        [
          "the element in another namespace",
          httpAnswer(200, SOAP, envelope(element(answer, whole).replace(SNE, "http://autre/"))),
        ],
        ["no closing boundary", mtomAnswer(answer, rightResults(operation), { end: "" })],
        ["an HTTP 500 carrying a whole answer", plainAnswer(answer, whole, { status: 500 })],
        ["an HTTP 202 carrying a whole answer", plainAnswer(answer, whole, { status: 202 })],
        ["a DOCTYPE", httpAnswer(200, SOAP, `<!DOCTYPE a>${envelope(element(answer, whole))}`)],
        ["a hostile name", plainAnswer(answer, `${whole}<__proto__/>`)],
        ["a result twice", plainAnswer(answer, `${whole}${whole}`)],
      ];
      for (const [title, bytes] of wrong) {
        it(`does not take for an answer ${title}`, async () => {
          const given = await read(operation, bytes);
          assert.equal(given.kind, "notRead", JSON.stringify(given));
          assert.equal(given.why, "unreadable");
        });
      }

      it("tells a fault with its text, and that nothing was processed", async () => {
        assert.deepEqual(
          await read(operation, httpAnswer(500, SOAP, fault12("Receiver", "Base fermée"))),
          { kind: "fault", who: "receiver", text: "Base fermée" },
        );
        const moved = await read(operation, httpAnswer(307, { Location: server.url }));
        assert.ok(moved.kind === "notProcessed" && moved.why === "wrongAddress");
      });

      if (isWhollyOptional) {
        it("may find nothing: an answer with no result, or with an empty file", async () => {
          assert.deepEqual(await read(operation, plainAnswer(answer, "")), {
            kind: "read",
            results: [],
          });
          const [, file] = results.map(({ name }) => name);
          const empty = await read(operation, plainAnswer(answer, `<${file ?? ""}/>`));
          assert.equal(empty.kind, "read", JSON.stringify(empty));
          assert.deepEqual(
            empty.results.map((value) => [value.name, "file" in value && value.file.length]),
            [[file, 0]],
          );
        });
      }
    });
  }

  it("takes any file from what has no published schema, a page or the sentence never", async () => {
    const asked = (file: string): Promise<ReadAnswer> =>
      read(
        "getDemandesRadieesDepuisLe",
        mtomAnswer("demandesRadieesDepuisLeReponse", [["fichierDemandesRadiees", { file }]]),
      );
    const files = ["<radiations><radiation/></radiations>", "PK\u0003\u0004…"];
    for (const file of files) assert.equal((await asked(file)).kind, "read");
    const pages = ["<!DOCTYPE html><p>Bonjour", " <HTML><br>", "\n<html lang='fr'/>"];
    for (const page of pages) assert.equal((await asked(page)).kind, "notRead");
    assert.equal((await asked(`<p>${ERROR_SENTENCE}</p>`)).kind, "fault");
  });

  describe("keeps values what they are", () => {
    it("when they look like markup, a number, a mark or a CDATA section", async () => {
      const texts = [
        "<![CDATA[</numUnique><numUnique>autre]]>",
        "&lt;![CDATA[x]]&gt;",
        "%%0%% %%1%% $& $1",
        "0012.50",
        "  deux espaces  ",
        "__proto__",
      ];
      for (const text of texts) {
        await read(
          "getDemandeLogement",
          mtomAnswer("demandeLogementReponse", rightResults("getDemandeLogement")),
          [
            { name: "numUnique", text },
            { name: "complet", text: "<![CDATA[]]>" },
          ],
        );
        const { xml } = assertSentRightly("getDemandeLogement");
        const sent = /<numUnique>(.*?)<\/numUnique>/.exec(xml)?.[1] ?? "";
        assert.equal(unescaped(sent), text);
      }
      await read("getDemandesRadieesDepuisLe", plainAnswer("demandesRadieesDepuisLeReponse", ""), [
        { name: "motifRadiation", code: '<![CDATA["/><x/>]]>' },
      ]);
      const { xml } = messageIn(
        server.requests.at(-1) ?? assert.fail(),
        `${SNE}getDemandesRadieesDepuisLe`,
      );
      assert.match(xml, /code="&lt;!\[CDATA\[&quot;\/&gt;&lt;x\/&gt;\]\]&gt;"/);
    });

    it("in results too: digits, spaces and CDATA stay text", async () => {
      const texts: readonly (readonly [string, string])[] = [
        ["0012.50", "0012.50"],
        ["<![CDATA[<?xml version='1.0'?><a>1</a>]]>", "<?xml version='1.0'?><a>1</a>"],
        ["  a  ", "  a  "],
        ["", ""],
        ["é &amp; &lt;b&gt;", "é & <b>"],
      ];
      for (const [xml, text] of texts) {
        const given = await read(
          "getDemandeLogement",
          mtomAnswer("demandeLogementReponse", [
            ["nomFichierDemande", xml],
            ["fichierDemande", { file: answerFile() }],
          ]),
        );
        assert.equal(given.kind, "read", JSON.stringify(given));
        assert.deepEqual(given.results[0], { name: "nomFichierDemande", text });
      }
    });

    it("and a file's bytes, whatever they are; its content type only when it is one", async () => {
      const bytes = Buffer.concat([
        Buffer.from(answerFile()),
        Buffer.from("\r\n--limite\r\n\r\n\r\r\r"),
        Buffer.from(Array.from({ length: 256 }, (_, index) => index)),
      ]);
      const whole = mtomAnswer("demandeLogementReponse", [
        ["nomFichierDemande", "a"],
        ["fichierDemande", { file: bytes.subarray(0, answerFile().length + 2) }],
      ]);
      const given = await read("getDemandeLogement", whole);
      assert.ok(given.kind === "read");
      const [, file] = given.results;
      assert.ok(file !== undefined && "file" in file);
      assert.equal(file.contentType, "text/xml");
      const odd = whole
        .toString("latin1")
        .replace('c:contentType="text/xml"', 'c:contentType="a&#10;b"');
      const other = await read(
        "getDemandeLogement",
        httpAnswer(
          200,
          { "Content-Type": 'multipart/related; boundary="limite"; start="<racine@sne>"' },
          Buffer.from(odd.slice(odd.indexOf("\r\n\r\n") + 4), "latin1"),
        ),
      );
      assert.ok(other.kind === "read", JSON.stringify(other));
      assert.equal("contentType" in (other.results[1] ?? {}), false);
    });
  });

  it("refuses our own mistakes: a parameter no operation takes, or of another type", async () => {
    const signal = new AbortController().signal;
    for (const parameters of [
      [{ name: "autre", text: "x" }],
      [{ name: "numUnique", code: "x" }],
      [{ name: "certificat", text: "x" }],
      [
        { name: "numUnique", text: "1" },
        { name: "numUnique", text: "2" },
      ],
    ]) {
      await assert.rejects(client.read({ operation: "getDemandeLogement", parameters, signal }));
    }
  });

  it("asks each service whether it is reachable, for its own WSDL", async () => {
    for (const [service, operation] of [
      ["demandeLogement", "getNumUnique"],
      ["rechercheDemande", "rechercheDemandeMulticritere"],
      ["gestionPartageeEvt", "listerTypesEvenementsNationaux"],
    ] as const) {
      play(httpAnswer(200, {}, `<wsdl>${operation}</wsdl>`));
      const seen = await client.reachable(service, new AbortController().signal);
      assert.equal(seen.ok, true);
      assert.match(seen.detail, new RegExp(`annonce ${operation}`));
      assert.equal(server.requests.at(-1)?.path, `${PATHS[service]}?wsdl`);
    }
  });
});

/** The envelope and the parts of a request, its labels held to SOAP 1.2 with MTOM. */
function messageIn(
  request: ReceivedRequest,
  action: string,
): { xml: string; files: Map<string, Buffer> } {
  const outer = readContentType(request.headers.get("content-type"));
  assert.equal(outer?.type, "multipart/related");
  assert.equal(outer.parameters.get("type"), "application/xop+xml");
  assert.equal(outer.parameters.get("start-info"), "application/soap+xml");
  assert.equal(outer.parameters.get("action"), action);
  // CXF looks for the first `action=` of the whole header.
  const header = request.headers.get("content-type") ?? "";
  assert.ok(header.slice(header.indexOf("action=")).startsWith(`action="${action}"`));
  assert.equal(request.headers.get("soapaction"), undefined);
  const message = readMultipart(request.body, outer.parameters.get("boundary") ?? "");
  assert.equal(message.kind, "read");
  const root = rootOf(message.parts, outer.parameters.get("start"));
  assert.ok(root !== undefined && root === message.parts[0]);
  const rootType = readContentType(root.headers.get("content-type"));
  assert.equal(rootType?.type, "application/xop+xml");
  const inner = readContentType(rootType.parameters.get("type"));
  assert.equal(inner?.type, "application/soap+xml");
  assert.equal(inner.parameters.get("action"), action);
  const xml = Buffer.from(root.bytes).toString();
  const files = new Map<string, Buffer>();
  for (const [, id = ""] of xml.matchAll(/href="cid:([^"]+)"/g)) {
    files.set(id, Buffer.from(partById(message.parts, id)?.bytes ?? assert.fail(id)));
  }
  assert.equal(message.parts.length, 1 + files.size, "every part is named once");
  return { xml, files };
}

function unescaped(xml: string): string {
  return xml
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, "&");
}
