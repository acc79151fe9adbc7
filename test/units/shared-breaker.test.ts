/** One breaker for several gateways: each with its own, on one real store, the clock moved by hand. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeOpossumBreaker } from "../../src/adapters/breaker/opossum-breaker.ts";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { SqliteOutbox } from "../../src/adapters/sqlite/store-operations.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import type { Breaker } from "../../src/forward/breaker.ts";
import { openSharedBreaker, type SharedBreaker } from "../../src/forward/shared-breaker.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { makeHandClock, settleOn, type HandClock } from "../support/hand-clock.ts";
import { MINUTE, NOON } from "../support/new-flux.ts";

const RESET_MS = 15_000;
const FAILURES = 5;
/** How long another's opening may take to be read, ms. */
const READ_MS = 1_000;

type Way = Pick<Outbox, "note" | "noted" | "noteIf">;

interface Gateway {
  readonly breaker: Breaker;
  readonly part: SharedBreaker["part"];
  /** Calls that reached the SNE. */
  calls: number;
  /** What the SNE does to this one's calls. */
  sne: "up" | "down" | Promise<"up" | "down">;
}

describe("the breaker of several gateways", function () {
  this.timeout(60_000);
  let folder: string;
  let outbox: SqliteOutbox;
  let clock: HandClock;
  let gateways: Gateway[];
  const logged: string[] = [];

  async function open(options: { aheadMs?: number; way?: Way } = {}): Promise<Gateway> {
    const { aheadMs = 0, way = outbox } = options;
    const own: Clock = {
      now: () => clock.now() + aheadMs,
      wait: (ms, signal) => clock.wait(ms, signal),
    };
    const note = (name: string): void => void logged.push(name);
    const log = { ...SILENT_LOG, warn: note, error: note };
    const { breaker, part } = await openSharedBreaker({
      outbox: way,
      resetMs: RESET_MS,
      makeLocal: (as) =>
        makeOpossumBreaker({
          ...{ clock: own, log, resetMs: RESET_MS, failureThreshold: FAILURES },
          ...as,
        }),
      clock: own,
      log,
    });
    await part.start();
    const gateway: Gateway = { breaker, part, calls: 0, sne: "up" };
    gateways.push(gateway);
    await clock.pass(0);
    return gateway;
  }

  /** Asks, claims and calls, as a forwarder does; true when the SNE was called. */
  async function forward(gateway: Gateway): Promise<boolean> {
    const { breaker } = gateway;
    const before = gateway.calls;
    if (!(await breaker.mayCall())) return false;
    await breaker.run(
      () => {
        gateway.calls += 1;
        return Promise.resolve(gateway.sne);
      },
      (result) => result === "up",
    );
    return gateway.calls > before;
  }

  /** Every gateway forwards at each step, for a while; how many calls each made. */
  async function work(ms: number, stepMs = 1_000): Promise<readonly number[]> {
    const before = gateways.map(({ calls }) => calls);
    for (const end = clock.now() + ms; clock.now() < end;) {
      await Promise.all(gateways.map(forward));
      await clock.pass(stepMs);
    }
    return gateways.map(({ calls }, n) => calls - (before[n] ?? 0));
  }

  async function fail(gateway: Gateway): Promise<void> {
    gateway.sne = "down";
    for (let failure = 0; failure < FAILURES; failure += 1) await forward(gateway);
    assert.equal(gateway.breaker.state, "open");
    await clock.pass(0);
  }

  const states = (): readonly string[] => gateways.map(({ breaker }) => breaker.state);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "passerelle-breaker-"));
    outbox = await openSqliteOutbox({ path: join(folder, "gateway.db") });
    clock = makeHandClock(NOON, () => settleOn(outbox));
    gateways = [];
    logged.length = 0;
  });
  afterEach(async () => {
    await Promise.all(gateways.map(({ part }) => part.stop()));
    await outbox.stop();
    await rm(folder, { recursive: true });
  });

  it("opens for all when it opens for one, which costs the others no attempt", async () => {
    const [one, two] = [await open(), await open()];
    await forward(two);
    await fail(one);
    await clock.pass(READ_MS);
    assert.equal(two.breaker.state, "open");
    two.sne = "down";
    assert.equal(await forward(two), false);
    const { retryAt } = two.breaker;
    assert.ok(retryAt !== undefined && retryAt > NOON && retryAt <= NOON + RESET_MS + READ_MS);
    assert.equal(two.calls, 1);
  });

  it("asks the store why as soon as one call fails, rather than spend five", async () => {
    const [one, two] = [await open(), await open()];
    await fail(one);
    two.sne = "down";
    await forward(two);
    await clock.pass(0);
    assert.deepEqual([two.breaker.state, two.calls], ["open", 1]);
  });

  it("opens when it starts in the middle of an outage that others know", async () => {
    await fail(await open());
    const late = await open();
    assert.equal(late.breaker.state, "open");
    assert.equal(await forward(late), false);
  });

  it("closes for all when the one call that tries works", async () => {
    const [one, two] = [await open(), await open()];
    await fail(one);
    one.sne = "up";
    await clock.pass(READ_MS);
    assert.deepEqual(states(), ["open", "open"]);
    while (!(await forward(one)) && !(await forward(two))) await clock.pass(500);
    assert.ok(clock.now() <= NOON + RESET_MS + 2 * READ_MS);
    await clock.pass(READ_MS);
    assert.deepEqual(states(), ["closed", "closed"]);
    assert.deepEqual([await forward(one), await forward(two)], [true, true]);
  });

  it("lets one of many try at a time, each in turn, however long the outage", async () => {
    const all = [await open(), await open(), await open()];
    for (const gateway of all) gateway.sne = "down";
    // All find the outage by themselves, at the same time.
    await work(FAILURES * 1_000);
    assert.deepEqual(states(), ["open", "open", "open"]);
    const outage = 5 * MINUTE;
    const calls = await work(outage);
    const total = calls.reduce((sum, count) => sum + count, 0);
    // One a delay, or a little less: who opened tries last.
    assert.ok(total <= outage / (RESET_MS - 2 * READ_MS) + 1, `${calls.join(", ")} calls`);
    assert.ok(total >= outage / (RESET_MS + 2 * READ_MS), `${calls.join(", ")} calls`);
    assert.ok(calls.filter((count) => count > 0).length > 1, `${calls.join(", ")} calls`);
    for (const gateway of all) gateway.sne = "up";
    await work(RESET_MS + 2 * READ_MS);
    assert.deepEqual(states(), ["closed", "closed", "closed"]);
  });

  it("gives the turn to one of those who ask at once", async () => {
    const all = [await open(), await open(), await open(), await open()];
    await fail(all[0]!);
    await clock.pass(RESET_MS + READ_MS);
    const given = await Promise.all(all.map(({ breaker }) => breaker.mayCall()));
    assert.equal(given.filter(Boolean).length, 1);
    // Asked again it is still theirs, until they have tried.
    const again = await Promise.all(all.map(({ breaker }) => breaker.mayCall()));
    assert.deepEqual(again, given);
  });

  it("makes no call beside one that hangs", async () => {
    const [one, two] = [await open(), await open()];
    await fail(one);
    await clock.pass(RESET_MS - READ_MS);
    const hanging = Promise.withResolvers<"up" | "down">();
    two.sne = hanging.promise;
    const trying = forward(two);
    await clock.pass(0);
    assert.equal(two.calls, 1);
    for (let waited = 0; waited < MINUTE; waited += 1_000) {
      assert.equal(await forward(one), false);
      await clock.pass(1_000);
    }
    hanging.resolve("up");
    await trying;
    await clock.pass(READ_MS);
    assert.deepEqual(states(), ["closed", "closed"]);
  });

  it("is tried by another when the one whose turn it was has died", async () => {
    const [one, two] = [await open(), await open()];
    await fail(one);
    await clock.pass(RESET_MS - READ_MS);
    assert.equal(await two.breaker.mayCall(), true);
    // As kill -9 would: it says nothing more.
    await two.part.stop();
    one.sne = "up";
    const before = clock.now();
    while (!(await forward(one))) {
      await clock.pass(500);
      assert.ok(clock.now() < before + 2 * RESET_MS, "open for ever");
    }
    assert.equal(one.breaker.state, "closed");
  });

  it("is not kept open by a gateway whose own way is broken", async () => {
    const [one, lame] = [await open(), await open()];
    lame.sne = "down";
    // Its first failures stop both, once; the other finds that the link works.
    await work(2 * RESET_MS);
    assert.equal(one.breaker.state, "closed");
    const [ones = 0, lames = 0] = await work(2 * MINUTE);
    assert.equal(ones, 120);
    assert.ok(lames <= 2 * (MINUTE / RESET_MS) + 1, `${lames} calls of the broken one`);
    // Mended, it says what it finds again.
    lame.sne = "up";
    await work(RESET_MS + 2 * READ_MS);
    assert.deepEqual(states(), ["closed", "closed"]);
    await fail(lame);
    await clock.pass(READ_MS);
    assert.deepEqual(states(), ["open", "open"]);
  });

  for (const aheadMs of [MINUTE, -MINUTE]) {
    it(`works the same between clocks that differ by ${aheadMs} ms`, async () => {
      const [one, other] = [await open(), await open({ aheadMs })];
      await fail(one);
      other.sne = "down";
      await clock.pass(READ_MS);
      assert.equal(await forward(other), false);
      const calls = await work(2 * MINUTE);
      const total = calls.reduce((sum, count) => sum + count, 0);
      assert.ok(total <= (2 * MINUTE) / (RESET_MS - 2 * READ_MS) + 1, `${calls.join(", ")} calls`);
      assert.ok(total >= (2 * MINUTE) / (RESET_MS + 2 * READ_MS), `${calls.join(", ")} calls`);
      one.sne = other.sne = "up";
      await work(RESET_MS + 2 * READ_MS);
      assert.deepEqual(states(), ["closed", "closed"]);
    });
  }

  it("takes what it read before its own call worked for no news", async () => {
    let slowly: Promise<unknown> = Promise.resolve();
    const way: Way = {
      note: (key, value) => outbox.note(key, value),
      noted: async (key) => {
        const noted = await outbox.noted(key);
        await slowly;
        return noted;
      },
      noteIf: (key, expected, value) => outbox.noteIf(key, expected, value),
    };
    const one = await open({ way });
    await fail(one);
    await clock.pass(RESET_MS);
    const call = Promise.withResolvers<"up">();
    one.sne = call.promise;
    const trying = forward(one);
    await clock.pass(0);
    // Another opens; the reading of it takes longer than our call.
    const reading = Promise.withResolvers<undefined>();
    slowly = reading.promise;
    await outbox.note("breaker.openUntil", String(clock.now() + RESET_MS + 1));
    await clock.pass(READ_MS);
    call.resolve("up");
    await trying;
    reading.resolve(undefined);
    await clock.pass(0);
    assert.equal(one.breaker.state, "closed");
    assert.equal(await outbox.noted("breaker.openUntil"), "0");
  });

  it("is closed in the end although the word that it closed was lost", async () => {
    let isAway = false;
    const guard = <T>(ask: () => Promise<T>): Promise<T> =>
      isAway ? Promise.reject(gatewayError("STORE_UNAVAILABLE")) : ask();
    const way: Way = {
      note: (key, value) => guard(() => outbox.note(key, value)),
      noted: (key) => guard(() => outbox.noted(key)),
      noteIf: (key, expected, value) => guard(() => outbox.noteIf(key, expected, value)),
    };
    const one = await open({ way });
    await open();
    await fail(one);
    await clock.pass(READ_MS);
    assert.deepEqual(states(), ["open", "open"]);
    one.sne = "up";
    // The other is busy elsewhere: the first takes the turn.
    await clock.pass(RESET_MS);
    assert.equal(await one.breaker.mayCall(), true);
    isAway = true;
    assert.equal(await forward(one), true);
    await clock.pass(2 * READ_MS);
    assert.equal(one.breaker.state, "closed");
    assert.ok(logged.includes("breaker.notSaved"));
    isAway = false;
    await work(RESET_MS + 2 * READ_MS);
    assert.deepEqual(states(), ["closed", "closed"]);
  });

  it("stays shut for calls while the store is away, half open, and tries when it is back", async () => {
    let isAway = false;
    const way: Way = {
      note: (key, value) => outbox.note(key, value),
      noted: (key) => outbox.noted(key),
      noteIf: (key, expected, value) =>
        isAway
          ? Promise.reject(gatewayError("STORE_UNAVAILABLE"))
          : outbox.noteIf(key, expected, value),
    };
    const one = await open({ way });
    await fail(one);
    one.sne = "up";
    isAway = true;
    await clock.pass(RESET_MS);
    assert.equal(await forward(one), false);
    assert.ok(logged.includes("breaker.turnNotTaken"));
    isAway = false;
    assert.equal(await forward(one), true);
    assert.equal(one.breaker.state, "closed");
  });
});
