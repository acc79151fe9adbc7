/**
 * A transaction that its gateway left open (frozen, or killed in the middle: the server ends it after
 * a minute by itself) holds the documents it wrote. Whoever wants these waits; nobody else does.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { mongo } from "mongoose";
import { connect, type MongoDatabase } from "../../src/adapters/mongo/connect.ts";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import type { ClaimedFlux, Outbox } from "../../src/keep/outbox.ts";
import { systemChance, systemClock, type Clock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { claimAt, MINUTE, newFlux, NOON } from "../support/new-flux.ts";

/** Far less than an open transaction lasts, far more than a request. */
const SOON_MS = 8_000;

await withMongo("documents that an open transaction holds", { ownProcesses: false }, () => {
  describe("documents that an open transaction holds", function () {
    this.timeout(60_000);
    let database: MongoDatabase;
    let outbox: Outbox;
    let hurry = 1;
    let frozen: mongo.ClientSession;

    beforeEach(async () => {
      const uri = await freshDatabaseUri();
      database = await connect(uri);
      const system = systemClock();
      const since = system.now();
      hurry = 1;
      const clock: Clock = {
        ...system,
        now: () => since + (system.now() - since) * hurry,
      };
      const chance = systemChance();
      outbox = await openMongoOutbox({ uri, owner: "gateway-1", clock, chance, log: SILENT_LOG });
      frozen = database.client.startSession();
      frozen.startTransaction();
    });
    afterEach(async () => {
      await frozen.abortTransaction();
      await frozen.endSession();
      await outbox.stop();
      await database.close();
    });

    /** Holds the document of a flux, as a gateway does that stopped in the middle of a move. */
    async function hold(fluxId: string): Promise<void> {
      const { fluxes } = database.collections;
      await fluxes.updateOne({ _id: fluxId }, { $inc: { followed: 1 } }, { session: frozen });
    }

    async function keep(lane: string): Promise<string> {
      const [result] = await outbox.keep([newFlux({ lane })]);
      assert.ok(result?.kind === "kept");
      return result.flux.id;
    }

    async function soon<T>(what: string, asked: Promise<T>): Promise<T> {
      const late = sleep(SOON_MS, undefined, { ref: false }).then(() => {
        throw new Error(`${what}: not within ${SOON_MS} ms`);
      });
      return Promise.race([asked, late]);
    }

    it("keep no other from being lent", async () => {
      const held = await keep("a");
      const others = [await keep("b"), await keep("c")];
      await hold(held);
      const lent: string[] = [];
      while (lent.length < others.length) {
        const claimed = await soon("a claim", outbox.claim(claimAt(NOON + MINUTE)));
        lent.push(...claimed.map(({ flux }) => flux.id));
      }
      assert.deepEqual(lent.sort(), others.sort());
      await frozen.abortTransaction();
      frozen.startTransaction();
      const [last] = await untilLent();
      assert.equal(last?.flux.id, held, "lent once nobody holds it");
    });

    async function untilLent(): ReturnType<Outbox["claim"]> {
      for (;;) {
        const claimed = await soon("a claim", outbox.claim(claimAt(NOON + MINUTE)));
        if (claimed.length > 0) return claimed;
        await sleep(100);
      }
    }

    it("keep no other from being taken back", async () => {
      const fluxes = [await keep("a"), await keep("b"), await keep("c")];
      await outbox.claim(claimAt(NOON));
      await hold(fluxes[0] ?? "");
      const { inDoubt } = await soon("taking back", outbox.takeBack(NOON + 2 * MINUTE));
      assert.equal(inDoubt, 2);
      await frozen.abortTransaction();
      frozen.startTransaction();
      assert.equal((await outbox.takeBack(NOON + 2 * MINUTE)).inDoubt, 1);
    });

    it("keep no other from being kept, nor from being moved", async () => {
      const held = await keep("a");
      await hold(held);
      // Behind the one that is held, in the same group as the others.
      let isKept = false;
      const waiting = outbox.keep([newFlux({ lane: "a" })]).finally(() => {
        isKept = true;
      });
      const others = await soon("others", Promise.all(["b", "c", "d"].map(keep)));
      assert.equal(others.length, 3);
      const claimed = await soon("a claim", outbox.claim(claimAt(NOON + MINUTE)));
      assert.equal(claimed.length, 3);
      const move = async ({ flux, fence }: ClaimedFlux): Promise<string> => {
        const event = { name: "flux.failed", detail: {} } as const;
        const lent = { fluxId: flux.id, from: ["inTransit"] as const, fence };
        return (await outbox.move({ ...lent, to: "failed", at: NOON + MINUTE, event })).kind;
      };
      const moved = await soon("moves", Promise.all(claimed.map(move)));
      assert.deepEqual(moved, ["moved", "moved", "moved"]);
      assert.equal(isKept, false);
      await frozen.abortTransaction();
      frozen.startTransaction();
      const [result] = await soon("the one that waited", waiting);
      assert.equal(result?.kind, "kept");
    });

    it("are refused to who waits for too long, for another time", async () => {
      const held = await keep("a");
      await hold(held);
      hurry = 20;
      await assert.rejects(outbox.keep([newFlux({ lane: "a" })]), { code: "STORE_UNAVAILABLE" });
    });
  });
});
