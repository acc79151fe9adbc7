/** Holds a caller that waits: it hears the verdict at once, and is never left without a word. */
import assert from "node:assert/strict";
import type { Arrival, Reception } from "../../src/arrive/arrival.ts";
import { makeWriteThrough, type WriteThroughResult } from "../../src/arrive/write-through.ts";
import type { FluxState } from "../../src/domain/flux-state.ts";
import type { Flux } from "../../src/domain/flux.ts";
import type { Verdict } from "../../src/domain/outcome.ts";
import type { MoveMade } from "../../src/keep/told-moves.ts";
import { makeHandClock } from "../support/hand-clock.ts";

const BUDGET_MS = 5_000;
const ARRIVAL: Arrival = {
  channel: "soap",
  sender: [],
  files: [{ name: "DEM.xml", bytes: new Uint8Array(1) }],
  origin: { from: "guichet G1104" },
  returnTo: () => ({ channel: "soap" }),
};
const ACCEPTED: Verdict = { kind: "accepted", numeroUnique: "1", by: "sne", at: 0 };

function fluxIn(state: FluxState, verdict?: Verdict): Flux {
  return {
    id: "F1",
    state,
    channel: "soap",
    fileName: "DEM.xml",
    sha256: "00",
    size: 1,
    origin: { from: "guichet G1104" },
    receivedAt: 0,
    since: 0,
    attempts: 0,
    repeats: 0,
    ...(verdict === undefined ? {} : { verdict }),
  };
}

describe("a caller that waits for the SNE", () => {
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  };

  function begin({ reception }: { reception?: Reception } = {}) {
    const clock = makeHandClock(0, settle);
    let tell: (made: MoveMade) => void = () => undefined;
    let flux = fluxIn("kept");
    let isDown = false;
    let looks = 0;
    const gone = new AbortController();
    const receptions: Arrival[] = [];
    const writeThrough = makeWriteThrough({
      receive: (arrival) => {
        receptions.push(arrival);
        return Promise.resolve([reception ?? { kind: "kept", flux }]);
      },
      outbox: {
        find: () => {
          looks += 1;
          return Promise.resolve(flux);
        },
      },
      onMove: (listener) => {
        tell = listener;
        return () => undefined;
      },
      isSneDown: () => isDown,
      budgetMs: BUDGET_MS,
      clock,
    });
    let result: WriteThroughResult | undefined;
    const done = writeThrough(ARRIVAL, gone.signal).then((given) => (result = given));
    return {
      ...{ clock, gone, done, receptions },
      move: (made: MoveMade) => tell(made),
      result: () => result,
      looks: () => looks,
      become: (next: Flux) => (flux = next),
      breakDown: () => (isDown = true),
    };
  }

  it("has the verdict as soon as it is told, without waiting for any time", async () => {
    const caller = begin();
    await settle();
    const answer = { name: "reponse.xml", bytes: new Uint8Array(1) };
    caller.move({ flux: fluxIn("accepted", ACCEPTED), files: { answer } });
    const result = await caller.done;
    assert(result.kind === "concluded");
    assert.equal(result.flux.state, "accepted");
    assert.equal(result.files?.answer, answer);
    assert.equal(caller.looks(), 0);
    assert.equal(caller.clock.now(), 0);
    assert.equal(caller.clock.waiting(), 0);
  });

  it("has it too when it was told before the caller began to listen", async () => {
    const clock = makeHandClock(0, settle);
    let tell: (made: MoveMade) => void = () => undefined;
    const writeThrough = makeWriteThrough({
      receive: () => {
        tell({ flux: fluxIn("accepted", ACCEPTED), files: {} });
        return Promise.resolve([{ kind: "kept", flux: fluxIn("kept") }]);
      },
      outbox: { find: () => Promise.reject(new Error("nothing to look for")) },
      onMove: (listener) => {
        tell = listener;
        return () => undefined;
      },
      isSneDown: () => false,
      budgetMs: BUDGET_MS,
      clock,
    });
    assert.equal((await writeThrough(ARRIVAL, new AbortController().signal)).kind, "concluded");
    assert.equal(clock.now(), 0);
  });

  it("leaves the files to be asked for when the move it hears brought none", async () => {
    const caller = begin();
    await settle();
    caller.move({ flux: fluxIn("acknowledged", ACCEPTED), files: {} });
    const result = await caller.done;
    assert(result.kind === "concluded");
    assert.equal(result.files, undefined);
  });

  it("sees what another gateway did, of which it is told nothing", async () => {
    const caller = begin();
    await settle();
    caller.become(fluxIn("acknowledged", ACCEPTED));
    await caller.clock.pass(300);
    assert.equal(caller.result()?.kind, "concluded");
  });

  it("learns at the end of its budget that the flux is kept, not before", async () => {
    const caller = begin();
    await caller.clock.pass(BUDGET_MS - 1);
    assert.equal(caller.result(), undefined);
    await caller.clock.pass(1);
    assert.equal(caller.result()?.kind, "pending");
  });

  it("learns at once that the SNE is down, whether it was or becomes so", async () => {
    const caller = begin();
    await settle();
    caller.breakDown();
    caller.move({ flux: fluxIn("kept"), files: {} });
    await settle();
    assert.equal(caller.result()?.kind, "pending");
    assert.equal(caller.clock.now(), 0);
  });

  it("waits for a call in progress though the breaker opened for others", async () => {
    const caller = begin();
    caller.become(fluxIn("inTransit"));
    caller.breakDown();
    await caller.clock.pass(1_000);
    // The flux itself was given back with the breaker open: nothing is to be waited for.
    assert.equal(caller.result()?.kind, "pending");
    const called = begin({ reception: { kind: "repeated", flux: fluxIn("inTransit") } });
    called.become(fluxIn("inTransit"));
    called.breakDown();
    await called.clock.pass(1_000);
    assert.equal(called.result(), undefined);
    called.become(fluxIn("accepted", ACCEPTED));
    await called.clock.pass(300);
    assert.equal(called.result()?.kind, "concluded");
  });

  for (const state of ["inDoubt", "failed"] as const) {
    it(`is not kept waiting for a flux that is ${state}`, async () => {
      const caller = begin({ reception: { kind: "repeated", flux: fluxIn(state) } });
      await settle();
      const result = caller.result();
      assert(result?.kind === "pending");
      assert.equal(result.flux.state, state);
    });
  }

  it("has the first one's verdict when its flux was sent before, without waiting", async () => {
    const flux = fluxIn("acknowledged", ACCEPTED);
    const caller = begin({ reception: { kind: "repeated", flux } });
    await settle();
    assert.equal(caller.result()?.kind, "concluded");
    assert.equal(caller.looks(), 0);
  });

  it("is waited for no more once it has left", async () => {
    const caller = begin();
    await settle();
    caller.gone.abort();
    await settle();
    assert.equal(caller.result()?.kind, "pending");
    assert.equal(caller.clock.waiting(), 0);
  });

  it("is told what cannot be taken, and nothing is kept for it", async () => {
    const control = { code: "NOT_XML", message: "Le fichier n'est pas du XML." };
    const caller = begin({ reception: { kind: "refused", controls: [control] } });
    assert.deepEqual(await caller.done, { kind: "refused", controls: [control] });
    assert.equal(caller.receptions[0]?.answersAtOnce, true);
  });
});
