/**
 * `store copy`, on a real SQLite and a real MongoDB, both ways: all that a store in full life holds
 * comes over, and nothing of it changes.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { inspectMongo } from "../../src/adapters/mongo/inspect-mongo.ts";
import { inspectStore } from "../../src/adapters/sqlite/inspect-store.ts";
import { abandonCopyOf } from "../../src/copy-stores.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { makeCopyBench } from "../support/copy-bench.ts";
import { portrait } from "../support/lived-store.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { claimAt, newFlux, newQuarantinedFlux, NOON } from "../support/new-flux.ts";
import { claimOne, moveTo } from "./outbox/journeys.ts";
import { makeLaneModel, STEPS } from "./outbox/lane-model.ts";

const clock = systemClock();
const chance = systemChance();

await withMongo("copies of a store", { ownProcesses: false }, () => {
  describe("store copy", function () {
    this.timeout(180_000);
    const bench = makeCopyBench();
    const { newAddress, openStore, lived, copy } = bench;
    beforeEach(bench.begin);
    afterEach(bench.end);

    it("takes two thousand fluxes, large files among them, in reasonable time", async () => {
      const { address, was } = await lived("sqlite", 2_000);
      const to = await newAddress("mongodb");
      const begun = performance.now();
      const end = await copy(address, to, undefined, undefined, 200);
      const seconds = (performance.now() - begun) / 1_000;
      assert.ok(end.kind === "moved");
      process.stdout.write(
        `      copied and verified: ${end.counts.received} fluxes in ${seconds.toFixed(1)} s\n`,
      );
      assert.deepEqual(await portrait(await openStore(to)), was);
    });

    const OTHER = { sqlite: "mongodb", mongodb: "sqlite" } as const;
    for (const kind of ["sqlite", "mongodb"] as const) {
      describe(`from ${kind} to ${OTHER[kind]}`, () => {
        it("takes a store in full life over, whole", async () => {
          const { address, was } = await lived(kind, 100);
          const to = await newAddress(OTHER[kind]);
          const end = await copy(address, to);
          assert.ok(end.kind === "moved", JSON.stringify(end));
          assert.deepEqual(end.damaged, []);
          const copied = await openStore(to);
          assert.deepEqual(await portrait(copied), was);
          assert.equal(await copied.next("lots"), 4);
          await assert.rejects(openStore(address), { code: "STORE_MOVED" });
          // As the doctor sees it, without opening it.
          const seen =
            kind === "sqlite"
              ? inspectStore(address)
              : await inspectMongo(address, { clock: systemClock() });
          assert.ok(seen.kind === "sealed" && seen.seal.phase === "moved", JSON.stringify(seen));
        });

        it("goes back where it came from, whole", async () => {
          const { address, was } = await lived(kind, 60);
          const there = await newAddress(OTHER[kind]);
          const back = await newAddress(kind);
          assert.equal((await copy(address, there)).kind, "moved");
          assert.equal((await copy(there, back)).kind, "moved");
          assert.deepEqual(await portrait(await openStore(back)), was);
          await assert.rejects(openStore(there), { code: "STORE_MOVED" });
        });

        it("keeps the law of lanes when it is copied in the middle of their life", async () => {
          await fc.assert(
            fc.asyncProperty(
              fc.array(STEPS, { minLength: 5, maxLength: 40 }),
              fc.array(STEPS, { minLength: 5, maxLength: 40 }),
              async (before, after) => {
                const from = await newAddress(kind);
                let outbox = await openStore(from);
                // The model keeps its hold on whichever store is open.
                const model = makeLaneModel(
                  new Proxy({} as Outbox, { get: (_, name): unknown => Reflect.get(outbox, name) }),
                );
                await model.play({ kind: "keep", lane: 0, quarantined: false });
                for (const step of before) await model.play(step);
                // As opening the store does; the model must know.
                await model.play({ kind: "takeBack" });
                await outbox.stop();
                const to = await newAddress(OTHER[kind]);
                assert.equal((await copy(from, to)).kind, "moved");
                outbox = await openStore(to);
                for (const step of after) await model.play(step);
                await outbox.stop();
              },
            ),
            { numRuns: 5 },
          );
        });

        it("keeps an older one, let in late, waiting for the younger that is in doubt", async () => {
          const lane = "refInterne:75001|tardif";
          const [stranger, younger] = [newQuarantinedFlux(), newFlux({ lane })];
          const from = await newAddress(kind);
          const outbox = await openStore(from);
          await outbox.keep([stranger]);
          await outbox.keep([younger]);
          const { fence } = await claimOne(outbox, younger, NOON);
          const doubt = {
            ...moveTo("inDoubt", younger, NOON),
            from: ["inTransit"],
            fence,
          } as const;
          await outbox.move(doubt);
          const attribute = { guichet: "75001", lane, identity: `75001|${stranger.sha256}` };
          await outbox.move({
            ...moveTo("kept", stranger, NOON),
            from: ["quarantined"],
            attribute,
          });
          assert.deepEqual(await outbox.claim(claimAt(NOON)), []);
          await outbox.stop();

          const to = await newAddress(OTHER[kind]);
          assert.equal((await copy(from, to)).kind, "moved");
          const copied = await openStore(to);
          assert.deepEqual(await copied.claim(claimAt(NOON)), []);
          await copied.move({ ...moveTo("accepted", younger, NOON), from: ["inDoubt"] });
          await claimOne(copied, stranger, NOON);
        });

        it("puts in doubt what was in transit, and owes again what was being delivered", async () => {
          const from = await newAddress(kind);
          const outbox = await openStore(from);
          await outbox.keep([newFlux()]);
          const [lent] = await outbox.claim(claimAt(NOON));
          assert.ok(lent);
          await outbox.stop();
          const to = await newAddress(OTHER[kind]);
          assert.equal((await copy(from, to)).kind, "moved");
          const copied = await openStore(to);
          const flux = await copied.find(lent.flux.id);
          assert.deepEqual([flux?.state, flux?.reason?.code], ["inDoubt", "LEASE_ENDED"]);
          assert.equal((await copied.journal(lent.flux.id)).at(-1)?.name, "flux.putInDoubt");
        });

        it("goes on where it was cut, and opens to nobody meanwhile", async () => {
          const { address, was } = await lived(kind, 100);
          const to = await newAddress(OTHER[kind]);
          const cut = await copy(address, to, (step) => step.kind === "copying" && step.done > 0);
          assert.ok(cut.kind === "interrupted" && cut.done > 0 && cut.done < cut.total);
          await assert.rejects(openStore(address), { code: "STORE_MOVED" });
          await assert.rejects(openStore(to), { code: "STORE_INCOMPLETE" });
          const late = await copy(address, to, (step) => step.kind === "verifying");
          assert.equal(late.kind, "interrupted");
          assert.equal((await copy(address, to)).kind, "moved");
          assert.deepEqual(await portrait(await openStore(to)), was);
        });

        it("is given up when it is not whole: the source lives on, the copy is gone", async () => {
          const { address, was } = await lived(kind, 100);
          const to = await newAddress(OTHER[kind]);
          await copy(address, to, (step) => step.kind === "copying" && step.done > 0);
          assert.equal(await abandonCopyOf({ from: address, to, clock, chance }), "erased");
          assert.deepEqual(await portrait(await openStore(address)), was);
          const erased = await openStore(to);
          assert.equal((await erased.counts()).received, 0);
        });

        it("is never given up once it is in service", async () => {
          const { address } = await lived(kind, 20);
          const to = await newAddress(OTHER[kind]);
          assert.equal((await copy(address, to)).kind, "moved");
          await assert.rejects(abandonCopyOf({ from: address, to, clock, chance }), {
            code: "STORE_COPY_REFUSED",
          });
          await assert.rejects(openStore(address), { code: "STORE_MOVED" });
        });

        it("refuses a target that keeps fluxes, and leaves both as they were", async () => {
          const { address, was } = await lived(kind, 20);
          const other = await lived(OTHER[kind], 20);
          await assert.rejects(copy(address, other.address), { code: "STORE_COPY_REFUSED" });
          assert.deepEqual(await portrait(await openStore(address)), was);
          assert.deepEqual(await portrait(await openStore(other.address)), other.was);
        });
      });
    }
  });
});
