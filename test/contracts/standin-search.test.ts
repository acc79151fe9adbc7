/** The stand-in SNE searches on every criterion of the published schema, in what it knows. */
import assert from "node:assert/strict";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { makeSearchFile, type SampleCriteria } from "../../src/standin/sample-operation-files.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { fileCall, numUniqueCall, order, post, readSoap } from "../support/standin-calls.ts";
import {
  codesIn,
  GUICHET,
  makeStandinPeer,
  reasonIn,
  SERVICES,
  textOf,
} from "../support/standin-peer.ts";

const ZOE = { nom: "Éloïse-Marie", prenom: "Zoé", dateNaissance: "1980-02-03" };
const ADAM = { nom: "Deux", prenom: "Adam", dateNaissance: "1990-02-03" };

/** What the sample says of the place and the motive, replaced. */
const wanting =
  (commune: string, motif: string, day: string) =>
  (text: string): string =>
    text
      .replace(
        /<listeLocalisationSouhaite>.*<\/listeLocalisationSouhaite>/s,
        `<listeLocalisationSouhaite><localisationSouhaite><commune code="35001"/>` +
          `</localisationSouhaite><localisationSouhaite><commune code="${commune}"/>` +
          `</localisationSouhaite></listeLocalisationSouhaite>`,
      )
      .replace(/<motifDemande[^>]*>/, `<motifDemande code="23"/><motifDemande code="${motif}"/>`)
      .replace(/<dateCreationDemande>[^<]*/, `<dateCreationDemande>${day}`);

