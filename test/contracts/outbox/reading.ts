/** Contract: lists and counts tell the truth, and pages follow one another without a gap. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { FLUX_STATES } from "../../../src/domain/flux-state.ts";
import type { FluxQuery } from "../../../src/keep/outbox.ts";
import {
  claimAt,
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { fluxIn, moveTo } from "./journeys.ts";

export function readingContract({ outbox, reopen }: ContractBench): void {
  async function idsOf(query: Omit<FluxQuery, "limit">): Promise<readonly string[]> {
    const { fluxes } = await outbox().list({ ...query, limit: 500 });
    return fluxes.map(({ id }) => id);
  }

  describe("reading", () => {
    it("finds nothing of a flux that is not there", async () => {
      assert.equal(await outbox().find("nobody"), undefined);
      assert.equal(await outbox().file("nobody", "original"), undefined);
      assert.deepEqual(await outbox().journal("nobody"), []);
      const flux = newFlux();
      await outbox().keep([flux]);
      assert.equal(await outbox().file(flux.id, "attestation"), undefined);
    });

    it("says how the acquittement of a flux goes back, from its arrival or its release on", async () => {
      const collected = newFlux({ returnTo: { channel: "rest" } });
      const stranger = newQuarantinedFlux();
      await outbox().keep([collected, stranger]);
      assert.equal((await outbox().find(collected.id))?.returnsBy, "rest");
      assert.equal((await outbox().find(stranger.id))?.returnsBy, undefined);
      await outbox().move({
        ...moveTo("kept", stranger, NOON),
        from: ["quarantined"],
        attribute: { guichet: "75001", identity: "released", returnTo: { channel: "rest" } },
      });
      assert.equal((await outbox().find(stranger.id))?.returnsBy, "rest");
    });

    it("lists by state, guichet, number, content and time of reception, and by all at once", async () => {
      const numUnique = "075011800000099999";
      const envelope = { kind: "MOD", numGuichet: "75001", numUnique };
      const a = newFlux({ receivedAt: NOON, envelope });
      const b = newRefusedFlux({ receivedAt: NOON + 1, guichet: "69002" });
      const c = newFlux({ receivedAt: NOON + 2, guichet: "69002", envelope });
      const d = newQuarantinedFlux({ receivedAt: NOON + 3, bytes: a.bytes });
      await outbox().keep([a, b, c, d]);
      assert.deepEqual(await idsOf({}), [a.id, b.id, c.id, d.id]);
      assert.deepEqual(await idsOf({ order: "newestFirst" }), [d.id, c.id, b.id, a.id]);
      assert.deepEqual(await idsOf({ states: ["kept"] }), [a.id, c.id]);
      assert.deepEqual(await idsOf({ states: ["quarantined", "refused"] }), [b.id, d.id]);
      assert.deepEqual(await idsOf({ states: [] }), []);
      assert.deepEqual(await idsOf({ guichet: "69002" }), [b.id, c.id]);
      assert.deepEqual(await idsOf({ guichet: "69002", states: ["kept"] }), [c.id]);
      assert.deepEqual(await idsOf({ numUnique }), [a.id, c.id]);
      assert.deepEqual(await idsOf({ numUnique, guichet: "69002" }), [c.id]);
      assert.deepEqual(await idsOf({ sha256: a.sha256 }), [a.id, d.id]);
      assert.deepEqual(await idsOf({ sha256: a.sha256, order: "newestFirst" }), [d.id, a.id]);
      assert.deepEqual(await idsOf({ sha256: a.sha256, states: ["kept"] }), [a.id]);
      assert.deepEqual(await idsOf({ receivedFrom: NOON + 1, receivedBefore: NOON + 3 }), [
        b.id,
        c.id,
      ]);
      assert.deepEqual(
        await idsOf({
          states: ["kept"],
          guichet: "69002",
          numUnique,
          sha256: c.sha256,
          receivedFrom: NOON,
          receivedBefore: NOON + 3,
          order: "newestFirst",
        }),
        [c.id],
      );
      assert.deepEqual(await idsOf({ guichet: "nobody" }), []);
    });

    it("lists what a guichet sent under a name, and what nobody else did", async () => {
      const fileName = "DEM75001-202601310800-000007.xml";
      const a = newFlux({ receivedAt: NOON, fileName });
      const b = newRefusedFlux({ receivedAt: NOON + 1, fileName });
      const other = newFlux({ receivedAt: NOON + 2, guichet: "69002", fileName });
      const stranger = newQuarantinedFlux({ receivedAt: NOON + 3, fileName });
      await outbox().keep([a, b, other, stranger, newFlux({ receivedAt: NOON + 4 })]);
      const sentAs = { guichet: "75001", fileName };
      assert.deepEqual(await idsOf({ sentAs }), [a.id, b.id]);
      assert.deepEqual(await idsOf({ sentAs, order: "newestFirst" }), [b.id, a.id]);
      assert.deepEqual(await idsOf({ sentAs, states: ["refused"] }), [b.id]);
      assert.deepEqual(await idsOf({ sentAs, sha256: a.sha256 }), [a.id]);
      assert.deepEqual(await idsOf({ sentAs, receivedFrom: NOON + 1 }), [b.id]);
      assert.deepEqual(await idsOf({ sentAs, guichet: "69002" }), []);
      assert.deepEqual(await idsOf({ sentAs: { ...sentAs, fileName: "dem.xml" } }), []);
      const page = await outbox().list({ sentAs, limit: 1 });
      assert.deepEqual(
        page.fluxes.map(({ id }) => id),
        [a.id],
      );
      const next = await outbox().list({ sentAs, limit: 1, after: page.next ?? "" });
      assert.deepEqual(
        next.fluxes.map(({ id }) => id),
        [b.id],
      );
    });

    it("moves a flux from one list to the other with its state", async () => {
      const { flux } = await fluxIn(outbox(), "failed");
      assert.deepEqual(await idsOf({ states: ["failed"] }), [flux.id]);
      await outbox().move({ ...moveTo("kept", flux, NOON), from: ["failed"] });
      assert.deepEqual(await idsOf({ states: ["failed"] }), []);
      assert.deepEqual(await idsOf({ states: ["kept"], guichet: "75001" }), [flux.id]);
    });

    for (const order of ["oldestFirst", "newestFirst"] as const) {
      it(`pages without gap nor repeat while fluxes arrive, ${order}`, async () => {
        // Many received in the same millisecond, in two states: a page may end between any two.
        const before = Array.from({ length: 60 }, (_, n) => {
          const receivedAt = NOON + Math.floor(n / 25);
          return n % 3 === 0 ? newRefusedFlux({ receivedAt }) : newFlux({ receivedAt });
        });
        await outbox().keep(before);
        const seen: string[] = [];
        let after: string | undefined;
        do {
          const page = await outbox().list({
            order,
            limit: 7,
            states: ["kept", "refused"],
            ...(after === undefined ? {} : { after }),
          });
          assert.ok(page.fluxes.length > 0);
          seen.push(...page.fluxes.map(({ id }) => id));
          after = page.next;
          await outbox().keep([newQuarantinedFlux({ receivedAt: NOON + 1 })]);
          if (order === "newestFirst") {
            await outbox().keep([newFlux({ receivedAt: NOON + MINUTE })]);
          }
        } while (after !== undefined);
        const expected = before.map(({ id }) => id);
        assert.deepEqual(seen, order === "oldestFirst" ? expected : expected.toReversed());
      });
    }

    it("gives pages of one to five hundred", async () => {
      await outbox().keep(Array.from({ length: 501 }, () => newFlux()));
      for (const [limit, expected] of [
        [0, 1],
        [-5, 1],
        [500, 500],
        [100_000, 500],
      ] as const) {
        const { fluxes, next } = await outbox().list({ limit });
        assert.equal(fluxes.length, expected);
        assert.ok(next !== undefined);
      }
      const first = await outbox().list({ limit: 500 });
      const last = await outbox().list({
        limit: 500,
        ...(first.next === undefined ? {} : { after: first.next }),
      });
      assert.equal(last.fluxes.length, 1);
      assert.equal(last.next, undefined);
    });

    it("gives the last page no next", async () => {
      await outbox().keep(Array.from({ length: 4 }, () => newFlux()));
      assert.equal((await outbox().list({ limit: 4 })).next, undefined);
      assert.equal((await outbox().list({ limit: 5 })).next, undefined);
    });

    it("refuses a place to go on from that it did not give", async () => {
      for (const after of ["", "x", "1;DROP TABLE flux", "9".repeat(400), '{"$gt":""}']) {
        await assert.rejects(
          outbox().list({ limit: 5, after }),
          { code: "INVALID_REQUEST" },
          after,
        );
      }
    });

    it("counts everything kept, apart from its states", async () => {
      const empty = await outbox().counts();
      assert.deepEqual(Object.keys(empty.byState).sort(), [...FLUX_STATES].sort());
      assert.deepEqual([empty.received, empty.repeats, empty.deliveriesOwed], [0, 0, 0]);
      assert.equal(empty.oldestKeptAt, undefined);

      for (const state of FLUX_STATES) {
        // A kept one would be claimed by the walks that follow.
        if (state !== "kept") await fluxIn(outbox(), state);
      }
      const [first, second] = [
        newFlux({ receivedAt: NOON + 7 }),
        newFlux({ receivedAt: NOON + 9 }),
      ];
      await outbox().keep([second, first]);
      const counts = await (await reopen()).counts();
      assert.equal(counts.received, FLUX_STATES.length + 1);
      const total = Object.values(counts.byState).reduce((sum, n) => sum + n, 0);
      assert.equal(total, counts.received);
      assert.equal(counts.byState.kept, 2);
      assert.equal(counts.byState.discarded, 1);
      assert.equal(counts.oldestKeptAt, NOON + 7);
    });

    it("weighs what is open or failed, in all and by guichet", async () => {
      assert.deepEqual(await outbox().load(), { fluxes: 0, bytes: 0, byGuichet: {} });
      const bytesOf = (length: number): Uint8Array => randomBytes(length);
      let weight = 0;
      for (const [n, state] of FLUX_STATES.entries()) {
        // A kept one would be claimed by the walks that follow.
        if (state === "kept") continue;
        await fluxIn(outbox(), state, { bytes: bytesOf(10 ** (n % 5)) });
        const weighs = state !== "acknowledged" && state !== "discarded";
        const quarantined = state === "quarantined";
        if (weighs && !quarantined) weight += 10 ** (n % 5);
      }
      const [first, second] = [
        newFlux({ guichet: "69002", bytes: bytesOf(7) }),
        newRefusedFlux({ guichet: "69002", bytes: bytesOf(8) }),
      ];
      await outbox().keep([first, second, newFlux({ guichet: "69002", bytes: first.bytes })]);
      // Acknowledged, discarded, and the quarantined, which has no guichet, are not of 75001.
      const own = { fluxes: FLUX_STATES.length - 4, bytes: weight };
      const strangers = 10 ** (FLUX_STATES.indexOf("quarantined") % 5);
      assert.deepEqual(await outbox().load(), {
        fluxes: own.fluxes + 3,
        bytes: own.bytes + strangers + 15,
        byGuichet: { "75001": own, "69002": { fluxes: 2, bytes: 15 } },
      });

      await outbox().move({ ...moveTo("acknowledged", second, NOON), from: ["refused"] });
      await outbox().move({ ...moveTo("discarded", first, NOON), from: ["kept"] });
      assert.deepEqual(await (await reopen()).load(), {
        fluxes: own.fluxes + 1,
        bytes: own.bytes + strangers,
        byGuichet: { "75001": own },
      });
    });

    it("weighs a flux released from quarantine with its guichet", async () => {
      const stranger = newQuarantinedFlux();
      const size = stranger.bytes.byteLength;
      await outbox().keep([stranger]);
      const one = { fluxes: 1, bytes: size };
      assert.deepEqual(await outbox().load(), { ...one, byGuichet: {} });
      await outbox().move({
        ...moveTo("kept", stranger, NOON),
        from: ["quarantined"],
        attribute: { guichet: "75001", identity: "released" },
      });
      assert.deepEqual(await outbox().load(), { ...one, byGuichet: { "75001": one } });
    });

    it("keeps the notes of the gateway, the last writer winning", async () => {
      assert.equal(await outbox().noted("breaker"), undefined);
      await outbox().note("breaker", '{"open":true}');
      await outbox().note("breaker", "fermé");
      await outbox().note("other", "");
      const again = await reopen();
      assert.equal(await again.noted("breaker"), "fermé");
      assert.equal(await again.noted("other"), "");
    });

    it("proves that it can write", async () => {
      await outbox().probe();
      await outbox().probe();
    });

    it("finishes what was asked before it stops, then takes nothing", async () => {
      const fluxes = Array.from({ length: 50 }, () => newFlux());
      const asked = Promise.all(fluxes.map((flux) => outbox().keep([flux])));
      const stopped = outbox();
      const stops = [stopped.stop(), stopped.stop()];
      assert.equal((await asked).length, 50);
      await Promise.all(stops);
      await stopped.stop();
      await assert.rejects(stopped.keep([newFlux()]), { code: "STOPPING" });
      await assert.rejects(stopped.claim(claimAt(NOON)), { code: "STOPPING" });
      const again = await reopen();
      assert.equal((await again.counts()).received, 50);
    });
  });
}
