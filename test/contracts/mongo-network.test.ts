/**
 * A network that breaks under many requests at once. The driver labels the first of the errors only;
 * the others, which it leaves bare, must mean the same: what was not committed is run again, what may
 * have been is asked for again, and whoever is told of it hears that the store is away.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { mongo } from "mongoose";
import { isTransientTransaction, storeError } from "../../src/adapters/mongo/mongo-errors.ts";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { makeTransactions } from "../../src/adapters/mongo/transaction.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { startCutProxy, type CutProxy } from "../support/cut-proxy.ts";
import { freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { newFlux } from "../support/new-flux.ts";

describe("an error of the network that the driver left bare", () => {
  const bare = new mongo.MongoNetworkError("read ECONNRESET");
  // As the driver makes them, with what no test needs left out.
  const inBulk = Reflect.construct(mongo.MongoBulkWriteError, [bare]) as Error;

  const ofSocket = Object.assign(new Error("write ECONNRESET"), {
    code: "ECONNRESET",
    syscall: "write",
  });

  it("means that the store is away, also out of a bulk write, also of the socket", () => {
    for (const error of [bare, inBulk, ofSocket]) {
      assert.equal(storeError(error).code, "STORE_UNAVAILABLE");
      assert.ok(isTransientTransaction(error));
    }
    const refused = new mongo.MongoServerError({ message: "no", code: 2 });
    assert.equal(storeError(refused).code, "INTERNAL_ERROR");
    assert.ok(!isTransientTransaction(refused));
  });

  /** A client whose commits fail as told, then succeed. */
  function clientFailing(errors: Error[]): { client: mongo.MongoClient; asked: () => number } {
    let asked = 0;
    const session = {
      startTransaction: () => undefined,
      inTransaction: () => false,
      endSession: () => Promise.resolve(),
      commitTransaction: () => {
        asked += 1;
        const error = errors.shift();
        return error === undefined ? Promise.resolve() : Promise.reject(error);
      },
    };
    const client = { startSession: () => session } as unknown as mongo.MongoClient;
    return { client, asked: () => asked };
  }

  it("leaves a commit unknown: it is asked for again, and the work is not run again", async () => {
    const selection = Reflect.construct(mongo.MongoServerSelectionError, ["none", {}]) as Error;
    const { client, asked } = clientFailing([bare, selection, ofSocket]);
    const transactions = makeTransactions({ client, clock: systemClock() });
    let runs = 0;
    const value = await transactions(() => Promise.resolve((runs += 1)));
    assert.equal(value, 1);
    assert.equal(asked(), 4);
  });

  it("is told in the end, and the work is still not run again", async () => {
    const { client, asked } = clientFailing(Array.from({ length: 1_000 }, () => bare));
    // Each look at the clock is five seconds later.
    let now = 0;
    const clock = { now: () => (now += 5_000), wait: () => Promise.resolve() };
    let runs = 0;
    const transactions = makeTransactions({ client, clock });
    await assert.rejects(
      transactions(() => Promise.resolve((runs += 1))),
      bare,
    );
    assert.equal(runs, 1);
    assert.ok(asked() > 1);
  });
});

await withMongo("a network cut under many requests", { ownProcesses: true }, () => {
  describe("a network cut under many requests", function () {
    this.timeout(60_000);
    let proxy: CutProxy | undefined;
    let outbox: Outbox | undefined;

    before(async () => {
      const uri = new URL((await freshDatabaseUri()).replace("mongodb:", "http:"));
      proxy = await startCutProxy({ to: Number(uri.port) });
      outbox = await openMongoOutbox({
        uri: `mongodb://127.0.0.1:${proxy.port}${uri.pathname}?directConnection=true`,
        owner: "gateway-1",
        clock: systemClock(),
        chance: systemChance(),
        log: SILENT_LOG,
      });
    });
    after(async () => {
      await outbox?.stop();
      await proxy?.stop();
    });

    it("costs time, and refuses nobody", async () => {
      assert.ok(proxy !== undefined && outbox !== undefined);
      const store = outbox;
      let isOver = false;
      let kept = 0;
      const sending = Array.from({ length: 40 }, async (_, sender) => {
        for (let n = 0; !isOver; n += 1) {
          await store.keep([newFlux({ lane: `lane-${sender}`, arrivalKey: `${sender}/${n}` })]);
          kept += 1;
        }
      });
      const refused = Promise.allSettled(sending);
      for (let cut = 0; cut < 10; cut += 1) {
        await sleep(150);
        proxy.cut();
        proxy.restore();
      }
      isOver = true;
      const errors = (await refused).filter(({ status }) => status === "rejected");
      assert.deepEqual(errors, []);
      assert.equal((await store.counts()).received, kept);
    });
  });
});
