/** Contract: fluxes of one lane reach the SNE one at a time, in the order they were kept. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { FluxState } from "../../../src/domain/flux-state.ts";
import type { NewFlux } from "../../../src/keep/outbox.ts";
import {
  claimAt,
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { claimOne, moveTo } from "./journeys.ts";
import { makeLaneModel, STEPS } from "./lane-model.ts";

const LATER = NOON + MINUTE;
const LANE = "refInterne:75001|A-1";

export function lanesContract({ outbox }: ContractBench): void {
  async function lentAt(now: number): Promise<readonly string[]> {
    return (await outbox().claim(claimAt(now))).map(({ flux }) => flux.id);
  }

  async function keepInLane(parts: Partial<NewFlux> = {}): Promise<NewFlux> {
    const flux = newFlux({ lane: LANE, ...parts });
    await outbox().keep([flux]);
    return flux;
  }

  describe("lanes", () => {
    it("lends the oldest of each lane, and whatever has no lane", async () => {
      const [a, b, free, freeToo] = [
        newFlux({ lane: "A" }),
        newFlux({ lane: "B" }),
        newFlux(),
        newFlux(),
      ];
      await outbox().keep([a, newFlux({ lane: "A" }), b, newFlux({ lane: "B" }), free, freeToo]);
      assert.deepEqual(await lentAt(NOON), [a.id, b.id, free.id, freeToo.id]);
      assert.deepEqual(await lentAt(LATER), []);
    });

    it("names who holds a lane: the oldest that does, then the next, then nobody", async () => {
      const first = await keepInLane();
      const second = await keepInLane();
      assert.equal((await outbox().holderOf(LANE))?.id, first.id);
      assert.equal(await outbox().holderOf("another"), undefined);
      for (const flux of [first, second]) {
        assert.equal((await outbox().holderOf(LANE))?.id, flux.id);
        const { fence } = await claimOne(outbox(), flux, LATER);
        await outbox().move({ ...moveTo("accepted", flux, LATER), from: ["inTransit"], fence });
      }
      assert.equal(await outbox().holderOf(LANE), undefined);
    });

    const frees: readonly FluxState[] = ["accepted", "refused"];
    for (const state of frees) {
      it(`lends the next once the first is ${state}`, async () => {
        const first = await keepInLane();
        const second = await keepInLane();
        const { fence } = await claimOne(outbox(), first, NOON);
        assert.deepEqual(await lentAt(LATER), []);
        await outbox().move({ ...moveTo(state, first, NOON), from: ["inTransit"], fence });
        assert.deepEqual(await lentAt(LATER), [second.id]);
      });
    }

    const holds: readonly FluxState[] = ["inDoubt", "failed", "kept"];
    for (const state of holds) {
      it(`lends no younger flux while the first is ${state}`, async () => {
        const first = await keepInLane();
        const second = await keepInLane();
        const { fence } = await claimOne(outbox(), first, NOON);
        const move = { ...moveTo(state, first, NOON), from: ["inTransit"], fence } as const;
        await outbox().move({ ...move, dueAt: NOON + 9 * MINUTE });
        assert.deepEqual(await lentAt(LATER), []);
        await outbox().move({ ...moveTo("discarded", first, LATER), from: [state] });
        assert.deepEqual(await lentAt(LATER), [second.id]);
      });
    }

    it("lends a resubmitted flux before the younger ones that waited for it", async () => {
      const first = await keepInLane();
      await keepInLane();
      const { fence } = await claimOne(outbox(), first, NOON);
      await outbox().move({ ...moveTo("failed", first, NOON), from: ["inTransit"], fence });
      await outbox().move({ ...moveTo("kept", first, LATER), from: ["failed"] });
      assert.deepEqual(await lentAt(LATER), [first.id]);
    });

    it("passes over one that was discarded in the middle", async () => {
      const first = await keepInLane();
      const second = await keepInLane();
      const third = await keepInLane();
      await outbox().move({ ...moveTo("discarded", second, NOON), from: ["kept"] });
      const { fence } = await claimOne(outbox(), first, NOON);
      await outbox().move({ ...moveTo("accepted", first, NOON), from: ["inTransit"], fence });
      assert.deepEqual(await lentAt(LATER), [third.id]);
    });

    it("holds no lane with a flux refused at arrival or quarantined", async () => {
      await outbox().keep([newRefusedFlux({ lane: LANE }), newQuarantinedFlux({ lane: LANE })]);
      const flux = await keepInLane();
      assert.deepEqual(await lentAt(NOON), [flux.id]);
    });

    it("lends a released flux before younger ones, but never beside one in transit", async () => {
      const [old, older] = [newQuarantinedFlux(), newQuarantinedFlux()];
      await outbox().keep([old, older]);
      const [inTransit, waiting] = [await keepInLane(), await keepInLane()];
      const { fence } = await claimOne(outbox(), inTransit, NOON);
      for (const flux of [old, older]) {
        const released = await outbox().move({
          ...moveTo("kept", flux, NOON),
          from: ["quarantined"],
          attribute: { guichet: "75001", lane: LANE, identity: `75001|${flux.sha256}` },
        });
        assert.equal(released.kind, "moved");
      }
      assert.deepEqual(await lentAt(LATER), []);
      await outbox().move({ ...moveTo("kept", inTransit, NOON), from: ["inTransit"], fence });
      for (const next of [old, older, inTransit, waiting]) {
        const claimed = await claimOne(outbox(), next, LATER);
        const accepted = { ...moveTo("accepted", next, LATER), from: ["inTransit"] } as const;
        await outbox().move({ ...accepted, fence: claimed.fence });
      }
    });

    it("lends a released flux before the one that was at the head", async () => {
      const old = newQuarantinedFlux();
      await outbox().keep([old]);
      await keepInLane();
      await outbox().move({
        ...moveTo("kept", old, LATER),
        from: ["quarantined"],
        attribute: { guichet: "75001", lane: LANE, identity: `75001|${old.sha256}` },
      });
      assert.deepEqual(await lentAt(LATER), [old.id]);
    });

    it("lends, whatever happens, exactly what the law of lanes says", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(STEPS, { minLength: 5, maxLength: 60 }), async (steps) => {
          const model = makeLaneModel(outbox());
          for (const step of steps) await model.play(step);
          await model.drain();
        }),
        { numRuns: 200, interruptAfterTimeLimit: 2_000, endOnFailure: true },
      );
    });
  });
}
