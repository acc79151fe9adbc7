/**
 * How far a call to the SNE went, when the link fails: before anything was written nothing can have
 * happened; after it, the effect is unknown. Real sockets, cut at each moment.
 */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { after, afterEach, before, describe, it } from "mocha";
import type { WriteCall, Registry, RegistryAnswer } from "../../src/forward/registry.ts";
import { eventually } from "../support/eventually.ts";
import { acceptedAnswer, answerFile, inlineAnswer } from "../support/sne-answers.ts";
import { answering, httpAnswer, startScriptedSoapServer } from "../support/scripted-soap-server.ts";
import type { ScriptedSoapServer } from "../support/scripted-soap-server.ts";
import { creation, makeSneClient } from "../support/sne-client.ts";

describe("The SNE client, when the link fails", () => {
  let server: ScriptedSoapServer;
  const clients: Registry[] = [];

  async function clientOf(
    url: string,
    options: Parameters<typeof makeSneClient>[1] = {},
  ): Promise<Registry> {
    const client = await makeSneClient(url, options);
    clients.push(client);
    return client;
  }
  function assertNotProcessed(answer: RegistryAnswer, detail: RegExp): void {
    assert.equal(answer.kind, "notProcessed", JSON.stringify(answer));
    assert.equal(answer.why, "unreachable");
    assert.match(answer.detail, detail);
  }
  function assertNoAnswer(answer: RegistryAnswer, detail: RegExp): void {
    assert.equal(answer.kind, "notRead", JSON.stringify(answer));
    assert.equal(answer.why, "noAnswer");
    assert.match(answer.detail, detail);
  }

  before(async () => {
    server = await startScriptedSoapServer();
  });
  afterEach(async () => {
    server.cutAll();
    await Promise.all(clients.splice(0).map((client) => client.stop()));
  });
  after(async () => {
    await server.stop();
  });

  describe("knows that nothing was sent", () => {
    it("when the connection is refused", async () => {
      const gone = await startScriptedSoapServer();
      await gone.stop();
      const client = await clientOf(gone.url);
      assertNotProcessed(await client.write(creation()), /connexion refusée/);
      assert.deepEqual(await client.reachable("demandeLogement", new AbortController().signal), {
        ok: false,
        detail: "connexion refusée (ECONNREFUSED)",
      });
    });

    it("when the name is unknown", async () => {
      const client = await clientOf("http://sne.invalid/");
      assertNotProcessed(await client.write(creation()), /DNS/);
    });

    it("when no connection comes in time", async () => {
      // A listener that never speaks TLS: the connection is never ready.
      const mute = createServer((socket) => socket.on("error", () => undefined));
      await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
      const { port } = mute.address() as AddressInfo;
      const client = await clientOf(`https://127.0.0.1:${port}/`, { connectTimeoutMs: 60 });
      assertNotProcessed(await client.write(creation()), /délai|coupée/);
      mute.close();
    });

    it("when it was given up while it waited for a connection, and never sends it", async () => {
      const client = await clientOf(server.url, { maxConnections: 1 });
      const seen = server.requests.length;
      let first: Socket | undefined;
      server.play((_request, socket) => {
        first = socket;
      });
      const busy = client.write(creation());
      await eventually("the first call on the wire", () => first);
      const giveUp = new AbortController();
      const waiting = client.write(creation({ signal: giveUp.signal }));
      giveUp.abort();
      const answer = await waiting;
      assertNotProcessed(answer, /abandonné avant l'envoi/);
      assert.equal("endedByUs" in answer && answer.endedByUs, true);
      first?.write(acceptedAnswer());
      assert.equal((await busy).kind, "answered");
      // The connection is free: what was given up would leave now.
      server.play(answering(acceptedAnswer()));
      assert.equal((await client.write(creation())).kind, "answered");
      assert.equal(server.requests.length, seen + 2);
    });

    it("when its deadline passes before a connection is free", async () => {
      const client = await clientOf(server.url, { maxConnections: 1, timeoutMs: 1_000 });
      server.play(() => undefined);
      const seen = server.requests.length;
      const both = await Promise.all([client.write(creation()), client.write(creation())]);
      assertNoAnswer(both[0], /aucune réponse complète en 1000 ms/);
      assertNotProcessed(both[1], /pas de connexion libre/);
      // Other calls were in the way, not the link: the breaker must not count it.
      assert.equal("endedByUs" in both[1] && both[1].endedByUs, true);
      assert.equal("endedByUs" in both[0], false);
      assert.equal(server.requests.length, seen + 1);
    });

    it("when its deadline passes before the SNE takes any connection: that is the link's fault", async () => {
      const mute = createServer((socket) => socket.on("error", () => undefined));
      await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
      const { port } = mute.address() as AddressInfo;
      const client = await clientOf(`https://127.0.0.1:${port}/`, {
        maxConnections: 1,
        timeoutMs: 100,
      });
      const both = await Promise.all([client.write(creation()), client.write(creation())]);
      for (const answer of both) {
        assertNotProcessed(answer, /pas de connexion en 100 ms/);
        assert.equal("endedByUs" in answer, false);
      }
      // What was given up holds nobody: not for the five seconds a connection may take.
      const begun = performance.now();
      await client.stop();
      assert.ok(performance.now() - begun < 4_900);
      mute.close();
    });

    it("when it was given up before it began", async () => {
      const client = await clientOf(server.url);
      const seen = server.connections;
      const answer = await client.write(creation({ signal: AbortSignal.abort() }));
      assertNotProcessed(answer, /abandonné/);
      assert.equal(server.connections, seen);
    });

    it("when it is stopped", async () => {
      const client = await clientOf(server.url);
      await Promise.all([client.stop(), client.stop()]);
      assertNotProcessed(await client.write(creation()), /./);
    });
  });

  describe("calls the effect unknown", () => {
    const partial = acceptedAnswer().subarray(0, -40);
    const cuts: readonly (readonly [string, (socket: Socket) => void])[] = [
      ["when the server resets once it has the request", (socket) => socket.resetAndDestroy()],
      ["when the server closes without a word", (socket) => socket.end()],
      [
        "when the server closes in the middle of the headers",
        (socket) => socket.end("HTTP/1.1 200 O"),
      ],
      ["when the answer is cut short", (socket) => socket.end(partial)],
      [
        "when the answer is reset half-way",
        (socket) => socket.write(partial, () => socket.resetAndDestroy()),
      ],
      [
        "when a chunk of the answer is missing",
        (socket) =>
          socket.end(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<a/>\n",
          ),
      ],
      ["when what comes back is not HTTP", (socket) => socket.end("bonjour\r\n\r\n")],
    ];
    for (const [title, cut] of cuts) {
      it(title, async () => {
        const client = await clientOf(server.url);
        const seen = server.requests.length;
        server.play((_request, socket) => {
          cut(socket);
        });
        assertNoAnswer(await client.write(creation()), /./);
        assert.equal(server.requests.length, seen + 1);
      });
    }

    it("when the server cuts while the request is still being written", async () => {
      const cutter = createServer((socket) => {
        socket.on("error", () => undefined).once("data", () => socket.resetAndDestroy());
      });
      await new Promise<void>((resolve) => cutter.listen(0, "127.0.0.1", resolve));
      const { port } = cutter.address() as AddressInfo;
      const client = await clientOf(`http://127.0.0.1:${port}/`);
      const file = { name: "gros.xml", bytes: Buffer.alloc(20_000_000) };
      assertNoAnswer(await client.write(creation({ file })), /./);
      cutter.close();
    });

    it("when the deadline passes, even if bytes drip all the while", async () => {
      const client = await clientOf(server.url, { timeoutMs: 1_000 });
      server.play((_request, socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n");
        const drip = setInterval(() => socket.write("x"), 20);
        socket.on("close", () => {
          clearInterval(drip);
        });
      });
      assertNoAnswer(await client.write(creation()), /aucune réponse complète en 1000 ms/);
    });

    it("when it is given up after it left, and for that call alone", async () => {
      const client = await clientOf(server.url);
      const giveUp = new AbortController();
      const sockets: Socket[] = [];
      server.play((_request, socket) => {
        sockets.push(socket);
      });
      const given = client.write(creation({ signal: giveUp.signal }));
      await eventually("the first request", () => sockets.length === 1);
      const kept = client.write(creation());
      await eventually("the second request", () => sockets.length === 2);
      giveUp.abort();
      const answer = await given;
      assertNoAnswer(answer, /abandonné après l'envoi/);
      assert.equal("endedByUs" in answer && answer.endedByUs, true);
      sockets[1]?.write(acceptedAnswer());
      assert.equal((await kept).kind, "answered");
    });

    it("when the answer passes the limit, without waiting for its end", async () => {
      const client = await clientOf(server.url, { maxAnswerBytes: 10_000 });
      server.play((_request, socket) => {
        socket.write(
          "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 900000000\r\n\r\n",
        );
        socket.write(Buffer.alloc(20_000));
      });
      const answer = await client.write(creation());
      assert.equal(answer.kind, "notRead", JSON.stringify(answer));
      assert.equal(answer.why, "unreadable");
      assert.match(answer.detail, /plus de 10000 octets/);
    });
  });

  describe("keeps its connections", () => {
    it("and uses one again for the next call", async () => {
      const client = await clientOf(server.url, { maxConnections: 1 });
      server.play(answering(acceptedAnswer()));
      await client.write(creation());
      await client.write(creation());
      const [one, other] = server.requests.slice(-2);
      assert.equal(one?.connection, other?.connection);
    });

    it("but not one that the server has closed meanwhile", async () => {
      const client = await clientOf(server.url);
      for (let round = 0; round < 20; round += 1) {
        server.play((_request, socket) => {
          // Says it keeps the connection, then closes it.
          socket.end(acceptedAnswer());
        });
        const answer = await client.write(creation());
        assert.equal(answer.kind, "answered", `round ${round}: ${JSON.stringify(answer)}`);
      }
    });

    it("nor one that the server will close within the second", async () => {
      const client = await clientOf(server.url, { maxConnections: 1 });
      const brief = Buffer.from(
        acceptedAnswer().toString("latin1").replace("\r\n", "\r\nKeep-Alive: timeout=1\r\n"),
        "latin1",
      );
      server.play(answering(brief));
      await client.write(creation());
      await client.write(creation());
      const [one, other] = server.requests.slice(-2);
      assert.notEqual(one?.connection, other?.connection);
    });
  });

  it("never mixes two calls, whatever the order in which answers come", async () => {
    const client = await clientOf(server.url);
    server.play((request, socket) => {
      // The number in the file's own part comes back in the answer, late and out of order.
      const number = /<refInterne>(\d+)</.exec(request.body.toString("latin1"))?.[1] ?? "?";
      const inside = `<ns2:numUnique>${number}</ns2:numUnique>`;
      const bytes =
        Number(number) % 2 === 0
          ? acceptedAnswer(answerFile(inside))
          : inlineAnswer(
              `<nomFichierDemande>${number}.xml</nomFichierDemande><fichierDemande>${Buffer.from(answerFile(inside)).toString("base64")}</fichierDemande>`,
            );
      setTimeout(() => socket.write(bytes), (Number(number) * 7) % 23);
    });
    const calls = Array.from({ length: 400 }, async (_, index): Promise<void> => {
      const number = String(100_000 + index);
      const call: WriteCall = creation({
        file: { name: `${number}.xml`, bytes: Buffer.from(`<refInterne>${number}</refInterne>`) },
      });
      const answer = await client.write(call);
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
      assert.equal(answer.reading.numUnique, number);
      assert.match(Buffer.from(answer.answer.bytes).toString(), new RegExp(`>${number}<`));
      if (index % 2 === 1) assert.equal(answer.answer.name, `${number}.xml`);
    });
    await Promise.all(calls);
    const names = server.requests
      .slice(-400)
      .map(({ body }) => [
        /<nomFichierDemande>(\d+)/.exec(body.toString("latin1"))?.[1],
        /<refInterne>(\d+)/.exec(body.toString("latin1"))?.[1],
      ]);
    for (const [name, number] of names) assert.equal(name, number);
    assert.equal(new Set(names.map(([name]) => name)).size, 400);
  });

  it("keeps connections for fluxes, however many questions wait", async () => {
    const client = await clientOf(server.url, { maxConnections: 2, timeoutMs: 3_000 });
    const { signal } = new AbortController();
    const asked: Socket[] = [];
    server.play((request, socket) => {
      if (request.body.includes("demandeLogementParametres")) asked.push(socket);
      else socket.write(acceptedAnswer());
    });
    const questions = Array.from({ length: 5 }, () =>
      client.read({ operation: "getDemandeLogement", parameters: [], signal }),
    );
    await eventually("questions on every connection they have", () => asked.length === 2);
    assert.equal((await client.write(creation())).kind, "answered");
    server.play((_request, socket) => void socket.write(httpAnswer(503)));
    for (const socket of asked) socket.write(httpAnswer(503));
    for (const answer of await Promise.all(questions)) assert.equal(answer.kind, "notProcessed");
  });

  it("gives up a question for that question alone", async () => {
    const client = await clientOf(server.url);
    const giveUp = new AbortController();
    const sockets: Socket[] = [];
    server.play((_request, socket) => void sockets.push(socket));
    const operation = "getDoublons";
    const given = client.read({ operation, parameters: [], signal: giveUp.signal });
    await eventually("the first question", () => sockets.length === 1);
    const kept = client.read({ operation, parameters: [], signal: new AbortController().signal });
    await eventually("the second question", () => sockets.length === 2);
    giveUp.abort();
    assert.deepEqual(await given, {
      kind: "notRead",
      why: "noAnswer",
      detail: "appel abandonné après l'envoi",
      endedByUs: true,
    });
    sockets[1]?.write(httpAnswer(503));
    assert.equal((await kept).kind, "notProcessed");
  });

  it("reads no more than its limit of an answer to a question", async () => {
    const client = await clientOf(server.url, { maxAnswerBytes: 10_000 });
    server.play((_request, socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 900000000\r\n\r\n",
      );
      socket.write(Buffer.alloc(20_000));
    });
    const answer = await client.read({
      operation: "rechercheDemandeMulticritere",
      parameters: [],
      signal: new AbortController().signal,
    });
    assert.ok(answer.kind === "notRead" && answer.why === "unreadable", JSON.stringify(answer));
  });

  it("waits for the call in hand before it stops", async () => {
    const client = await clientOf(server.url);
    let answer: (() => void) | undefined;
    server.play((_request, socket) => {
      answer = () => socket.end(httpAnswer(503));
    });
    const call = client.write(creation());
    await eventually("the request", () => answer);
    const stopped = client.stop();
    answer?.();
    await stopped;
    assert.equal((await call).kind, "notProcessed");
  });
});
