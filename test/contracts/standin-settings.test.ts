/** The settings of the stand-in SNE: certificates, codes, framing; and what "since" means to it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { makeEventFile } from "../../src/standin/sample-operation-files.ts";
import { DEFAULT_SETTINGS, EFFECT_BY_DEFAULT } from "../../src/standin/steering.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import {
  asCxf,
  CERTIFICATE,
  daloCall,
  doublonsCall,
  envelope,
  fileCall,
  numUniqueCall,
  order,
  plain,
  post,
  readSoap,
  type RawCall,
} from "../support/standin-calls.ts";
import { all, codesIn, GUICHET, makeStandinPeer, reasonIn } from "../support/standin-peer.ts";

const RADIATED = "getDemandesRadieesDepuisLe";

describe("the settings of the stand-in SNE", function () {
  this.timeout(60_000);
  let standin: RunningStandin;
  const peer = makeStandinPeer(() => standin);
  before(async () => {
    await peer.start();
    standin = await runStandin({ quiet: true });
  });
  beforeEach(() => order(standin.controlUrl, [{ do: "clear" }, { do: "forget" }]));
  after(async () => {
    await standin.stop();
    await peer.stop();
  });

  const set = async (settings: object): Promise<void> => {
    const { status, value } = await order(standin.controlUrl, { do: "settings", ...settings });
    assert.equal(status, 200, JSON.stringify(value));
  };
  const radiatedCall = (date: string, filters = "", certificate = CERTIFICATE): RawCall =>
    asCxf(
      envelope(
        "demandesRadieesDepuisLeParametres",
        `<dateRadiationDepuisLe>${date}</dateRadiationDepuisLe>${filters}${certificate}`,
      ),
      RADIATED,
    );
  /** Numbers of the files of a ZIP, by the names its directory gives. */
  const listed = async (date: string, filters = ""): Promise<readonly string[]> => {
    const answer = readSoap(await post(standin.url, radiatedCall(date, filters)));
    assert.equal(answer.status, 200, answer.envelope);
    const zip = Buffer.from(answer.files[0] ?? []).toString("latin1");
    return [...new Set(all(zip, /([0-9A-Z]{18})\.xml/g))];
  };
  const rad = (of: Partial<SampleDemande>): ReturnType<typeof peer.give> =>
    peer.give({ typeFichier: "RAD", ...of });

  it("and its orders are all in its README, with their values at start", () => {
    const file = join(import.meta.dirname, "../../src/standin/README.md");
    const readme = readFileSync(file, "utf8");
    for (const [name, value] of Object.entries(DEFAULT_SETTINGS)) {
      assert.ok(readme.includes(`| \`${name}\` | \`${value}\` |`), name);
    }
    for (const name of Object.keys(EFFECT_BY_DEFAULT)) {
      assert.ok(readme.includes(`| \`{"do":"${name}"`), name);
    }
  });

  describe("getDemandesRadieesDepuisLe", () => {
    it("filters by motive, by reservation and by DALO, all together, in codes", async () => {
      const one = await peer.create({ refInterne: "A", nom: "Un" });
      const two = await peer.create({ refInterne: "B", nom: "Deux" });
      const declared = Buffer.from(
        makeDemande({ typeFichier: "MOD", guichet: GUICHET, numUnique: one }),
      )
        .toString("utf8")
        .replace(
          "<demandeLogement>",
          '<informationDalo><statutDalo code="ACTIF"/></informationDalo><demandeLogement>',
        );
      assert.deepEqual(
        codesIn(readSoap(await post(standin.url, daloCall(Buffer.from(declared))))),
        [],
      );
      const housing = Buffer.from(
        makeDemande({
          typeFichier: "RAD",
          guichet: GUICHET,
          numUnique: one,
          motifRadiation: "RADATT",
        }),
      )
        .toString("utf8")
        .replace(/<typeReservataire code="[^"]*"/, '<typeReservataire code="PPRIOR"');
      assert.deepEqual(
        codesIn(readSoap(await post(standin.url, numUniqueCall(Buffer.from(housing))))),
        [],
      );
      await rad({ numUnique: two, motifRadiation: "RADABA" });
      const filters: readonly (readonly [string, readonly string[]])[] = [
        ["", [one, two]],
        ['<motifRadiation code="RADABA"/>', [two]],
        ['<motifRadiation code=""/>', [one, two]],
        ['<motifRadiation code="RADREN"/>', []],
        ['<statutDalo code="ACTIF"/>', [one]],
        ['<statutDalo code="NON"/>', []],
        ['<typeReservataire code="PPRIOR"/>', [one]],
        ['<typeReservataire code="COLTER"/>', []],
        [
          '<motifRadiation code="RADATT"/><statutDalo code="ACTIF"/><typeReservataire code="PPRIOR"/>',
          [one],
        ],
        ['<motifRadiation code="RADABA"/><statutDalo code="ACTIF"/>', []],
      ];
      for (const [filter, expected] of filters) {
        assert.deepEqual(await listed("2020-01-01T00:00:00.0+01:00", filter), expected, filter);
      }
    });

    it("compares moments, whatever their offset", async () => {
      const before = Date.now();
      const numUnique = await peer.create();
      await rad({ numUnique, motifRadiation: "RADABA" });
      const shown = (ms: number, hours: number): string => {
        const wall = new Date(ms + hours * 3_600_000).toISOString().replace("Z", "");
        const sign = hours < 0 ? "-" : "+";
        return `${wall}${sign}${Math.abs(hours).toString().padStart(2, "0")}:00`;
      };
      for (const hours of [-11, -1, 0, 1, 2, 13]) {
        assert.deepEqual(await listed(shown(before, hours)), [numUnique], `${hours}`);
        assert.deepEqual(await listed(shown(Date.now() + 60_000, hours)), [], `${hours}`);
      }
      for (const date of ["2026-01-01", "hier", "", "2026-02-30T00:00:00Z", "1"]) {
        const answer = readSoap(await post(standin.url, radiatedCall(date)));
        assert.match(reasonIn(answer), /^Sender: dateRadiationDepuisLe n'est pas une date/);
      }
    });
  });

  it("hand over the latest file alone, which libsne can read, when told so", async () => {
    const since = new Date(Date.now() - 1_000).toISOString();
    const first = await peer.create({ refInterne: "S1", nom: "Premier" });
    const latest = await peer.create({ refInterne: "S2", nom: "Dernier" });
    for (const numUnique of [first, latest]) await rad({ numUnique, motifRadiation: "RADATT" });
    await set({ since: "latest" });
    const answer = readSoap(await post(standin.url, radiatedCall(since)));
    const text = Buffer.from(answer.files[0] ?? []).toString("utf8");
    assert.match(text, /<tns:interfaceNuu/);
    assert.ok(text.includes(latest), text.slice(0, 400));
  });

  it("take the motives of radiation and sub-motives of the lists, or any", async () => {
    const numUnique = await peer.create();
    const radiate = async (radiation: string): Promise<readonly string[]> => {
      const file = Buffer.from(
        makeDemande({ typeFichier: "RAD", guichet: GUICHET, numUnique, motifRadiation: "RADABA" }),
      )
        .toString("utf8")
        .replace(/<motifRadiation code="RADABA"\/>/, radiation);
      return codesIn(readSoap(await post(standin.url, numUniqueCall(Buffer.from(file)))));
    };
    const motif = (code: string): string => `<motifRadiation code="${code}"/>`;
    const sub = (code: string): string => `<sousMotifIrrecevabilite code="${code}"/>`;
    assert.deepEqual(await radiate(motif("RADXXX")), ["CTRL_DEM_T"]);
    assert.deepEqual(await radiate(motif("RADIRR")), ["CTRL_DEM_I"]);
    assert.deepEqual(await radiate(motif("RADIRR") + sub("AUTRE")), ["CTRL_DEM_S"]);
    assert.deepEqual(await radiate(motif("RADABA") + sub("IRRSEJ")), ["CTRL_DEM_A"]);
    assert.deepEqual(await radiate(motif("RADIRR") + sub("IRRSEJ")), []);
    assert.deepEqual(await radiate("<motifRadiation/>"), [], "an un-radiation");
    assert.deepEqual(await radiate(motif("RADIRR") + sub("IRRRES")), []);
    assert.deepEqual(await radiate("<motifRadiation/>"), []);
    await set({ unknownCodes: false });
    assert.deepEqual(await radiate(motif("RADXXX")), []);
    assert.deepEqual(await radiate("<motifRadiation/>"), []);
    assert.deepEqual(await radiate(motif("RADIRR")), ["CTRL_DEM_I"], "still mandatory");
  });

  it("make codes as long as the real ones, which the schema refuses, and none that is real", async () => {
    await set({ codes: "long" });
    const numUnique = "9990126000009G1104";
    const unknown = numUniqueCall(makeDemande({ typeFichier: "MOD", guichet: GUICHET, numUnique }));
    assert.deepEqual(codesIn(readSoap(await post(standin.url, unknown))), ["CTRL_DEM_9921"]);
    const event = makeEventFile({ guichet: GUICHET, numUnique });
    const call = fileCall("listerEvenementsDemande", event);
    assert.deepEqual(codesIn(readSoap(await post(standin.eventsUrl, call))), ["CTRL_EVT_9921"]);
  });

  describe("the name of the certificate", () => {
    const EMPTY = "<nomCertificat/><certificat/>";
    const create = (name: string): RawCall => {
      const file = makeDemande({ typeFichier: "CRE", guichet: GUICHET });
      return twist(numUniqueCall(file), name);
    };
    const twist = (call: RawCall, name: string): RawCall => ({
      ...call,
      body: Buffer.from(
        Buffer.from(call.body)
          .toString("latin1")
          .replace(/<nomCertificat>[^<]*/, `<nomCertificat>${name}`),
        "latin1",
      ),
    });
    const REFUSED = /^Sender: Le nom du certificat associé \[\] n’est pas conforme\.$/;

    it("is looked at by the two DepuisLe only, unless told", async () => {
      const since = radiatedCall("2020-01-01T00:00:00Z", "", EMPTY);
      assert.match(reasonIn(readSoap(await post(standin.url, since))), REFUSED);
      assert.equal(readSoap(await post(standin.url, create(""))).status, 200);
      await set({ certificateCheck: "none" });
      assert.equal(readSoap(await post(standin.url, since)).status, 200);
    });

    it("is looked at by all that carry one when told so, before any effect", async () => {
      await set({ certificateCheck: "all" });
      assert.match(reasonIn(readSoap(await post(standin.url, create("")))), REFUSED);
      const event = makeEventFile({ guichet: GUICHET, numUnique: "1" });
      const call = twist(fileCall("listerEvenementsDemande", event), "");
      assert.match(reasonIn(readSoap(await post(standin.eventsUrl, call))), REFUSED);
      const file = makeDemande({ typeFichier: "CRE", guichet: GUICHET });
      const doublons = readSoap(await post(standin.url, doublonsCall(file)));
      assert.equal(doublons.status, 200, "getDoublons carries none");
      assert.equal((await peer.effects()).effects, 0);
      assert.equal(readSoap(await post(standin.url, create("C"))).status, 200);
    });

    it("may have to look as libsne's", async () => {
      await set({ certificateCheck: "all", certificateShape: "libsne" });
      const refused = readSoap(await post(standin.url, create("certificat.pem")));
      assert.match(reasonIn(refused), /associé \[certificat\.pem\] n’est pas conforme/);
      const taken = readSoap(await post(standin.url, create("CERG1104-202601150930.pem")));
      assert.equal(taken.status, 200);
    });
  });

  it("answer without MTOM, the files in base64 inside the envelope", async () => {
    await set({ answers: "plain" });
    const file = makeDemande({ typeFichier: "CRE", guichet: GUICHET });
    const answer = await post(standin.url, numUniqueCall(file));
    assert.equal(answer.headers["content-type"], "application/soap+xml; charset=utf-8");
    const text = answer.body.toString("utf8");
    const inside = /<fichierDemande sne:contentType="text\/xml">([^<]+)</.exec(text)?.[1] ?? "";
    assert.match(Buffer.from(inside, "base64").toString("utf8"), /<tns:numUnique>999/);
    assert.match(text, /<attestation sne:contentType="application\/pdf">[A-Za-z0-9+/=]+</);
    await order(standin.controlUrl, { do: "truncate", times: 1 });
    const cut = (await post(standin.url, numUniqueCall(file))).body.toString("utf8");
    assert.ok(cut.startsWith("<soap:Envelope") && !cut.includes("</soap:Envelope>"));
    const wrong = await order(standin.controlUrl, { do: "settings", answers: "mtom" });
    assert.match(String(wrong.value["error"]), /answers is one of multipart, plain/);
    const fault = await post(standin.url, plain(envelope("autre", "")));
    assert.match(
      fault.headers["content-type"] ?? "",
      /^multipart\/related/,
      "faults have their own",
    );
  });
});
