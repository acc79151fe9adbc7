/** What the network of the fault tests does when it is told to fail, on plain TCP. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { startCutProxy } from "../support/cut-proxy.ts";
import type { CutProxy } from "../support/cut-proxy.ts";
import { eventually } from "../support/eventually.ts";

describe("a network that fails as told", () => {
  let echo: Server;
  let proxy: CutProxy;
  /** What the server has heard, all connections. */
  let asked = "";
  const sockets: Socket[] = [];

  beforeEach(async () => {
    asked = "";
    echo = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (bytes: Buffer) => {
        asked += bytes.toString();
        socket.write(bytes);
      });
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    const { port } = echo.address() as AddressInfo;
    proxy = await startCutProxy({
      to: port,
      partyOf: (sent) => (sent.length < 2 ? undefined : sent.toString("utf8", 0, 2)),
    });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.stop();
    await proxy.stop();
    await new Promise((resolve) => echo.close(resolve));
  });

  /** A client that has been heard and answered once, under a name. */
  async function open(name: string): Promise<{ socket: Socket; heard: () => string }> {
    const { socket, heard } = openSilently();
    socket.write(name);
    await eventually(`${name} is answered`, () => heard() === name);
    return { socket, heard };
  }
  function openSilently(): { socket: Socket; heard: () => string } {
    const socket = connect(proxy.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    return { socket, heard: () => text };
  }
  const isGone = (socket: Socket): boolean => socket.destroyed;

  it("passes everything, and the end of it, when nothing is wrong", async () => {
    const { socket, heard } = await open("a1");
    const long = "x".repeat(3_000_000);
    socket.end(long);
    await eventually("it all came back", () => heard().length === 2 + long.length);
    await eventually("both ends are closed", () => isGone(socket));
    await eventually("nothing is left of it", () => proxy.parties.length === 0);
  });

  it("resets connections when it is cut, new ones too, and takes them again after", async () => {
    const [one, two] = [await open("a1"), await open("b2")];
    proxy.cut();
    await eventually("both are reset", () => isGone(one.socket) && isGone(two.socket));
    const late = openSilently();
    await eventually("a new one is too", () => isGone(late.socket));
    proxy.restore();
    await open("a1");
  });

  it("cuts one party, and no byte of it comes through", async () => {
    const [one, two] = [await open("a1"), await open("b2")];
    proxy.cut({ of: "a1" });
    await eventually("the one is reset", () => isGone(one.socket));
    asked = "";
    const again = openSilently();
    again.socket.write("a1");
    await eventually("the one is reset again", () => isGone(again.socket));
    two.socket.write("!");
    await eventually("the other is answered", () => two.heard() === "b2!");
    assert.equal(asked, "!");
    proxy.restore({ of: "a1" });
    await open("a1");
  });

  it("hides everything in silence, lets nobody know, and brings it late", async () => {
    const { socket, heard } = await open("a1");
    proxy.silence();
    socket.write("?");
    const late = openSilently();
    await once(late.socket, "connect");
    late.socket.write("b2");
    await eventually("both have spoken", () => proxy.parties.includes("b2"));
    assert.equal(asked, "a1");
    assert.ok(!isGone(socket) && !isGone(late.socket));
    proxy.restore();
    await eventually("it was heard, and is answered", () => heard() === "a1?");
    await eventually("the other too", () => late.heard() === "b2");
  });

  it("in silence of one way, does what is asked and answers nothing", async () => {
    const { socket, heard } = await open("a1");
    proxy.silence({ of: "a1", way: "down" });
    socket.write("?");
    await eventually("it was heard", () => asked === "a1?");
    for (const one of sockets) if (one !== socket) one.resetAndDestroy();
    // Others are heard meanwhile: what has been told by now would have come.
    for (const name of ["b2", "c3"]) await open(name);
    assert.equal(heard(), "a1");
    assert.ok(!isGone(socket), "that the server broke off is not told");
    proxy.restore();
    await eventually("now it is", () => isGone(socket));
    assert.equal(heard(), "a1?", "after what it had said");
  });

  it("delays each way by what it is told, in order", async () => {
    const { socket, heard } = await open("a1");
    proxy.delay({ upMs: 80, downMs: 40 });
    const start = performance.now();
    for (const letter of "bcdef") {
      socket.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually("all came", () => heard() === "a1bcdef");
    assert.ok(performance.now() - start >= 119);
  });
});
