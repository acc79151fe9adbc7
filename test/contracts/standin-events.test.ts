/** The stand-in SNE keeps the events of demandes, tells their types, and refuses in the right shape. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEventFile, type SampleEvent } from "../../src/standin/sample-operation-files.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { ask, errorOf, fileCall, order, post, readSoap } from "../support/standin-calls.ts";
import {
  all,
  codesIn,
  GUICHET,
  idsIn,
  makeStandinPeer,
  reasonIn,
  SERVICES,
  textOf,
} from "../support/standin-peer.ts";

const EVENT: SampleEvent = { codeTypeEvenement: "SIMNAT1", dateSurvenance: "2026-01-10" };
const ADD = "ajouterEvenementDemande";
const CHANGE = "modifierEvenementDemande";
const REMOVE = "supprimerEvenementDemande";
const LIST = "listerEvenementsDemande";

describe("the events of the stand-in SNE", function () {
  this.timeout(60_000);
  let standin: RunningStandin;
  const peer = makeStandinPeer(() => standin);
  const { events, create, types, effects } = peer;

  before(async () => {
    await peer.start();
    standin = await runStandin({ quiet: true });
  });
  beforeEach(() => order(standin.controlUrl, [{ do: "clear" }, { do: "forget" }]));
  after(async () => {
    await standin.stop();
    await peer.stop();
  });

  it("are added with an identifier, listed, changed and removed", async () => {
    const numUnique = await create();
    const commentaire = "Été & <pluie>";
    const added = await events(ADD, numUnique, [{ ...EVENT, commentaire }, EVENT]);
    const [one = "", two = ""] = idsIn(added);
    assert.notEqual(one, two);
    assert.match(textOf(added), /<tns:auteurCreation>Guichet G1104 \(simulateur\)</);
    assert.match(textOf(added), /<tns:natureModification>AJOUT</);

    const later = [{ idEvenement: one, dateSurvenance: "2026-01-11" }];
    const changed = await events(CHANGE, numUnique, later);
    assert.deepEqual(idsIn(changed), [one]);
    assert.match(textOf(changed), /<tns:dateSurvenance>2026-01-11</);
    assert.match(textOf(changed), /<tns:commentaire>Été &amp; &lt;pluie&gt;</, "left as it was");
    assert.match(textOf(changed), /<tns:natureModification>MODIF</);

    const removed = await events(REMOVE, numUnique, [{ idEvenement: two }]);
    assert.deepEqual(idsIn(removed), [two]);
    const listed = await events(LIST, numUnique);
    assert.deepEqual(idsIn(listed), [one]);
    assert.match(textOf(listed), /<tns:libelleTypeEvenement>Type national 1 du simulateur/);
    const state = await ask<{ evenements: number }>(standin.controlUrl, "/standin/control");
    assert.equal(state.evenements, 1);

    const { effectsByOperation, takenMoreThanOnce, violations } = await effects();
    assert.deepEqual(effectsByOperation, { getNumUnique: 1, [ADD]: 1, [CHANGE]: 1, [REMOVE]: 1 });
    assert.equal(takenMoreThanOnce, 0);
    assert.deepEqual(violations, { together: 0, order: 0 });
  });

  it("carry the characteristics their type wants, and replace them by code", async () => {
    const numUnique = await create();
    const event = { ...EVENT, codeTypeEvenement: "SIMNAT2" };
    const traits = { SIMOBLIG: "avant", SIMLIBRE: "2" };
    const added = await events(ADD, numUnique, [{ ...event, caracteristiques: traits }]);
    const [idEvenement = ""] = idsIn(added);
    assert.match(textOf(added), /<tns:reglementaire>true</);
    const changed = await events(CHANGE, numUnique, [
      { idEvenement, caracteristiques: { SIMOBLIG: "après" } },
    ]);
    const values = /<tns:valeurCaracteristiqueSpecifique>([^<]*)</g;
    assert.deepEqual([...all(textOf(changed), values)].sort(), ["2", "après"]);
    assert.match(textOf(changed), /<tns:libelle>Caractéristique obligatoire du simulateur/);
  });

  it("are refused with what is wrong, the file whole, and change nothing", async () => {
    const numUnique = await create();
    const [idEvenement = ""] = idsIn(await events(ADD, numUnique, [EVENT]));
    const unknown = "9990126000009G1104";
    const wrong: readonly [string, string | undefined, readonly SampleEvent[], string[]][] = [
      [ADD, undefined, [EVENT], ["N"]],
      [ADD, unknown, [EVENT], ["U"]],
      [LIST, unknown, [], ["U"]],
      [ADD, numUnique, [], ["L"]],
      [ADD, numUnique, [{ ...EVENT, idEvenement: 9 }], ["S"]],
      [ADD, numUnique, [{ dateSurvenance: "2026-01-10" }], ["T"]],
      [ADD, numUnique, [{ ...EVENT, codeTypeEvenement: "INCONNU" }], ["K"]],
      [ADD, numUnique, [{ ...EVENT, codeTypeEvenement: "SIMNAT4" }], ["P"]],
      [ADD, numUnique, [{ codeTypeEvenement: "SIMNAT1" }], ["D"]],
      [ADD, numUnique, [{ ...EVENT, caracteristiques: { AUTRE: "1" } }], ["C"]],
      [ADD, numUnique, [{ ...EVENT, codeTypeEvenement: "SIMNAT2" }], ["O"]],
      [ADD, numUnique, [{ ...EVENT, dateSurvenance: "2026-02-30" }], ["F"]],
      [ADD, numUnique, [{ ...EVENT, commentaire: "x".repeat(501) }], ["F"]],
      [
        ADD,
        numUnique,
        [{ ...EVENT, caracteristiques: { é: "1", SIM: "x".repeat(101) } }],
        ["F", "F"],
      ],
      [ADD, numUnique, [EVENT, { dateSurvenance: "2026-01-10" }, {}], ["T", "T"]],
      [CHANGE, numUnique, [{ dateSurvenance: "2026-01-10" }], ["I"]],
      [CHANGE, numUnique, [{ idEvenement: 999 }], ["E"]],
      [CHANGE, numUnique, [{ idEvenement, codeTypeEvenement: "SIMNAT4" }], ["P"]],
      [REMOVE, numUnique, [{ idEvenement: 999 }], ["E"]],
      [REMOVE, numUnique, [{ idEvenement: "-1" }], ["F"]],
      [REMOVE, numUnique, [{ idEvenement: "99999999999999999999" }], ["F"]],
      [REMOVE, numUnique, [{ idEvenement }, { idEvenement }], ["B"]],
    ];
    for (const [operation, number, given, letters] of wrong) {
      const answer = await events(operation, number, given);
      const what = `${operation} ${JSON.stringify(given).slice(0, 100)}`;
      assert.deepEqual(
        codesIn(answer),
        letters.map((letter) => `CTRL_EVT_${letter}`),
        what,
      );
      assert.match(textOf(answer), /<tns:anomalie code="[^"]+">\s*<tns:message>[^<]+</, what);
    }
    assert.match(textOf(await events(ADD, numUnique, [EVENT, {}])), /Événement 2 : code/);
    assert.deepEqual(idsIn(await events(LIST, numUnique)), [idEvenement]);
    const after = await effects();
    assert.equal(after.effects, 2);
    assert.equal(after.refusals, wrong.length - 1 + 1, "but the one that only reads");
  });

  it("of a radiated demande are seen and no longer changed; of a deleted one, gone", async () => {
    const numUnique = await create();
    await events(ADD, numUnique, [EVENT]);
    await peer.give({ typeFichier: "RAD", numUnique, motifRadiation: "RADABA" });
    assert.deepEqual(codesIn(await events(ADD, numUnique, [EVENT])), ["CTRL_EVT_R"]);
    assert.equal(idsIn(await events(LIST, numUnique)).length, 1);
    const deleted = await create({ refInterne: "B", nom: "Autre" });
    await events(ADD, deleted, [EVENT]);
    await peer.give({ typeFichier: "SUP", numUnique: deleted });
    assert.deepEqual(codesIn(await events(LIST, deleted)), ["CTRL_EVT_U"]);
    const state = await ask<{ evenements: number }>(standin.controlUrl, "/standin/control");
    assert.equal(state.evenements, 1);
  });

  it("show one effect, or two, by the digest of the file and its operation", async () => {
    const numUnique = await create();
    await events(ADD, numUnique, [EVENT]);
    assert.equal((await effects()).takenMoreThanOnce, 0);
    await events(ADD, numUnique, [EVENT]);
    const twice = await effects();
    assert.deepEqual([twice.effects, twice.takenMoreThanOnce], [3, 1]);
    assert.equal(idsIn(await events(LIST, numUnique)).length, 2);
    // The same bytes to change, then to remove: two effects of two operations, no double.
    const same = [{ idEvenement: 1, dateSurvenance: "2026-01-12" }];
    await events(CHANGE, numUnique, same);
    await events(REMOVE, numUnique, same);
    assert.equal((await effects()).takenMoreThanOnce, 1);
    interface File {
      readonly sha256: string;
      readonly operation: string;
      readonly calls: number;
      readonly taken: number;
      readonly key: string;
    }
    const path = "/standin/effects";
    const { files } = await ask<{ files: File[] }>(standin.controlUrl, path);
    const removed = files.find(({ operation }) => operation === REMOVE);
    assert.deepEqual(
      [removed?.calls, removed?.taken, removed?.key],
      [1, 1, `numUnique:${numUnique}`],
    );
    const one = await ask<File>(
      standin.controlUrl,
      `${path}/${removed?.sha256 ?? ""}?operation=${REMOVE}`,
    );
    assert.deepEqual(one, removed);
    const first = await ask<File>(standin.controlUrl, `${path}/${removed?.sha256 ?? ""}`);
    assert.equal(first.operation, CHANGE);
    const kept = await ask<{ events: { id: number; commentaire?: string }[] }>(
      standin.controlUrl,
      `/standin/events/${numUnique}`,
    );
    assert.deepEqual(
      kept.events.map(({ id }) => id),
      [2],
    );
  });

  it("come back after a restart, with their identifiers", async () => {
    const folder = mkdtempSync(join(tmpdir(), "standin-"));
    const dataFile = join(folder, "standin.jsonl");
    const before = standin;
    try {
      standin = await runStandin({ quiet: true, dataFile });
      const numUnique = await create();
      const [one = "", two = ""] = idsIn(await events(ADD, numUnique, [EVENT, EVENT]));
      await events(CHANGE, numUnique, [{ idEvenement: two, commentaire: "changé" }]);
      await events(REMOVE, numUnique, [{ idEvenement: one }]);
      await events(ADD, numUnique, [{ ...EVENT, codeTypeEvenement: "INCONNU" }]);
      const gone = await create({ refInterne: "B", nom: "Autre" });
      await events(ADD, gone, [EVENT]);
      await peer.give({ typeFichier: "SUP", numUnique: gone });
      const listed = textOf(await events(LIST, numUnique));
      const counted = await effects();
      await standin.stop();
      standin = await runStandin({ quiet: true, dataFile });
      assert.equal(textOf(await events(LIST, numUnique)), listed);
      const { effects: taken, refusals, effectsByOperation } = await effects();
      assert.deepEqual(
        { effects: taken, refusals, effectsByOperation },
        {
          effects: counted.effects,
          refusals: counted.refusals,
          effectsByOperation: counted.effectsByOperation,
        },
      );
      assert.deepEqual(codesIn(await events(LIST, gone)), ["CTRL_EVT_U"]);
      assert.deepEqual(idsIn(await events(ADD, numUnique, [EVENT])), ["4"]);
      await order(standin.controlUrl, { do: "forget" });
      assert.deepEqual(codesIn(await events(LIST, numUnique)), ["CTRL_EVT_U"]);
    } finally {
      await standin.stop();
      standin = before;
      rmSync(folder, { recursive: true });
    }
  });

  it("have types, national and of a territory, that say they are invented", async () => {
    const national = await types("listerTypesEvenementsNationaux");
    const codes = all(textOf(national), /<tns:codeTypeEvenement>(\w+)</g);
    assert.ok(codes.length >= 4 && codes.every((code) => code.startsWith("SIMNAT")));
    const labels = all(textOf(national), /<tns:libelle>([^<]*)</g);
    for (const label of labels) assert.match(label, /du simulateur \(inventé/);
    assert.doesNotMatch(textOf(national), /<tns:operation>|<tns:codeTerritoire>/);
    const territorial = await types("listerTypesEvenementsTerritoriaux", "999");
    assert.deepEqual(all(textOf(territorial), /<tns:codeTypeEvenement>(\w+)</g), ["SIM999A"]);
    assert.match(textOf(territorial), /<tns:operation>\s*<tns:codeTerritoire>999</);
    const wrong = [undefined, "975", "de trop"] as const;
    const found = await Promise.all(
      wrong.map((place) => types("listerTypesEvenementsTerritoriaux", place)),
    );
    assert.deepEqual(found.map(codesIn), [["CTRL_EVT_Y"], ["CTRL_EVT_Z"], ["CTRL_EVT_Z"]]);
  });

  it("meet the orders aimed at their operation or their service, and no others", async () => {
    const numUnique = await create();
    const adding = makeEventFile({ guichet: GUICHET, numUnique, evenements: [EVENT] });
    const send = (operation: string, file = adding): ReturnType<typeof post> =>
      post(standin.eventsUrl, fileCall(operation, file));
    await order(standin.controlUrl, [
      { do: "loseAnswer", times: 1, when: { operation: ADD } },
      { do: "fault", text: "Aux autres.", when: { service: SERVICES.demandes } },
    ]);
    assert.equal(idsIn(await events(LIST, numUnique)).length, 0);
    assert.equal(await errorOf(send(ADD)), "ECONNRESET");
    assert.equal(idsIn(await events(LIST, numUnique)).length, 1, "the effect was taken");

    await order(standin.controlUrl, [
      { do: "clear" },
      { do: "anomaly", code: "CTRL_DEM_0033", message: "Dit.", when: { operation: ADD } },
      { do: "slow", ms: 60, when: { service: SERVICES.events } },
    ]);
    const refused = readSoap(await send(ADD));
    assert.match(textOf(refused), /<tns:anomalie code="CTRL_DEM_0033">\s*<tns:message>Dit\.</);
    const start = performance.now();
    assert.equal(idsIn(await events(LIST, numUnique)).length, 1);
    assert.ok(performance.now() - start >= 59);

    await order(standin.controlUrl, [{ do: "clear" }, { do: "truncate" }]);
    const cut = await send(LIST, makeEventFile({ guichet: GUICHET, numUnique }));
    assert.equal(cut.status, 200);
    assert.doesNotMatch(cut.body.toString("latin1"), /--uuid:\w+--/);
    await order(standin.controlUrl, [{ do: "clear" }, { do: "down", how: "503", times: 1 }]);
    assert.equal((await send(LIST)).status, 503);
    const wrong = await order(standin.controlUrl, { do: "hang", when: { service: "Autre" } });
    assert.match(String(wrong.value["error"]), /service is one of DemandeLogementImplService,/);
  });

  it("refuse a file that is no event file, and go on serving", async () => {
    const whole = Buffer.from(
      makeEventFile({ guichet: GUICHET, numUnique: "1", evenements: [EVENT] }),
    );
    const text = whole.toString("utf8");
    const files: readonly [string, RegExp][] = [
      ["<a", /fichier illisible/],
      ["<a/>", /la racine n'est pas/],
      [text.replace(/<entete>.*<\/entete>/s, ""), /entete\/typeFichier/],
      [text.replace("http://nuu.application.i2/", "urn:autre"), /la racine n'est pas/],
      [text.replace("<interfaceNuu", "<!DOCTYPE a><interfaceNuu"), /DOCTYPE/],
      [text.replace("<operation>", "<b>".repeat(1_000)), /plus de 16/],
      [text.replace("<operation>", "<operation/>".repeat(100_001)), /plus de 100000/],
      [text.replace("G1104", "&e;"), /fichier illisible/],
    ];
    for (const [file, expected] of files) {
      const answer = readSoap(await post(standin.eventsUrl, fileCall(ADD, Buffer.from(file))));
      const reason = reasonIn(answer);
      assert.match(reason, /^Receiver: Une erreur inattendue est survenue lors du traitement/);
      assert.match(reason, expected);
    }
    for (let at = 0; at < whole.length; at += 7) {
      const mangled = Buffer.from(whole);
      mangled[at] = (mangled[at] ?? 0) ^ 0x15;
      const answer = await post(standin.eventsUrl, fileCall(ADD, mangled));
      assert.ok([200, 500].includes(answer.status));
    }
    assert.equal((await effects()).effects, 0);
    assert.ok((await create()).length > 0);
  });
});
