/** A client written for the SNE, pointed at the gateway: it works, and loses nothing when the SNE is down. */
import assert from "node:assert/strict";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import {
  makeEventFile,
  makeEventTypesFile,
  makeSearchFile,
} from "../../src/standin/sample-operation-files.ts";
import { eventually } from "../support/eventually.ts";
import {
  callSne,
  type CallField,
  type Framing,
  type SoapCallAnswer,
} from "../support/soap-callers.ts";
import { order } from "../support/standin-calls.ts";
import { API_KEY, GUICHET, OTHER_API_KEY, startWorld, type World } from "../support/world.ts";

const AT = new Date("2026-01-15T08:30:00Z");
const DEMANDES = "/services/DemandeLogementImplService";

describe("a client of the SNE pointed at the gateway", () => {
  let world: World;
  let sequence = 0;

  before(async () => {
    world = await startWorld({
      settings: { GATEWAY_DROPIN_WAIT_MS: "4000", GATEWAY_BREAKER_OPEN_MS: "500" },
    });
  });
  after(async () => {
    await world.stop();
  });
  afterEach(async () => {
    await order(world.standin.controlUrl, [{ do: "clear" }]);
  });

  function getNumUnique(
    bytes: Uint8Array,
    { framing = "cxf", name = nextName(), key = API_KEY, signal }: Partial<Asking> = {},
  ): Promise<SoapCallAnswer> {
    return callSne({
      url: `${world.httpUrl}${DEMANDES}/`,
      operation: "getNumUnique",
      element: "numUniqueParametres",
      fields: [
        { name: "nomFichierDemande", text: name },
        { name: "fichierDemande", file: bytes },
        { name: "nomCertificat", text: "CER75A01-202601150930.pem" },
        { name: "certificat", file: new Uint8Array() },
      ],
      ...{ framing, key },
      ...(signal === undefined ? {} : { signal }),
    });
  }
  interface Asking {
    readonly framing: Framing;
    readonly name: string;
    readonly key: string;
    readonly signal: AbortSignal;
  }
  function nextName(): string {
    sequence += 1;
    return fileName({ guichet: GUICHET, at: AT, sequence });
  }
  function creation(seed: number): Buffer {
    return Buffer.from(makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed }));
  }

  for (const framing of ["cxf", "plain", "libsne"] as const) {
    it(`has its number, the SNE's file as it came and the attestation (${framing})`, async () => {
      const bytes = creation(700 + sequence);
      const answer = await getNumUnique(bytes, { framing });
      assert.equal(answer.status, 200, answer.root);
      const file = answer.file("fichierDemande")?.toString("utf8") ?? "";
      assert.match(file, /<tns:interfaceNuu/);
      const numero = /<tns:numUnique>([^<]+)</.exec(file)?.[1];
      assert.equal(numero?.length, 18);
      assert.match(answer.file("attestation")?.toString("latin1") ?? "", /^%PDF-/);
      assert.equal(await world.effectsOf(bytes), 1);
      const flux = (await world.fluxes()).at(-1);
      assert.ok(flux);
      assert.equal(flux["channel"], "soap");
      await world.reaches(flux.id, "acknowledged");
      if (framing === "libsne") {
        // It decodes the whole body as UTF-8, and looks for the file's root in it.
        const text = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
        assert.match(text, /<tns:interfaceNuu/);
      }
    });
  }

  it("sees an anomaly as the SNE tells it", async () => {
    await order(world.standin.controlUrl, [
      { do: "anomaly", code: "CTRL_DEM_0033", message: "Le motif est obligatoire.", times: 1 },
    ]);
    const answer = await getNumUnique(creation(720));
    assert.equal(answer.status, 200, answer.root);
    assert.match(answer.file("fichierDemande")?.toString("utf8") ?? "", /CTRL_DEM_0033/);
  });

  it("gets the first one's answer when it sends the same again, and has one effect", async () => {
    const bytes = creation(730);
    const name = nextName();
    const [one, two] = await Promise.all([
      getNumUnique(bytes, { name }),
      getNumUnique(bytes, { name }),
    ]);
    const three = await getNumUnique(bytes, { name });
    const files = [one, two, three].map((answer) => answer.file("fichierDemande")?.toString());
    assert.ok(files[0]?.includes("numUnique"));
    assert.deepEqual(new Set(files).size, 1);
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("is told « différé » at once while the SNE is down, then has its answer under the same file", async () => {
    await order(world.standin.controlUrl, [{ do: "down", how: "503" }]);
    const bytes = creation(740);
    const name = nextName();
    const answer = await getNumUnique(bytes, { name });
    assert.equal(answer.status, 500, answer.root);
    assert.match(answer.root, /Différé/);
    assert.match(answer.root, /FLUX_DEFERRED/);
    const fluxId = answer.text("identifiant") ?? "";
    assert.equal((await world.flux(fluxId)).state, "kept");
    await order(world.standin.controlUrl, [{ do: "up" }]);
    await world.reaches(fluxId, "accepted");
    const again = await getNumUnique(bytes, { name });
    assert.equal(again.status, 200, again.root);
    assert.equal(await world.effectsOf(bytes), 1);
    await world.reaches(fluxId, "acknowledged");
  });

  it("is told « en doute » when the SNE's answer is lost, and has one effect however often it asks", async () => {
    await order(world.standin.controlUrl, [{ do: "loseAnswer", times: 1 }]);
    const bytes = creation(745);
    const name = nextName();
    const answer = await getNumUnique(bytes, { name });
    assert.match(answer.root, /FLUX_IN_DOUBT/);
    const again = await getNumUnique(bytes, { name });
    assert.match(again.root, /FLUX_IN_DOUBT/);
    assert.equal(again.text("identifiant"), answer.text("identifiant"));
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("has left before the answer: the flux goes on, and its answer is found by the same file", async () => {
    await order(world.standin.controlUrl, [{ do: "slow", ms: 400, times: 1 }]);
    const bytes = creation(746);
    const name = nextName();
    const leaving = new AbortController();
    const call = getNumUnique(bytes, { name, signal: leaving.signal });
    const cut = assert.rejects(call);
    const flux = await eventually("the flux in transit", async () =>
      (await world.fluxes()).find(({ fileName: found }) => found === name),
    );
    leaving.abort();
    await cut;
    await world.reaches(flux.id, "accepted");
    const again = await getNumUnique(bytes, { name });
    assert.equal(again.status, 200, again.root);
    assert.equal(await world.effectsOf(bytes), 1);
    await world.reaches(flux.id, "acknowledged");
  });

  it("is told where its file is wrong, in French, before anything is kept", async () => {
    const before = (await world.fluxes()).length;
    const answer = await getNumUnique(
      Buffer.from(`<interfaceNuu xmlns="http://nuu.application.i2/">\n<oups></interfaceNuu>`),
    );
    assert.match(answer.root, /Sender/);
    assert.match(answer.root, /ligne 2/);
    assert.equal((await world.fluxes()).length, before);
  });

  it("may send for its own guichet only", async () => {
    const answer = await getNumUnique(creation(750), { key: OTHER_API_KEY });
    assert.match(answer.root, /GUICHET_NOT_ALLOWED/);
    const stranger = await getNumUnique(creation(751), { key: "inconnue" });
    assert.equal(stranger.status, 401);
  });

  it("reads through, and is told at once when it cannot", async () => {
    const bytes = creation(760);
    const made = await getNumUnique(bytes);
    const numero =
      /<tns:numUnique>([^<]+)</.exec(made.file("fichierDemande")?.toString() ?? "")?.[1] ?? "";
    const read = (): Promise<SoapCallAnswer> =>
      callSne({
        url: `${world.httpUrl}${DEMANDES}`,
        operation: "getDemandeLogement",
        element: "demandeLogementParametres",
        fields: [
          { name: "numUnique", text: numero },
          { name: "nomCertificat", text: "CER.pem" },
          { name: "certificat", file: new Uint8Array() },
        ],
      });
    const found = await read();
    assert.equal(found.status, 200, found.root);
    assert.match(found.file("fichierDemande")?.toString() ?? "", new RegExp(numero));
    await order(world.standin.controlUrl, [{ do: "down", how: "503" }]);
    const refused = await read();
    assert.equal(refused.status, 500);
    assert.match(refused.root, /SNE_BUSY|SNE_SUSPENDED/);
    await order(world.standin.controlUrl, [{ do: "up" }]);
  });

  describe("on the other services", () => {
    const EVENTS = "/services/GestionPartageeEVTImplService";

    async function numberOf(seed: number): Promise<string> {
      const made = await getNumUnique(creation(seed));
      const file = made.file("fichierDemande")?.toString() ?? "";
      return /<tns:numUnique>([^<]+)</.exec(file)?.[1] ?? "";
    }
    function ofFiles(
      path: string,
      operation: string,
      file: Uint8Array,
      more: { readonly action?: string } = {},
    ): Promise<SoapCallAnswer> {
      return callSne({
        url: `${world.httpUrl}${path}`,
        operation,
        element: "fichierXmlParametres",
        fields: [
          { name: "nomFichier", text: "EVT75A01-202601150930-000001.xml" },
          { name: "fichierXml", file },
          { name: "nomCertificat", text: "CER.pem" },
        ],
        ...more,
      });
    }

    it("adds an event once, finds it, then removes it by the same bytes under another operation", async () => {
      const numUnique = await numberOf(800);
      const file = makeEventFile({
        guichet: GUICHET,
        numUnique,
        evenements: [{ codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-10" }],
      });
      const added = await ofFiles(EVENTS, "ajouterEvenementDemande", file);
      assert.equal(added.status, 200, added.root);
      const answer = added.file("fichierXmlRetour")?.toString() ?? "";
      const id = /idEvenement>(\d+)</.exec(answer)?.[1];
      assert.ok(id !== undefined, answer);
      const again = await ofFiles(EVENTS, "ajouterEvenementDemande", file);
      assert.equal(again.file("fichierXmlRetour")?.toString(), answer);
      assert.equal(await world.effectsOf(file), 1);

      const listing = makeEventFile({ guichet: GUICHET, numUnique });
      const list = async (): Promise<string> =>
        (await ofFiles(EVENTS, "listerEvenementsDemande", listing))
          .file("fichierXmlRetour")
          ?.toString() ?? "";
      assert.match(await list(), new RegExp(`idEvenement>${id}<`));

      // What changes an event and what removes it may be the same bytes: two effects, in their order.
      const changing = makeEventFile({
        guichet: GUICHET,
        numUnique,
        evenements: [
          { idEvenement: id, codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-11" },
        ],
      });
      const changed = await ofFiles(EVENTS, "modifierEvenementDemande", changing);
      assert.equal(changed.status, 200, changed.root);
      assert.match(await list(), /2026-01-11/);
      const removed = await ofFiles(EVENTS, "supprimerEvenementDemande", changing);
      assert.equal(removed.status, 200, removed.root);
      assert.doesNotMatch(await list(), new RegExp(`idEvenement>${id}<`));
    });

    it("refuses to guess which operation on events is meant", async () => {
      const before = (await world.fluxes()).length;
      const file = makeEventFile({ guichet: GUICHET, numUnique: "075011600000175A01" });
      const none = await ofFiles(EVENTS, "ajouterEvenementDemande", file, { action: "" });
      assert.match(none.root, /Sender/);
      assert.match(none.root, /ajouterEvenementDemande/, "the actions it may have are named");
      const other = await ofFiles(EVENTS, "ajouterEvenementDemande", file, { action: "urn:autre" });
      assert.match(other.root, /Sender/);
      assert.equal((await world.fluxes()).length, before);
    });

    it("searches, lists types of events and declares a DALO", async () => {
      const numUnique = await numberOf(810);
      const search = makeSearchFile({ guichet: GUICHET, criteres: { numUnique } });
      const found = await ofFiles(
        "/services/RechercheDemandeImplService",
        "rechercheDemandeMulticritere",
        search,
      );
      assert.equal(found.status, 200, found.root);
      const types = await ofFiles(
        EVENTS,
        "listerTypesEvenementsNationaux",
        makeEventTypesFile({ guichet: GUICHET }),
      );
      assert.match(types.file("fichierXmlRetour")?.toString() ?? "", /SIMNAT1/);

      const dalo = Buffer.from(
        makeDemande({ typeFichier: "MOD", guichet: GUICHET, numUnique, seed: 810 }),
      );
      const declared = await callSne({
        url: `${world.httpUrl}${DEMANDES}`,
        operation: "getDeclarationNouveauDalo",
        element: "declarationNouveauDaloParametres",
        fields: [
          { name: "nomFichierDalo", text: nextName() },
          { name: "fichierDalo", file: dalo },
          { name: "nomCertificat", text: "CER.pem" },
          { name: "certificat", file: new Uint8Array() },
        ],
      });
      assert.equal(declared.status, 200, declared.root);
      assert.match(declared.file("fichierDalo")?.toString() ?? "", /interfaceNuu/);
    });

    it("gives each service its contract, with the address it was asked at", async () => {
      for (const path of [DEMANDES, "/services/RechercheDemandeImplService", EVENTS]) {
        const response = await fetch(`${world.httpUrl}${path}/?wsdl`);
        assert.equal(response.status, 200);
        assert.match(await response.text(), new RegExp(`location="${world.httpUrl}${path}/?"`));
      }
    });
  });
});

describe("a client of the SNE, where the schema refuses", () => {
  it("is told each field at fault, with its line, in a demande as in a file of events", async () => {
    const world = await startWorld({ settings: { GATEWAY_SCHEMA_POLICY: "refuse" } });
    try {
      const call = (path: string, operation: string, element: string, fields: CallField[]) =>
        callSne({ url: `${world.httpUrl}${path}`, operation, element, fields });
      const demande = Buffer.from(makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 9 }))
        .toString("utf8")
        .replace(/<dateCreationDemande>[^<]*</, "<dateCreationDemande>hier<");
      const created = await call(DEMANDES, "getNumUnique", "numUniqueParametres", [
        { name: "nomFichierDemande", text: "DEM75A01-202601150930-000009.xml" },
        { name: "fichierDemande", file: Buffer.from(demande) },
        { name: "nomCertificat", text: "CER.pem" },
        { name: "certificat", file: new Uint8Array() },
      ]);
      const events = makeEventFile({
        guichet: GUICHET,
        numUnique: "075011600000175A01",
        evenements: [{ codeTypeEvenement: "SIMNAT1", dateSurvenance: "hier" }],
      });
      const added = await call(
        "/services/GestionPartageeEVTImplService",
        "ajouterEvenementDemande",
        "fichierXmlParametres",
        [
          { name: "nomFichier", text: "EVT75A01-202601150930-000009.xml" },
          { name: "fichierXml", file: events },
          { name: "nomCertificat", text: "CER.pem" },
        ],
      );
      for (const [answer, field] of [
        [created, "dateCreationDemande"],
        [added, "dateSurvenance"],
      ] as const) {
        assert.match(answer.root, /Sender/);
        assert.match(answer.root, /SCHEMA_INVALID/);
        const control = answer.text("controle") ?? "";
        assert.match(control, new RegExp(`<champ>[^<]*${field}</champ>`), answer.root);
        assert.match(control, /<ligne>[0-9]+<\/ligne>/);
        assert.match(control, /<message>[^<]*date[^<]*<\/message>/);
      }
      assert.deepEqual(await world.fluxes(), []);
    } finally {
      await world.stop();
    }
  });
});
