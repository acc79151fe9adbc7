/** What is promised of an outbox made of several, beside the contract: homes, fairness, trouble. */
import assert from "node:assert/strict";
import type { ClaimedFlux, NewFlux, Outbox, PauseScope } from "../../src/keep/outbox.ts";
import { eventually } from "../support/eventually.ts";
import {
  claimAt,
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../support/new-flux.ts";
import { moveTo } from "./outbox/journeys.ts";
import {
  openPartitions,
  type PartitionName,
  type PartitionsBench,
  PATIENCE_MS,
} from "./partitions-bench.ts";

const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };

const inNord = (parts: Partial<NewFlux> = {}): NewFlux => newFlux({ guichet: "75001", ...parts });
const inSud = (parts: Partial<NewFlux> = {}): NewFlux => newFlux({ guichet: "69002", ...parts });
const inBase = (parts: Partial<NewFlux> = {}): NewFlux => newFlux({ guichet: "13055", ...parts });

const guichetsOf = (claimed: readonly ClaimedFlux[]): readonly (string | undefined)[] =>
  claimed.map(({ flux }) => flux.guichet);

function accept({ flux, fence }: ClaimedFlux) {
  return { ...moveTo("accepted", flux, NOON), from: ["inTransit"], fence } as const;
}

describe("an outbox of several databases", function () {
  this.timeout(60_000);
  let bench: PartitionsBench;
  const outbox = (): Outbox => bench.outbox;
  const part = (name: PartitionName): Outbox => bench.parts[name].outbox;
  const logged = (name: string): number => bench.logged.filter((line) => line.name === name).length;

  async function homeOf(fluxId: string): Promise<readonly PartitionName[]> {
    const names = ["base", "nord", "sud"] as const;
    const found = await Promise.all(names.map((name) => part(name).find(fluxId)));
    return names.filter((_, index) => found[index] !== undefined);
  }

  beforeEach(async () => {
    bench = await openPartitions();
  });
  afterEach(() => bench.remove());

  describe("keeping", () => {
    it("keeps each flux where its guichet lives, and answers a batch in its order", async () => {
      const batch = [inNord(), inSud(), inNord(), inBase(), newFlux({ guichet: "99999" })];
      const results = await outbox().keep(batch);
      assert.deepEqual(
        results.map((result) => (result.kind === "kept" ? result.flux.id : result.kind)),
        batch.map(({ id }) => id),
      );
      const homes = await Promise.all(batch.map(({ id }) => homeOf(id)));
      assert.deepEqual(homes.flat(), ["nord", "sud", "nord", "base", "base"]);
    });

    it("keeps a stranger where the guichet its file names lives", async () => {
      const envelope = { kind: "CRE", numGuichet: "69002" };
      const [named, unnamed] = [newQuarantinedFlux({ envelope }), newQuarantinedFlux()];
      await outbox().keep([named, unnamed]);
      assert.deepEqual(await homeOf(named.id), ["sud"]);
      assert.deepEqual(await homeOf(unnamed.id), ["base"]);
    });

    it("keeps nothing of a batch when one of its databases cannot be written to", async () => {
      bench.parts.sud.goDown();
      const batch = [inNord(), inSud()];
      await assert.rejects(outbox().keep(batch), UNAVAILABLE);
      bench.parts.sud.recover();
      assert.equal((await outbox().counts()).received, 0);
      assert.equal((await outbox().keep(batch)).length, 2);
    });

    it("tells again, as the same arrival, what was kept of a batch that was then rejected", async () => {
      const batch = [inNord({ arrivalKey: "mail:1#0" }), inSud({ arrivalKey: "mail:1#1" })];
      bench.parts.sud.plan((operation) => (operation === "keep" ? "before" : undefined));
      await assert.rejects(outbox().keep(batch), UNAVAILABLE);
      bench.parts.sud.recover();
      const again = batch.map((flux) => ({ ...flux, id: newFlux().id }));
      const results = await outbox().keep(again);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["sameArrival", "kept"],
      );
      assert.equal((await outbox().counts()).received, 2);
    });

    it("goes on keeping for one guichet while the database of another is down", async () => {
      bench.parts.sud.goDown();
      assert.equal((await outbox().keep([inNord(), inNord()])).length, 2);
      await assert.rejects(outbox().keep([inSud()]), (error: Error) => {
        assert.match(error.message, /« sud »/);
        return true;
      });
    });
  });

  describe("lending", () => {
    it("lends an equal share of each, whatever the backlog of one", async () => {
      await outbox().keep(Array.from({ length: 300 }, () => inNord()));
      await outbox().keep(Array.from({ length: 12 }, () => inSud({ receivedAt: NOON + 1 })));
      const lent = guichetsOf(await outbox().claim(claimAt(NOON + MINUTE, { max: 20 })));
      assert.equal(lent.length, 20);
      // The third has nothing: what it leaves is shared in turn, to within one.
      const south = lent.filter((guichet) => guichet === "69002").length;
      assert.ok(south >= 9 && south <= 11, `${south} of 20`);
    });

    it("turns from one to the other when it lends one at a time", async () => {
      await outbox().keep(Array.from({ length: 50 }, () => inNord()));
      await outbox().keep(Array.from({ length: 50 }, () => inSud({ receivedAt: NOON + 1 })));
      const lent: (string | undefined)[] = [];
      for (let n = 0; n < 30; n += 1) {
        lent.push(...guichetsOf(await outbox().claim(claimAt(NOON + MINUTE, { max: 1 }))));
      }
      assert.equal(lent.length, 30);
      // The base has nothing: its turn goes to the one after it.
      for (const guichet of ["75001", "69002"]) {
        assert.ok(lent.filter((one) => one === guichet).length >= 10, `${guichet}: ${lent.join()}`);
      }
    });

    it("lends all that is asked from one when the others have nothing", async () => {
      await outbox().keep(Array.from({ length: 40 }, () => inSud()));
      assert.equal((await outbox().claim(claimAt(NOON, { max: 37 }))).length, 37);
      assert.equal((await outbox().claim(claimAt(NOON, { max: 37 }))).length, 3);
    });

    it("goes on lending from the others while one is down, and says so once", async () => {
      await outbox().keep([inNord()]);
      await outbox().keep([inSud()]);
      bench.parts.nord.goDown();
      assert.deepEqual(guichetsOf(await outbox().claim(claimAt(NOON))), ["69002"]);
      for (let n = 0; n < 5; n += 1) assert.deepEqual(await outbox().claim(claimAt(NOON)), []);
      assert.equal(logged("store.partitionFailed"), 1);
      bench.parts.nord.recover();
      assert.deepEqual(guichetsOf(await outbox().claim(claimAt(NOON))), ["75001"]);
      assert.equal(logged("store.partitionFailed"), 1);
      assert.equal(logged("store.partitionBack"), 1);
    });

    it("says that it cannot lend when none can", async () => {
      for (const name of ["base", "nord", "sud"] as const) bench.parts[name].goDown();
      await assert.rejects(outbox().claim(claimAt(NOON)), UNAVAILABLE);
      await assert.rejects(outbox().claimDeliveries(claimAt(NOON)), UNAVAILABLE);
      await assert.rejects(outbox().takeBack(NOON), UNAVAILABLE);
    });

    it("waits for no database that does not answer, and loses nothing of what it lent", async () => {
      await outbox().keep([inNord()]);
      await outbox().keep([inSud()]);
      bench.parts.nord.plan((operation) => (operation === "claim" ? "late" : undefined));
      let woken = 0;
      outbox().watch((work) => (woken += work === "forward" ? 1 : 0));
      assert.deepEqual(guichetsOf(await outbox().claim(claimAt(NOON))), ["69002"]);
      // It is not asked again while it owes an answer.
      assert.deepEqual(await outbox().claim(claimAt(NOON)), []);
      assert.deepEqual(bench.parts.nord.asked, ["claim"]);
      assert.equal(woken, 0);
      bench.parts.nord.recover();
      await eventually("the forwarder is woken", () => woken > 0);
      const [late, ...others] = await outbox().claim(claimAt(NOON));
      assert.deepEqual(others, []);
      assert.equal(late?.flux.guichet, "75001");
      assert.equal((await outbox().move(accept(late))).kind, "moved");
    });

    it("waits little for one that did not answer in time, until it does", async () => {
      await outbox().keep([inNord()]);
      bench.parts.nord.plan((operation) => (operation === "claim" ? "late" : undefined));
      await outbox().claim(claimAt(NOON));
      bench.parts.nord.recover();
      await eventually(
        "what was late",
        async () => (await outbox().claim(claimAt(NOON))).length > 0,
      );
      const leastPatience = async (): Promise<number> => {
        bench.waits.length = 0;
        await outbox().claim(claimAt(NOON, { max: 3 }));
        return Math.min(...bench.waits);
      };
      await eventually("full patience again", async () => (await leastPatience()) === PATIENCE_MS);
      bench.parts.nord.plan((operation) => (operation === "claim" ? "late" : undefined));
      await outbox().claim(claimAt(NOON));
      bench.parts.nord.recover();
      await eventually(
        "it is asked again",
        async () => (await leastPatience()) === PATIENCE_MS / 20,
      );
      assert.ok(logged("store.partitionSlow") >= 2);
      assert.ok(logged("store.partitionInTime") >= 1);
    });

    it("gives back, when it stops, what was lent too late for anybody to take it", async () => {
      const flux = inNord();
      await outbox().keep([flux]);
      bench.parts.nord.plan((operation) => (operation === "claim" ? "late" : undefined));
      assert.deepEqual(await outbox().claim(claimAt(NOON)), []);
      const stopping = outbox().stop();
      bench.parts.nord.recover();
      await stopping;
      const again = await bench.reopen();
      assert.equal((await again.find(flux.id))?.state, "kept");
      assert.equal((await again.journal(flux.id)).at(-1)?.name, "flux.postponed");
    });

    it("lengthens leases where they are held, and never tells as held what it cannot reach", async () => {
      await outbox().keep([inNord()]);
      await outbox().keep([inSud()]);
      const claimed = await outbox().claim(claimAt(NOON));
      const held = claimed.map(({ flux, fence }) => ({ fluxId: flux.id, fence }));
      const ids = held.map(({ fluxId }) => fluxId);
      assert.deepEqual(await outbox().renew(held, NOON + 5 * MINUTE), ids);
      // Another process has met none of them, and renews them all the same.
      assert.deepEqual(await (await bench.another()).renew(held, NOON + 6 * MINUTE), ids);
      bench.parts.sud.goDown();
      assert.deepEqual(
        await outbox().renew(held, NOON + 7 * MINUTE),
        claimed.filter(({ flux }) => flux.guichet === "75001").map(({ flux }) => flux.id),
      );
    });

    it("takes back what it can while one is down", async () => {
      await outbox().keep([inNord()]);
      await outbox().keep([inSud()]);
      await outbox().claim(claimAt(NOON));
      bench.parts.sud.goDown();
      assert.deepEqual(await outbox().takeBack(NOON + MINUTE), { inDoubt: 1, deliveries: 0 });
      bench.parts.sud.recover();
      assert.deepEqual(await outbox().takeBack(NOON + MINUTE), { inDoubt: 1, deliveries: 0 });
    });
  });

  describe("acquittements", () => {
    const returnTo = { channel: "mail", to: "a@b.example", subject: "s" } as const;

    it("ends each delivery in the database that lent it, though both number them alike", async () => {
      const [north, south, base] = [
        newRefusedFlux({ returnTo }),
        newRefusedFlux({ returnTo, guichet: "69002" }),
        newRefusedFlux({ returnTo, guichet: "13055" }),
      ];
      for (const flux of [north, south, base]) await outbox().keep([flux]);
      const lent = await outbox().claimDeliveries(claimAt(NOON));
      assert.equal(new Set(lent.map(({ deliveryId }) => deliveryId)).size, 3);
      for (const delivery of lent) {
        // Names are put in Message-IDs.
        assert.match(delivery.deliveryId, /^[a-z0-9.-]+$/);
        const end = { kind: "delivered", detail: {} } as const;
        assert.equal(await outbox().endDelivery(delivery, NOON, end), true);
        assert.equal((await outbox().find(delivery.flux.id))?.state, "acknowledged");
        assert.equal(await outbox().endDelivery(delivery, NOON, end), false);
      }
    });

    it("leaves the deliveries of the base the names they had when it was alone", async () => {
      await outbox().keep([newRefusedFlux({ returnTo, guichet: "13055" })]);
      const [alone] = await part("base").claimDeliveries(claimAt(NOON));
      await outbox().takeBack(NOON + MINUTE);
      const [among] = await outbox().claimDeliveries(claimAt(NOON + MINUTE));
      assert.equal(among?.deliveryId, alone?.deliveryId);
    });
  });

  describe("finding", () => {
    it("finds, moves and reads a flux that it never met", async () => {
      const flux = inSud();
      await outbox().keep([flux]);
      const other = await bench.another();
      assert.equal((await other.find(flux.id))?.id, flux.id);
      const fresh = await bench.another();
      assert.equal((await fresh.journal(flux.id)).length, 1);
      assert.equal((await (await bench.another()).file(flux.id, "original"))?.name, flux.fileName);
      const discard = { ...moveTo("discarded", flux, NOON), from: ["kept"] } as const;
      assert.equal((await (await bench.another()).move(discard)).kind, "moved");
    });

    it("says unavailable, never unknown, while a database that may have it is down", async () => {
      const [north, south] = [inNord(), inSud()];
      await outbox().keep([north]);
      await outbox().keep([south]);
      bench.parts.sud.goDown();
      const fresh = await bench.another().catch(() => undefined);
      assert.equal(fresh, undefined, "it opens only when all can be asked");
      bench.parts.sud.recover();
      const other = await bench.another();
      bench.parts.sud.goDown();
      assert.equal((await other.find(north.id))?.id, north.id);
      for (const id of [south.id, "nobody"]) {
        await assert.rejects(other.find(id), UNAVAILABLE);
        await assert.rejects(other.journal(id), UNAVAILABLE);
        await assert.rejects(other.file(id, "original"), UNAVAILABLE);
        const move = { ...moveTo("discarded", { id }, NOON), from: ["kept"] } as const;
        await assert.rejects(other.move(move), UNAVAILABLE);
      }
      bench.parts.sud.recover();
      assert.equal(await other.find("nobody"), undefined);
      assert.deepEqual(await other.journal("nobody"), []);
    });

    it("answers for one guichet while the database of another is down", async () => {
      const flux = inNord();
      await outbox().keep([flux]);
      bench.parts.sud.goDown();
      assert.equal((await outbox().list({ guichet: "75001", limit: 5 })).fluxes.length, 1);
      assert.equal((await outbox().find(flux.id))?.id, flux.id);
      // Of all, it would be half the truth.
      await assert.rejects(outbox().list({ limit: 5 }), UNAVAILABLE);
      await assert.rejects(outbox().counts(), UNAVAILABLE);
      await assert.rejects(outbox().load(), UNAVAILABLE);
    });
  });

  it("finishes what takes several steps before it stops", async () => {
    const flux = inSud();
    await outbox().keep([flux]);
    const other = await bench.another();
    bench.parts.sud.plan((operation) => (operation === "find" ? "late" : undefined));
    const discard = { ...moveTo("discarded", flux, NOON), from: ["kept"] } as const;
    const moving = other.move(discard);
    const stopping = other.stop();
    await assert.rejects(other.find(flux.id), { code: "STOPPING" });
    bench.parts.sud.recover();
    assert.equal((await moving).kind, "moved");
    await stopping;
  });

  describe("one bilan over all", () => {
    it("sums what each counts, and gives the oldest of all", async () => {
      await outbox().keep([inNord({ receivedAt: NOON + 5 }), inNord({ receivedAt: NOON + 6 })]);
      const first = inSud({ receivedAt: NOON + 3 });
      await outbox().keep([first, newRefusedFlux({ guichet: "69002" })]);
      await outbox().keep([inSud({ bytes: first.bytes }), newQuarantinedFlux()]);
      const counts = await outbox().counts();
      assert.deepEqual([counts.received, counts.repeats, counts.oldestKeptAt], [5, 1, NOON + 3]);
      const { kept, refused, quarantined } = counts.byState;
      assert.deepEqual([kept, refused, quarantined], [3, 1, 1]);
      await bench.assertBalanced();
      const load = await outbox().load();
      assert.equal(load.fluxes, 5);
      assert.equal(load.byGuichet["75001"]?.fluxes, 2);
      assert.equal(load.byGuichet["69002"]?.fluxes, 2);
      const bytes = Object.values(load.byGuichet).reduce((sum, one) => sum + one.bytes, 0);
      assert.ok(load.bytes >= bytes && bytes > 0);
    });

    it("names the database that cannot be written to", async () => {
      await outbox().probe();
      bench.parts.nord.goDown();
      await assert.rejects(outbox().probe(), { code: "STORE_UNAVAILABLE", message: /« nord »/ });
      bench.parts.sud.goDown();
      await assert.rejects(outbox().probe(), { message: /« nord », « sud »/ });
    });

    it("erases files in all, no more than asked, and goes on without the one that is down", async () => {
      for (const made of [inNord(), inSud(), inBase()]) {
        await outbox().keep([made]);
        await outbox().move({ ...moveTo("discarded", made, NOON), from: ["kept"] });
      }
      const request = { endedBefore: NOON + 1, now: NOON + MINUTE, max: 1 };
      assert.equal(await outbox().eraseFiles(request), 1);
      bench.parts.nord.goDown();
      const more = await outbox().eraseFiles({ ...request, max: 10 });
      bench.parts.nord.recover();
      assert.equal(more + (await outbox().eraseFiles({ ...request, max: 10 })), 2);
    });
  });

  describe("pausing", () => {
    const pauseOf = (scope: PauseScope) => ({ scope, at: NOON, by: "op", reason: "essai" });

    it("pauses and resumes all of them", async () => {
      await outbox().keep([inNord()]);
      await outbox().keep([inSud()]);
      await outbox().pause(pauseOf({ kind: "all" }));
      assert.deepEqual(await outbox().claim(claimAt(NOON)), []);
      assert.equal((await outbox().pauses()).length, 1);
      assert.equal(await outbox().resume({ kind: "all" }), true);
      assert.equal(await outbox().resume({ kind: "all" }), false);
      assert.equal((await outbox().claim(claimAt(NOON))).length, 2);
    });

    it("says that a pause does not hold where it could not be written, and it holds elsewhere", async () => {
      await outbox().keep([inNord()]);
      bench.parts.sud.goDown();
      await assert.rejects(outbox().pause(pauseOf({ kind: "all" })), UNAVAILABLE);
      assert.deepEqual(await outbox().claim(claimAt(NOON)), []);
      // What lives in the database that is down cannot be lent: nothing is missing for 75001.
      await outbox().pause(pauseOf({ kind: "guichet", guichet: "75001" }));
      await assert.rejects(
        outbox().pause(pauseOf({ kind: "guichet", guichet: "69002" })),
        UNAVAILABLE,
      );
    });

    it("makes a pause hold in a database that had missed it, from the next start on", async () => {
      bench.parts.sud.goDown();
      await assert.rejects(outbox().pause(pauseOf({ kind: "all" })), UNAVAILABLE);
      bench.parts.sud.recover();
      await outbox().keep([inSud()]);
      assert.equal((await outbox().claim(claimAt(NOON))).length, 1);
      const again = await bench.reopen();
      await again.keep([inSud()]);
      assert.deepEqual(await again.claim(claimAt(NOON)), []);
    });
  });

  describe("a guichet that is given another home", () => {
    it("stays where its fluxes wait to be forwarded, and a warning says so", async () => {
      const first = inNord({ lane: "L" });
      await outbox().keep([first]);
      let again = await bench.reopen({ homes: { "75001": "sud" } });
      const warned = bench.logged.find(({ name }) => name === "store.guichetNotMovedYet");
      assert.deepEqual(
        [warned?.facts["guichet"], warned?.facts["wanted"], warned?.facts["keptIn"]],
        ["75001", "sud", "nord"],
      );
      const second = inNord({ lane: "L" });
      await again.keep([second]);
      assert.deepEqual(await homeOf(second.id), ["nord"]);
      for (const flux of [first, second]) {
        const [claimed, ...others] = await again.claim(claimAt(NOON));
        assert.deepEqual([claimed?.flux.id, others], [flux.id, []]);
        if (claimed !== undefined) await again.move(accept(claimed));
      }
      again = await bench.reopen();
      const third = inNord({ lane: "L" });
      await again.keep([third]);
      assert.deepEqual(await homeOf(third.id), ["sud"]);
    });

    it("is still seen to send again what its former home had forwarded", async () => {
      const first = inNord();
      await outbox().keep([first]);
      const [claimed] = await outbox().claim(claimAt(NOON));
      assert.ok(claimed);
      await outbox().move(accept(claimed));
      const again = await bench.reopen({ homes: { "75001": "sud" } });
      const [repeated] = await again.keep([inNord({ bytes: first.bytes })]);
      assert.equal(repeated?.kind, "repeated");
      assert.equal(repeated.first.id, first.id);
      const fresh = inNord();
      await again.keep([fresh]);
      assert.deepEqual(await homeOf(fresh.id), ["sud"]);
      const { fluxes } = await again.list({ guichet: "75001", limit: 5 });
      assert.deepEqual(
        fluxes.map(({ id }) => id),
        [first.id, fresh.id],
      );
    });
  });
});
