/** Our own SOAP service (A5): what REST promises, by SOAP 1.1 and 1.2, MTOM and base64. */
import assert from "node:assert/strict";
import { gatewayError } from "../../src/domain/errors.ts";
import type { Flux } from "../../src/domain/flux.ts";
import { eventually } from "../support/eventually.ts";
import {
  demande,
  GUICHET_MAX_FLUXES,
  GUICHETS,
  KEYS,
  MAX_BYTES,
  NUMERO,
  OPERATOR_KEY,
  sha256,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import {
  callService,
  passerelleService,
  postSoap,
  SERVICE_PATH,
  type CallForm,
  type Given,
  type ServiceAnswer,
} from "../support/passerelle-caller.ts";
import { sendRaw } from "../support/raw-http.ts";

const { A, B } = GUICHETS;
/** Not UTF-8. */
const PDF = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0xfe, 0x00, 0x0d, 0x0a, 0xc3, 0x28]);
/** Cut short on its second line. */
const NOT_XML = '<interfaceNuu xmlns="http://nuu.application.i2/">\n  <entete></en';
const FORMS: readonly Required<Pick<CallForm, "version" | "framing">>[] = [
  { version: "1.1", framing: "plain" },
  { version: "1.1", framing: "mtom" },
  { version: "1.2", framing: "plain" },
  { version: "1.2", framing: "mtom" },
];

