/**
 * The SNE client against the stand-in, which was written from the same contract by other means: what
 * one writes the other must read, and what the stand-in does wrong on purpose must be named rightly.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import type { ReadOperation, WriteOperation } from "../../src/domain/sne-operation.ts";
import type { Registry, RegistryAnswer, SneValue } from "../../src/forward/registry.ts";
import { makeAttestation } from "../../src/standin/attestation-pdf.ts";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import {
  makeEventFile,
  makeEventTypesFile,
  makeSearchFile,
} from "../../src/standin/sample-operation-files.ts";
import { runStandin } from "../../src/standin/standin-main.ts";
import type { RunningStandin } from "../../src/standin/standin-main.ts";
import { creation, makeSneClient } from "../support/sne-client.ts";

const TLS = join(import.meta.dirname, "../fixtures/tls");
const GUICHET = "G1104";

describe("The SNE client and the stand-in", () => {
  let standin: RunningStandin;
  let client: Registry;
  let seed = 100;

  before(async () => {
    standin = await runStandin({ quiet: true });
    client = await makeSneClient(standin.url, { timeoutMs: 1_500 });
  });
  afterEach(async () => {
    await order({ do: "clear" }, { do: "up" });
  });
  after(async () => {
    await client.stop();
    await standin.stop();
  });

  async function order(...orders: readonly object[]): Promise<void> {
    const response = await fetch(`${standin.controlUrl}/standin/control`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(orders),
    });
    assert.equal(response.status, 200, await response.text());
  }
  function fresh(): Uint8Array {
    seed += 1;
    return makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed });
  }
  async function deposit(bytes = fresh(), changes = {}): Promise<RegistryAnswer> {
    const file = { name: "DEMG1104-202611220800-000001.xml", bytes };
    return await client.write(creation({ file, ...changes }));
  }

  it("deposits a creation: its number, and the attestation byte for byte", async () => {
    const answer = await deposit();
    assert.equal(answer.kind, "answered", JSON.stringify(answer));
    const { numUnique } = answer.reading;
    assert.ok(numUnique !== undefined && numUnique.length === 18);
    assert.deepEqual(answer.reading.controls, []);
    assert.ok(Buffer.from(answer.answer.bytes).includes(numUnique));
    assert.deepEqual(
      Buffer.from(answer.attestation?.bytes ?? []),
      Buffer.from(makeAttestation(numUnique)),
    );
    assert.match(answer.attestation?.name ?? "", /\.pdf$/);
  });

  it("changes a demande by its number", async () => {
    const first = await deposit();
    assert.ok(first.kind === "answered" && first.reading.numUnique !== undefined);
    const { numUnique } = first.reading;
    const change = makeDemande({ typeFichier: "MOD", guichet: GUICHET, numUnique, seed });
    const answer = await deposit(change, { kind: "MOD", numUnique });
    assert.equal(answer.kind, "answered", JSON.stringify(answer));
    assert.equal(answer.reading.numUnique, numUnique);
    assert.deepEqual(answer.reading.controls, []);
  });

  it("reads a refusal: its controls, and the doublons it found", async () => {
    const person = { nom: "MARTIN", prenom: "Zoé", dateNaissance: "1980-02-03" };
    const known = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 1, ...person });
    const alike = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 2, ...person });
    const first = await deposit(known);
    assert.ok(first.kind === "answered" && first.reading.numUnique !== undefined);
    const answer = await deposit(alike);
    assert.equal(answer.kind, "answered", JSON.stringify(answer));
    assert.equal(answer.reading.numUnique, undefined);
    assert.deepEqual(
      answer.reading.controls.map(({ code, field }) => [code, field]),
      [["CTRL_DEM_D", "demandeur"]],
    );
    assert.deepEqual(answer.reading.doublons, [first.reading.numUnique]);
  });

  it("reads a control whose code is longer than the published schema takes", async () => {
    const anomaly = { code: "CTRL_DEM_0033", message: "Né après « demain » & <jamais>." };
    await order({ do: "anomaly", propriete: "demandeur.dateNaissance", ...anomaly });
    const answer = await deposit();
    assert.equal(answer.kind, "answered", JSON.stringify(answer));
    assert.deepEqual(answer.reading.controls, [{ ...anomaly, field: "demandeur.dateNaissance" }]);
  });

  describe("on the rest of the thirteen operations", () => {
    const signal = new AbortController().signal;
    const DAY = "2026-01-01T00:00:00.0+01:00";

    async function created(): Promise<string> {
      const answer = await deposit();
      assert.ok(answer.kind === "answered" && answer.reading.numUnique !== undefined);
      return answer.reading.numUnique;
    }
    async function asked(
      operation: ReadOperation,
      parameters: readonly SneValue[],
    ): Promise<ReadonlyMap<string, string>> {
      const answer = await client.read({ operation, parameters, signal });
      assert.equal(answer.kind, "read", JSON.stringify(answer));
      return new Map(
        answer.results.map((value) => [
          value.name,
          "file" in value ? Buffer.from(value.file).toString() : "text" in value ? value.text : "",
        ]),
      );
    }
    const file = (name: string, bytes: Uint8Array): readonly SneValue[] => [
      { name: `nom${name[0]?.toUpperCase() ?? ""}${name.slice(1)}`, text: "fichier.xml" },
      { name, file: bytes, contentType: "text/xml" },
    ];
    const ofFile = (bytes: Uint8Array): readonly SneValue[] => [
      { name: "nomFichier", text: "fichier.xml" },
      { name: "fichierXml", file: bytes, contentType: "text/xml" },
    ];
    const event = (operation: WriteOperation, bytes: Uint8Array): Promise<RegistryAnswer> =>
      client.write({
        call: { operation },
        file: { name: "evenement.xml", bytes },
        kind: "EVT",
        signal,
      });

    it("reads a demande, and the doublons of another", async () => {
      const numUnique = await created();
      const read = await asked("getDemandeLogement", [{ name: "numUnique", text: numUnique }]);
      assert.match(read.get("fichierDemande") ?? "", new RegExp(`>${numUnique}<`));
      const same = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed });
      const alike = await asked("getDoublons", file("fichierDemande", same));
      assert.match(alike.get("listeDoublons") ?? "", new RegExp(`>${numUnique}<`));
      assert.equal(alike.has("fichierDemande"), false);
    });

    it("reads a fault about a demande that is not there", async () => {
      const answer = await client.read({
        operation: "getDemandeLogement",
        parameters: [{ name: "numUnique", text: "9990126000009G1104" }],
        signal,
      });
      assert.notEqual(answer.kind, "notRead", JSON.stringify(answer));
      assert.notEqual(answer.kind, "notProcessed", JSON.stringify(answer));
    });

    it("declares a new DALO, and finds it and the radiations since", async () => {
      const numUnique = await created();
      const dalo = makeDemande({ typeFichier: "MOD", guichet: GUICHET, numUnique, seed });
      const taken = await client.write({
        call: { operation: "getDeclarationNouveauDalo" },
        file: { name: "dalo.xml", bytes: withDalo(dalo) },
        kind: "MOD",
        numUnique,
        signal,
      });
      assert.equal(taken.kind, "answered", JSON.stringify(taken));
      assert.deepEqual([taken.reading.numUnique, taken.reading.controls], [numUnique, []]);
      const since = { name: "dateNouveauDaloDepuisLe", text: DAY };
      const named = { name: "nomCertificat", text: "CERG1104-202611220800.pem" };
      const found = await asked("getNouveauxDaloDepuisLe", [since, named]);
      assert.deepEqual([...found.keys()], ["nomFichierNouveauxDalo", "fichierNouveauxDalo"]);
      const from = { name: "dateRadiationDepuisLe", text: "2090-01-01T00:00:00.0+01:00" };
      const none = await asked("getDemandesRadieesDepuisLe", [
        from,
        { name: "motifRadiation", code: "RADATT" },
        named,
      ]);
      assert.deepEqual([...none], []);
    });

    it("is told of a certificate name that the SNE does not take", async () => {
      const answer = await client.read({
        operation: "getNouveauxDaloDepuisLe",
        parameters: [
          { name: "dateNouveauDaloDepuisLe", text: DAY },
          { name: "nomCertificat", text: "" },
        ],
        signal,
      });
      assert.equal(answer.kind, "fault", JSON.stringify(answer));
      assert.match(answer.text, /certificat/i);
    });

    it("searches on several criteria", async () => {
      const numUnique = await created();
      const found = await asked(
        "rechercheDemandeMulticritere",
        ofFile(makeSearchFile({ guichet: GUICHET, criteres: { numUnique } })),
      );
      assert.match(found.get("fichierXmlRetour") ?? "", new RegExp(`>${numUnique}<`));
    });

    it("adds an event, changes it, lists it, removes it", async () => {
      const numUnique = await created();
      const one = { codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-10" };
      const head = { guichet: GUICHET, numUnique };
      const added = await event(
        "ajouterEvenementDemande",
        makeEventFile({ ...head, evenements: [{ ...one, commentaire: "Été & <pluie>" }] }),
      );
      assert.equal(added.kind, "answered", JSON.stringify(added));
      assert.deepEqual(added.reading, { numUnique, controls: [], doublons: [] });
      const [, idEvenement = ""] =
        /idEvenement>(\d+)</.exec(Buffer.from(added.answer.bytes).toString()) ?? [];
      const changed = await event(
        "modifierEvenementDemande",
        makeEventFile({ ...head, evenements: [{ idEvenement, dateSurvenance: "2026-01-11" }] }),
      );
      assert.ok(changed.kind === "answered" && changed.reading.controls.length === 0);
      const listed = (): Promise<ReadonlyMap<string, string>> =>
        asked("listerEvenementsDemande", ofFile(makeEventFile(head)));
      assert.match((await listed()).get("fichierXmlRetour") ?? "", /2026-01-11/);
      const removed = await event(
        "supprimerEvenementDemande",
        makeEventFile({ ...head, evenements: [{ idEvenement }] }),
      );
      assert.ok(removed.kind === "answered" && removed.reading.controls.length === 0);
      assert.doesNotMatch((await listed()).get("fichierXmlRetour") ?? "", /2026-01-11/);
    });

    it("reads the refusal of an event, and lists the types of events", async () => {
      const numUnique = await created();
      const bytes = makeEventFile({ guichet: GUICHET, numUnique });
      const refused = await event("ajouterEvenementDemande", bytes);
      assert.equal(refused.kind, "answered", JSON.stringify(refused));
      assert.deepEqual(
        refused.reading.controls.map(({ code }) => code),
        ["CTRL_EVT_L"],
      );
      const types = ofFile(makeEventTypesFile({ guichet: GUICHET, territoire: "035" }));
      for (const operation of [
        "listerTypesEvenementsNationaux",
        "listerTypesEvenementsTerritoriaux",
      ] as const) {
        const listed = await asked(operation, types);
        assert.match(listed.get("fichierXmlRetour") ?? "", /interfaceNuu/, operation);
      }
    });

    it("finds the three services reachable", async () => {
      for (const service of [
        "demandeLogement",
        "rechercheDemande",
        "gestionPartageeEvt",
      ] as const) {
        const seen = await client.reachable(service, signal);
        assert.ok(seen.ok && seen.detail.includes("annonce"), seen.detail);
      }
    });
  });

  const wrong: readonly (readonly [
    order: object,
    expected: RegistryAnswer["kind"],
    what: string,
  ])[] = [
    [{ do: "fault", who: "sender" }, "fault", "sender"],
    [{ do: "fault", who: "receiver" }, "fault", "receiver"],
    [{ do: "fault11" }, "fault", "receiver"],
    [{ do: "serverError", as: "fault" }, "fault", "receiver"],
    [{ do: "serverError", as: "answer" }, "fault", "receiver"],
    [{ do: "httpStatus", status: 403 }, "notProcessed", "accessRefused"],
    [{ do: "httpStatus", status: 503, retryAfterS: 3 }, "notProcessed", "busy"],
    [{ do: "httpStatus", status: 502 }, "notRead", "unreadable"],
    [{ do: "loseAnswer" }, "notRead", "noAnswer"],
    [{ do: "truncate" }, "notRead", "unreadable"],
    [{ do: "emptyBody" }, "notRead", "unreadable"],
    [{ do: "htmlPage" }, "notRead", "unreadable"],
    [{ do: "wrongElement" }, "notRead", "unreadable"],
    [{ do: "wrongNamespace" }, "notRead", "unreadable"],
    [{ do: "reset" }, "notRead", "noAnswer"],
    [{ do: "hang" }, "notRead", "noAnswer"],
    [{ do: "down", how: "503" }, "notProcessed", "busy"],
    [{ do: "down", how: "404" }, "notProcessed", "wrongAddress"],
    [{ do: "down", how: "redirect" }, "notProcessed", "wrongAddress"],
    [{ do: "down", how: "refuse", cut: true }, "notProcessed", "unreachable"],
  ];
  for (const [told, kind, what] of wrong) {
    it(`names ${JSON.stringify(told)}: ${kind}, ${what}`, async () => {
      await order(told);
      const answer = await deposit();
      assert.equal(answer.kind, kind, JSON.stringify(answer));
      if (answer.kind === "fault") assert.equal(answer.who, what);
      else if (answer.kind !== "answered") assert.equal(answer.why, what, answer.detail);
    });
  }

  it("finds it reachable while it serves, and not while it is down", async () => {
    const { signal } = new AbortController();
    const up = await client.reachable("demandeLogement", signal);
    assert.equal(up.ok, true);
    assert.match(up.detail, /getNumUnique/);
    await order({ do: "down", how: "refuse", cut: true });
    assert.equal((await client.reachable("demandeLogement", signal)).ok, false);
  });

  it("meets it under mutual TLS", async () => {
    const at = (name: string): string => join(TLS, name);
    const secure = await runStandin({
      quiet: true,
      tls: {
        key: readFileSync(at("server.key")),
        cert: readFileSync(at("server.pem")),
        ca: readFileSync(at("authority.pem")),
      },
    });
    const tls = {
      certFile: at("client.pem"),
      keyFile: at("client.key"),
      caFile: at("authority.pem"),
    };
    const mutual = await makeSneClient(secure.url, { tls });
    const stranger = await makeSneClient(secure.url, {
      tls: { ...tls, certFile: at("stranger.pem"), keyFile: at("stranger.key") },
    });
    const file = { name: "a.xml", bytes: fresh() };
    const answer = await mutual.write(creation({ file }));
    assert.equal(answer.kind, "answered", JSON.stringify(answer));
    const refused = await stranger.write(creation({ file }));
    assert.equal(refused.kind, "notProcessed", JSON.stringify(refused));
    await mutual.stop();
    await stranger.stop();
    await secure.stop();
  });
});

function withDalo(demande: Uint8Array): Uint8Array {
  const text = Buffer.from(demande).toString();
  const dalo = '<informationDalo><statutDalo code="ACTIF"/></informationDalo><demandeLogement>';
  return Buffer.from(text.replace("<demandeLogement>", dalo));
}
