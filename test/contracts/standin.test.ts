/** The stand-in SNE serves the published contract, over raw HTTP, and remembers what it did. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSchemaValidator } from "../../src/adapters/xml/schema-validator.ts";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "../support/eventually.ts";
import {
  asCxf,
  asLibsne,
  ask,
  CERTIFICATE,
  daloCall,
  doublonsCall,
  envelope,
  errorOf,
  numUniqueCall,
  order,
  plain,
  post,
  readSoap,
  type RawCall,
  type SoapAnswer,
} from "../support/standin-calls.ts";

const root = join(import.meta.dirname, "../..");

describe("the stand-in SNE", function () {
  this.timeout(60_000);
  const validator = makeSchemaValidator({ schemasDir: join(root, "schemas") });
  let standin: RunningStandin;

  before(async () => {
    await validator.start();
    standin = await runStandin({ quiet: true });
  });
  beforeEach(() => order(standin.controlUrl, [{ do: "clear" }, { do: "forget" }]));
  after(async () => {
    await standin.stop();
    await validator.stop();
  });

  const send = async (call: RawCall): Promise<SoapAnswer> =>
    readSoap(await post(standin.url, call));
  const give = (of: Partial<SampleDemande>): Promise<SoapAnswer> =>
    send(numUniqueCall(makeDemande({ typeFichier: "CRE", guichet: "G1104", ...of })));
  const textOf = (answer: SoapAnswer, index = 0): string =>
    Buffer.from(answer.files[index] ?? []).toString("utf8");
  const numberIn = (answer: SoapAnswer): string =>
    /<tns:numGuichet>[^<]*<\/tns:numGuichet><tns:numUnique>(\w*)</.exec(textOf(answer))?.[1] ?? "";
  const codesIn = (answer: SoapAnswer): string[] =>
    [...textOf(answer).matchAll(/<tns:anomalie code="([^"]*)"/g)].map(([, code]) => code ?? "");
  const validDemande = async (answer: SoapAnswer, version = "02.01"): Promise<void> => {
    assert.match(
      textOf(answer),
      /^<\?xml[^>]*>\n<!-- Ceci n'est pas le SNE[^>]*-->\n<tns:interfaceNuu /,
    );
    const check = await validator.check(answer.files[0] ?? new Uint8Array(), version);
    assert.deepEqual(check, { kind: "valid" });
  };
  const validDoublons = async (file: Uint8Array | undefined): Promise<void> => {
    const check = await validator.checkDocument(file ?? new Uint8Array(), "listeDoublons");
    assert.deepEqual(check, { kind: "valid" });
  };
  const reasonIn = (answer: SoapAnswer): string => {
    assert.equal(answer.status, 500);
    assert.match(answer.envelope, /<soap:Text xml:lang="fr">/);
    return (
      /<soap:Value>soap:(\w+)<.*<soap:Text xml:lang="fr">(.*)<\/soap:Text>/
        .exec(answer.envelope)
        ?.slice(1)
        .join(": ") ?? ""
    );
  };

  describe("takes a creation", () => {
    const file = makeDemande({ typeFichier: "CRE", guichet: "G1104" });
    const soap = envelope(
      "numUniqueParametres",
      `<nomFichierDemande>DEM.xml</nomFichierDemande>` +
        `<fichierDemande>${Buffer.from(file).toString("base64")}</fichierDemande>${CERTIFICATE}`,
    );
    const framings: Readonly<Record<string, RawCall>> = {
      "framed by libsne": asLibsne(file),
      "framed by Apache CXF with MTOM": numUniqueCall(file),
      "in a plain envelope": plain(soap),
      "in a multipart with the file inline": asCxf(soap, "getNumUnique"),
    };
    for (const [name, call] of Object.entries(framings)) {
      it(name, async () => {
        const answer = await send(call);
        assert.equal(answer.status, 200);
        assert.match(answer.envelope, /<sne:numUniqueReponse xmlns:sne="http:\/\/ws\.metier/);
        assert.match(numberIn(answer), /^9990126\d{6}G1104$/);
        await validDemande(answer);
        const [, attestation] = answer.files;
        const pdf = Buffer.from(attestation ?? []).toString("latin1");
        assert.match(pdf, /^%PDF-1\.4\n/);
        assert.match(pdf, /CECI N'EST PAS UNE ATTESTATION/);
        assert.ok(pdf.includes(numberIn(answer)));
        assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(attestation));
        const order = [...answer.envelope.matchAll(/<(\w+)[ >]/g)].map(([, tag]) => tag);
        const fields = ["nomFichierDemande", "fichierDemande", "nomAttestation", "attestation"];
        assert.deepEqual(
          order.filter((tag) => fields.includes(tag ?? "")),
          fields,
        );
      });
    }

    it("whatever the file's encoding, prefix, line ends and edition, and echoes it whole", async () => {
      const shapes: Partial<SampleDemande>[] = [
        { encoding: "iso-8859-1", nom: "Éléonore" },
        { bom: true, eol: "\r\n", nom: "Çelik" },
        { prefix: "longprefix", nom: "L'Hôte & <Fils>" },
        { versionInterface: "02.00", nom: "Ÿ" },
      ];
      for (const [index, shape] of shapes.entries()) {
        const answer = await give({ ...shape, refInterne: `R${index}`, padToBytes: 6_000 });
        assert.deepEqual(codesIn(answer), []);
        await validDemande(answer, shape.versionInterface);
        const nom = (shape.nom ?? "")
          .replace("&", "&amp;")
          .replace("<", "&lt;")
          .replace(">", "&gt;");
        assert.ok(textOf(answer).includes(`<tns:nom>${nom}</tns:nom>`), nom);
      }
    });

    it("of an association, and echoes an attribute with a namespace", async () => {
      const text = Buffer.from(
        makeDemande({ typeFichier: "CRE", guichet: "G1", association: true }),
      )
        .toString("utf8")
        .replace("<interfaceNuu ", '<interfaceNuu xmlns:m="http://nuu.application.i2/" ')
        .replace("<precision/>", '<precision m:modifie="true">a&#10;"b"</precision>')
        .replace("<precision></precision>", '<precision m:modifie="true">a&#10;"b"</precision>');
      const answer = await send(numUniqueCall(Buffer.from(text)));
      await validDemande(answer);
      assert.ok(textOf(answer).includes('<tns:precision tns:modifie="true">a\n'));
      assert.match(numberIn(answer), /^9990126\d{6}000G1$/);
    });
  });

  it("answers so that libsne can read it", async () => {
    await give({ refInterne: "L1" });
    const answer = await send(
      asLibsne(makeDemande({ typeFichier: "MOD", guichet: "G1104", refInterne: "inconnue" })),
    );
    // What libsne does: the whole body is text, and the file is cut out of it by its root's name.
    const body = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
    const cut = `${body.slice(body.indexOf(":interfaceNuu") - 4, body.indexOf(":interfaceNuu>"))}:interfaceNuu>`;
    assert.match(cut, /^<tns:interfaceNuu [^>]*xmlns:tns=/);
    assert.deepEqual(await validator.check(Buffer.from(cut), "02.01"), { kind: "valid" });
    assert.match(cut, /<tns:anomalie code="[^"]+"[^>]*><tns:message>/);
    // Doublons too.
    const doublons = await send(
      asLibsne(makeDemande({ typeFichier: "CRE", guichet: "G1226", refInterne: "L2" }), "Doublons"),
    );
    const list = doublons.body.toString("utf8");
    const from = list.indexOf(":listeDoublons") - 4;
    assert.match(list.slice(from), /^<tns:listeDoublons xmlns:tns=/);
  });

  describe("judges by its rules", () => {
    it("gives each creation a number of its own, and knows it by number and by reference", async () => {
      const first = await give({ refInterne: "A", nom: "Un" });
      const second = await give({ refInterne: "B", nom: "Deux" });
      assert.notEqual(numberIn(first), numberIn(second));
      const byNumber = await give({ typeFichier: "MOD", numUnique: numberIn(first) });
      assert.deepEqual(codesIn(byNumber), []);
      assert.equal(byNumber.files.length, 1, "no attestation for a change");
      const byReference = await give({ typeFichier: "REN", refInterne: "B" });
      assert.equal(numberIn(byReference), numberIn(second));
      assert.equal(byReference.files.length, 2, "a new attestation for a renewal");
      await validDemande(byReference);
    });

    it("refuses a doublon by reference or by person, listing it, and takes it when forced", async () => {
      const person = { nom: "Guérin", prenom: "Zoé", dateNaissance: "1980-02-03" };
      const first = await give({ refInterne: "A", ...person });
      const sameReference = await give({ refInterne: "A", nom: "Autre" });
      const samePerson = await give({ refInterne: "C", ...person, nom: "GUÉRIN" });
      for (const [answer, code] of [
        [sameReference, "CTRL_DEM_N"],
        [samePerson, "CTRL_DEM_D"],
      ] as const) {
        assert.deepEqual(codesIn(answer), [code]);
        assert.equal(numberIn(answer), "");
        assert.equal(answer.files.length, 1);
        assert.ok(
          textOf(answer).includes(
            `<tns:listeDoublons><tns:doublon><tns:numUnique>${numberIn(first)}<`,
          ),
        );
        await validDemande(answer);
      }
      const forced = await give({ refInterne: "C", ...person, forcerDoublon: true });
      assert.deepEqual(codesIn(forced), []);
      assert.notEqual(numberIn(forced), numberIn(first));
    });

    it("keeps a radiation, and undoes it by an empty motif", async () => {
      const numUnique = numberIn(await give({ refInterne: "A" }));
      const rad = (motifRadiation: string): Promise<SoapAnswer> =>
        give({ typeFichier: "RAD", numUnique, motifRadiation });
      const undo = makeDemande({ typeFichier: "RAD", guichet: "G1104", numUnique });
      const undoing = numUniqueCall(
        Buffer.from(
          Buffer.from(undo)
            .toString("utf8")
            .replace(/<motifRadiation code="[^"]*"\/>/, "<motifRadiation/>"),
        ),
      );
      assert.deepEqual(codesIn(await send(undoing)), ["CTRL_DEM_V"]);
      const taken = await rad("RADABA");
      assert.deepEqual(codesIn(taken), []);
      assert.equal(taken.files.length, 1, "no attestation for a radiation");
      assert.deepEqual(codesIn(await give({ typeFichier: "MOD", numUnique })), ["CTRL_DEM_R"]);
      assert.deepEqual(codesIn(await rad("RADABA")), ["CTRL_DEM_R"]);
      assert.deepEqual(codesIn(await send(undoing)), []);
      assert.deepEqual(codesIn(await give({ typeFichier: "MOD", numUnique })), []);
    });

    it("wants the sous-motif of an irrecevabilité", async () => {
      const numUnique = numberIn(await give({ refInterne: "A" }));
      const whole = makeDemande({
        typeFichier: "RAD",
        guichet: "G1104",
        numUnique,
        motifRadiation: "RADIRR",
      });
      const without = Buffer.from(whole)
        .toString("utf8")
        .replace(/<sousMotifIrrecevabilite[^>]*>/, "");
      assert.deepEqual(codesIn(await send(numUniqueCall(Buffer.from(without)))), ["CTRL_DEM_I"]);
      assert.deepEqual(codesIn(await send(numUniqueCall(whole))), []);
    });

    it("refuses what it cannot place: unknown number, number in a creation, kind of the SNE", async () => {
      const numUnique = "0350126000001G1104";
      assert.deepEqual(codesIn(await give({ typeFichier: "MOD", numUnique })), ["CTRL_DEM_U"]);
      assert.deepEqual(codesIn(await give({ numUnique })), ["CTRL_DEM_C"]);
      assert.deepEqual(codesIn(await give({ typeFichier: "DIS", numUnique })), ["CTRL_DEM_K"]);
      const deleted = numberIn(await give({ refInterne: "A" }));
      assert.deepEqual(codesIn(await give({ typeFichier: "SUP", numUnique: deleted })), []);
      assert.deepEqual(codesIn(await give({ typeFichier: "MOD", numUnique: deleted })), [
        "CTRL_DEM_U",
      ]);
    });

    it("can be told to look at neither doublons nor unknown numbers", async () => {
      await order(standin.controlUrl, { do: "settings", doublons: false, unknownNumbers: false });
      const one = await give({ refInterne: "A" });
      const again = await give({ refInterne: "A" });
      assert.notEqual(numberIn(one), numberIn(again));
      const numUnique = "0350126000001G1104";
      assert.equal(numberIn(await give({ typeFichier: "MOD", numUnique })), numUnique);
    });
  });

  describe("serves the five other operations", () => {
    it("getDemandeLogement: the latest file of a number, or a fault", async () => {
      const numUnique = numberIn(await give({ refInterne: "A", nom: "Avant" }));
      await give({ typeFichier: "MOD", numUnique, nom: "Après" });
      const soap = (number: string): string =>
        envelope("demandeLogementParametres", `<numUnique>${number}</numUnique>${CERTIFICATE}`);
      const answer = await send(asCxf(soap(numUnique), "getDemandeLogement"));
      assert.match(answer.envelope, /<sne:demandeLogementReponse /);
      assert.match(textOf(answer), /<tns:nom>Après</);
      await validDemande(answer);
      assert.match(reasonIn(await send(plain(soap("1")))), /^Sender: Aucune demande/);
    });

    it("getDoublons: the list, the demande back when there is none, the known bug of associations", async () => {
      const person = { nom: "Guérin", prenom: "Zoé", dateNaissance: "1980-02-03" };
      const partial = makeDemande({
        typeFichier: "CRE",
        guichet: "G2",
        refInterne: "Z",
        ...person,
      });
      const none = await send(doublonsCall(partial));
      assert.match(none.envelope, /<sne:rechercheDoublonsReponse /);
      assert.match(textOf(none), /<tns:interfaceNuu /);
      assert.doesNotMatch(textOf(none), /listeDoublons/);
      const created = await give({ refInterne: "A", ...person, padToBytes: 9_000 });
      const found = await send(doublonsCall(partial));
      assert.match(found.envelope, /<listeDoublons /);
      assert.ok(textOf(found).includes(`<tns:numUnique>${numberIn(created)}</tns:numUnique>`));
      await validDoublons(found.files[0]);
      const association = makeDemande({ typeFichier: "CRE", guichet: "G2", association: true });
      assert.match(
        reasonIn(await send(doublonsCall(association))),
        /^Receiver: Une erreur inattendue est survenue lors du traitement de la demande\.$/,
      );
    });

    it("getDeclarationNouveauDalo, then getNouveauxDaloDepuisLe and getDemandesRadieesDepuisLe", async () => {
      const one = numberIn(await give({ refInterne: "A", nom: "Un" }));
      const two = numberIn(await give({ refInterne: "B", nom: "Deux" }));
      const declared = Buffer.from(
        makeDemande({ typeFichier: "MOD", guichet: "G1104", numUnique: one }),
      )
        .toString("utf8")
        .replace(
          "<demandeLogement>",
          '<informationDalo><statutDalo code="ACTIF"/></informationDalo><demandeLogement>',
        );
      const dalo = await send(daloCall(Buffer.from(declared)));
      assert.match(
        dalo.envelope,
        /<sne:declarationNouveauDaloReponse [^>]*><nomFichierDalo>DALO\.xml</,
      );
      assert.deepEqual(codesIn(dalo), []);
      await validDemande(dalo);
      const undeclared = makeDemande({ typeFichier: "MOD", guichet: "G1104", numUnique: one });
      assert.deepEqual(codesIn(await send(daloCall(undeclared))), ["CTRL_DEM_O"]);

      const since = (date: string, certificate = CERTIFICATE): RawCall =>
        asCxf(
          envelope(
            "nouveauxDaloDepuisLeParametres",
            `<dateNouveauDaloDepuisLe>${date}</dateNouveauDaloDepuisLe>${certificate}`,
          ),
          "getNouveauxDaloDepuisLe",
        );
      const dalos = await send(since("2020-01-01T00:00:00.0+01:00"));
      assert.deepEqual(
        [...zipEntries(dalos.files[0])].map(([name]) => name),
        [`${one}.xml`],
      );
      for (const [, bytes] of zipEntries(dalos.files[0])) {
        assert.deepEqual(await validator.check(bytes, "02.01"), { kind: "valid" });
      }
      const later = await send(since("2999-01-01T00:00:00.0+01:00"));
      assert.equal(later.files.length, 0);
      assert.match(later.envelope, /<sne:nouveauxDaloDepuisLeReponse [^>]*><\/sne:/);
      const badName = "<nomCertificat/><certificat/>";
      assert.equal(
        reasonIn(await send(since("2020-01-01T00:00:00Z", badName))),
        "Sender: Le nom du certificat associé [] n’est pas conforme.",
      );
      assert.match(reasonIn(await send(since("hier"))), /^Sender: dateNouveauDalo/);

      await give({ typeFichier: "RAD", numUnique: one, motifRadiation: "RADABA" });
      await give({ typeFichier: "RAD", numUnique: two, motifRadiation: "RADCON" });
      const radiated = (filters: string): RawCall =>
        asCxf(
          envelope(
            "demandesRadieesDepuisLeParametres",
            `<dateRadiationDepuisLe>2020-01-01T00:00:00Z</dateRadiationDepuisLe>${filters}${CERTIFICATE}`,
          ),
          "getDemandesRadieesDepuisLe",
        );
      const all = await send(radiated(""));
      assert.deepEqual(
        [...zipEntries(all.files[0])].map(([name]) => name),
        [`${one}.xml`, `${two}.xml`],
      );
      const some = await send(radiated('<motifRadiation code="RADCON"/>'));
      assert.deepEqual(
        [...zipEntries(some.files[0])].map(([name]) => name),
        [`${two}.xml`],
      );
      const active = await send(radiated('<statutDalo code="ACTIF"/>'));
      assert.deepEqual(
        [...zipEntries(active.files[0])].map(([name]) => name),
        [`${one}.xml`],
      );
    });
  });

  describe("holds callers to the contract", () => {
    const file = makeDemande({ typeFichier: "CRE", guichet: "G1104" });
    const parameters = `<nomFichierDemande>D.xml</nomFichierDemande><fichierDemande>AAAA</fichierDemande>`;
    const wrong: Readonly<Record<string, readonly [RawCall, RegExp]>> = {
      "an unknown operation": [plain(envelope("autre", "")), /^Sender: Opération inconnue/],
      "a parameter missing": [
        plain(envelope("numUniqueParametres", parameters)),
        /^Sender: paramètre absent : nomCertificat$/,
      ],
      "parameters out of their order": [
        plain(envelope("numUniqueParametres", CERTIFICATE + parameters)),
        /^Sender: paramètre en double ou hors de son ordre/,
      ],
      "a parameter in the service's namespace": [
        plain(envelope("numUniqueParametres", "<ns2:nomFichierDemande/>")),
        /^Sender: paramètre inconnu/,
      ],
      "a file that is not base64": [
        plain(envelope("numUniqueParametres", parameters.replace("AAAA", "A!") + CERTIFICATE)),
        /^Sender: fichierDemande : base64 illisible$/,
      ],
      "an Include without its part": [
        { ...numUniqueCall(file), body: asCxf(envelopeOf(numUniqueCall(file)), "x").body },
        /^Sender: fichierDemande : aucune partie/,
      ],
      "two elements in the Body": [
        plain(envelope("a", "").replace("</soap:Body>", "<b/></soap:Body>")),
        /^Sender: enveloppe illisible/,
      ],
      "a header block that must be understood": [
        plain(
          envelope("a", "").replace(
            "<soap:Body>",
            '<soap:Header><t:x xmlns:t="urn:t" soap:mustUnderstand="true"/></soap:Header><soap:Body>',
          ),
        ),
        /^MustUnderstand: .*\{urn:t\}x/,
      ],
      "an envelope with a DOCTYPE": [
        plain(`<!DOCTYPE x [<!ENTITY e "e">]>${envelope("a", "")}`),
        /^Sender: enveloppe illisible : .*DOCTYPE/,
      ],
      "a nesting without end": [
        plain(envelope("a", "<b>".repeat(100_000))),
        /^Sender: enveloppe illisible : plus de 24/,
      ],
      "an envelope of no known version": [
        plain(envelope("a", "", "urn:soap")),
        /^Sender: enveloppe illisible : espace de noms/,
      ],
      "a file that is no XML": [
        numUniqueCall(Buffer.from("<a")),
        /^Receiver: Une erreur inattendue est survenue lors du traitement de la demande\. /,
      ],
      "a file with a DOCTYPE": [
        numUniqueCall(Buffer.from('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>')),
        /^Receiver: Une erreur inattendue .*DOCTYPE/,
      ],
      "a file in another encoding than it says": [
        numUniqueCall(Buffer.from("<interfaceNuu>é</interfaceNuu>", "latin1")),
        /^Receiver: Une erreur inattendue .*encodage/,
      ],
      "a multipart cut short": [
        { ...numUniqueCall(file), body: numUniqueCall(file).body.subarray(0, -4) },
        /^Sender: multipart\/related : closing boundary missing$/,
      ],
    };
    for (const [name, [call, expected]] of Object.entries(wrong)) {
      it(`answers a SOAP 1.2 fault to ${name}`, async () => {
        assert.match(reasonIn(await send(call)), expected);
      });
    }

    it("tells a SOAP 1.1 caller its version, in SOAP 1.1", async () => {
      const soap = envelope("a", "", "http://schemas.xmlsoap.org/soap/envelope/");
      const answer = await post(standin.url, plain(soap, "text/xml; charset=utf-8"));
      assert.equal(answer.status, 500);
      assert.equal(answer.headers["content-type"], "text/xml; charset=utf-8");
      assert.match(answer.body.toString("utf8"), /<faultcode>soap:VersionMismatch</);
      assert.match(answer.body.toString("utf8"), /qname="ns1:Envelope"/);
    });

    it("answers without SOAP what is no call, always saying what it is", async () => {
      const cases: readonly (readonly [string, RequestInit, number])[] = [
        [standin.url, { method: "POST", body: "x", headers: { "content-type": "text/csv" } }, 415],
        [standin.url, { method: "POST", body: "x", headers: { "content-encoding": "gzip" } }, 415],
        [standin.url, { method: "PUT", body: "x" }, 405],
        [standin.url, {}, 200],
        [new URL("/autre", standin.url).href, { method: "POST", body: "x" }, 404],
        [standin.url, { method: "POST", body: Buffer.alloc(50 * 1024 * 1024 + 1) }, 413],
      ];
      for (const [url, init, status] of cases) {
        const answer = await fetch(url, init);
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get("x-standin"), "not the SNE");
        await answer.text();
      }
    });

    it("gives its WSDL with its own address, with or without the trailing slash", async () => {
      for (const url of [standin.url, standin.url.replace(/\/$/, "")]) {
        const wsdl = await (await fetch(`${url}?wsdl`)).text();
        assert.ok(wsdl.includes(`<soap12:address location="${standin.url}"`));
        assert.ok(wsdl.includes("DemandeLogementImplServiceSoapBinding"));
      }
    });

    it("goes on serving after hundreds of mangled calls", async () => {
      const valid = [
        numUniqueCall(file),
        asLibsne(file),
        plain(envelope("numUniqueParametres", "")),
      ];
      let seed = 7;
      const draw = (below: number): number => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed % below;
      };
      const bits = ["--", "\r\n", "<", "]]>", "&", "\0", "uuid:", "\xff", "<!DOCTYPE", '"', "cid:"];
      const mangled = Array.from({ length: 200 }, () => {
        const call = valid[draw(valid.length)] ?? asLibsne(file);
        const body = Buffer.from(call.body);
        for (let i = 0; i < 1 + draw(6); i += 1) {
          const at = draw(body.length);
          if (draw(3) === 0) body.fill(draw(256), at, Math.min(body.length, at + draw(40)));
          else body.write(bits[draw(bits.length)] ?? "", at, "latin1");
        }
        return { ...call, body: body.subarray(0, draw(4) === 0 ? draw(body.length) : undefined) };
      });
      for (let i = 0; i < mangled.length; i += 20) {
        const batch = await Promise.all(
          mangled.slice(i, i + 20).map((call) => post(standin.url, call)),
        );
        for (const answer of batch) {
          assert.ok([200, 415, 500].includes(answer.status), `${answer.status}`);
          assert.doesNotMatch(
            answer.body.toString("utf8"),
            /Erreur du simulateur lui-même|\.ts:\d+/,
          );
        }
      }
      assert.equal((await give({ refInterne: "apres" })).status, 200);
    });
  });

  describe("counts its effects", () => {
    interface Effects {
      readonly calls: number;
      readonly effects: number;
      readonly refusals: number;
      readonly takenMoreThanOnce: number;
      readonly effectsByTypeFichier: Readonly<Record<string, number>>;
      readonly mostAtOnce: number;
      readonly violations: { readonly together: number; readonly order: number };
      readonly inProgress: number;
      readonly files: readonly {
        readonly sha256: string;
        readonly calls: number;
        readonly taken: number;
        readonly refused: number;
        readonly numUnique?: string;
      }[];
    }

    it("by file: calls, effects taken, refusals; a double is seen", async () => {
      await give({ refInterne: "A" });
      await give({ refInterne: "A" });
      await give({ refInterne: "B", nom: "Autre" });
      await order(standin.controlUrl, { do: "settings", doublons: false });
      await give({ refInterne: "B", nom: "Autre" });
      const effects = await ask<Effects>(standin.controlUrl, "/standin/effects");
      assert.equal(effects.calls, 4);
      assert.equal(effects.effects, 3);
      assert.equal(effects.refusals, 1);
      assert.equal(effects.takenMoreThanOnce, 1);
      assert.deepEqual(effects.effectsByTypeFichier, { CRE: 3 });
      const [first, second] = effects.files;
      assert.deepEqual([first?.calls, first?.taken, first?.refused], [2, 1, 1]);
      assert.deepEqual([second?.calls, second?.taken, second?.refused], [2, 2, 0]);
      const one = await ask<{ taken: number }>(
        standin.controlUrl,
        `/standin/effects/${second?.sha256 ?? ""}`,
      );
      assert.equal(one.taken, 2);
    });

    it("sees two calls of one demande in progress together, and only those", async () => {
      const numUnique = numberIn(await give({ refInterne: "A" }));
      await order(standin.controlUrl, { do: "slow", ms: 60 });
      await Promise.all([
        give({ typeFichier: "MOD", numUnique, nom: "Un" }),
        give({ refInterne: "B", nom: "Autre" }),
      ]);
      const before = await ask<Effects>(standin.controlUrl, "/standin/effects?summary");
      assert.equal(before.violations.together, 0);
      assert.equal(before.mostAtOnce, 2);
      // By its number and by its reference, it is one demande.
      const both = { typeFichier: "MOD", numUnique, refInterne: "A" };
      await Promise.all([give({ ...both, nom: "Un" }), give({ ...both, nom: "Deux" })]);
      await Promise.all([
        give({ typeFichier: "MOD", refInterne: "A", nom: "Trois" }),
        give({ ...both, nom: "Quatre" }),
      ]);
      const after = await ask<Effects>(standin.controlUrl, "/standin/effects?summary");
      assert.equal(after.violations.together, 2);
    });

    it("knows the number that a creation still in progress was given", async () => {
      await order(standin.controlUrl, { do: "hang", effect: true, times: 1 });
      const leaving = new AbortController();
      const file = makeDemande({ typeFichier: "CRE", guichet: "G1104", refInterne: "A" });
      const hung = errorOf(post(standin.url, numUniqueCall(file), leaving.signal));
      const numUnique = await eventually("the creation took its effect", async () => {
        const { files } = await ask<Effects>(standin.controlUrl, "/standin/effects");
        return files[0]?.numUnique;
      });
      assert.deepEqual(codesIn(await give({ typeFichier: "MOD", numUnique })), []);
      const summary = "/standin/effects?summary";
      const during = await ask<Effects>(standin.controlUrl, summary);
      assert.equal(during.violations.together, 1);
      leaving.abort();
      assert.equal(await hung, "ABORT_ERR");
      await eventually("nothing is in progress", async () => {
        const { inProgress } = await ask<Effects>(standin.controlUrl, summary);
        return inProgress === 0;
      });
      await give({ typeFichier: "MOD", numUnique, nom: "Après" });
      const after = await ask<Effects>(standin.controlUrl, summary);
      assert.equal(after.violations.together, 1);
    });

    it("sees an older file take effect after a newer one", async () => {
      const numUnique = numberIn(await give({ refInterne: "A" }));
      const mod = (dateFichier: string): Promise<SoapAnswer> =>
        give({ typeFichier: "MOD", numUnique, dateFichier });
      await mod("2026-02-01T10:00:00.000+01:00");
      await mod("2026-02-01T10:00:00.001+01:00");
      const before = await ask<Effects>(standin.controlUrl, "/standin/effects?summary");
      assert.equal(before.violations.order, 0);
      await mod("2026-02-01T10:30:00.000+02:00");
      const after = await ask<Effects>(standin.controlUrl, "/standin/effects?summary");
      assert.equal(after.violations.order, 1);
    });

    it("tells its last calls, without a word of what the demande says", async () => {
      await give({ refInterne: "A", nom: "Secrète" });
      const { calls } = await ask<{ calls: Record<string, unknown>[] }>(
        standin.controlUrl,
        "/standin/calls?last=1",
      );
      const [call, ...others] = calls;
      assert.ok(call !== undefined && others.length === 0);
      assert.equal(call["outcome"], "taken");
      assert.equal(call["framing"], "mtom");
      assert.equal(call["action"], "http://ws.metier.nuu.application.i2/getNumUnique");
      assert.equal(call["key"], "refInterne:G1104|A");
      assert.doesNotMatch(JSON.stringify(calls), /Secr/);
    });

    it("remembers them over a restart when it has a file, and drops a line cut short", async () => {
      const folder = mkdtempSync(join(tmpdir(), "standin-"));
      const dataFile = join(folder, "standin.jsonl");
      try {
        const first = await runStandin({ quiet: true, dataFile });
        const call = numUniqueCall(makeDemande({ typeFichier: "CRE", guichet: "G1104" }));
        const created = numberIn(readSoap(await post(first.url, call)));
        await first.stop();
        appendFileSync(dataFile, '{"result":"taken","oper');
        const second = await runStandin({ quiet: true, dataFile });
        const effects = await ask<Effects>(second.controlUrl, "/standin/effects");
        assert.equal(effects.effects, 1);
        const repeated = readSoap(await post(second.url, call));
        assert.deepEqual(codesIn(repeated), ["CTRL_DEM_N"]);
        const next = makeDemande({
          typeFichier: "CRE",
          guichet: "G1104",
          refInterne: "B",
          nom: "N",
        });
        const numbered = numberIn(readSoap(await post(second.url, numUniqueCall(next))));
        assert.ok(numbered > created, `${numbered} is a new number`);
        await second.stop();
        const third = await runStandin({ quiet: true, dataFile });
        const after = await ask<Effects>(third.controlUrl, "/standin/effects?summary");
        assert.deepEqual([after.effects, after.refusals], [2, 1]);
        await order(third.controlUrl, { do: "forget" });
        await third.stop();
        assert.equal(readFileSync(dataFile, "utf8"), "");
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});

/** The SOAP envelope inside a call made by `asCxf`. */
function envelopeOf(call: RawCall): string {
  return (
    /<soap:Envelope.*<\/soap:Envelope>/s.exec(Buffer.from(call.body).toString("utf8"))?.[0] ?? ""
  );
}

/** Entries of a ZIP of stored files, read by its local headers. */
function* zipEntries(zip: Uint8Array | undefined): Generator<readonly [string, Uint8Array]> {
  const bytes = Buffer.from(zip ?? []);
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50;) {
    const size = bytes.readUInt32LE(at + 18);
    const name = bytes.readUInt16LE(at + 26);
    const start = at + 30 + name + bytes.readUInt16LE(at + 28);
    yield [bytes.toString("utf8", at + 30, at + 30 + name), bytes.subarray(start, start + size)];
    at = start + size;
  }
}
