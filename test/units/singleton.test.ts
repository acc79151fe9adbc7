/** A job done by one gateway at a time: two of them on one real store, the clock moved by hand. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { SqliteOutbox } from "../../src/adapters/sqlite/store-operations.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import type { Outbox, RoleHolding } from "../../src/keep/outbox.ts";
import { makeSingleton } from "../../src/keep/singleton.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import type { Part } from "../../src/runtime/part.ts";
import { makeHandClock, settleOn, type HandClock } from "../support/hand-clock.ts";
import { NOON } from "../support/new-flux.ts";

const LEASE_MS = 30_000;
const THIRD_MS = LEASE_MS / 3;

/** What one gateway's job did, and its way to the store, which can be cut. */
interface Gateway {
  readonly part: Part;
  runs: number;
  /** Runs in hand. */
  inHand: number;
  /** Aborted runs. */
  told: number;
  /** Answers in place of the store when set. */
  storeAnswer: (() => Promise<RoleHolding>) | undefined;
}

describe("a job of one gateway at a time", () => {
  let folder: string;
  let outbox: SqliteOutbox;
  let clock: HandClock;
  let gateways: Gateway[];
  const logged: string[] = [];
  const log = { ...SILENT_LOG, warn: (name: string) => void logged.push(name) };

  function makeGateway(
    owner: string,
    body: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ): Gateway {
    const way: Pick<Outbox, "holdRole" | "leaveRole"> = {
      holdRole: (role, hold) => gateway.storeAnswer?.() ?? outbox.holdRole(role, hold),
      leaveRole: (role, who) => outbox.leaveRole(role, who),
    };
    const part = makeSingleton({
      role: "sweeping",
      owner,
      outbox: way,
      leaseMs: LEASE_MS,
      everyMs: 1_000,
      clock,
      log: { ...log, error: (name) => void logged.push(name) },
      job: async (signal) => {
        gateway.runs += 1;
        gateway.inHand += 1;
        signal.addEventListener("abort", () => (gateway.told += 1), { once: true });
        try {
          await body(signal);
        } finally {
          gateway.inHand -= 1;
        }
      },
    });
    const gateway: Gateway = { part, runs: 0, inHand: 0, told: 0, storeAnswer: undefined };
    gateways.push(gateway);
    return gateway;
  }
  /** A job that lasts until it is told to stop. */
  const long = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "passerelle-role-"));
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

  it("is done by one of two, again and again, however long they live", async () => {
    const [one, two] = [makeGateway("one"), makeGateway("two")];
    await Promise.all([one.part.start(), two.part.start()]);
    await clock.pass(10 * LEASE_MS);
    assert.deepEqual([one.runs, two.runs].sort(), [0, 301]);
    assert.deepEqual(logged, []);
  });

  it("passes to the other at once when the part stops, after the run in hand", async () => {
    const [one, two] = [makeGateway("one", long), makeGateway("two", long)];
    await one.part.start();
    await clock.pass(0);
    await two.part.start();
    await clock.pass(LEASE_MS);
    assert.deepEqual([one.inHand, two.runs], [1, 0]);
    await one.part.stop();
    assert.deepEqual([one.inHand, one.told], [0, 1]);
    await clock.pass(THIRD_MS);
    assert.equal(two.inHand, 1);
    // A second stop waits for nothing.
    await one.part.stop();
  });

  it("passes to the other when its holder dies, once the lease has ended", async () => {
    await outbox.holdRole("sweeping", { owner: "dead", now: NOON, leaseMs: LEASE_MS });
    const two = makeGateway("two");
    await two.part.start();
    await clock.pass(LEASE_MS - 1);
    assert.equal(two.runs, 0);
    await clock.pass(THIRD_MS);
    await two.part.stop();
    assert.notEqual(two.runs, 0);
  });

  it("stops its run before its lease ends when the store cannot be reached, and takes it again", async () => {
    const one = makeGateway("one", long);
    await one.part.start();
    await clock.pass(0);
    one.storeAnswer = () => Promise.reject(gatewayError("STORE_UNAVAILABLE"));
    await clock.pass(2 * THIRD_MS - 1);
    assert.deepEqual([one.inHand, one.told], [1, 0]);
    await clock.pass(1);
    assert.deepEqual([one.inHand, one.told], [0, 1]);
    assert.ok(logged.includes("role.lost"));
    one.storeAnswer = undefined;
    await clock.pass(THIRD_MS);
    assert.equal(one.inHand, 1);
  });

  it("stops its run likewise when the store does not answer at all", async () => {
    const one = makeGateway("one", long);
    await one.part.start();
    await clock.pass(0);
    one.storeAnswer = () => new Promise(() => undefined);
    await clock.pass(2 * THIRD_MS);
    assert.deepEqual([one.inHand, one.told], [0, 1]);
  });

  it("goes on through a store that fails for less than that", async () => {
    const one = makeGateway("one", long);
    await one.part.start();
    await clock.pass(0);
    one.storeAnswer = () => Promise.reject(gatewayError("STORE_UNAVAILABLE"));
    await clock.pass(2 * THIRD_MS - 2_000);
    one.storeAnswer = undefined;
    await clock.pass(5 * LEASE_MS);
    assert.deepEqual([one.runs, one.inHand, one.told], [1, 1, 0]);
  });

  it("stops its run when the role has passed to another", async () => {
    const one = makeGateway("one", long);
    await one.part.start();
    await clock.pass(0);
    await outbox.holdRole("sweeping", {
      owner: "thief",
      now: clock.now() + LEASE_MS,
      leaseMs: LEASE_MS,
    });
    await clock.pass(THIRD_MS);
    assert.deepEqual([one.inHand, one.told], [0, 1]);
  });

  it("runs again after a run that failed", async () => {
    const one = makeGateway("one", () => Promise.reject(new Error("bug")));
    await one.part.start();
    await clock.pass(5_000);
    assert.equal(one.runs, 6);
    assert.equal(logged.filter((name) => name === "role.jobFailed").length, 6);
  });

  it("can be stopped before it has started, and while it waits for the role", async () => {
    const idle = makeGateway("idle");
    await idle.part.stop();
    await outbox.holdRole("sweeping", { owner: "other", now: NOON, leaseMs: LEASE_MS });
    const waiting = makeGateway("waiting");
    await waiting.part.start();
    await clock.pass(0);
    await waiting.part.stop();
    assert.equal(waiting.runs, 0);
    // And the role is still the other's.
    const { holder } = await outbox.holdRole("sweeping", {
      owner: "third",
      now: NOON,
      leaseMs: LEASE_MS,
    });
    assert.equal(holder, "other");
  });
});
