/** The stand-in SNE tells its operations apart by their action, wherever a stack puts it. */
import assert from "node:assert/strict";
import { makeEventTypesFile } from "../../src/standin/sample-operation-files.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import {
  ask,
  envelope,
  fileCall,
  order,
  plain,
  post,
  readSoap,
  type RawCall,
} from "../support/standin-calls.ts";
import { codesIn, GUICHET, reasonIn, SERVICES, textOf } from "../support/standin-peer.ts";

const SERVICE = "http://ws.metier.nuu.application.i2/";
const NATIONAL = "listerTypesEvenementsNationaux";
const TERRITORIAL = "listerTypesEvenementsTerritoriaux";

describe("the actions the stand-in SNE looks at", function () {
  this.timeout(60_000);
  let standin: RunningStandin;
  before(async () => {
    standin = await runStandin({ quiet: true });
  });
  beforeEach(() => order(standin.controlUrl, { do: "clear" }));
  after(() => standin.stop());

  // Asked for a territory it does not know: only one of the six answers so.
  const file = makeEventTypesFile({ guichet: GUICHET, territoire: "975" });
  const inline = envelope(
    "fichierXmlParametres",
    `<nomFichier>t.xml</nomFichier><fichierXml>${Buffer.from(file).toString("base64")}</fichierXml>` +
      "<nomCertificat>C</nomCertificat>",
  );
  const bare = fileCall(TERRITORIAL, file, "");
  const without = (call: RawCall): RawCall =>
    retyped(call, (type) =>
      type.replace(/; start-info="(?:[^"\\]|\\.)*"/, '; start-info="application/soap+xml"'),
    );
  const retyped = (call: RawCall, twist: (type: string) => string): RawCall => ({
    ...call,
    headers: { ...call.headers, "Content-Type": twist(call.headers["Content-Type"] ?? "") },
  });
  const inRoot = (call: RawCall, action: string): RawCall => ({
    ...call,
    body: Buffer.from(
      Buffer.from(call.body)
        .toString("latin1")
        .replace('type="application/soap+xml"', `type="application/soap+xml"; action="${action}"`),
      "latin1",
    ),
  });
  const inHeader = (call: RawCall, action: string): RawCall => ({
    ...call,
    headers: { ...call.headers, SOAPAction: action },
  });
  const inOuter = (call: RawCall, action: string): RawCall =>
    retyped(call, (type) => `${type}; action="${action}"`);

  const places: Readonly<Record<string, RawCall>> = {
    "start-info, escaped, as Apache CXF": fileCall(TERRITORIAL, file),
    "a parameter of the outer type": inOuter(without(bare), SERVICE + TERRITORIAL),
    "the root part's type, short, as libsne": inRoot(without(bare), TERRITORIAL),
    "the outer type and the root part": inRoot(
      inOuter(without(bare), SERVICE + TERRITORIAL),
      TERRITORIAL,
    ),
    "a SOAPAction header, quoted": inHeader(without(bare), `"${SERVICE}${TERRITORIAL}"`),
    "a SOAPAction header, bare": inHeader(without(bare), SERVICE + TERRITORIAL),
    "the type of a plain envelope": plain(
      inline,
      `application/soap+xml; charset=utf-8; action="${SERVICE}${TERRITORIAL}"`,
    ),
  };
  for (const [name, call] of Object.entries(places)) {
    it(`reads it in ${name}`, async () => {
      const answer = readSoap(await post(standin.eventsUrl, call));
      assert.deepEqual(codesIn(answer), ["CTRL_EVT_Z"], answer.envelope);
      const { calls } = await ask<{ calls: Record<string, unknown>[] }>(
        standin.controlUrl,
        `/standin/calls?last=1&operation=${TERRITORIAL}`,
      );
      assert.equal(calls[0]?.["operation"], TERRITORIAL);
      assert.equal(calls[0]["service"], SERVICES.events);
    });
  }

  it("refuses a call that none tells, or that two contradict", async () => {
    const wrong: readonly (readonly [RawCall, RegExp])[] = [
      [without(bare), /^Sender: Action SOAP absente .* 6 opérations/],
      [inHeader(without(bare), '""'), /^Sender: Action SOAP absente/],
      [plain(inline), /^Sender: Action SOAP absente/],
      [plain(inline, 'application/soap+xml; action=""'), /^Sender: Action SOAP absente/],
      [fileCall(TERRITORIAL, file, "getNumUnique"), /^Sender: Action SOAP inconnue : getNumUnique/],
      [inHeader(fileCall(TERRITORIAL, file), NATIONAL), /^Sender: Actions SOAP contraires/],
      [inRoot(fileCall(TERRITORIAL, file), NATIONAL), /^Sender: Actions SOAP contraires/],
    ];
    for (const [call, expected] of wrong) {
      assert.match(reasonIn(readSoap(await post(standin.eventsUrl, call))), expected);
    }
  });

  it("or runs the first operation with a 200, as Apache CXF was seen to, when told so", async () => {
    await order(standin.controlUrl, { do: "settings", actionMissing: "first" });
    for (const call of [without(bare), inHeader(without(bare), SERVICE + TERRITORIAL)]) {
      const answer = readSoap(await post(standin.eventsUrl, call));
      assert.equal(answer.status, 200);
      assert.match(textOf(answer), /<tns:codeTypeEvenement>SIMNAT1</);
    }
    const told = readSoap(await post(standin.eventsUrl, fileCall(TERRITORIAL, file)));
    assert.deepEqual(codesIn(told), ["CTRL_EVT_Z"]);
  });

  it("shows the contract of each service, at paths that can be set", async () => {
    const elsewhere = await runStandin({ quiet: true, searchPath: "/r/", eventsPath: "nuu/evt" });
    try {
      assert.match(elsewhere.searchUrl, /:\d+\/r\/$/);
      assert.match(elsewhere.eventsUrl, /:\d+\/nuu\/evt\/$/);
      const urls = [
        [standin.url, SERVICES.demandes],
        [standin.searchUrl, SERVICES.search],
        [standin.eventsUrl, SERVICES.events],
        [elsewhere.searchUrl, SERVICES.search],
        [elsewhere.eventsUrl, SERVICES.events],
      ] as const;
      for (const [url, service] of urls) {
        const wsdl = await (await fetch(`${url}?wsdl`)).text();
        assert.match(wsdl, new RegExp(`<service name="${service}">`));
        assert.ok(wsdl.includes(`<soap12:address location="${url}"/>`), url);
      }
      const nothing = await fetch(new URL("/services/Autre", standin.url));
      assert.equal(nothing.status, 404);
      assert.match(await nothing.text(), /\/services\/GestionPartageeEVTImplService\//);
    } finally {
      await elsewhere.stop();
    }
    await assert.rejects(runStandin({ quiet: true, searchPath: "/a", eventsPath: "a/" }), /même/);
  });
});
