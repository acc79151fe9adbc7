/** Stopping the HTTP interface: what was taken is answered, nothing new is taken, nothing hangs. */
import assert from "node:assert/strict";
import type { Receive } from "../../src/arrive/arrival.ts";
import { eventually } from "../support/eventually.ts";
import {
  demande,
  GUICHETS,
  KEYS,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { newFlux } from "../support/new-flux.ts";
import { openRaw, readRaw, sendRaw } from "../support/raw-http.ts";

const { A } = GUICHETS;

describe("stopping the HTTP interface", () => {
  let gateway: HttpGateway;
  let release: () => void;
  let isReceiving = false;

  async function start(stopGraceMs: number): Promise<void> {
    isReceiving = false;
    const held = Promise.withResolvers<undefined>();
    release = () => held.resolve(undefined);
    gateway = await startHttpGateway((outbox) => ({
      stopGraceMs,
      receive: (async () => {
        isReceiving = true;
        await held.promise;
        const [flux] = (await outbox.list({ limit: 1 })).fluxes;
        return [{ kind: "kept", flux: flux! }];
      }) satisfies Receive,
    }));
    await gateway.outbox.keep([newFlux({ guichet: A.code })]);
  }
  // So long that only a stop that needs no grace ends within a test.
  beforeEach(() => start(600_000));
  afterEach(async () => {
    release();
    await gateway.stop();
  });

  it("answers the deposit in hand before it has stopped, then closes its connection", async () => {
    const deposit = gateway.deposit("A", demande(A, 1));
    await eventually("the deposit is in hand", () => isReceiving);
    let isStopped = false;
    const stopping = gateway.server.stop().then(() => {
      isStopped = true;
    });
    await assert.rejects(fetch(`${gateway.url}/livez`), "nothing new is accepted");
    assert.equal(isStopped, false);
    release();
    assert.equal((await deposit).status, 201);
    await stopping;
    assert.equal(gateway.server.address(), undefined);
  });

  it("turns away what comes on a connection already open, and tells it to close", async () => {
    const { socket, closed } = openRaw(gateway.port);
    const bytes = Buffer.from(demande(A, 2));
    const head =
      `POST /api/v1/fluxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEYS.A}\r\n` +
      `Content-Type: application/xml\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    socket.write(head);
    socket.write(bytes);
    await eventually("the deposit is in hand", () => isReceiving);
    const stopping = gateway.server.stop();
    socket.write(`${head}${bytes.toString("utf8")}`);
    await eventually("the second is turned away, behind the first", () =>
      gateway.logLines.some(({ name, facts }) => {
        return name === "http.turnedAway" && facts["code"] === "STOPPING";
      }),
    );
    release();
    const text = await closed;
    await stopping;
    assert.equal(readRaw(text).status, 201);
    const second = readRaw(text.slice(text.lastIndexOf("HTTP/1.1")));
    assert.equal(second.status, 503);
    assert.match(second.head, /^connection: close$/im);
    assert.match(second.body, /STOPPING/);
  });

  it("closes idle connections at once, and may be told to stop twice", async () => {
    const { socket, closed } = openRaw(gateway.port);
    await eventually("the connection is open", () => socket.readyState === "open");
    socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually("it is served", () => socket.bytesRead > 0);
    await Promise.all([gateway.server.stop(), gateway.server.stop()]);
    assert.equal(readRaw(await closed).status, 200);
    await gateway.server.stop();
  });

  it("cuts a sender that is too slow, after the time it is given", async () => {
    await gateway.stop();
    await start(300);
    const { socket, closed } = openRaw(gateway.port);
    socket.write(
      `POST /api/v1/fluxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEYS.A}\r\n` +
        "Content-Type: application/xml\r\nContent-Length: 1000\r\n\r\n<a",
    );
    await eventually(
      "its head has come",
      () => socket.bytesWritten > 0 && socket.readyState === "open",
    );
    await gateway.server.stop();
    await closed;
    assert.equal(isReceiving, false);
  });

  it("waits for what it was writing down when the connections have gone", async () => {
    await gateway.stop();
    await start(100);
    const lost = assert.rejects(gateway.deposit("A", demande(A, 3)));
    await eventually("the deposit is in hand", () => isReceiving);
    let isStopped = false;
    const stopping = gateway.server.stop().then(() => {
      isStopped = true;
    });
    await lost;
    await gateway.outbox.counts();
    assert.equal(isStopped, false, "the deposit is still being received");
    release();
    await stopping;
  });

  it("rejects when its port is taken", async () => {
    const { port } = gateway;
    await assert.rejects(
      startHttpGateway(() => ({ port })),
      { code: "EADDRINUSE" },
    );
    assert.equal(
      (await sendRaw(port, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).status,
      200,
    );
  });
});