describe("the search of the stand-in SNE", function () {
  this.timeout(60_000);
  let standin: RunningStandin;
  const peer = makeStandinPeer(() => standin);
  const { found, search } = peer;
  let housed = "";
  let renewed = "";
  let association = "";

  const give = async (
    of: Omit<SampleDemande, "guichet">,
    twist: (text: string) => string = (text) => text,
  ): Promise<string> => {
    const file = Buffer.from(makeDemande({ guichet: GUICHET, ...of })).toString("utf8");
    const answer = readSoap(await post(standin.url, numUniqueCall(Buffer.from(twist(file)))));
    assert.deepEqual(codesIn(answer), []);
    return /<tns:numUnique>(\w+)</.exec(textOf(answer))?.[1] ?? "";
  };

  before(async () => {
    await peer.start();
    standin = await runStandin({ quiet: true });
    const zoe = wanting("35238", "01", "2025-03-01");
    housed = await give({ typeFichier: "CRE", refInterne: "A", ...ZOE }, zoe);
    const attributed = { typeFichier: "RAD", numUnique: housed, motifRadiation: "RADATT", ...ZOE };
    await give(attributed, (text) =>
      zoe(text)
        .replace(/<dateRadiation>[^<]*/, "<dateRadiation>2026-03-04")
        .replace(/(<attributionLogement>.*<commune code=")[^"]*/s, "$129019"),
    );
    const adam = wanting("2A004", "02", "2025-06-01");
    renewed = await give({ typeFichier: "CRE", refInterne: "B", ...ADAM }, adam);
    const renewal = { typeFichier: "REN", numUnique: renewed, ...ADAM };
    await give({ ...renewal, dateFichier: "2026-02-01T09:00:00.000+01:00" }, adam);
    await give({ typeFichier: "COP", numUnique: renewed, ...ADAM }, (text) =>
      adam(text).replace(
        "<logementRecherche>",
        "<informationTraitement><estDelaiAnormalementLong>1</estDelaiAnormalementLong>" +
          "</informationTraitement><logementRecherche>",
      ),
    );
    const friends = { typeFichier: "CRE", refInterne: "C", association: true, nom: "Les Amis" };
    association = await give(friends, wanting("35001", "03", "2025-09-01"));
    const event = { codeTypeEvenement: "SIMNAT3", dateSurvenance: "2026-01-01" };
    const add = "ajouterEvenementDemande";
    await peer.events(add, association, [event, event]);
    await peer.events(add, renewed, [event, { ...event, codeTypeEvenement: "SIMNAT1" }]);
  });
  after(async () => {
    await standin.stop();
    await peer.stop();
  });

  const person = (of: SampleCriteria): SampleCriteria => ({ personneRecherchee: of });
  const cases: readonly (readonly [string, SampleCriteria | (() => SampleCriteria), string])[] = [
    ["the number", () => ({ numUnique: housed }), "A"],
    ["a number nobody has", { numUnique: "9990126999999G1104" }, ""],
    ["radiated", { etatDemande: "R" }, "A"],
    ["active", { etatDemande: "A" }, "BC"],
    ["deposited from a day on, that day too", { dateDepotDebut: "2025-06-01" }, "BC"],
    ["deposited up to a day, that day too", { dateDepotFin: "2025-06-01" }, "AB"],
    ["deposited between", { dateDepotDebut: "2025-03-02", dateDepotFin: "2025-08-31" }, "B"],
    ["renewed from", { dateRenouvellementDebut: "2026-02-01" }, "B"],
    ["renewed up to, never renewed left out", { dateRenouvellementFin: "2099-01-01" }, "B"],
    ["renewed later", { dateRenouvellementDebut: "2026-02-02" }, ""],
    ["radiated from", { dateRadiationDebut: "2026-03-04" }, "A"],
    ["radiated up to", { dateRadiationFin: "2026-03-03" }, ""],
    ["a motive, any of those given", { motifDemande: "02" }, "B"],
    ["a motive of all", { motifDemande: "23" }, "ABC"],
    ["a motive of radiation", { motifRadiation: "RADATT" }, "A"],
    ["another motive of radiation", { motifRadiation: "RADABA" }, ""],
    ["a commune wanted, Corsican too", { communeSouhaitee: "2A004" }, "B"],
    ["a commune all want", { communeSouhaitee: "35001" }, "ABC"],
    ["the commune of the attribution", { communeAttribution: "29019" }, "A"],
    ["a delay too long", { estDelaiAnormalementLong: "true" }, "B"],
    ["no delay too long", { estDelaiAnormalementLong: "0" }, "AC"],
    ["two events of attribution", { estMultiplesAttributionsSousConditions: "true" }, "C"],
    ["fewer", { estMultiplesAttributionsSousConditions: "false" }, "AB"],
    ["an association, without case", { association: { nom: "LES AMIS" } }, "C"],
    ["a person, without case nor accents", person({ nom: "ELOISE-MARIE", prenom: "zoe" }), "A"],
    ["a birthday", person({ dateNaissance: "1990-02-03" }), "B"],
    ["a person who is two", person({ nom: "Deux", prenom: "Zoé" }), ""],
    ["documents of a COP", { piecesJustificatives: { codeCategorie: ["SIMCOP"] } }, "B"],
    ["documents nobody has", { piecesJustificatives: { codeCategorie: ["SIMCOP", "X"] } }, ""],
    ["several criteria, all of them", { motifDemande: "23", etatDemande: "A" }, "BC"],
  ];
  for (const [name, criteria, expected] of cases) {
    it(`finds by ${name}`, async () => {
      const letters: Readonly<Record<string, string>> = { [housed]: "A", [renewed]: "B" };
      const numbers = await found(typeof criteria === "function" ? criteria() : criteria);
      assert.equal(numbers.map((number) => letters[number] ?? "C").join(""), expected);
      for (const number of numbers) assert.ok([housed, renewed, association].includes(number));
    });
  }

  it("gives the criteria back, in their order", async () => {
    const answer = await search({
      etatDemande: "A",
      communeSouhaitee: "2A004",
      personneRecherchee: { nom: "Deux" },
      piecesJustificatives: { codeCategorie: ["SIMCOP"] },
    });
    const echoed = /<tns:demandeMulticritere>(.*)<\/tns:demandeMulticritere>/s.exec(textOf(answer));
    assert.equal(
      echoed?.[1]?.replace(/\s+/g, ""),
      "<tns:etatDemande>A</tns:etatDemande><tns:communeSouhaitee>2A004</tns:communeSouhaitee>" +
        "<tns:personneRecherchee><tns:nom>Deux</tns:nom></tns:personneRecherchee>" +
        "<tns:piecesJustificatives><tns:codeCategorie>SIMCOP</tns:codeCategorie></tns:piecesJustificatives>",
    );
  });

  it("refuses what is no criterion, and what has not its form, in a valid answer", async () => {
    const wrong: readonly (readonly [SampleCriteria, string, RegExp])[] = [
      [{}, "N", /au moins un critère/],
      [{ personneRecherchee: {} }, "N", /au moins un critère/],
      [{ etatDemande: "" }, "N", /au moins un critère/],
      [{ etatDemande: "Z" }, "F", /etatDemande n'est pas un état connu/],
      [{ dateDepotDebut: "hier" }, "F", /dateDepotDebut n'est pas une date/],
      [{ dateDepotDebut: "2026-02-30" }, "F", /dateDepotDebut n'est pas une date/],
      [{ communeSouhaitee: "35 00" }, "F", /communeSouhaitee n'est pas un code/],
      [{ estDelaiAnormalementLong: "oui" }, "F", /n'est pas un booléen/],
      [{ motifDemande: "1234567" }, "F", /motifDemande n'est pas un texte de 6/],
      [{ personneRecherchee: { dateNaissance: "03/02/1980" } }, "F", /dateNaissance/],
      [{ piecesJustificatives: { codeCategorie: ["trop-long-pour"] } }, "F", /codeCategorie/],
      [{ commune: "35001" }, "F", /commune n'est pas un critère/],
      [{ dateDepotDebut: "2026-02-02", dateDepotFin: "2026-02-01" }, "F", /est après/],
    ];
    for (const [criteria, letter, message] of wrong) {
      const answer = await search(criteria);
      assert.deepEqual(codesIn(answer), [`CTRL_RCH_${letter}`], JSON.stringify(criteria));
      assert.match(textOf(answer), message);
      assert.doesNotMatch(textOf(answer), /listeDemandes/);
    }
  });

  it("refuses to list more than a thousand", async () => {
    const crowd = await runStandin({ quiet: true });
    try {
      await order(crowd.controlUrl, { do: "settings", doublons: false });
      for (let sent = 0; sent < 1_001; sent += 50) {
        await Promise.all(
          Array.from({ length: Math.min(50, 1_001 - sent) }, (_, i) => {
            const of = { typeFichier: "CRE", guichet: GUICHET, seed: sent + i };
            return post(crowd.url, numUniqueCall(makeDemande(of)));
          }),
        );
      }
      const file = makeSearchFile({ guichet: GUICHET, criteres: { etatDemande: "A" } });
      const call = fileCall("rechercheDemandeMulticritere", file);
      const answer = readSoap(await post(crowd.searchUrl, call));
      assert.deepEqual(codesIn(answer), ["CTRL_RCH_T"]);
    } finally {
      await crowd.stop();
    }
  });

  it("tells its operation by its element, with or without an action", async () => {
    const file = makeSearchFile({ guichet: GUICHET, criteres: { etatDemande: "A" } });
    for (const action of ["rechercheDemandeMulticritere", "", "autre"]) {
      const call = fileCall("rechercheDemandeMulticritere", file, action);
      assert.equal(readSoap(await post(standin.searchUrl, call)).status, 200);
    }
    // But not at the address of another service.
    const elsewhere = fileCall("rechercheDemandeMulticritere", file);
    assert.match(
      reasonIn(readSoap(await post(standin.url, elsewhere))),
      /^Sender: Opération inconnue de DemandeLogementImplService : .*fichierXmlParametres$/,
    );
  });

  it("meets the orders, and counts no effect", async () => {
    await order(standin.controlUrl, [
      { do: "anomaly", code: "CTRL_X", message: "Dit.", when: { service: SERVICES.search } },
    ]);
    const answer = await search({ etatDemande: "A" });
    assert.deepEqual(codesIn(answer), ["CTRL_X"]);
    await order(standin.controlUrl, { do: "clear" });
    const before = await peer.effects();
    assert.equal((await found({ etatDemande: "A" })).length, 2);
    assert.equal((await peer.effects()).effects, before.effects);
  });

  it("refuses a file without its operation as unreadable", async () => {
    const file = Buffer.from(makeSearchFile({ guichet: GUICHET, criteres: {} })).toString("utf8");
    const bare = Buffer.from(file.replace(/<demandeMulticritere>.*<\/demandeMulticritere>/s, ""));
    const call = fileCall("rechercheDemandeMulticritere", bare);
    assert.match(
      reasonIn(readSoap(await post(standin.searchUrl, call))),
      /demandeMulticritere absent/,
    );
  });
});
