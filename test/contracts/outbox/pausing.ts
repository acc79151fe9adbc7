/** Contract: nothing of what an operator has paused is lent to be forwarded until it is resumed. */
import assert from "node:assert/strict";
import type { Pause, PauseScope } from "../../../src/keep/outbox.ts";
import { eventually } from "../../support/eventually.ts";
import { claimAt, MINUTE, newFlux, newRefusedFlux, NOON } from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { fluxIn, moveTo } from "./journeys.ts";

const ALL: PauseScope = { kind: "all" };
const guichet = (code: string): PauseScope => ({ kind: "guichet", guichet: code });
const lane = (name: string): PauseScope => ({ kind: "lane", lane: name });

function pauseOf(scope: PauseScope, parts: Partial<Pause> = {}): Pause {
  return { scope, at: NOON, by: "a.martin", reason: "Maintenance du SNE.", ...parts };
}

export function pausingContract({ outbox, reopen }: ContractBench): void {
  const lent = async (now = NOON, max = 1_000): Promise<string[]> =>
    (await outbox().claim(claimAt(now, { max }))).map(({ flux }) => flux.id);

  describe("pausing", () => {
    it("lends nothing while all is paused, and all once it is resumed", async () => {
      const fluxes = [newFlux(), newFlux({ lane: "L" }), newFlux({ guichet: "69002" })];
      await outbox().keep(fluxes);
      await outbox().pause(pauseOf(ALL));
      assert.deepEqual(await lent(), []);
      const kept = newFlux();
      await outbox().keep([kept]);
      assert.deepEqual(await lent(NOON + MINUTE), []);
      assert.equal(await outbox().resume(ALL), true);
      assert.deepEqual((await lent()).sort(), [...fluxes, kept].map(({ id }) => id).sort());
    });

    it("lends the fluxes of other guichets, as many as asked, however many older ones are paused", async () => {
      const paused = Array.from({ length: 30 }, () => newFlux());
      const others = Array.from({ length: 5 }, (_, n) =>
        newFlux({ guichet: "69002", receivedAt: NOON + 1 + n }),
      );
      await outbox().keep([...paused, ...others]);
      await outbox().pause(pauseOf(guichet("75001")));
      const now = NOON + MINUTE;
      assert.deepEqual(await lent(now, 2), [others[0]?.id, others[1]?.id]);
      assert.deepEqual(
        await lent(now),
        others.slice(2).map(({ id }) => id),
      );
      assert.deepEqual(await lent(now), []);
      await outbox().resume(guichet("75001"));
      assert.equal((await lent(now)).length, 30);
    });

    it("lends the other lanes, and what waits for nobody, while one lane is paused", async () => {
      const [held, other, free] = [
        newFlux({ lane: "numUnique:1" }),
        newFlux({ lane: "numUnique:2" }),
        newFlux(),
      ];
      await outbox().keep([held, other, free]);
      await outbox().pause(pauseOf(lane("numUnique:1")));
      assert.deepEqual((await lent()).sort(), [other.id, free.id].sort());
      await outbox().resume(lane("numUnique:1"));
      assert.deepEqual(await lent(), [held.id]);
    });

    it("lets no younger flux of a lane pass the one that is paused", async () => {
      const older = newFlux({ lane: "L" });
      const younger = newFlux({ lane: "L", guichet: "75002", receivedAt: NOON + 1 });
      await outbox().keep([older, younger]);
      await outbox().pause(pauseOf(guichet("75001")));
      assert.deepEqual(await lent(NOON + MINUTE), []);
    });

    it("waits for every pause that holds a flux to be resumed", async () => {
      const flux = newFlux({ lane: "L" });
      await outbox().keep([flux]);
      for (const scope of [ALL, guichet("75001"), lane("L")]) await outbox().pause(pauseOf(scope));
      for (const scope of [lane("L"), ALL]) {
        await outbox().resume(scope);
        assert.deepEqual(await lent(), []);
      }
      await outbox().resume(guichet("75001"));
      assert.deepEqual(await lent(), [flux.id]);
    });

    it("lets what is in transit end, and keeps it if it comes back", async () => {
      const ended = await fluxIn(outbox(), "inTransit");
      const postponed = await fluxIn(outbox(), "inTransit", { receivedAt: NOON + 1 });
      await outbox().pause(pauseOf(ALL));
      assert.ok(ended.fence !== undefined);
      assert.deepEqual(
        await outbox().renew([{ fluxId: ended.flux.id, fence: ended.fence }], NOON + 5 * MINUTE),
        [ended.flux.id],
      );
      for (const [to, { flux, fence }] of [
        ["accepted", ended],
        ["kept", postponed],
      ] as const) {
        assert.ok(fence !== undefined);
        const move = { ...moveTo(to, flux, NOON + MINUTE), from: ["inTransit"], fence } as const;
        assert.equal((await outbox().move(move)).kind, "moved");
      }
      assert.deepEqual(await lent(NOON + 9 * MINUTE), []);
      await outbox().resume(ALL);
      assert.deepEqual(await lent(NOON + 9 * MINUTE), [postponed.flux.id]);
    });

    it("goes on lending the acquittements that are owed", async () => {
      const returnTo = { channel: "file", guichet: "75001", fileName: "a.xml" } as const;
      const refused = newRefusedFlux({ returnTo });
      await outbox().pause(pauseOf(ALL));
      await outbox().pause(pauseOf(guichet("75001")));
      await outbox().keep([refused]);
      const [delivery] = await outbox().claimDeliveries(claimAt(NOON));
      assert.equal(delivery?.flux.id, refused.id);
    });

    it("says what is paused, since when, by whom and why, the last word of each, over a restart", async () => {
      assert.deepEqual(await outbox().pauses(), []);
      // The same word is another scope as a guichet and as a lane.
      const pauses = [
        pauseOf(ALL),
        pauseOf(guichet("X"), { at: NOON + 1, by: "b.dupont", reason: "Un « flux » suspect." }),
        pauseOf(lane("X"), { at: NOON + 2 }),
      ];
      for (const pause of pauses) await outbox().pause(pause);
      const again = pauseOf(ALL, { at: NOON + 3, by: "c.petit", reason: "Encore." });
      await outbox().pause(again);
      const byTime = (a: Pause, b: Pause): number => a.at - b.at;
      assert.deepEqual([...(await (await reopen()).pauses())].sort(byTime), [
        ...pauses.slice(1),
        again,
      ]);
      assert.deepEqual(await lent(), []);
      assert.equal(await outbox().resume(guichet("X")), true);
      assert.deepEqual([...(await outbox().pauses())].sort(byTime), [pauses[2], again]);
    });

    it("says that a scope was not paused", async () => {
      await outbox().pause(pauseOf(guichet("75001")));
      for (const scope of [ALL, guichet("69002"), lane("75001")]) {
        assert.equal(await outbox().resume(scope), false);
      }
      assert.equal(await outbox().resume(guichet("75001")), true);
      assert.equal(await outbox().resume(guichet("75001")), false);
    });

    it("calls the forwarder when something is resumed", async () => {
      await outbox().pause(pauseOf(lane("L")));
      const told: string[] = [];
      const unwatch = outbox().watch((work) => told.push(work));
      await outbox().resume(lane("L"));
      await eventually("the watcher is called", () => told.includes("forward"));
      unwatch();
    });
  });
}
