/** Contract: a flux is lent to one borrower at a time, and to none once its lease has passed. */
import assert from "node:assert/strict";
import { claimAt, MINUTE, newFlux, NOON } from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { acceptedAt, claimOne, fluxIn, moveTo } from "./journeys.ts";

export function lendingContract({ outbox, reopen }: ContractBench): void {
  describe("lending", () => {
    it("lends a flux under a lease, in transit when the claim resolves", async () => {
      const flux = newFlux();
      await outbox().keep([flux]);
      const [claimed] = await outbox().claim(
        claimAt(NOON + 5, { owner: "gateway-7", leaseMs: 1_000 }),
      );
      assert.ok(claimed);
      assert.equal(claimed.leaseUntil, NOON + 1_005);
      assert.deepEqual(claimed.flux, await outbox().find(flux.id));
      assert.equal(claimed.flux.state, "inTransit");
      assert.equal(claimed.flux.since, NOON + 5);
      assert.equal(claimed.flux.attempts, 1);
      assert.deepEqual((await outbox().journal(flux.id)).at(-1), {
        at: NOON + 5,
        name: "flux.claimed",
        detail: { owner: "gateway-7", attempt: 1 },
      });
    });

    it("lends what is due, by due time and then by arrival, no more than asked", async () => {
      const [late, early, soon, same] = [
        newFlux({ receivedAt: NOON + 20 }),
        newFlux({ receivedAt: NOON }),
        newFlux({ receivedAt: NOON + 10 }),
        newFlux({ receivedAt: NOON + 10 }),
      ];
      await outbox().keep([late, early, soon, same]);
      const lent = async (now: number, max: number): Promise<string[]> =>
        (await outbox().claim(claimAt(now, { max }))).map(({ flux }) => flux.id);
      assert.deepEqual(await lent(NOON - 1, 9), []);
      assert.deepEqual(await lent(NOON + 30, 0), []);
      assert.deepEqual(await lent(NOON + 20, 2), [early.id, soon.id]);
      assert.deepEqual(await lent(NOON + 19, 9), [same.id]);
      assert.deepEqual(await lent(NOON + 20, 9), [late.id]);
    });

    it("lends a postponed flux when its time has come, not before", async () => {
      const flux = newFlux();
      await outbox().keep([flux]);
      const { fence } = await claimOne(outbox(), flux, NOON);
      const reason = { code: "SNE_BUSY", text: "Occupé." };
      const postponed = await outbox().move({
        ...moveTo("kept", flux, NOON),
        from: ["inTransit"],
        fence,
        dueAt: NOON + MINUTE,
        reason,
      });
      assert.equal(postponed.kind, "moved");
      assert.equal(postponed.flux.dueAt, NOON + MINUTE);
      assert.deepEqual(postponed.flux.reason, reason);
      assert.deepEqual(await outbox().claim(claimAt(NOON + MINUTE - 1)), []);
      const again = await claimOne(outbox(), flux, NOON + MINUTE);
      assert.equal(again.flux.attempts, 2);
      assert.equal(again.flux.reason, undefined);
      assert.notEqual(again.fence, fence);
    });

    it("never lends one flux twice to a hundred claims at once", async () => {
      await outbox().keep(Array.from({ length: 150 }, () => newFlux()));
      const claims = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          outbox().claim(claimAt(NOON, { owner: `gateway-${n}`, max: 2 })),
        ),
      );
      const lent = claims.flat().map(({ flux }) => flux.id);
      assert.equal(lent.length, 150);
      assert.equal(new Set(lent).size, 150);
    });

    it("moves a flux in transit for the borrower that holds it, and for nobody else", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      const move = { ...moveTo("accepted", flux, NOON), from: ["inTransit"] } as const;
      const journal = await outbox().journal(flux.id);
      for (const wrong of [{}, { fence: fence + 1 }, { fence: fence - 1 }]) {
        const result = await outbox().move({ ...move, ...wrong });
        assert.equal(result.kind, "notMoved");
        assert.deepEqual(result.flux, flux);
      }
      assert.deepEqual(await outbox().find(flux.id), flux);
      assert.deepEqual(await outbox().journal(flux.id), journal);
      assert.equal((await outbox().move({ ...move, fence })).kind, "moved");
    });

    it("takes back, as in doubt, what was lent until now or before", async () => {
      const [lost, held] = [newFlux(), newFlux({ receivedAt: NOON + 1 })];
      await outbox().keep([lost, held]);
      await outbox().claim(claimAt(NOON, { leaseMs: 1_000 }));
      await outbox().claim(claimAt(NOON + 1, { leaseMs: 1_000 }));
      assert.deepEqual(await outbox().takeBack(NOON + 999), { inDoubt: 0, deliveries: 0 });
      assert.deepEqual(await outbox().takeBack(NOON + 1_000), { inDoubt: 1, deliveries: 0 });
      const flux = await outbox().find(lost.id);
      assert.equal(flux?.state, "inDoubt");
      assert.equal(flux.since, NOON + 1_000);
      assert.equal(flux.reason?.code, "LEASE_ENDED");
      const entry = (await outbox().journal(lost.id)).at(-1);
      assert.equal(entry?.name, "flux.putInDoubt");
      assert.equal((await outbox().find(held.id))?.state, "inTransit");
    });

    it("never lends again by itself what was taken back", async () => {
      await fluxIn(outbox(), "inTransit");
      await outbox().takeBack(NOON + MINUTE);
      assert.deepEqual(await outbox().claim(claimAt(NOON + 9 * MINUTE)), []);
    });

    it("keeps a borrower whose flux was taken back from writing", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      await outbox().takeBack(NOON + MINUTE);
      const late = await outbox().move({
        ...moveTo("kept", flux, NOON + MINUTE),
        from: ["inTransit"],
        fence,
      });
      assert.equal(late.kind, "notMoved");
      assert.equal((await outbox().find(flux.id))?.state, "inDoubt");
    });

    it("lets an answer that comes late end the doubt of its own call", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      await outbox().takeBack(NOON + MINUTE);
      const late = await outbox().move({
        ...moveTo("accepted", flux, NOON + MINUTE),
        from: ["inTransit", "inDoubt"],
        fence,
      });
      assert.equal(late.kind, "moved");
      assert.deepEqual(late.flux.verdict, acceptedAt(NOON + MINUTE));
    });

    it("keeps a late answer from ending the doubt, or the transit, of a later call", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      await outbox().takeBack(NOON + MINUTE);
      await outbox().move({ ...moveTo("kept", flux, NOON + MINUTE), from: ["inDoubt"] });
      await claimOne(outbox(), flux, NOON + MINUTE);
      const answer = {
        ...moveTo("accepted", flux, NOON + MINUTE),
        from: ["inTransit", "inDoubt"],
        fence,
      } as const;
      assert.equal((await outbox().move(answer)).kind, "notMoved");
      await outbox().takeBack(NOON + 9 * MINUTE);
      assert.equal((await outbox().move(answer)).kind, "notMoved");
    });

    it("lengthens the leases still held, and says which", async () => {
      const [held, lost, done] = [newFlux(), newFlux(), newFlux()];
      await outbox().keep([held, lost, done]);
      const claims = await outbox().claim(claimAt(NOON));
      const holds = claims.map(({ flux, fence }) => ({ fluxId: flux.id, fence }));
      const [first, second, third] = holds;
      assert.ok(first && second && third);
      await outbox().move({ ...moveTo("accepted", done, NOON), from: ["inTransit"], ...third });
      const renewed = await outbox().renew(
        [first, { ...second, fence: second.fence + 1 }, third, { fluxId: "nobody", fence: 1 }],
        NOON + 5 * MINUTE,
      );
      assert.deepEqual(renewed, [held.id]);
      assert.deepEqual(await outbox().takeBack(NOON + 2 * MINUTE), { inDoubt: 1, deliveries: 0 });
      assert.equal((await outbox().find(held.id))?.state, "inTransit");
      assert.equal((await outbox().find(lost.id))?.state, "inDoubt");
    });

    it("keeps fences growing over a restart", async () => {
      const { flux, fence } = await fluxIn(outbox(), "inTransit");
      assert.ok(fence !== undefined);
      await outbox().takeBack(NOON + MINUTE);
      const again = await reopen();
      await again.move({ ...moveTo("kept", flux, NOON + MINUTE), from: ["inDoubt"] });
      const claimed = await claimOne(again, flux, NOON + MINUTE);
      assert.ok(claimed.fence > fence);
    });
  });
}
