/** The stand-in SNE fails on order, in every way it says it can, and obeys nothing by halves. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "../support/eventually.ts";
import {
  ask,
  envelope,
  errorOf,
  numUniqueCall,
  order,
  plain,
  post,
  readSoap,
  type HttpAnswer,
} from "../support/standin-calls.ts";

const root = join(import.meta.dirname, "../..");
const SERVER_ERROR = "Une erreur inattendue est survenue lors du traitement de la demande.";

interface Effects {
  readonly calls: number;
  readonly effects: number;
  readonly takenMoreThanOnce: number;
  readonly inProgress: number;
}

describe("the orders of the stand-in SNE", function () {
  this.timeout(60_000);
  let standin: RunningStandin;
  before(async () => {
    standin = await runStandin({ quiet: true });
  });
  beforeEach(() => tell([{ do: "clear" }, { do: "forget" }, { do: "settings", doublons: false }]));
  after(() => standin.stop());

  const tell = async (orders: unknown): Promise<void> => {
    const { status, value } = await order(standin.controlUrl, orders);
    assert.equal(status, 200, JSON.stringify(value));
  };
  const give = (of: Partial<SampleDemande> = {}): Promise<HttpAnswer> =>
    post(standin.url, numUniqueCall(makeDemande({ typeFichier: "CRE", guichet: "G1104", ...of })));
  const effects = (): Promise<Effects> =>
    ask<Effects>(standin.controlUrl, "/standin/effects?summary");
  const works = async (): Promise<void> => {
    const answer = readSoap(await give());
    assert.equal(answer.status, 200);
  };

  describe("down", () => {
    it("refuses connections, and comes back on the same address", async () => {
      await tell({ do: "down" });
      assert.equal(await errorOf(give()), "ECONNREFUSED");
      const state = await ask<{ line: unknown }>(standin.controlUrl, "/standin/control");
      assert.deepEqual(state.line, { is: "down", how: "refuse" });
      await tell({ do: "up" });
      await works();
      assert.equal((await effects()).calls, 1);
    });

    it("lets a call in progress end, or cuts it", async () => {
      await tell({ do: "slow", ms: 150 });
      for (const cut of [false, true]) {
        const ends = give().then(
          ({ status }) => `${status}`,
          (error: unknown) => (error as NodeJS.ErrnoException).code,
        );
        await eventually("the call is in progress", async () => (await effects()).inProgress === 1);
        await tell({ do: "down", cut });
        assert.equal(await ends, cut ? "ECONNRESET" : "200");
        assert.equal(await errorOf(give()), "ECONNREFUSED");
        await tell({ do: "up" });
      }
      await eventually("the cut call took its effect", async () => (await effects()).effects === 2);
    });

    it("answers 503 with Retry-After, 404, a redirection, for so many calls", async () => {
      await tell({ do: "down", how: "503", retryAfterS: 7, times: 2 });
      for (let i = 0; i < 2; i += 1) {
        const answer = await give();
        assert.equal(answer.status, 503);
        assert.equal(answer.headers["retry-after"], "7");
      }
      await works();
      await tell({ do: "down", how: "404" });
      assert.equal((await give()).status, 404);
      await tell({ do: "down", how: "redirect", location: "http://127.0.0.1:1/ailleurs" });
      const redirected = await give();
      assert.equal(redirected.status, 307);
      assert.equal(redirected.headers.location, "http://127.0.0.1:1/ailleurs");
      assert.equal(redirected.headers["x-standin"], "not the SNE");
      assert.equal((await effects()).effects, 1);
    });

    it("resets connections, or never answers", async () => {
      await tell({ do: "down", how: "reset" });
      assert.equal(await errorOf(give()), "ECONNRESET");
      await tell({ do: "down", how: "hang" });
      const waiting = new AbortController();
      const call = makeDemande({ typeFichier: "CRE", guichet: "G1104" });
      const hung = errorOf(post(standin.url, numUniqueCall(call), waiting.signal));
      const silence = await Promise.race([
        hung,
        new Promise((resolve) => setTimeout(resolve, 100, "silence")),
      ]);
      assert.equal(silence, "silence");
      waiting.abort();
      assert.equal(await hung, "ABORT_ERR");
      await tell({ do: "up" });
      await works();
      assert.equal((await effects()).calls, 1);
    });
  });

  describe("loses an answer after the effect", () => {
    it("once, so that the same call again is a second effect", async () => {
      await tell({ do: "loseAnswer", times: 1 });
      assert.equal(await errorOf(give()), "ECONNRESET");
      assert.equal((await effects()).effects, 1);
      await works();
      const after = await effects();
      assert.deepEqual([after.calls, after.effects, after.takenMoreThanOnce], [2, 2, 1]);
    });

    it("or before it, when told so", async () => {
      await tell({ do: "loseAnswer", times: 1, effect: false });
      assert.equal(await errorOf(give()), "ECONNRESET");
      assert.equal((await effects()).effects, 0);
    });

    it("for a share of the calls", async () => {
      await tell({ do: "loseAnswer", when: { ratio: 0.5 } });
      const ends = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          give({ refInterne: `R${i}` }).then(
            () => "answered",
            () => "lost",
          ),
        ),
      );
      const lost = ends.filter((end) => end === "lost").length;
      // Less than one chance in ten thousand million to fall outside.
      assert.ok(lost > 2 && lost < 38, `${lost} lost of 40`);
      assert.equal((await effects()).effects, 40);
    });
  });

  it("is slow, and takes the effect even when the client has left", async () => {
    await tell({ do: "slow", ms: 80, times: 1 });
    const start = performance.now();
    await works();
    assert.ok(performance.now() - start >= 79);
    // Long enough for the client to be gone first, on a machine however busy.
    await tell({ do: "slow", ms: 1_000, times: 1 });
    const leaving = new AbortController();
    const call = numUniqueCall(makeDemande({ typeFichier: "CRE", guichet: "G1104" }));
    const left = errorOf(post(standin.url, call, leaving.signal));
    await eventually("the call arrived", async () => (await effects()).calls === 2);
    leaving.abort();
    await left;
    assert.equal((await effects()).effects, 1);
    await eventually("the effect was taken", async () => (await effects()).effects === 2);
    const { calls } = await ask<{ calls: { clientGone: boolean }[] }>(
      standin.controlUrl,
      "/standin/calls",
    );
    assert.deepEqual(
      calls.map(({ clientGone }) => clientGone),
      [false, true],
    );
  });

  describe("answers wrongly", () => {
    interface Wrong {
      readonly order: Readonly<Record<string, unknown>>;
      readonly status: number;
      readonly effects: number;
      readonly body: RegExp;
    }
    const cases: Readonly<Record<string, Wrong>> = {
      "an empty body": {
        order: { do: "emptyBody" },
        status: 200,
        effects: 1,
        body: /^$/,
      },
      "a page of HTML": { order: { do: "htmlPage" }, status: 200, effects: 0, body: /^<!doctype/ },
      "another element": {
        order: { do: "wrongElement" },
        status: 200,
        effects: 1,
        body: /<sne:autreReponse xmlns:sne="http:\/\/ws\.metier\.nuu\.application\.i2\/">/,
      },
      "another namespace": {
        order: { do: "wrongNamespace" },
        status: 200,
        effects: 1,
        body: /<sne:numUniqueReponse xmlns:sne="http:\/\/ws\.metier\.nuu\.application\.i2\/autre\/">/,
      },
      "the SNE's error in a fault": {
        order: { do: "serverError" },
        status: 500,
        effects: 0,
        body: new RegExp(`soap:Receiver<.*xml:lang="fr">${SERVER_ERROR}<`),
      },
      "the SNE's error in a 200": {
        order: { do: "serverError", as: "answer" },
        status: 200,
        effects: 0,
        body: new RegExp(`<message>${SERVER_ERROR}</message>`),
      },
      "the SNE's error after the effect": {
        order: { do: "serverError", effect: true },
        status: 500,
        effects: 1,
        body: new RegExp(SERVER_ERROR),
      },
      "a fault of the sender": {
        order: { do: "fault", who: "sender", text: "Non." },
        status: 500,
        effects: 0,
        body: /<soap:Value>soap:Sender<.*>Non\.</,
      },
      "a fault of the receiver": {
        order: { do: "fault" },
        status: 500,
        effects: 0,
        body: /<soap:Value>soap:Receiver</,
      },
      "a SOAP 1.1 fault": {
        order: { do: "fault11", text: "Vieux." },
        status: 500,
        effects: 0,
        body: /<faultcode>soap:Server<\/faultcode><faultstring xml:lang="fr">Vieux\.</,
      },
      "a status": {
        order: { do: "httpStatus", status: 429, retryAfterS: 3 },
        status: 429,
        effects: 0,
        body: /n'est pas le SNE/,
      },
    };
    for (const [name, wrong] of Object.entries(cases)) {
      it(`with ${name}, once`, async () => {
        await tell({ ...wrong.order, times: 1 });
        const answer = await give();
        assert.equal(answer.status, wrong.status);
        assert.match(answer.body.toString("utf8"), wrong.body);
        assert.equal(answer.headers["x-standin"], "not the SNE");
        assert.equal((await effects()).effects, wrong.effects);
        await works();
      });
    }

    it("without its closing boundary", async () => {
      await tell({ do: "truncate", times: 1 });
      const answer = await give();
      assert.equal(answer.status, 200);
      const boundary = /boundary="([^"]+)"/.exec(answer.headers["content-type"] ?? "")?.[1] ?? "?";
      assert.ok(answer.body.includes(`--${boundary}\r\n`));
      assert.ok(!answer.body.includes(`--${boundary}--`));
      assert.equal(Number(answer.headers["content-length"]), answer.body.length);
      assert.equal((await effects()).effects, 1);
    });

    it("with a reset, or silence, for the calls a rule looks at only", async () => {
      await tell([
        { do: "reset", when: { guichet: "g2" } },
        { do: "hang", when: { refInterne: "SILENCE" } },
      ]);
      assert.equal(await errorOf(give({ guichet: "G2" })), "ECONNRESET");
      const leaving = new AbortController();
      const call = makeDemande({ typeFichier: "CRE", guichet: "G1", refInterne: "SILENCE" });
      const hung = errorOf(post(standin.url, numUniqueCall(call), leaving.signal));
      await eventually("both calls arrived", async () => (await effects()).calls === 2);
      leaving.abort();
      assert.equal(await hung, "ABORT_ERR");
      await works();
      assert.equal((await effects()).effects, 1);
    });

    it("with a fault in plain application/soap+xml", async () => {
      await tell([{ do: "settings", faults: "plain" }, { do: "fault" }]);
      const answer = await give();
      assert.equal(answer.headers["content-type"], "application/soap+xml; charset=utf-8");
      assert.match(answer.body.toString("utf8"), /^<soap:Envelope /);
    });

    it("with an attestation that is text, or none", async () => {
      await tell({ do: "settings", attestation: "text" });
      const text = readSoap(await give());
      new TextDecoder("utf-8", { fatal: true }).decode(text.body);
      assert.match(Buffer.from(text.files[1] ?? []).toString("utf8"), /^Ceci n'est pas une attest/);
      await tell({ do: "settings", attestation: "none" });
      assert.equal(readSoap(await give()).files.length, 1);
    });
  });

  it("refuses by rule, with codes longer than the schema's if told, several at once", async () => {
    const anomaly = { do: "anomaly", propriete: "nom", message: "Refusé & dit." };
    await tell([
      { ...anomaly, code: "CTRL_DEM_0033", when: { nom: "étienne", typeFichier: "CRE" } },
      { ...anomaly, code: "CTRL_DEM_X", when: { nom: "Étienne" }, times: 1 },
    ]);
    const refused = Buffer.from(readSoap(await give({ nom: "Étienne" })).files[0] ?? []).toString();
    assert.match(
      refused,
      /<tns:anomalie code="CTRL_DEM_0033" propriete="nom"><tns:message>Refusé &amp; dit\.</,
    );
    assert.match(refused, /<tns:anomalie code="CTRL_DEM_X"/);
    const again = Buffer.from(readSoap(await give({ nom: "ÉTIENNE" })).files[0] ?? []).toString();
    assert.doesNotMatch(again, /CTRL_DEM_X/);
    await works();
    assert.equal((await effects()).effects, 1);
  });

  it("shows its rules, spends them, and removes one", async () => {
    await tell([
      { do: "slow", ms: 1, times: 2 },
      { do: "fault", when: { guichet: "ZZ" } },
    ]);
    await works();
    interface State {
      readonly notTheSne: boolean;
      readonly rules: readonly { id: number; applied: number; times?: number }[];
    }
    const state = await ask<State>(standin.controlUrl, "/standin/control");
    assert.equal(state.notTheSne, true);
    assert.deepEqual(
      state.rules.map(({ applied, times }) => [applied, times]),
      [
        [1, 1],
        [0, undefined],
      ],
    );
    await works();
    await tell({ do: "remove", id: state.rules[1]?.id });
    const after = await ask<State>(standin.controlUrl, "/standin/control");
    assert.deepEqual(after.rules, []);
  });

  it("applies nothing of a list with one wrong order, and says what is wrong", async () => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [[{ do: "down" }, { do: "slow" }], /^order 2: ms is missing$/],
      [{ do: "slow", ms: 1, tmies: 3 }, /^order 1: an order has no field "tmies"$/],
      [{ do: "slow", ms: -1 }, /ms is a number, at least 0/],
      [{ do: "slow", ms: 1, when: { guihcet: "G" } }, /when has no field "guihcet"/],
      [{ do: "fault", when: { ratio: 2 } }, /ratio goes from 0 to 1/],
      [{ do: "dwon" }, /"dwon" is none of up, down/],
      [{ do: "down", how: "refuse", times: 1 }, /takes no times/],
      [{ do: "anomaly", message: "sans code" }, /code is missing/],
      [{ do: "fault", times: 0 }, /times is a number, at least 1/],
      ["down", /an order is a JSON object/],
    ];
    for (const [orders, reason] of wrong) {
      const { status, value } = await order(standin.controlUrl, orders);
      assert.equal(status, 400);
      assert.match(String(value["error"]), reason);
    }
    await works();
  });

  it("takes orders from no form of a web page", async () => {
    const answer = await fetch(`${standin.controlUrl}/standin/control`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: '{"do":"down"}',
    });
    assert.equal(answer.status, 415);
    await works();
  });

  it("plays a scenario: what is for the start is in force at once", async () => {
    const example = join(root, "config/standin-scenario.example.json");
    const played = await runStandin({ quiet: true, scenarioFile: example });
    const file = makeDemande({ typeFichier: "CRE", guichet: "G9999" });
    const answer = readSoap(await post(played.url, numUniqueCall(file)));
    assert.match(Buffer.from(answer.files[0] ?? []).toString(), /code="CTRL_DEM_G"/);
    await played.stop();
    await played.stop();
    assert.ok(JSON.parse(readFileSync(example, "utf8")));
  });

  it("asks for a client certificate when it has an authority", async () => {
    const tlsFile = (name: string): Buffer => readFileSync(join(root, "test/fixtures/tls", name));
    const secured = await runStandin({
      quiet: true,
      tls: {
        cert: tlsFile("server.pem"),
        key: tlsFile("server.key"),
        ca: tlsFile("authority.pem"),
      },
    });
    assert.match(secured.url, /^https:/);
    const statusWith = (client: object): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { method: "POST", ca: tlsFile("authority.pem"), agent: false, ...client };
        const sent = request(secured.url, { ...options, servername: "localhost" }, (res) => {
          res.resume();
          resolve(res.statusCode ?? 0);
        });
        sent.on("error", reject);
        sent.setHeader("Content-Type", "application/soap+xml");
        sent.end(envelope("numUniqueParametres", ""));
      });
    const known = { cert: tlsFile("client.pem"), key: tlsFile("client.key") };
    assert.equal(await statusWith(known), 500);
    await assert.rejects(statusWith({}));
    // Not TLS at all: that connection ends, the next is served.
    const url = new URL(secured.url);
    const socket = connect(Number(url.port), url.hostname);
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await once(socket, "close");
    assert.equal(await statusWith(known), 500);
    await secured.stop();
  });

  it("is a program that says what it is, tells where, and stops when asked", async () => {
    const code =
      'import { standinMain } from "./src/standin/standin-main.ts"; ' +
      "process.exitCode = await standinMain(process.argv.slice(1));";
    const args = ["--input-type=module", "-e", code, "--"];
    const run = spawn(process.execPath, [...args, "--port", "0", "--control-port", "0", "--json"], {
      cwd: root,
    });
    let banner = "";
    run.stderr.on("data", (chunk: Buffer) => (banner += chunk.toString("utf8")));
    const [line] = (await once(createInterface(run.stdout), "line")) as [string];
    const ready = JSON.parse(line) as { event: string; url: string; controlUrl: string };
    assert.equal(ready.event, "standin.ready");
    assert.equal((await post(ready.url, plain(envelope("autre", "")))).status, 500);
    await eventually("the banner", () => banner.includes("CECI N'EST PAS LE SNE"));
    run.kill("SIGTERM");
    const [exitCode] = (await once(run, "exit")) as [number | null];
    assert.equal(exitCode, 0);
    const wrong = spawn(process.execPath, [...args, "--prot", "1"], { cwd: root });
    let said = "";
    wrong.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    const [wrongCode] = (await once(wrong, "exit")) as [number | null];
    assert.equal(wrongCode, 2);
    assert.match(said, /--prot/);
  });
});
