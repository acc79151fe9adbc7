/** Hostile and broken requests: each gets a clear answer, keeps nothing, and costs little. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { eventually } from "../support/eventually.ts";
import {
  demande,
  GUICHETS,
  KEYS,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { openRaw, readRaw, sendRaw, type RawAnswer } from "../support/raw-http.ts";

const { A } = GUICHETS;
const HEAD =
  `POST /api/v1/fluxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEYS.A}\r\n` +
  "Content-Type: application/xml\r\n";

describe("hostile requests", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway(() => ({
      limits: { headMs: 20_000, requestMs: 30_000, idleMs: 5_000 },
    }));
  });
  afterEach(() => gateway.stop());

  async function keptNothing(): Promise<void> {
    assert.equal((await gateway.outbox.counts()).received, 0);
  }

  function problemOf(answer: RawAnswer): { code: string; status: number } {
    assert.match(answer.head, /application\/problem\+json/);
    return JSON.parse(answer.body) as { code: string; status: number };
  }

  it("refuses 60 MB while they come, and is still heard by who sends them", async () => {
    const before = process.memoryUsage().rss;
    const status = await new Promise<number>((resolve, reject) => {
      const sent = httpRequest(`${gateway.url}/api/v1/fluxes`, {
        method: "POST",
        headers: { Authorization: `Bearer ${KEYS.A}`, "Content-Type": "application/xml" },
      });
      sent.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on("error", reject);
      const chunk = Buffer.alloc(1024 * 1024, "a");
      let left = 60;
      const more = (): void => {
        while (left > 0) {
          left -= 1;
          if (!sent.write(chunk)) {
            sent.once("drain", more);
            return;
          }
        }
        sent.end();
      };
      more();
    });
    assert.equal(status, 413);
    assert.ok(process.memoryUsage().rss - before < 60 * 1024 * 1024, "the body was not gathered");
    await keptNothing();
  });

  it("is heard even by who reads nothing before it has sent all", async () => {
    const { socket, closed } = openRaw(gateway.port);
    socket.pause();
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = Buffer.alloc(10 * 1024 * 1024, "a");
    socket.write(`${chunk.length.toString(16)}\r\n`);
    // Whether it could all be sent or not, only now does it read.
    socket.write(chunk, () => socket.end("\r\n0\r\n\r\n", () => socket.resume()));
    const answer = readRaw(await closed);
    assert.equal(answer.status, 413);
    assert.equal(problemOf(answer).code, "FILE_TOO_LARGE");
  });

  it("refuses an announced 60 MB before a byte of them is sent", async () => {
    const answer = await sendRaw(
      gateway.port,
      `${HEAD}Expect: 100-continue\r\nContent-Length: 60000000\r\n\r\n`,
    );
    assert.equal(answer.status, 413);
    assert.equal(problemOf(answer).code, "FILE_TOO_LARGE");
  });

  it("says 100 Continue to a body it will read", async () => {
    const { socket, closed } = openRaw(gateway.port);
    const bytes = demande(A, 1);
    const length = `Content-Length: ${bytes.length}`;
    socket.write(`${HEAD}Expect: 100-continue\r\nConnection: close\r\n${length}\r\n\r\n`);
    let isContinued = false;
    socket.once("data", (text: string) => {
      isContinued = text.startsWith("HTTP/1.1 100 Continue");
      socket.write(bytes);
    });
    assert.match(await closed, /HTTP\/1\.1 201 Created/);
    assert.ok(isContinued);
  });

  /** Sends a byte now and then, as someone does who wants to hold a connection for ever. */
  async function drip(begin: string): Promise<RawAnswer> {
    const { socket, closed } = openRaw(gateway.port);
    socket.write(begin);
    const dripping = setInterval(() => socket.write("a"), 50);
    try {
      return readRaw(await closed);
    } finally {
      clearInterval(dripping);
    }
  }

  it("gives up on a body that comes too slowly", async () => {
    await gateway.stop();
    gateway = await startHttpGateway(() => ({ limits: { headMs: 400, requestMs: 800 } }));
    const answer = await drip(`${HEAD}Content-Length: 1000\r\n\r\n<interface`);
    assert.equal(answer.status, 408);
    assert.equal(problemOf(answer).status, 408);
    await keptNothing();
  });

  it("gives up on a head that comes too slowly, long before a body would be", async () => {
    await gateway.stop();
    gateway = await startHttpGateway(() => ({ limits: { headMs: 300, requestMs: 600_000 } }));
    const answer = await drip("POST /api/v1/fluxes HTTP/1.1\r\nHost: x\r\nX-A: ");
    assert.equal(answer.status, 408);
  });

  it("keeps nothing of a body shorter than announced", async () => {
    const bytes = Buffer.from(demande(A, 2));
    const { socket, closed } = openRaw(gateway.port);
    socket.write(`${HEAD}Content-Length: ${bytes.length + 1}\r\n\r\n`);
    socket.end(bytes);
    assert.doesNotMatch(await closed, /201/);
    await keptNothing();
  });

  it("takes what follows a body longer than announced for no part of it", async () => {
    const bytes = Buffer.from(demande(A, 3));
    const head = Buffer.from(`${HEAD}Content-Length: ${bytes.length}\r\n\r\n`);
    const answer = await sendRaw(
      gateway.port,
      Buffer.concat([head, bytes, Buffer.from("trop\r\n\r\n")]),
    );
    assert.equal(answer.status, 201);
    const [id] = /[0-9A-HJKMNP-TV-Z]{26}/.exec(answer.body)!;
    const kept = await gateway.outbox.file(id, "original");
    assert.deepEqual(Buffer.from(kept!.bytes), bytes);
    assert.match(answer.body, /HTTP\/1\.1 400/);
  });

  it("refuses requests that two readers could cut differently", async () => {
    for (const lines of [
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
      "Content-Length: -1\r\n\r\n",
      "Content-Length: 1e3\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
      "X-Bad: a\nb: c\r\n\r\n",
      "X-Bad: a\0b\r\n\r\n",
    ]) {
      const answer = await sendRaw(gateway.port, HEAD + lines);
      assert.equal(answer.status, 400, JSON.stringify(lines));
      assert.equal(problemOf(answer).code, "INVALID_REQUEST");
    }
    const noHost = await sendRaw(gateway.port, "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert.equal(noHost.status, 400);
    await keptNothing();
  });

  it("refuses a head too long, and what is not HTTP", async () => {
    const long = await sendRaw(gateway.port, `${HEAD}X-A: ${"a".repeat(20_000)}\r\n\r\n`);
    assert.equal(long.status, 431);
    const tls = await sendRaw(gateway.port, Buffer.from("16030100c8010000c40303", "hex"));
    assert.equal(tls.status, 400);
  });

  it("makes a safe name of whatever a file is called", async () => {
    const names = [
      ['attachment; filename="../../etc/passwd.xml"', "passwd.xml"],
      ['attachment; filename="C:\\\\dos\\\\a.xml"', "a.xml"],
      ["attachment; filename*=UTF-8''..%2F..%2Fa%0D%0ASet-Cookie%3A%20x.xml", "aSet-Cookie_ x.xml"],
      ["attachment; filename*=UTF-8''%ZZ; filename=plain.xml", "plain.xml"],
      ['attachment; filename="\u202egpj.xml"', "gpj.xml"],
      ['attachment; filename=".."', "flux.xml"],
      ["attachment", "flux.xml"],
    ] as const;
    for (const [index, [disposition, expected]] of names.entries()) {
      const answer = await gateway.deposit("A", demande(A, 100 + index), {
        "Content-Disposition": Buffer.from(disposition, "utf8").toString("latin1"),
      });
      assert.equal(answer.json.fileName, expected);
    }
    const form = new FormData();
    form.set("f", new Blob([demande(A, 120)]), "../../\u0007x.xml");
    const answer = await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: form });
    assert.equal(answer.json.fileName, "x.xml");
  });

  it("answers forms that are broken, truncated, or of too many parts", async () => {
    const part = 'Content-Disposition: form-data; name="f"; filename="f.xml"\r\n';
    const send = (body: string, type = "multipart/form-data; boundary=b") =>
      gateway.deposit("A", Buffer.from(body), { "Content-Type": type });
    const answers = [
      await send("--b\r\n", "multipart/form-data"),
      await send(`--b\r\n${part}\r\n<a/>`),
      await send("pas un formulaire"),
      await send(
        Array.from(
          { length: 30 },
          (_, i) => `--b\r\nContent-Disposition: form-data; name="${i}"\r\n\r\nx\r\n`,
        ).join("") + "--b--",
      ),
      await send(`--b\r\n${part}Content-Transfer-Encoding: base64\r\n\r\nPGEvPg==\r\n--b--`),
      await send(`--b\r\n${part}\r\n\r\n--b--`),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 400, 415, 422],
    );
    await keptNothing();
  });

  it("puts nothing of a request into the headers of its answer", async () => {
    const answer = await gateway.call("GET", "/api/v1/fluxes/x%0d%0aSet-Cookie:%20a=b", {
      key: KEYS.A,
    });
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get("set-cookie"), null);
    assert.equal(answer.headers.get("x-powered-by"), null);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  });

  it("answers odd addresses and methods without losing its temper", async () => {
    const get = async (path: string) => {
      const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      return (await sendRaw(gateway.port, head)).status;
    };
    assert.equal(await get("/api/v1/fluxes/%zz"), 400);
    assert.equal(await get("/%"), 400);
    assert.equal(await get("/rien"), 404);
    assert.equal(await get("//evil.test/api/v1/fluxes"), 404);
    assert.equal(await get("http://evil.test/api/v1/bilan"), 401);
    assert.equal(await get("*"), 404);
    assert.equal(await get("/API/v1/fluxes"), 404);
    assert.equal(await get("/constructor"), 404);
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const answer = await gateway.call(method, "/api/v1/fluxes");
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get("allow"), "POST, GET, HEAD");
    }
  });

  it("closes connections over its limit, and serves again when they leave", async () => {
    await gateway.stop();
    gateway = await startHttpGateway(() => ({ limits: { connections: 5 } }));
    const held = Array.from({ length: 12 }, () => openRaw(gateway.port));
    await eventually(
      "the surplus is closed",
      () => held.filter((one) => one.socket.destroyed).length >= 7,
    );
    for (const { socket } of held) socket.destroy();
    await eventually("a newcomer is served", async () => {
      return (await gateway.call("GET", "/livez")).status === 200;
    });
  });
});
