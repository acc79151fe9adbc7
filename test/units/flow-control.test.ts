/** Flow control on a real store, the clock moved by hand: what is taken stays within its bounds. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { makeFlowControl, type QueueBounds } from "../../src/keep/flow-control.ts";
import type { NewFlux, Outbox } from "../../src/keep/outbox.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { moveTo } from "../contracts/outbox/journeys.ts";
import { makeHandClock, settleOn, type HandClock } from "../support/hand-clock.ts";
import { MINUTE, newFlux, NOON } from "../support/new-flux.ts";

const NONE: QueueBounds = { fluxes: 0, bytes: 0, guichetFluxes: 0, guichetBytes: 0 };
const FULL = { code: "QUEUE_FULL" };

describe("flow control", () => {
  let folder: string;
  let outbox: Outbox;
  let clock: HandClock;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "passerelle-flow-"));
    const opened = await openSqliteOutbox({ path: join(folder, "gateway.db") });
    outbox = opened;
    clock = makeHandClock(NOON, () => settleOn(opened));
  });
  afterEach(async () => {
    await outbox.stop();
    await rm(folder, { recursive: true });
  });

  /** As a receiver: admitted, then kept. */
  function makeTaker(bounds: Partial<QueueBounds>): (...batch: NewFlux[]) => Promise<void> {
    const control = makeFlowControl({
      outbox,
      bounds: { ...NONE, ...bounds },
      clock,
      log: SILENT_LOG,
    });
    return async (...batch) => {
      await control.admit(batch);
      await outbox.keep(batch);
    };
  }

  it("takes a hundred and turns the next away, counting what the store held before", async () => {
    await outbox.keep(Array.from({ length: 40 }, () => newFlux()));
    const take = makeTaker({ fluxes: 100 });
    for (let n = 40; n < 100; n += 1) await take(newFlux());
    await assert.rejects(take(newFlux()), FULL);
    await assert.rejects(take(newFlux()), FULL);
    assert.equal((await outbox.counts()).received, 100);
  });

  it("takes a batch whole or not at all", async () => {
    const take = makeTaker({ fluxes: 5 });
    await take(newFlux(), newFlux(), newFlux());
    await assert.rejects(take(newFlux(), newFlux(), newFlux()), FULL);
    await take(newFlux(), newFlux());
  });

  it("bounds bytes, and each guichet apart", async () => {
    const bytes = new Uint8Array(1_000);
    const take = makeTaker({ bytes: 3_500, guichetFluxes: 2, guichetBytes: 1_500 });
    await take(newFlux({ bytes }));
    await assert.rejects(take(newFlux({ bytes: new Uint8Array(1_001) })), FULL);
    await take(newFlux());
    await assert.rejects(take(newFlux()), FULL, "a third of the guichet");
    await take(newFlux({ guichet: "69002", bytes }));
    await take(newFlux({ guichet: "13003", bytes }));
    await assert.rejects(take(newFlux({ guichet: "33004", bytes })), FULL, "bytes of all");
  });

  it("takes again once the queue went down", async () => {
    const take = makeTaker({ fluxes: 2 });
    const first = newFlux();
    await take(first, newFlux());
    await assert.rejects(take(newFlux()), FULL);
    await outbox.move({ ...moveTo("discarded", first, NOON), from: ["kept"] });
    await clock.pass(MINUTE);
    // The store is asked beside the arrival, which what was known still turns away.
    await assert.rejects(take(newFlux()), FULL);
    await clock.pass(0);
    await take(newFlux());
    await assert.rejects(take(newFlux()), FULL);
  });

  it("asks nothing of the store when nothing is bounded", async () => {
    const load = (): Promise<never> => Promise.reject(new Error("asked"));
    const control = makeFlowControl({ outbox: { load }, bounds: NONE, clock, log: SILENT_LOG });
    await control.admit([newFlux()]);
  });
});
