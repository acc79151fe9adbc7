/** Who calls over HTTP: a guichet by its certificate, by Basic or by its key, and never two at once. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { parseGuichets } from "../../src/adapters/config/guichets-file.ts";
import type { HttpServerOptions } from "../../src/adapters/http/http-server.ts";
import { readServerTls } from "../../src/adapters/http/server-tls.ts";
import { checkHttpTls } from "../../src/check-http-tls.ts";
import { canonicalSubject, indexGuichets, type Guichet } from "../../src/domain/guichet.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { readSettings } from "../../src/runtime/settings.ts";
import { eventually } from "../support/eventually.ts";
import { makeHandClock } from "../support/hand-clock.ts";
import {
  demande,
  GUICHETS,
  KEYS,
  OPERATOR_KEY,
  startHttpGateway,
  type HttpGateway,
  type HttpGatewayParts,
} from "../support/http-gateway.ts";
import { callService, passerelleService, type CallForm } from "../support/passerelle-caller.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/tls");
const read = (name: string): string => readFileSync(join(FIXTURES, name), "utf8");
const fingerprint = (name: string): string => new X509Certificate(read(name)).fingerprint256;
const plain = (print: string): string => print.replaceAll(":", "").toLowerCase();

const SERVER = { key: read("server.key"), cert: read("server.pem") };
const AUTHORITY = read("authority.pem");
/** Signed by the authority. */
const CLIENT = { key: read("client.key"), cert: read("client.pem") };
const OTHER = { key: read("renewed-client.key"), cert: read("renewed-client.pem") };
/** Signed by another one. */
const STRANGER = { key: read("stranger.key"), cert: read("stranger.pem") };
const CLIENT_SUBJECT = canonicalSubject("CN = Passerelle de test")!;

type Credentials = Pick<RequestOptions, "key" | "cert" | "agent">;
interface Asked {
  readonly status: number;
  readonly code: string | undefined;
  readonly guichet: string | undefined;
  readonly challenges: readonly string[];
}

