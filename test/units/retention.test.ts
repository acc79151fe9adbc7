/** Retention on a real store, the clock moved by hand: what ended long ago loses its files, no more. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { SqliteOutbox } from "../../src/adapters/sqlite/store-operations.ts";
import { makeRetention } from "../../src/keep/retention.ts";
import { SILENT_LOG, type LogFacts } from "../../src/runtime/log.ts";
import type { Part } from "../../src/runtime/part.ts";
import { fluxIn, moveTo } from "../contracts/outbox/journeys.ts";
import { makeHandClock, settleOn, type HandClock } from "../support/hand-clock.ts";
import { MINUTE, newFlux, newQuarantinedFlux, NOON } from "../support/new-flux.ts";

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("retention", () => {
  let folder: string;
  let outbox: SqliteOutbox;
  let clock: HandClock;
  let parts: Part[];
  let told: LogFacts[];

  function start(owner = "one"): Promise<void> {
    const info = (name: string, facts: LogFacts = {}): void => {
      if (name === "retention.filesErased") told.push(facts);
    };
    const part = makeRetention({ days: 90, owner, outbox, clock, log: { ...SILENT_LOG, info } });
    parts.push(part);
    return part.start();
  }
  const erased = async ({ id }: { id: string }): Promise<boolean> =>
    (await outbox.find(id))?.erasedAt !== undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "passerelle-retention-"));
    outbox = await openSqliteOutbox({ path: join(folder, "gateway.db") });
    clock = makeHandClock(NOON, () => settleOn(outbox));
    [parts, told] = [[], []];
  });
  afterEach(async () => {
    await Promise.all(parts.map((part) => part.stop()));
    await outbox.stop();
    await rm(folder, { recursive: true });
  });

  it("erases the files of a flux within the hour after its ninety days, never before", async () => {
    const { flux } = await fluxIn(outbox, "acknowledged");
    await clock.pass(90 * DAY - HOUR / 2);
    await start();
    await clock.pass(HOUR / 2);
    assert.equal(await erased(flux), false);
    await clock.pass(HOUR / 2);
    assert.equal(await erased(flux), true);
    assert.deepEqual(told, [{ fluxes: 1, days: 90 }]);
  });

  it("never erases the files of what is open or failed, whatever its age", async () => {
    const { flux: failed } = await fluxIn(outbox, "failed");
    const kept = newFlux();
    await outbox.keep([kept]);
    await clock.pass(365 * DAY);
    await start();
    await clock.pass(HOUR);
    for (const flux of [failed, kept]) {
      assert.equal(await erased(flux), false);
      assert.ok(await outbox.file(flux.id, "original"));
    }
  });

  it("erases arrears of many batches in one go, and can be stopped between two", async () => {
    for (const batch of [1, 2, 3]) {
      const strangers = Array.from({ length: 90 }, () => newQuarantinedFlux());
      await outbox.keep(strangers);
      for (const stranger of strangers) {
        const move = { ...moveTo("discarded", stranger, NOON), from: ["quarantined"] } as const;
        assert.equal((await outbox.move(move)).kind, "moved", `batch ${batch}`);
      }
    }
    await clock.pass(91 * DAY);
    const left = async (): Promise<number> => {
      const { fluxes } = await outbox.list({ limit: 500 });
      return fluxes.filter(({ erasedAt }) => erasedAt === undefined).length;
    };
    await start();
    await clock.pass(0);
    assert.equal(await left(), 170);
    await Promise.all(parts.map((part) => part.stop()));
    assert.equal(await left(), 170);
    await start("two");
    await clock.pass(MINUTE);
    assert.equal(await left(), 0);
  });
});