describe("our own SOAP service", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway((_, parts) => passerelleService(parts));
  });
  afterEach(() => gateway.stop());

  const call = (
    operation: string,
    fields: readonly Given[],
    form: CallForm = {},
  ): Promise<ServiceAnswer> => callService(gateway.url, operation, fields, form);

  function deposit(
    bytes: Uint8Array,
    { nomFichier = "demande.xml", cle }: { nomFichier?: string; cle?: string } = {},
    form: CallForm = {},
  ): Promise<ServiceAnswer> {
    return call(
      "deposerFlux",
      [
        { name: "nomFichier", text: nomFichier },
        { name: "fichier", file: bytes },
        ...(cle === undefined ? [] : [{ name: "cleIdempotence", text: cle }]),
      ],
      form,
    );
  }

  const about = (id: string): Given[] => [{ name: "identifiant", text: id }];

  async function deposited(seed: number): Promise<string> {
    const answer = await deposit(demande(A, seed), { nomFichier: `demande-${seed}.xml` });
    const id = answer.text("identifiant");
    assert.ok(id !== undefined, answer.envelope);
    return id;
  }

  async function found(id: string): Promise<Flux> {
    const flux = await gateway.outbox.find(id);
    assert.ok(flux !== undefined);
    return flux;
  }

  function assertFault(answer: ServiceAnswer, code: string): void {
    assert.equal(answer.text("code"), code, answer.envelope);
    assert.match(answer.text("message") ?? "", /\p{Ll}/u);
    assert.doesNotMatch(answer.envelope, /\.ts|node_modules| at /);
  }

  async function received(): Promise<number> {
    return (await gateway.outbox.counts()).received;
  }

  const bearer = (guichet: keyof typeof KEYS): CallForm => ({
    authorization: `Bearer ${KEYS[guichet]}`,
  });

  for (const form of FORMS) {
    const { version, framing } = form;
    it(`keeps a file byte for byte and says so, SOAP ${version}, ${framing}`, async () => {
      const bytes = demande(A, 1);
      const nomFichier = `DEM${A.code}-202603310800-000123.xml`;
      const answer = await deposit(bytes, { nomFichier }, form);
      assert.equal(answer.status, 200, answer.envelope);
      const flux = await found(answer.text("identifiant") ?? "");
      assert.deepEqual(
        ["etat", "dejaRecu", "guichet", "nomFichier", "taille", "empreinteSha256", "recuLe"].map(
          (name) => answer.text(name),
        ),
        [
          "GARDE",
          "false",
          A.code,
          nomFichier,
          String(bytes.byteLength),
          sha256(Buffer.from(bytes).toString("utf8")),
          new Date(flux.receivedAt).toISOString(),
        ],
      );
      assert.equal(flux.channel, "soap");
      assert.equal(flux.returnsBy, "soap");
      const original = await gateway.outbox.file(flux.id, "original");
      assert.deepEqual(Buffer.from(original!.bytes), Buffer.from(bytes));
    });

    it(`hands over the acquittement and the SNE's files as they are, SOAP ${version}, ${framing}`, async () => {
      const id = await deposited(2);
      const answerBytes = Buffer.from('<?xml version="1.0"?><a>été</a>');
      await gateway.accept(id, {
        answer: { name: "x.xml", bytes: answerBytes },
        attestation: { name: "attestation.pdf", bytes: PDF },
      });
      const answer = await call("retirerAcquittement", about(id), form);
      assert.equal(answer.status, 200, answer.envelope);
      assert.match(answer.file("acquittement")?.toString("utf8") ?? "", new RegExp(NUMERO));
      assert.deepEqual(answer.file("reponseSne"), answerBytes);
      assert.deepEqual(answer.file("attestation"), PDF);
      assert.deepEqual(answer.texts("nomFichier"), [
        "demande-2.acquittement.xml",
        "demande-2.reponse.xml",
        "demande-2.attestation.pdf",
      ]);
    });

    it(`refuses by the fault of its WSDL, SOAP ${version}, ${framing}`, async () => {
      const answer = await deposit(Buffer.from(NOT_XML), {}, form);
      assertFault(answer, "NOT_XML");
      assert.equal(answer.text("ligne"), "2");
      assert.ok(Number(answer.text("colonne")) > 1);
      assert.equal(answer.status, 500);
      assert.match(answer.envelope, /xml:lang="fr"/);
      assert.equal(await received(), 0);
    });
  }

  it("answers MTOM to MTOM, and base64 to base64", async () => {
    const id = await deposited(3);
    await gateway.accept(id, { attestation: { name: "a.pdf", bytes: PDF } });
    for (const form of FORMS) {
      const { headers } = await call("retirerAcquittement", about(id), form);
      const given = headers["content-type"] ?? "";
      const media = form.version === "1.2" ? "application/soap+xml" : "text/xml";
      const expected = form.framing === "mtom" ? "multipart/related" : media;
      assert.ok(given.startsWith(expected) && given.includes(media), given);
    }
  });

  it("gives back the first flux when the same file comes again, with or without its key", async () => {
    const first = await deposit(demande(A, 4), { cle: "export 4" });
    for (const more of [{}, { cle: "export 4" }, { cle: "un autre" }]) {
      const again = await deposit(demande(A, 4), more);
      assert.equal(again.text("identifiant"), first.text("identifiant"));
      assert.equal(again.text("dejaRecu"), "true");
      assert.equal(again.text("recuLe"), first.text("recuLe"));
    }
    assert.equal(await received(), 1);
  });

  it("makes one flux of twenty deposits at once under one key", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => deposit(demande(A, 5), { cle: "k" })),
    );
    assert.equal(new Set(answers.map((answer) => answer.text("identifiant"))).size, 1);
    assert.equal(answers.filter((answer) => answer.text("dejaRecu") === "false").length, 1);
    assert.equal(await received(), 1);
  });

  it("refuses a key that already served for another file, and one that is none", async () => {
    const first = await deposit(demande(A, 6), { cle: "k" });
    const other = await deposit(demande(A, 7), { cle: "k" });
    assertFault(other, "IDEMPOTENCY_CONFLICT");
    assert.equal(other.text("identifiant"), first.text("identifiant"));
    // Another guichet's is another key.
    assert.equal((await deposit(demande(B, 8), { cle: "k" }, bearer("B"))).status, 200);
    const wrong = await deposit(demande(A, 9), { cle: "clé" });
    assertFault(wrong, "SOAP_PARAMETER_INVALID");
    assert.equal(wrong.text("champ"), "cleIdempotence");
  });

  it("says what REST says of what it cannot take", async () => {
    assertFault(await deposit(new Uint8Array()), "EMPTY_FILE");
    assertFault(await deposit(demande(B, 10)), "GUICHET_NOT_ALLOWED");
    const more = 8 * 1024 * 1024;
    assertFault(await deposit(Buffer.alloc(more, " ")), "FILE_TOO_LARGE");
    assert.equal(await received(), 0);
    for (let seed = 0; seed < GUICHET_MAX_FLUXES; seed += 1) {
      await gateway.deposit("A", demande(A, 1_000 + seed));
    }
    const full = await deposit(demande(A, 11), {}, { version: "1.2" });
    assertFault(full, "QUEUE_FULL");
    assert.equal(full.status, 500);
    assert.ok(Number(full.headers["retry-after"]) > 0);
  });

  it("takes a file of the largest size, and says the size of one that is over", async () => {
    const padding = Buffer.from(`<!--${" ".repeat(MAX_BYTES)}-->`);
    const over = Buffer.concat([demande(A, 12), padding]);
    const refused = await deposit(over);
    assertFault(refused, "FILE_TOO_LARGE");
    assert.match(refused.text("message") ?? "", new RegExp(String(MAX_BYTES)));
    assert.equal((await deposit(over.subarray(0, demande(A, 12).byteLength))).status, 200);
  });

  it("asks who calls, and takes no operator for a guichet", async () => {
    const nobody = await deposit(demande(A, 13), {}, { authorization: null });
    assertFault(nobody, "AUTHENTICATION_REQUIRED");
    assert.equal(nobody.status, 401);
    const unknown = await deposit(demande(A, 13), {}, { authorization: "Bearer autre" });
    assertFault(unknown, "UNKNOWN_SENDER");
    const operator = { authorization: `Bearer ${OPERATOR_KEY}`, version: "1.2" } as const;
    const denied = await deposit(demande(A, 13), {}, operator);
    assertFault(denied, "NOT_PERMITTED");
    assert.equal(denied.status, 403);
    assert.match(denied.headers["content-type"] ?? "", /^application\/soap\+xml/);
    assert.equal(await received(), 0);
  });

  it("follows a flux from kept to acknowledged, and says what it waits for", async () => {
    const id = await deposited(14);
    const kept = await call("suivreFlux", about(id));
    assert.deepEqual(
      ["identifiant", "etat", "typeFichier", "refInterne", "canal"].map((name) => kept.text(name)),
      [id, "GARDE", "CRE", "REF14", "soap"],
    );
    assert.match(kept.text("attente") ?? "", /<code>sneSuspended<\/code>/);
    await gateway.accept(id);
    const accepted = await call("suivreFlux", about(id), { version: "1.2" });
    assert.equal(accepted.text("etat"), "ACCEPTE");
    assert.equal(accepted.text("numUnique"), NUMERO);
    assert.match(accepted.text("attente") ?? "", /acquittementToCollect/);
    assert.match(accepted.text("resultat") ?? "", /<prononcePar>SNE<\/prononcePar>/);
  });

  it("shows the controls of a refusal, each with its field and its place", async () => {
    const id = await deposited(15);
    await gateway.refuse(id);
    const answer = await call("suivreFlux", about(id));
    assert.equal(answer.text("etat"), "REFUSE");
    const control = answer.text("controle") ?? "";
    assert.match(control, /<code>CTRL_DEM_0033<\/code>/);
    assert.match(control, /<champ>nom<\/champ><ligne>3<\/ligne><colonne>7<\/colonne>/);
    assert.match(control, /<nom>valeur<\/nom><valeur>X<\/valeur>/);
    assert.equal(answer.text("doublon"), NUMERO);
  });

  it("shows a guichet its own fluxes only: others are as if they were not", async () => {
    const id = await deposited(16);
    await gateway.accept(id);
    for (const operation of ["suivreFlux", "retirerAcquittement", "confirmerAcquittement"]) {
      assertFault(await call(operation, about(id), bearer("B")), "NOT_FOUND");
      assertFault(await call(operation, about("n'importe quoi")), "NOT_FOUND");
      assertFault(await call(operation, about("0".repeat(26))), "NOT_FOUND");
    }
    const list = await call("listerFluxDepuis", [], bearer("B"));
    assert.equal(list.status, 200);
    assert.deepEqual(list.texts("flux"), []);
    assert.equal((await found(id)).state, "accepted");
  });

  it("lists the fluxes of a guichet page by page, by date and by state", async () => {
    const ids: string[] = [];
    for (let seed = 20; seed < 25; seed += 1) ids.push(await deposited(seed));
    await gateway.refuse(ids[3] ?? "");
    const seen: string[] = [];
    let curseur: string | undefined;
    do {
      const page = await call("listerFluxDepuis", [
        ...(curseur === undefined ? [] : [{ name: "curseur", text: curseur }]),
        { name: "limite", text: "2" },
      ]);
      seen.push(...page.texts("flux").map((flux) => /<identifiant>(\w+)/.exec(flux)?.[1] ?? ""));
      curseur = page.text("curseur");
    } while (curseur !== undefined);
    assert.deepEqual(seen, ids);
    const last = await found(ids[4] ?? "");
    const since = (text: string): Given => ({ name: "depuis", text });
    const byDate = await call("listerFluxDepuis", [since(new Date(last.receivedAt).toISOString())]);
    assert.equal(byDate.texts("flux").length, 1);
    // Without an offset it is UTC, whatever the zone of this machine.
    const at = (ms: number): Given =>
      since(new Date(last.receivedAt + ms).toISOString().replace("Z", ""));
    const { TZ } = process.env;
    for (const zone of ["America/Martinique", "Indian/Reunion"]) {
      process.env["TZ"] = zone;
      assert.equal((await call("listerFluxDepuis", [at(0)])).texts("flux").length, 1, zone);
      assert.equal((await call("listerFluxDepuis", [at(1)])).texts("flux").length, 0, zone);
    }
    if (TZ === undefined) delete process.env["TZ"];
    else process.env["TZ"] = TZ;
    const byState = await call("listerFluxDepuis", [
      { name: "etat", text: "REFUSE" },
      { name: "etat", text: "ACCEPTE" },
    ]);
    assert.deepEqual(
      byState.texts("flux").map((flux) => /<identifiant>(\w+)/.exec(flux)?.[1]),
      [ids[3]],
    );
  });

  it("names the parameter it cannot read, and ignores none", async () => {
    const wrong: readonly (readonly [string, Given[]])[] = [
      ["limite", [{ name: "limite", text: "0" }]],
      ["limite", [{ name: "limite", text: "501" }]],
      ["depuis", [{ name: "depuis", text: "31/03/2026" }]],
      ["etat", [{ name: "etat", text: "PERDU" }]],
      ["guichet", [{ name: "guichet", text: B.code }]],
    ];
    for (const [name, fields] of wrong) {
      const answer = await call("listerFluxDepuis", fields);
      assertFault(answer, "SOAP_PARAMETER_INVALID");
      assert.match(answer.text("message") ?? "", new RegExp(name));
    }
    const cursor = await call("listerFluxDepuis", [{ name: "curseur", text: "plus loin" }]);
    assertFault(cursor, "SOAP_PARAMETER_INVALID");
    assertFault(
      await call("listerFluxDepuis", [{ name: "curseur", text: "x" }]),
      "INVALID_REQUEST",
    );
  });

  it("has no acquittement to give before the SNE answered", async () => {
    const id = await deposited(30);
    for (const operation of ["retirerAcquittement", "confirmerAcquittement"]) {
      const answer = await call(operation, about(id));
      assertFault(answer, "NOT_YET");
      assert.equal(answer.text("identifiant"), id);
    }
    assert.equal((await found(id)).state, "kept");
  });

  it("counts as collected what was fetched, once, and gives it again", async () => {
    const id = await deposited(31);
    await gateway.accept(id);
    const first = await call("retirerAcquittement", about(id));
    await eventually(
      "the flux is acknowledged",
      async () => (await found(id)).state === "acknowledged",
    );
    const again = await call("retirerAcquittement", about(id));
    assert.deepEqual(again.file("acquittement"), first.file("acquittement"));
    const journal = await gateway.outbox.journal(id);
    const collected = journal.filter(({ name }) => name === "acquittement.collected");
    assert.equal(collected.length, 1);
    assert.equal(collected[0]?.detail["channel"], "soap");
  });

  it("does not count as collected what its guichet left before the end of", async () => {
    const id = await deposited(32);
    await gateway.accept(id, {
      answer: { name: "x.xml", bytes: Buffer.alloc(30 * 1024 * 1024, "é") },
    });
    const body =
      `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><p:retirerAcquittement` +
      ` xmlns:p="urn:passerelle-sne:service:1"><identifiant>${id}</identifiant>` +
      `</p:retirerAcquittement></s:Body></s:Envelope>`;
    const leave = new AbortController();
    const response = await fetch(`${gateway.url}${SERVICE_PATH}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${KEYS.A}`, "Content-Type": "text/xml" },
      body,
      signal: leave.signal,
    });
    await response.body?.getReader().read();
    leave.abort();
    // Waits for all that is in hand, what an answer sent would write among it.
    await gateway.server.stop();
    assert.equal((await found(id)).state, "accepted");
  });

  it("leaves owed by mail what is owed by mail, whoever reads it here", async () => {
    const answer = await deposit(demande(GUICHETS.M, 33), {}, bearer("M"));
    const id = answer.text("identifiant") ?? "";
    await gateway.accept(id);
    assert.equal((await call("retirerAcquittement", about(id), bearer("M"))).status, 200);
    assert.equal((await found(id)).state, "accepted");
  });

  it("writes once that a guichet confirms its acquittement, and says since when", async () => {
    const id = await deposited(34);
    await gateway.accept(id);
    await call("retirerAcquittement", about(id));
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => call("confirmerAcquittement", about(id), { version: "1.2" })),
    );
    for (const answer of answers) assert.equal(answer.text("etat"), "ACQUITTE");
    const journal = await gateway.outbox.journal(id);
    const confirmed = journal.filter(({ name }) => name === "acquittement.confirmed");
    assert.equal(confirmed.length, 1);
    const at = new Date(confirmed[0]?.at ?? 0).toISOString();
    for (const answer of answers) assert.equal(answer.text("confirmeLe"), at);
    const told = gateway.told.filter(({ name }) => name === "acquittement.confirmed");
    assert.equal(told.length, 1);
  });

  it("takes a confirmation for the collection it proves", async () => {
    const id = await deposited(35);
    await gateway.refuse(id);
    const answer = await call("confirmerAcquittement", about(id));
    assert.equal(answer.text("etat"), "ACQUITTE");
    assert.deepEqual(
      (await gateway.outbox.journal(id)).slice(-2).map(({ name }) => name),
      ["acquittement.collected", "acquittement.confirmed"],
    );
  });

  describe("bordereaux", () => {
    const names = (...given: readonly string[]): Given[] =>
      given.map((text) => ({ name: "nomFichier", text }));

    it("says which names it has not received, and keeps the list before it says so", async () => {
      await deposited(40);
      await deposited(41);
      await deposit(demande(B, 42), { nomFichier: "demande-42.xml" }, bearer("B"));
      const given = names("demande-40.xml", "demande-41.xml", "demande-42.xml", "demande-40.xml");
      const answer = await call("deposerBordereau", [
        { name: "nomBordereau", text: "envois du 31 mars" },
        ...given,
      ]);
      assert.equal(answer.status, 200, answer.envelope);
      assert.deepEqual(
        ["identifiant", "dejaRecu", "nombre", "connus"].map((name) => answer.text(name)),
        [`BOR-${A.code}-1`, "false", "3", "2"],
      );
      assert.deepEqual(answer.texts("absent"), ["demande-42.xml"]);
      const noted = await gateway.outbox.noted(`bordereau:${A.code}:1`);
      assert.deepEqual(JSON.parse(noted ?? ""), {
        name: "envois du 31 mars",
        fileNames: ["demande-40.xml", "demande-41.xml", "demande-42.xml"],
        receivedAt: Date.parse(answer.text("recuLe") ?? ""),
      });
    });

    it("numbers those of each guichet without a gap, however many come at once", async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, n) => call("deposerBordereau", names(`b-${n}.xml`))),
      );
      const ids = answers.map((answer) => answer.text("identifiant") ?? "");
      const expected = Array.from({ length: 8 }, (_, n) => `BOR-${A.code}-${n + 1}`);
      assert.deepEqual(ids.toSorted(), expected);
      const other = await call("deposerBordereau", names("b-0.xml"), bearer("B"));
      assert.equal(other.text("identifiant"), `BOR-${B.code}-1`);
    });

    it("knows one that comes again, and looks again for what was absent", async () => {
      const first = await call("deposerBordereau", names("demande-43.xml"));
      assert.deepEqual(first.texts("absent"), ["demande-43.xml"]);
      await deposited(43);
      const again = await call("deposerBordereau", names("demande-43.xml"), { version: "1.2" });
      assert.equal(again.text("identifiant"), first.text("identifiant"));
      assert.equal(again.text("dejaRecu"), "true");
      assert.equal(again.text("connus"), "1");
    });

    it("finds a name however it was written", async () => {
      await deposit(demande(A, 44), { nomFichier: "été.xml" });
      const answer = await call("deposerBordereau", names("envois/e\u0301te\u0301.xml"));
      assert.deepEqual(answer.texts("absent"), []);
    });

    it("takes ten thousand names, and no more", async () => {
      const many = Array.from({ length: 10_000 }, (_, n) => `DEM-${n}.xml`);
      const answer = await call("deposerBordereau", names(...many));
      assert.equal(answer.status, 200);
      assert.equal(answer.texts("absent").length, 10_000);
      const over = await call("deposerBordereau", names(...many, "une de plus.xml"));
      assertFault(over, "SOAP_PARAMETER_INVALID");
    }).timeout(60_000);

    it("says nothing when it could not keep the list", async () => {
      await gateway.stop();
      gateway = await startHttpGateway((outbox, parts) =>
        passerelleService({
          ...parts,
          outbox: { ...outbox, noteIf: () => Promise.reject(gatewayError("STORE_FULL")) },
        }),
      );
      assertFault(await call("deposerBordereau", names("a.xml")), "STORE_FULL");
    });

    it("asks for a name at least", async () => {
      assertFault(await call("deposerBordereau", []), "SOAP_PARAMETER_INVALID");
      assertFault(await call("deposerBordereau", names(" ")), "SOAP_PARAMETER_INVALID");
    });
  });

  it("names every finding of the schema, each with its field and its place", async () => {
    await gateway.stop();
    const controls = [
      { code: "XSD_VALUE", message: "Trop long <18>.", field: "refInterne", line: 7, column: 3 },
      { code: "XSD_MISSING", message: "typeLogement est absent.", line: 12 },
    ];
    gateway = await startHttpGateway((_, parts) =>
      passerelleService({
        ...parts,
        receive: () => Promise.resolve([{ kind: "refused", controls }]),
      }),
    );
    const answer = await deposit(demande(A, 49), {}, { version: "1.2" });
    assertFault(answer, "SCHEMA_INVALID");
    const [first = "", second = ""] = answer.texts("controle");
    assert.match(first, /<champ>refInterne<\/champ><ligne>7<\/ligne><colonne>3<\/colonne>/);
    assert.match(first, /Trop long <18>\./);
    assert.match(second, /<code>XSD_MISSING<\/code>.*<ligne>12<\/ligne>$/);
  });

  it("says nothing is kept when the store is away, and hides what it did not foresee", async () => {
    await gateway.stop();
    let failure: Error = gatewayError("STORE_UNAVAILABLE", { where: "" });
    gateway = await startHttpGateway((_, parts) =>
      passerelleService({ ...parts, receive: () => Promise.reject(failure) }),
    );
    const away = await deposit(demande(A, 50));
    assertFault(away, "STORE_UNAVAILABLE");
    assert.ok(Number(away.headers["retry-after"]) > 0);
    failure = new Error("secret: /var/lib/passerelle");
    const unexpected = await deposit(demande(A, 51));
    assertFault(unexpected, "INTERNAL_ERROR");
    assert.doesNotMatch(unexpected.envelope, /secret|passerelle\//);
    const reference = unexpected.text("reference");
    assert.ok(reference !== undefined);
    assert.ok(gateway.logLines.some(({ facts }) => facts["reference"] === reference));
  });

  it("answers whatever else a caller may send", async () => {
    const post = (
      body: string,
      headers: Readonly<Record<string, string>>,
    ): Promise<ServiceAnswer> => postSoap(gateway.url, Buffer.from(body), { headers });
    const xml = { "Content-Type": "text/xml" };
    assert.equal((await post("", xml)).text("code"), "SOAP_UNREADABLE");
    assert.equal((await post("<a/>", xml)).status, 500);
    assert.equal((await post("<!DOCTYPE a><a/>", xml)).text("code"), "SOAP_UNREADABLE");
    assert.equal((await post("{}", { "Content-Type": "application/json" })).status, 415);
    const gzip = await post("x", { ...xml, "Content-Encoding": "gzip" });
    assertFault(gzip, "UNSUPPORTED_MEDIA_TYPE");
    assertFault(await call("autreOperation", []), "SOAP_OPERATION_UNKNOWN");
    assert.equal(await received(), 0);
  });

  it("gives its WSDL with the address that was asked", async () => {
    for (const path of [`${SERVICE_PATH}?wsdl`, `${SERVICE_PATH}/?WSDL`, `${SERVICE_PATH}?wsdl=`]) {
      const response = await fetch(`${gateway.url}${path}`);
      assert.equal(response.status, 200, path);
      assert.match(response.headers.get("content-type") ?? "", /^text\/xml/);
      const wsdl = await response.text();
      const addresses = [...wsdl.matchAll(/:address location="([^"]*)"/g)].map(([, at]) => at);
      const asked = `${gateway.url}${path.slice(0, path.indexOf("?"))}`;
      assert.deepEqual(addresses, [asked, asked]);
    }
    const line = await fetch(`${gateway.url}${SERVICE_PATH}`);
    assert.match(await line.text(), /\?wsdl/);
  });

  it("gives its WSDL whole to a caller whose Host is no name", async () => {
    for (const host of ['"/><x a="', "a b", "[::1", "passerelle.bailleur.fr:8443"]) {
      const { status, body } = await sendRaw(
        gateway.port,
        `GET ${SERVICE_PATH}?wsdl HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(status, 200, host);
      const addresses = [...body.matchAll(/:address location="([^"]*)"\/>/g)].map(([, at]) => at);
      const shown = host.startsWith("passerelle") ? host : "localhost";
      assert.deepEqual(addresses, Array(2).fill(`http://${shown}${SERVICE_PATH}`), host);
    }
  });
});
