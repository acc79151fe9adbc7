/** The circuit breaker on a clock moved by hand: no test here waits for a timer. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { makeOpossumBreaker } from "../../src/adapters/breaker/opossum-breaker.ts";
import type { BreakerMark, BreakerState, LocalBreaker } from "../../src/forward/breaker.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";

const RESET_MS = 15_000;
const isUp = (result: string): boolean => result !== "down";

/** A call that ends when told. */
function held(): {
  call: () => Promise<string>;
  end: (result: string) => void;
  made: () => number;
} {
  let end: (result: string) => void = () => undefined;
  let count = 0;
  const result = new Promise<string>((resolve) => {
    end = resolve;
  });
  return {
    call: () => {
      count += 1;
      return result;
    },
    end: (value) => {
      end(value);
    },
    made: () => count,
  };
}

describe("The breaker", () => {
  let now: number;
  let saved: BreakerMark[];
  let states: BreakerState[];
  let breaker: LocalBreaker;
  const warnings: string[] = [];

  function make(
    restore?: BreakerMark,
    save: (state: BreakerMark) => void | Promise<void> = (state) => void saved.push(state),
  ): LocalBreaker {
    const made = makeOpossumBreaker({
      clock: { now: () => now, wait: () => Promise.resolve() },
      log: { ...SILENT_LOG, warn: (name) => void warnings.push(name) },
      failureThreshold: 5,
      resetMs: RESET_MS,
      save,
      ...(restore === undefined ? {} : { restore }),
    });
    made.onChange((state) => states.push(state));
    return made;
  }
  const give = (result: string): Promise<string | undefined> =>
    breaker.run(() => Promise.resolve(result), isUp);
  async function giveMany(results: string): Promise<void> {
    for (const sign of results) await give(sign === "x" ? "down" : "up");
  }

  beforeEach(() => {
    now = 1_000_000;
    saved = [];
    states = [];
    breaker = make();
  });
  afterEach(() => {
    breaker.stop();
  });

  it("gives back what the call gave, even a failure of the link", async () => {
    assert.equal(await give("up"), "up");
    assert.equal(await give("down"), "down");
    assert.equal(breaker.state, "closed");
  });

  it("opens on five failures of the link in a row, not before, and calls no more", async () => {
    await giveMany("xxxx");
    assert.equal(breaker.state, "closed");
    assert.equal(breaker.retryAt, undefined);
    await giveMany("x");
    assert.equal(breaker.state, "open");
    assert.equal(breaker.retryAt, now + RESET_MS);
    const refused = held();
    assert.equal(await breaker.run(refused.call, isUp), undefined);
    assert.equal(refused.made(), 0);
    assert.deepEqual(states, ["open"]);
  });

  it("stays closed while the link works now and then, however many failures there are", async () => {
    await giveMany("xxxxoxxxxoxxxxoxxxxo");
    assert.equal(breaker.state, "closed");
    assert.deepEqual(saved, []);
  });

  it("counts neither way what says nothing of the link", async () => {
    const giveNothing = (): Promise<string | undefined> =>
      breaker.run(
        () => Promise.resolve("given up"),
        () => undefined,
      );
    await giveMany("xxxx");
    for (let call = 0; call < 10; call += 1) assert.equal(await giveNothing(), "given up");
    assert.equal(breaker.state, "closed");
    await giveMany("x");
    assert.equal(breaker.state, "open");
    // A trial that says nothing leaves the turn to the next call: neither closed, nor open for long.
    now += RESET_MS;
    assert.equal(await giveNothing(), "given up");
    assert.equal(breaker.state, "halfOpen");
    assert.deepEqual(saved.length, 1);
    assert.equal(await give("up"), "up");
    assert.equal(breaker.state, "closed");
  });

  it("counts over hours, since at night fluxes are rare", async () => {
    for (let failure = 0; failure < 5; failure += 1) {
      await giveMany("x");
      now += 3_600_000;
    }
    assert.deepEqual(states, ["open"]);
  });

  it("lets one call through when its time has come, and closes if the link works", async () => {
    await giveMany("xxxxx");
    now += RESET_MS - 1;
    assert.equal(breaker.state, "open");
    now += 1;
    assert.equal(breaker.state, "halfOpen");
    const trial = held();
    const trying = breaker.run(trial.call, isUp);
    const refused = held();
    assert.equal(await breaker.run(refused.call, isUp), undefined);
    assert.equal(refused.made(), 0);
    trial.end("up");
    assert.equal(await trying, "up");
    assert.equal(breaker.state, "closed");
    assert.equal(breaker.retryAt, undefined);
    assert.deepEqual(states, ["open", "halfOpen", "closed"]);
    // The count begins anew.
    await giveMany("xxxx");
    assert.equal(breaker.state, "closed");
  });

  it("opens again for a whole delay if the one call fails", async () => {
    await giveMany("xxxxx");
    now += RESET_MS + 5;
    assert.equal(await give("down"), "down");
    assert.equal(breaker.state, "open");
    assert.equal(breaker.retryAt, now + RESET_MS);
    assert.equal(await give("up"), undefined);
    assert.deepEqual(states, ["open", "halfOpen", "open"]);
  });

  it("opens again if the one call throws, and lets the error through", async () => {
    await giveMany("xxxxx");
    now += RESET_MS;
    await assert.rejects(
      breaker.run(() => Promise.reject<string>(new Error("bug")), isUp),
      /bug/,
    );
    assert.equal(breaker.state, "open");
  });

  it("does not count our own mistakes against the link", async () => {
    for (let mistake = 0; mistake < 9; mistake += 1) {
      await assert.rejects(breaker.run(() => Promise.reject<string>(new Error("bug")), isUp));
    }
    assert.equal(breaker.state, "closed");
  });

  it("pays no heed to results of before it opened", async () => {
    const early = held();
    const other = held();
    const late = [breaker.run(early.call, isUp), breaker.run(other.call, isUp)];
    await giveMany("xxxxx");
    now += RESET_MS;
    const trial = held();
    const trying = breaker.run(trial.call, isUp);
    early.end("up");
    other.end("down");
    assert.deepEqual(await Promise.all(late), ["up", "down"]);
    assert.equal(breaker.state, "halfOpen");
    trial.end("down");
    await trying;
    assert.equal(breaker.state, "open");
  });

  it("opens once when many calls in progress fail together", async () => {
    const calls = Array.from({ length: 20 }, held);
    const running = calls.map(({ call }) => breaker.run(call, isUp));
    for (const { end } of calls) end("down");
    assert.deepEqual(await Promise.all(running), Array(20).fill("down"));
    assert.deepEqual(states, ["open"]);
  });

  it("costs an hour's outage one call per delay", async () => {
    let calls = 0;
    for (const end = now + 3_600_000; now < end; now += 500) {
      if ((await give("down")) !== undefined) calls += 1;
    }
    assert.ok(calls <= 5 + 3_600_000 / RESET_MS, `${calls} calls`);
    assert.equal(await give("up"), breaker.state === "open" ? undefined : "up");
  });

  describe("outlives the process:", () => {
    it("it saves until when it is open, then that it closed", async () => {
      await giveMany("xxxxx");
      const openUntil = now + RESET_MS;
      now += RESET_MS;
      await giveMany("o");
      await new Promise(setImmediate);
      assert.deepEqual(saved, [{ openUntil }, { openUntil: undefined }]);
    });

    it("it starts open, and closes by itself when the link works again", async () => {
      breaker.stop();
      breaker = make({ openUntil: now + 9_000 });
      assert.equal(breaker.state, "open");
      assert.equal(breaker.retryAt, now + 9_000);
      assert.equal(await give("up"), undefined);
      now += 9_000;
      assert.equal(await give("up"), "up");
      assert.equal(breaker.state, "closed");
    });

    it("it tries one call only when its time passed while the process was away", async () => {
      breaker.stop();
      breaker = make({ openUntil: now - 1 });
      assert.equal(breaker.state, "halfOpen");
      const trial = held();
      const trying = breaker.run(trial.call, isUp);
      assert.equal(await give("up"), undefined);
      trial.end("down");
      await trying;
      assert.equal(breaker.state, "open");
    });

    it("it starts closed when it was closed", () => {
      breaker.stop();
      breaker = make({ openUntil: undefined });
      assert.equal(breaker.state, "closed");
    });

    it("it never waits longer than its delay, even if the clock was set back", () => {
      breaker.stop();
      breaker = make({ openUntil: now + 999 * RESET_MS });
      assert.equal(breaker.retryAt, now + RESET_MS);
    });

    it("it works on when it cannot be saved, and says so", async () => {
      breaker.stop();
      breaker = make(undefined, () => Promise.reject(new Error("disque plein")));
      await giveMany("xxxxx");
      await new Promise(setImmediate);
      assert.equal(breaker.state, "open");
      assert.deepEqual(warnings, ["breaker.notSaved"]);
    });
  });

  describe("on another's word", () => {
    it("opens until the time given, and saves nothing", async () => {
      breaker.follow({ openUntil: now + 9_000 });
      assert.equal(breaker.state, "open");
      assert.equal(breaker.retryAt, now + 9_000);
      assert.equal(await give("up"), undefined);
      breaker.follow({ openUntil: now + 12_000 });
      now += 9_000;
      assert.equal(breaker.state, "open");
      now += 3_000;
      assert.equal(await give("up"), "up");
      assert.deepEqual(states, ["open", "halfOpen", "closed"]);
      await new Promise(setImmediate);
      assert.deepEqual(saved, [{ openUntil: undefined }]);
    });

    it("closes before its time, and counts failures anew", async () => {
      await giveMany("xxxxx");
      breaker.follow({ openUntil: undefined });
      breaker.follow({ openUntil: undefined });
      assert.equal(breaker.state, "closed");
      assert.deepEqual(states, ["open", "closed"]);
      await giveMany("xxxx");
      assert.equal(breaker.state, "closed");
      await giveMany("x");
      assert.equal(breaker.state, "open");
    });

    it("pays no heed to the trial that was under way when it closed", async () => {
      for (const end of ["down", "throw"]) {
        await giveMany("xxxxx");
        now += RESET_MS;
        const trial = held();
        const trying = breaker.run(async () => {
          const result = await trial.call();
          if (result === "throw") throw new Error("bug");
          return result;
        }, isUp);
        breaker.follow({ openUntil: undefined });
        trial.end(end);
        await trying.catch(() => undefined);
        assert.equal(breaker.state, "closed");
      }
    });

    it("believes the success of its own trial, although it was opened meanwhile", async () => {
      await giveMany("xxxxx");
      now += RESET_MS;
      const trial = held();
      const trying = breaker.run(trial.call, isUp);
      breaker.follow({ openUntil: now + RESET_MS });
      assert.equal(breaker.state, "open");
      trial.end("up");
      assert.equal(await trying, "up");
      assert.equal(breaker.state, "closed");
    });
  });

  it("makes no call once stopped", async () => {
    breaker.stop();
    breaker.stop();
    assert.equal(await give("up"), undefined);
  });
});
