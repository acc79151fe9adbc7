/** The loops that work the outbox: never more than allowed at once, no wake lost, no piece dropped. */
import assert from "node:assert/strict";
import { systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { startParts, stopParts, type Part } from "../../src/runtime/part.ts";
import { makeWorkerPool } from "../../src/runtime/worker-pool.ts";
import { eventually } from "../support/eventually.ts";

describe("a worker pool", () => {
  function pool(options: { concurrency: number; allowance?: () => number }): {
    queue: number[];
    done: number[];
    most: () => number;
    release: () => void;
    pool: ReturnType<typeof makeWorkerPool<number>>;
  } {
    const queue: number[] = [];
    const done: number[] = [];
    let inHand = 0;
    let most = 0;
    let gate = Promise.withResolvers<undefined>();
    return {
      queue,
      done,
      most: () => most,
      release: () => {
        gate.resolve(undefined);
        gate = Promise.withResolvers();
        gate.resolve(undefined);
      },
      pool: makeWorkerPool<number>({
        name: "test",
        clock: systemClock(),
        log: SILENT_LOG,
        ...options,
        claim: (max) => Promise.resolve(queue.splice(0, max)),
        handle: async (piece) => {
          inHand += 1;
          most = Math.max(most, inHand);
          await gate.promise;
          inHand -= 1;
          if (piece === 13) throw new Error("unlucky");
          done.push(piece);
        },
      }),
    };
  }

  it("handles every piece, never more than its concurrency at once, whatever one throws", async () => {
    const world = pool({ concurrency: 3 });
    world.queue.push(...Array.from({ length: 20 }, (_, index) => index));
    world.pool.start();
    await eventually("three in hand", () => world.most() === 3);
    world.release();
    await eventually("all but the one that threw", () => world.done.length === 19);
    await world.pool.stop();
    assert.equal(world.most(), 3);
  });

  it("claims nothing while its allowance is nothing, and all once it is woken", async () => {
    let allowed = 0;
    let asked = 0;
    const allowance = (): number => {
      asked += 1;
      return allowed;
    };
    const world = pool({ concurrency: 3, allowance });
    world.release();
    world.queue.push(1, 2);
    world.pool.start();
    world.pool.wake();
    await eventually("two turns", () => asked >= 2);
    assert.equal(world.queue.length, 2);
    allowed = 3;
    world.pool.wake();
    await eventually("both done", () => world.done.length === 2);
    await world.pool.stop();
  });

  it("stops only once what is in hand is done", async () => {
    const world = pool({ concurrency: 1 });
    world.queue.push(1);
    world.pool.start();
    await eventually("one in hand", () => world.most() === 1);
    let stopped = false;
    const stopping = world.pool.stop().then(() => {
      stopped = true;
    });
    // A stop that did not wait would have resolved within a few turns of the event loop.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stopped, false);
    world.release();
    await stopping;
    assert.deepEqual(world.done, [1]);
  });

  it("takes others where pieces gave their place back, and no more than it may have in hand", async () => {
    const queue = Array.from({ length: 40 }, (_, index) => index);
    const outcome = Promise.withResolvers<undefined>();
    let inHand = 0;
    const places = makeWorkerPool<number>({
      name: "test",
      clock: systemClock(),
      log: SILENT_LOG,
      concurrency: 2,
      claim: (max) => Promise.resolve(queue.splice(0, max)),
      handle: async (_piece, givePlaceBack) => {
        inHand += 1;
        givePlaceBack();
        givePlaceBack();
        await outcome.promise;
      },
    });
    places.start();
    await eventually("four times its places", () => inHand === 8);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(inHand, 8);
    outcome.resolve(undefined);
    await eventually("all", () => inHand === 40);
    await places.stop();
  });

  it("asks once for one piece, and again only when it is woken", async () => {
    const queue = [1];
    let asked = 0;
    let done = 0;
    const places = makeWorkerPool<number>({
      name: "test",
      // A clock that stands still: nothing is asked for want of a wake.
      clock: { ...systemClock(), wait: (_ms, signal) => aborted(signal) },
      log: SILENT_LOG,
      concurrency: 8,
      claim: (max) => {
        asked += 1;
        return Promise.resolve(queue.splice(0, max));
      },
      handle: (_piece, givePlaceBack) => {
        givePlaceBack();
        done += 1;
        return Promise.resolve();
      },
    });
    places.start();
    await eventually("the first", () => done === 1);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asked, 1);
    queue.push(2);
    places.wake();
    await eventually("the second", () => done === 2);
    assert.equal(asked, 2);
    await places.stop();
  });
});

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

describe("parts", () => {
  it("start in order, stop in reverse, and one that fails to stop keeps no other from it", async () => {
    const told: string[] = [];
    const part = (name: string, fails = false): Part => ({
      name,
      start: () => {
        told.push(`start ${name}`);
        return Promise.resolve();
      },
      stop: () => {
        told.push(`stop ${name}`);
        return fails ? Promise.reject(new Error("stuck")) : Promise.resolve();
      },
    });
    const parts = [part("a"), part("b", true), part("c")];
    await startParts(parts);
    const failures = await stopParts(parts);
    assert.deepEqual(told, ["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
    assert.deepEqual(
      failures.map(({ name }) => name),
      ["b"],
    );
  });

  it("stop those already started when one cannot start, and tell its error", async () => {
    const told: string[] = [];
    const good: Part = {
      name: "good",
      start: () => Promise.resolve(),
      stop: () => {
        told.push("stopped");
        return Promise.resolve();
      },
    };
    const bad: Part = {
      name: "bad",
      start: () => Promise.reject(new Error("no port")),
      stop: () => Promise.resolve(),
    };
    await assert.rejects(startParts([good, bad]), /no port/);
    assert.deepEqual(told, ["stopped"]);
  });
});
