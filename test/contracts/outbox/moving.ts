/** Contract: a state changes as the table of moves allows, with its event, or nothing changes. */
import assert from "node:assert/strict";
import { canMove, FLUX_STATES } from "../../../src/domain/flux-state.ts";
import type { Work } from "../../../src/keep/outbox.ts";
import { identityOf } from "../../../src/keep/identity.ts";
import { eventually } from "../../support/eventually.ts";
import {
  claimAt,
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { acceptedAt, claimOne, fluxIn, moveTo, NUMERO } from "./journeys.ts";

const LATER = NOON + MINUTE;

export function movingContract({ outbox, reopen }: ContractBench): void {
  describe("moving", () => {
    for (const state of FLUX_STATES) {
      it(`moves a flux ${state} only where the table allows`, async () => {
        for (const to of FLUX_STATES) {
          const { flux, fence } = await fluxIn(outbox(), state);
          const before = await outbox().journal(flux.id);
          const move = {
            ...moveTo(to, flux, LATER),
            from: [state],
            ...(fence === undefined ? {} : { fence }),
          };
          // Only a claim puts a flux in transit.
          if (!canMove(state, to) || to === "inTransit") {
            await assert.rejects(outbox().move(move), { code: "INTERNAL_ERROR" }, `to ${to}`);
            assert.deepEqual(await outbox().find(flux.id), flux);
            assert.deepEqual(await outbox().journal(flux.id), before);
          } else {
            const result = await outbox().move(move);
            assert.equal(result.kind, "moved", `to ${to}`);
            assert.equal(result.flux.state, to);
            assert.equal(result.flux.since, LATER);
            assert.deepEqual(await outbox().find(flux.id), result.flux);
            const entry = { at: LATER, ...move.event };
            assert.deepEqual(await outbox().journal(flux.id), [...before, entry]);
          }
          // Nothing due is left behind for the next one.
          const left = await outbox().find(flux.id);
          if (left?.state === "kept" || left?.state === "failed") {
            await outbox().move({ ...moveTo("discarded", flux, LATER), from: [left.state] });
          }
        }
      });
    }

    it("writes nothing when the flux is not in an expected state", async () => {
      const { flux } = await fluxIn(outbox(), "failed");
      const result = await outbox().move({
        ...moveTo("accepted", flux, LATER),
        from: ["inDoubt"],
        files: { answer: { name: "a.xml", bytes: new Uint8Array([1]) } },
      });
      assert.equal(result.kind, "notMoved");
      assert.deepEqual(result.flux, flux);
      assert.deepEqual(await outbox().find(flux.id), flux);
      assert.equal(await outbox().file(flux.id, "answer"), undefined);
    });

    it("says when no flux has that name", async () => {
      const result = await outbox().move({
        ...moveTo("kept", { id: "nobody" }, NOON),
        from: ["failed"],
      });
      assert.deepEqual(result, { kind: "notFound" });
    });

    it("lets one of many movers win", async () => {
      const { flux } = await fluxIn(outbox(), "failed");
      const results = await Promise.all(
        Array.from({ length: 50 }, () =>
          outbox().move({ ...moveTo("discarded", flux, LATER), from: ["failed"] }),
        ),
      );
      assert.equal(results.filter(({ kind }) => kind === "moved").length, 1);
      assert.equal(results.filter(({ kind }) => kind === "notMoved").length, 49);
    });

    it("writes the verdict, the remarks and the files of the SNE with the move", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      const answer = { name: "réponse.xml", bytes: new Uint8Array([0, 1, 255]) };
      const attestation = { name: "attestation.pdf", bytes: new TextEncoder().encode("%PDF") };
      const remarks = [{ code: "SCHEMA", message: "élément inattendu", line: 3, column: 7 }];
      const moved = await outbox().move({
        ...moveTo("accepted", flux, LATER),
        from: ["inTransit"],
        fence,
        remarks,
        files: { answer, attestation },
      });
      assert.equal(moved.kind, "moved");
      assert.deepEqual(moved.flux.verdict, acceptedAt(LATER));
      assert.deepEqual(moved.flux.remarks, remarks);
      const again = await reopen();
      assert.deepEqual(await again.find(flux.id), moved.flux);
      for (const [role, file] of [
        ["answer", answer],
        ["attestation", attestation],
      ] as const) {
        const found = await again.file(flux.id, role);
        assert.equal(found?.name, file.name);
        assert.deepEqual(Buffer.from(found.bytes), Buffer.from(file.bytes));
      }
    });

    it("keeps verdict and remarks until they are replaced, and clears the reason", async () => {
      const remarks = [{ code: "SCHEMA", message: "élément inattendu" }];
      const { flux } = await fluxIn(outbox(), "failed", { remarks });
      assert.ok(flux.reason);
      const resubmitted = await outbox().move({ ...moveTo("kept", flux, LATER), from: ["failed"] });
      assert.equal(resubmitted.kind, "moved");
      assert.equal(resubmitted.flux.reason, undefined);
      assert.deepEqual(resubmitted.flux.remarks, remarks);
      const { fence } = await claimOne(outbox(), flux, LATER);
      await outbox().move({ ...moveTo("accepted", flux, LATER), from: ["inTransit"], fence });
      const told = await outbox().move({
        ...moveTo("acknowledged", flux, LATER),
        from: ["accepted"],
      });
      assert.equal(told.kind, "moved");
      assert.deepEqual(told.flux.verdict, acceptedAt(LATER));
    });

    it("finds a flux by the number the SNE gave it", async () => {
      const { flux } = await fluxIn(outbox(), "accepted");
      const { fluxes } = await outbox().list({ numUnique: NUMERO, limit: 5 });
      assert.deepEqual(
        fluxes.map(({ id }) => id),
        [flux.id],
      );
    });

    it("releases a quarantined flux with what was unknown at its arrival", async () => {
      const { flux } = await fluxIn(outbox(), "quarantined");
      const attribute = {
        guichet: "69002",
        lane: "refInterne:69002|A1",
        identity: identityOf("69002", flux.sha256),
        returnTo: { channel: "mail", to: "g@example.org", subject: "Dépôt" },
      } as const;
      const move = { ...moveTo("kept", flux, LATER), from: ["quarantined"], attribute } as const;
      const released = await outbox().move(move);
      assert.equal(released.kind, "moved");
      assert.equal(released.flux.guichet, "69002");
      assert.equal(released.flux.lane, attribute.lane);
      assert.deepEqual(await outbox().find(flux.id), released.flux);
      const { fluxes } = await outbox().list({ guichet: "69002", limit: 5 });
      assert.deepEqual(fluxes, [released.flux]);
      const { fence } = await claimOne(outbox(), flux, LATER);
      await outbox().move({ ...moveTo("accepted", flux, LATER), from: ["inTransit"], fence });
      const [delivery] = await outbox().claimDeliveries(claimAt(LATER));
      assert.deepEqual(delivery?.to, attribute.returnTo);
      assert.equal(delivery.isRepeat, false);
    });

    it("releases no flux whose content is already held", async () => {
      const quarantined = newQuarantinedFlux();
      await outbox().keep([quarantined]);
      const first = newFlux({ bytes: quarantined.bytes });
      await outbox().keep([first]);
      const before = await outbox().find(quarantined.id);
      const result = await outbox().move({
        ...moveTo("kept", quarantined, LATER),
        from: ["quarantined"],
        attribute: { guichet: "75001", identity: first.identity ?? "" },
      });
      assert.equal(result.kind, "identityTaken");
      assert.equal(result.first.id, first.id);
      assert.deepEqual(await outbox().find(quarantined.id), before);
      assert.equal((await outbox().journal(quarantined.id)).length, 1);
    });

    it("takes for a repeat the content of a flux that was released", async () => {
      const { flux } = await fluxIn(outbox(), "quarantined");
      const identity = identityOf("75001", flux.sha256);
      await outbox().move({
        ...moveTo("kept", flux, LATER),
        from: ["quarantined"],
        attribute: { guichet: "75001", identity },
      });
      const [result] = await outbox().keep([newFlux({ sha256: flux.sha256, identity })]);
      assert.equal(result?.kind, "repeated");
      assert.equal(result.first.id, flux.id);
    });
  });

  describe("watching", () => {
    /** What watchers are told during a piece of work, without regard to how often. */
    async function toldDuring(work: () => Promise<unknown>): Promise<readonly Work[]> {
      const told = new Set<Work>();
      const unwatch = outbox().watch((step) => told.add(step));
      await work();
      // Hints follow the durable answer: one more durable answer comes after them all.
      await outbox().probe();
      unwatch();
      return [...told].sort();
    }

    it("tells that a flux may be forwarded once it is kept, or kept again", async () => {
      const flux = newFlux();
      assert.deepEqual(await toldDuring(() => outbox().keep([flux])), ["forward"]);
      assert.ok(await outbox().find(flux.id));
      const { fence } = await claimOne(outbox(), flux, NOON);
      const postpone = { ...moveTo("kept", flux, NOON), from: ["inTransit"], fence } as const;
      assert.deepEqual(await toldDuring(() => outbox().move(postpone)), ["forward"]);
    });

    it("tells that a lane is free when its head leaves it", async () => {
      const [first, second] = [newFlux({ lane: "L" }), newFlux({ lane: "L" })];
      await outbox().keep([first, second]);
      const { fence } = await claimOne(outbox(), first, NOON);
      const accept = { ...moveTo("accepted", first, NOON), from: ["inTransit"], fence } as const;
      assert.ok((await toldDuring(() => outbox().move(accept))).includes("forward"));
    });

    it("tells that an acquittement is owed", async () => {
      const returnTo = { channel: "file", guichet: "75001", fileName: "a.xml" } as const;
      assert.deepEqual(await toldDuring(() => outbox().keep([newRefusedFlux({ returnTo })])), [
        "acknowledge",
      ]);
      const { flux, fence } = await fluxIn(outbox(), "inTransit", { returnTo });
      assert.ok(fence !== undefined);
      const accept = { ...moveTo("accepted", flux, NOON), from: ["inTransit"], fence } as const;
      assert.deepEqual(await toldDuring(() => outbox().move(accept)), ["acknowledge"]);
    });

    it("tells a watcher no more once it has left, and all the others", async () => {
      const told: string[] = [];
      const leave = outbox().watch(() => told.push("first"));
      outbox().watch(() => told.push("second"));
      leave();
      await outbox().keep([newFlux()]);
      await eventually("the second watcher is told", () => told.includes("second"));
      assert.ok(!told.includes("first"));
    });
  });
}