describe("identity over HTTP", () => {
  let gateway: HttpGateway | undefined;
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
  });

  async function start(
    of: { readonly [Code in "A" | "B"]?: Partial<Guichet> },
    more: (parts: HttpGatewayParts) => Partial<HttpServerOptions> = () => ({}),
  ): Promise<void> {
    const guichets = indexGuichets([
      { ...GUICHETS.A, ...of.A },
      { ...GUICHETS.B, ...of.B },
    ]);
    gateway = await startHttpGateway((_, parts) => ({
      guichets,
      tls: SERVER,
      ...passerelleService(parts),
      ...more(parts),
    }));
  }

  /** Asks what a guichet and an operator may both ask; the answer of a deposit tells which guichet. */
  async function ask(
    method: "GET" | "POST",
    path: string,
    credentials: Credentials = {},
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<Asked> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${gateway!.url}${path}`,
        { method, ca: AUTHORITY, agent: false, ...credentials, headers },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (piece: string) => (text += piece));
          response.on("end", () => {
            const json = JSON.parse(text) as { code?: string; guichet?: string };
            resolve({
              status: response.statusCode ?? 0,
              code: json.code,
              guichet: json.guichet,
              challenges: response.headersDistinct["www-authenticate"] ?? [],
            });
          });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }

  const deposit = (
    of: Guichet,
    credentials: Credentials,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Asked> =>
    ask(
      "POST",
      "/api/v1/fluxes",
      credentials,
      { "Content-Type": "text/xml", ...headers },
      demande(of, 1),
    );
  const list = (
    credentials: Credentials,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Asked> => ask("GET", "/api/v1/fluxes", credentials, headers);
  const bearer = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });
  const basic = (user: string, password: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
  });
  const soap = (form: CallForm): Promise<{ text(name: string): string | undefined }> =>
    callService(gateway!.url, "listerFluxDepuis", [], {
      authorization: null,
      ...form,
      tls: { ca: AUTHORITY, ...form.tls },
    });

  describe("by certificate", () => {
    it("knows a guichet by the fingerprint of its certificate, whoever signed it", async () => {
      await start({ A: { certificates: [plain(fingerprint("stranger.pem"))] } });
      const answer = await deposit(GUICHETS.A, STRANGER);
      assert.deepEqual([answer.status, answer.guichet], [201, GUICHETS.A.code]);
      const followed = await soap({ tls: STRANGER });
      assert.match(followed.text("flux") ?? "", new RegExp(`<guichet>${GUICHETS.A.code}<`));
      assert.equal((await deposit(GUICHETS.A, CLIENT)).code, "UNKNOWN_SENDER");
    });

    it("knows one of two fingerprints, so that a certificate is renewed without a break", async () => {
      const both = ["client.pem", "renewed-client.pem"].map((name) => plain(fingerprint(name)));
      await start({ A: { certificates: both } });
      assert.equal((await deposit(GUICHETS.A, CLIENT)).status, 201);
      assert.equal((await deposit(GUICHETS.A, OTHER)).status, 200);
    });

    it("believes a subject that its authority has signed, and no other's", async () => {
      const subject = { A: { certificateSubject: CLIENT_SUBJECT } };
      const strange = { B: { certificateSubject: canonicalSubject("CN=Passerelle inconnue")! } };
      await start({ ...subject, ...strange }, () => ({ tls: { ...SERVER, ca: AUTHORITY } }));
      assert.equal((await deposit(GUICHETS.A, CLIENT)).status, 201);
      // The name is that of B; the authority that says so is not ours.
      const answer = await deposit(GUICHETS.B, STRANGER);
      assert.deepEqual([answer.status, answer.code], [401, "UNKNOWN_SENDER"]);
    });

    it("believes no subject where no authority was given", async () => {
      const fingerprints = { certificates: [plain(fingerprint("renewed-client.pem"))] };
      await start({ A: { certificateSubject: CLIENT_SUBJECT }, B: fingerprints });
      assert.equal((await deposit(GUICHETS.A, CLIENT)).code, "UNKNOWN_SENDER");
    });

    it("tells the administrator what to declare of a certificate it does not know", async () => {
      await start({}, () => ({ tls: { ...SERVER, ca: AUTHORITY } }));
      assert.equal((await list(CLIENT)).code, "UNKNOWN_SENDER");
      const [line] = gateway!.logLines.filter(({ name }) => name === "http.unknownCertificate");
      assert.deepEqual(line?.facts, {
        fingerprint: plain(fingerprint("client.pem")),
        subject: CLIENT_SUBJECT,
        verified: true,
      });
    });

    it("refuses none to a caller without certificate, who may use a key", async () => {
      await start({ A: { certificates: [plain(fingerprint("client.pem"))] } });
      const nobody = await list({});
      assert.deepEqual([nobody.status, nobody.code], [401, "AUTHENTICATION_REQUIRED"]);
      assert.equal((await deposit(GUICHETS.B, {}, bearer(KEYS.B))).status, 201);
    });

    it("takes the certificate and the key of one guichet, never of two", async () => {
      await start({ A: { certificates: [plain(fingerprint("client.pem"))] } });
      assert.equal((await list(CLIENT, bearer(KEYS.A))).status, 200);
      assert.equal((await list(CLIENT, basic(GUICHETS.A.code, KEYS.A))).status, 200);
      for (const headers of [
        bearer(KEYS.B),
        basic(GUICHETS.B.code, KEYS.B),
        bearer(OPERATOR_KEY),
      ]) {
        const answer = await list(CLIENT, headers);
        assert.deepEqual([answer.status, answer.code], [403, "CREDENTIALS_DISAGREE"]);
        const fault = await soap({ tls: CLIENT, authorization: headers["Authorization"]! });
        assert.equal(fault.text("code"), "CREDENTIALS_DISAGREE");
      }
      // A certificate that is nobody's says nothing against a key.
      assert.equal((await list(STRANGER, bearer(KEYS.B))).status, 200);
      // A wrong key is not made right by a certificate.
      assert.equal((await list(CLIENT, bearer("fausse"))).code, "UNKNOWN_SENDER");
    });

    it("refuses a certificate out of its dates, on a connection already open too", async () => {
      let now = Date.now();
      await start({ A: { certificates: [plain(fingerprint("client.pem"))] } }, ({ clock }) => ({
        clock: { ...clock, now: () => now },
      }));
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        assert.equal((await list({ ...CLIENT, agent })).status, 200);
        now = Date.UTC(2056, 0, 1);
        const later = await list({ ...CLIENT, agent });
        assert.deepEqual([later.status, later.code], [401, "CERTIFICATE_NOT_VALID"]);
        now = Date.UTC(2019, 11, 31);
        assert.equal((await list({ ...CLIENT, agent })).code, "CERTIFICATE_NOT_VALID");
      } finally {
        agent.destroy();
      }
    });

    it("knows the caller of a TLS session that is taken up again", async () => {
      await start({ A: { certificates: [plain(fingerprint("client.pem"))] } });
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        let session: Buffer | undefined;
        const open = async (): Promise<{ reused: boolean; status: number }> => {
          const agent = new Agent({ maxCachedSessions: 0 });
          let reused = false;
          const options = {
            ...(session === undefined ? {} : { session }),
            ...{ ...CLIENT, ca: AUTHORITY, agent, maxVersion },
          };
          const status = await new Promise<number>((resolve, reject) => {
            const sent = request(`${gateway!.url}/api/v1/fluxes`, options, (response) => {
              const { socket } = response;
              assert.ok(socket instanceof TLSSocket);
              reused = socket.isSessionReused();
              session ??= socket.getSession();
              response.resume();
              response.on("end", () => resolve(response.statusCode ?? 0));
            });
            sent.on("socket", (socket) => {
              socket.on("session", (given: Buffer) => {
                session = given;
              });
            });
            sent.on("error", reject);
            sent.end();
          });
          agent.destroy();
          return { reused, status };
        };
        assert.equal((await open()).status, 200);
        assert.deepEqual(await open(), { reused: true, status: 200 }, maxVersion);
      }
    });

    it("shows a guichet its own fluxes only", async () => {
      await start({
        A: { certificates: [plain(fingerprint("client.pem"))] },
        B: { certificates: [plain(fingerprint("renewed-client.pem"))] },
      });
      await deposit(GUICHETS.A, CLIENT);
      assert.equal((await deposit(GUICHETS.A, OTHER)).code, "GUICHET_NOT_ALLOWED");
      const [flux] = (await gateway!.outbox.list({ limit: 1 })).fluxes;
      assert.equal((await ask("GET", `/api/v1/fluxes/${flux!.id}`, CLIENT)).status, 200);
      assert.equal((await ask("GET", `/api/v1/fluxes/${flux!.id}`, OTHER)).status, 404);
    });

    it("makes no operator of a program of this machine that shows a certificate", async () => {
      await start({ A: { certificates: [plain(fingerprint("client.pem"))] } }, () => {
        return { operatorKeySha256: undefined } as never;
      });
      const host = { Host: "localhost" };
      assert.equal((await ask("GET", "/api/v1/bilan", {}, host)).status, 200);
      assert.equal((await ask("GET", "/api/v1/bilan", CLIENT, host)).code, "NOT_PERMITTED");
      assert.equal((await ask("GET", "/api/v1/bilan", STRANGER, host)).code, "UNKNOWN_SENDER");
    });
  });

  describe("by Basic", () => {
    beforeEach(() => start({}));

    it("knows a guichet by its code and its key", async () => {
      const answer = await deposit(GUICHETS.A, {}, basic(GUICHETS.A.code, KEYS.A));
      assert.deepEqual([answer.status, answer.guichet], [201, GUICHETS.A.code]);
      const followed = await soap({
        authorization: basic(GUICHETS.A.code, KEYS.A)["Authorization"]!,
      });
      assert.match(followed.text("flux") ?? "", /GARDE/);
    });

    it("knows nobody by anything else", async () => {
      for (const headers of [
        basic(GUICHETS.A.code, KEYS.B),
        basic(GUICHETS.A.code, ""),
        basic("", KEYS.A),
        basic("personne", KEYS.A),
        basic(GUICHETS.A.code, OPERATOR_KEY),
        basic("operateur", OPERATOR_KEY),
      ]) {
        const answer = await list({}, headers);
        assert.deepEqual([answer.status, answer.code], [401, "UNKNOWN_SENDER"]);
      }
      for (const given of [
        "Basic",
        "Basic =",
        "Basic é",
        `Basic ${"A".repeat(2_000)}`,
        "Digest x",
      ]) {
        const answer = await list({}, { Authorization: Buffer.from(given).toString("latin1") });
        assert.deepEqual([answer.status, answer.code], [401, "AUTHENTICATION_REQUIRED"], given);
      }
      const noColon = `Basic ${Buffer.from(GUICHETS.A.code).toString("base64")}`;
      assert.equal((await list({}, { Authorization: noColon })).status, 401);
    });

    it("says how to authenticate, to REST and to SOAP", async () => {
      const expected = [
        'Bearer realm="passerelle-sne"',
        'Basic realm="passerelle-sne", charset="UTF-8"',
      ];
      assert.deepEqual((await list({})).challenges, expected);
      assert.deepEqual((await list({}, bearer("fausse"))).challenges, expected);
      const fault = await callService(gateway!.url, "suivreFlux", [], {
        authorization: null,
        tls: { ca: AUTHORITY },
      });
      assert.equal(fault.status, 401);
      assert.equal(fault.headers["www-authenticate"], expected.join(", "));
    });
  });

  describe("by what the setting lets", () => {
    const ways = {
      certificate: () => list(CLIENT),
      basic: () => list({}, basic(GUICHETS.A.code, KEYS.A)),
      bearer: () => list({}, bearer(KEYS.A)),
    };
    for (const method of ["certificate", "basic", "bearer"] as const) {
      it(`takes ${method} alone when it is alone, and the operator's key always`, async () => {
        await start({ A: { certificates: [plain(fingerprint("client.pem"))] } }, () => ({
          authMethods: [method],
        }));
        for (const [way, asked] of Object.entries(ways)) {
          const { status, code, challenges } = await asked();
          if (way === method) {
            assert.equal(status, 200, way);
          } else {
            assert.deepEqual([status, code], [401, "AUTHENTICATION_REQUIRED"], way);
            assert.ok(challenges.some((one) => one.startsWith("Basic")) === (method === "basic"));
          }
        }
        assert.equal((await list({}, bearer(OPERATOR_KEY))).status, 200);
      });
    }
  });

  describe("the files of the port", () => {
    let folder: string;
    let files: { certFile: string; keyFile: string; caFile: string };
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "passerelle-identite-"));
      files = {
        certFile: join(folder, "port.pem"),
        keyFile: join(folder, "port.key"),
        caFile: join(folder, "autorites.pem"),
      };
      copyFileSync(join(FIXTURES, "server.pem"), files.certFile);
      copyFileSync(join(FIXTURES, "server.key"), files.keyFile);
      copyFileSync(join(FIXTURES, "authority.pem"), files.caFile);
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    /** The name in the certificate the port now shows. */
    function shown(): Promise<string> {
      return new Promise((resolve, reject) => {
        const options = { rejectUnauthorized: false, agent: false } as const;
        const sent = request(`${gateway!.url}/livez`, options, (response) => {
          const { socket } = response;
          assert.ok(socket instanceof TLSSocket);
          const subject = socket.getPeerX509Certificate()?.subject ?? "";
          response.resume();
          response.on("end", () => resolve(subject));
        });
        sent.on("error", reject);
        sent.end();
      });
    }

    it("are read again when they change, and never served when they do not go together", async () => {
      const settle = async (): Promise<void> => {
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      };
      const clock = makeHandClock(Date.now(), settle);
      const tls = { ...(await readServerTls(files)), files };
      const both = { certificateSubject: CLIENT_SUBJECT };
      const strange = { certificateSubject: canonicalSubject("CN=Passerelle inconnue")! };
      await start({ A: both, B: strange }, () => ({ tls, clock }));
      const passes = async (name: string): Promise<void> => {
        await eventually(name, async () => {
          await clock.pass(10_000);
          return gateway!.logLines.some((line) => line.name === name);
        });
      };
      assert.equal(await shown(), "CN=localhost");
      assert.equal((await deposit(GUICHETS.B, STRANGER)).code, "UNKNOWN_SENDER");

      copyFileSync(join(FIXTURES, "other-server.pem"), files.certFile);
      await passes("http.certificateNotUsable");
      assert.equal(await shown(), "CN=localhost");

      copyFileSync(join(FIXTURES, "other-server.key"), files.keyFile);
      writeFileSync(files.caFile, AUTHORITY + read("other-authority.pem"));
      await passes("http.certificateRenewed");
      assert.equal(await shown(), "CN=sne.invalid");
      // The authorities were renewed too, and clients are still asked.
      const anyServer = { rejectUnauthorized: false };
      assert.equal((await deposit(GUICHETS.B, { ...STRANGER, ...anyServer })).status, 201);
      assert.equal((await deposit(GUICHETS.A, { ...CLIENT, ...anyServer })).status, 201);
      assert.equal(gateway!.logLines.filter(({ name }) => name.startsWith("http.cert")).length, 2);
    });

    it("are told by their setting, in French, when they cannot serve", async () => {
      const wrong: readonly (readonly [Partial<typeof files>, RegExp])[] = [
        [
          { certFile: join(folder, "absent.pem") },
          /GATEWAY_HTTP_TLS_CERT .*absent\.pem n'existe pas/,
        ],
        [{ certFile: files.keyFile }, /GATEWAY_HTTP_TLS_CERT .*aucun certificat/],
        [{ keyFile: join(folder, "absent.key") }, /GATEWAY_HTTP_TLS_KEY .*n'existe pas/],
        [{ keyFile: files.certFile }, /GATEWAY_HTTP_TLS_KEY .*pas une clé privée/],
        [{ keyFile: join(FIXTURES, "client.key") }, /GATEWAY_HTTP_TLS_KEY .*n'est pas celle/],
        [{ keyFile: join(FIXTURES, "client-locked.key") }, /GATEWAY_HTTP_TLS_KEY .*phrase secrète/],
        [{ caFile: join(folder, "absent.pem") }, /GATEWAY_HTTP_TLS_CA .*n'existe pas/],
        [{ caFile: files.keyFile }, /GATEWAY_HTTP_TLS_CA .*aucun certificat/],
        [{ certFile: folder }, /GATEWAY_HTTP_TLS_CERT .*n'a pas pu être lu/],
      ];
      for (const [change, expected] of wrong) {
        await assert.rejects(readServerTls({ ...files, ...change }), {
          code: "INVALID_SETTING",
          message: expected,
        });
      }
      const broken = join(folder, "abime.pem");
      writeFileSync(broken, read("server.pem").replace(/MII/, "XXX"));
      await assert.rejects(readServerTls({ ...files, certFile: broken }), /certificat illisible/);
    });
  });

  describe("as the doctor sees it", () => {
    const clock = { now: () => Date.UTC(2026, 0, 15) } as Clock;
    const TLS_SETTINGS = {
      GATEWAY_HTTP_TLS_CERT: join(FIXTURES, "server.pem"),
      GATEWAY_HTTP_TLS_KEY: join(FIXTURES, "server.key"),
    };
    async function checks(
      environment: Readonly<Record<string, string>>,
      of: Partial<Guichet> = {},
    ): Promise<readonly string[]> {
      const reading = readSettings(environment);
      assert.ok(reading.kind === "read", JSON.stringify(reading));
      const guichets = indexGuichets([{ ...GUICHETS.A, ...of }]);
      const told: string[] = [];
      for await (const { level, text } of checkHttpTls(reading.settings, guichets, clock)) {
        told.push(`${level}: ${text}`);
      }
      return told;
    }

    it("tells a port that speaks to a network in the clear, and certificates nobody reads", async () => {
      assert.match((await checks({})).join(), /^ok: /);
      assert.match((await checks({ GATEWAY_HTTP_HOST: "0.0.0.0" })).join(), /^warning: .*en clair/);
      const unread = await checks({}, { certificates: [plain(fingerprint("client.pem"))] });
      assert.match(unread[1] ?? "", /^warning: .*1A001.*ne parle pas TLS/);
    });

    it("looks at the files, and at the authority that subjects need", async () => {
      assert.match((await checks(TLS_SETTINGS)).join(), /^ok: .*vont ensemble/);
      const wrong = { ...TLS_SETTINGS, GATEWAY_HTTP_TLS_KEY: join(FIXTURES, "client.key") };
      assert.match((await checks(wrong)).join(), /^failed: .*n'est pas celle/);
      const subject = { certificateSubject: CLIENT_SUBJECT };
      assert.match((await checks(TLS_SETTINGS, subject))[1] ?? "", /^warning: .*sans autorité/);
      const ca = { ...TLS_SETTINGS, GATEWAY_HTTP_TLS_CA: join(FIXTURES, "authority.pem") };
      assert.equal((await checks(ca, subject)).length, 1);
    });

    it("reads no setting that would let nobody in, or that does nothing", () => {
      for (const [environment, env] of [
        [{ GATEWAY_HTTP_TLS_CERT: "a.pem" }, "GATEWAY_HTTP_TLS_KEY"],
        [{ GATEWAY_HTTP_TLS_CA: "a.pem" }, "GATEWAY_HTTP_TLS_CA"],
        [{ GATEWAY_HTTP_AUTH: "certificate" }, "GATEWAY_HTTP_AUTH"],
        [{ GATEWAY_HTTP_AUTH: "digest" }, "GATEWAY_HTTP_AUTH"],
        [{ GATEWAY_SOAP_PATH: "services" }, "GATEWAY_SOAP_PATH"],
        [{ GATEWAY_SOAP_PATH: "/a/:b" }, "GATEWAY_SOAP_PATH"],
        [{ GATEWAY_SOAP_PATH: "/" }, "GATEWAY_SOAP_PATH"],
        [{ GATEWAY_SOAP_PATH: "/api/v1" }, "GATEWAY_SOAP_PATH"],
        [
          { GATEWAY_SOAP_PATH: "/services", GATEWAY_DROPIN_EVENTS_PATH: "/services/" },
          "GATEWAY_DROPIN_EVENTS_PATH",
        ],
      ] as const) {
        const reading = readSettings(environment);
        assert.ok(reading.kind === "invalid");
        assert.deepEqual(
          reading.problems.map((one) => one.env),
          [env],
        );
      }
    });
  });

  describe("in the file of guichets", () => {
    const one = (more: string): string =>
      `{ "guichets": [ { "code": "A", "name": "A", ${more} }, { "code": "B", "name": "B", "senders": ["b@b.test"] } ] }`;
    const read1 = (text: string): Guichet => {
      const reading = parseGuichets(text, "/");
      assert.ok(reading.kind === "read", JSON.stringify(reading));
      return reading.guichets.byCode("A")!;
    };
    const problems = (text: string): string => {
      const reading = parseGuichets(text, "/");
      return reading.kind === "read"
        ? ""
        : reading.problems.map((one1) => one1.message).join(" / ");
    };
    const print = fingerprint("client.pem");

    it("reads fingerprints and subjects as people write them", () => {
      for (const written of [
        print,
        print.toLowerCase(),
        plain(print),
        plain(print).toUpperCase(),
      ]) {
        assert.deepEqual(read1(one(`"certificates": ["${written}"]`)).certificates, [plain(print)]);
      }
      const subject = read1(one(`"certificateSubject": "C = FR, O=OPH\\\\, Tilleuls, cn=A"`));
      assert.equal(subject.certificateSubject, "C=FR, CN=A, O=OPH\\, Tilleuls");
      assert.equal(canonicalSubject("CN=A\nO=OPH\\, Tilleuls\nC=FR"), subject.certificateSubject);
    });

    it("says what is wrong with them, and whose they are already", () => {
      assert.match(problems(one('"certificates": []')), /au moins une/);
      assert.match(problems(one('"certificates": "x"')), /liste d'empreintes/);
      assert.match(problems(one('"certificates": ["abc"]')), /openssl x509/);
      assert.match(problems(one(`"certificates": ["${print}", "${plain(print)}"]`)), /déjà dans/);
      assert.match(problems(one('"certificateSubject": "Bailleur"')), /attribut par attribut/);
      const twice = (field: string): string =>
        `{ "guichets": [ { "code": "A", "name": "A", ${field} }, { "code": "B", "name": "B", ${field} } ] }`;
      assert.match(problems(twice(`"certificates": ["${print}"]`)), /guichet « A »/);
      assert.match(problems(twice('"certificateSubject": "CN=A"')), /déjà celui d'un autre/);
      assert.equal(problems(one('"certificateSubject": "CN=A", "returnBy": "rest"')), "");
    });
  });
});
