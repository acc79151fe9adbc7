/** Contract: what is kept is on disk, whole, word for word; or not at all. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";

export function keepingContract({ outbox, reopen }: ContractBench): void {
  describe("keeping", () => {
    it("finds again, word for word, a flux it kept", async () => {
      const flux = newFlux({
        envelope: {
          kind: "MOD",
          numGuichet: "75001",
          numUnique: "075011800000012345",
          sequence: 7,
        },
        lane: "numUnique:075011800000012345",
        origin: { from: "a@b.example", messageId: "<1@b.example>", remoteAddress: "192.0.2.1" },
        event: { name: "flux.kept", detail: { channel: "mail", parts: 2, signed: false } },
      });
      const [result] = await outbox().keep([flux]);
      assert.equal(result?.kind, "kept");
      assert.deepEqual(await outbox().find(flux.id), result.flux);
      assert.deepEqual(result.flux, {
        id: flux.id,
        state: "kept",
        channel: "mail",
        guichet: "75001",
        envelope: flux.envelope,
        fileName: flux.fileName,
        lane: flux.lane,
        sha256: flux.sha256,
        size: flux.bytes.byteLength,
        origin: flux.origin,
        receivedAt: NOON,
        since: NOON,
        attempts: 0,
        dueAt: NOON,
        repeats: 0,
      });
      const original = await outbox().file(flux.id, "original");
      assert.equal(original?.name, flux.fileName);
      assert.deepEqual(Buffer.from(original.bytes), Buffer.from(flux.bytes));
      assert.deepEqual(await outbox().journal(flux.id), [
        { at: NOON, name: "flux.kept", detail: { channel: "mail", parts: 2, signed: false } },
      ]);
    });

    it("finds everything again after it was closed and opened", async () => {
      const kept = newFlux({ arrivalKey: "mail:<1>", lane: "L" });
      const refused = newRefusedFlux({ remarks: [{ code: "X", message: "é" }] });
      const results = await outbox().keep([kept, refused]);
      const counts = await outbox().counts();
      const again = await reopen();
      for (const result of results) {
        assert.equal(result.kind, "kept");
        assert.deepEqual(await again.find(result.flux.id), result.flux);
      }
      assert.deepEqual(await again.counts(), counts);
      assert.equal((await again.keep([kept]))[0]?.kind, "sameArrival");
      assert.equal((await again.journal(refused.id))[0]?.name, "flux.refusedAtArrival");
    });

    it("keeps a flux refused at arrival and a quarantined one, and lends neither", async () => {
      await outbox().keep([newRefusedFlux(), newQuarantinedFlux()]);
      const { byState, received } = await outbox().counts();
      assert.deepEqual([byState.refused, byState.quarantined, received], [1, 1, 2]);
      const claimed = await outbox().claim({
        owner: "g",
        now: NOON + MINUTE,
        leaseMs: MINUTE,
        max: 9,
      });
      assert.deepEqual(claimed, []);
    });

    it("keeps a batch whole or not at all", async () => {
      const [before] = await outbox().keep([newFlux()]);
      assert.equal(before?.kind, "kept");
      const first = newFlux({ arrivalKey: "mail:<first>" });
      // The identifier is taken: the second cannot be written, so the first must not stay.
      const second = newFlux({ id: before.flux.id });
      await assert.rejects(outbox().keep([first, second]), { code: "INTERNAL_ERROR" });
      assert.equal(await outbox().find(first.id), undefined);
      assert.equal((await outbox().counts()).received, 1);
      assert.equal((await outbox().keep([first]))[0]?.kind, "kept");
    });

    it("answers a batch in its order", async () => {
      const batch = Array.from({ length: 20 }, () => newFlux());
      const results = await outbox().keep(batch);
      assert.deepEqual(
        results.map((result) => (result.kind === "kept" ? result.flux.id : result.kind)),
        batch.map(({ id }) => id),
      );
      assert.deepEqual(await outbox().keep([]), []);
    });

    it("hurts no other keep when one cannot be written", async () => {
      const taken = newFlux();
      await outbox().keep([taken]);
      const good = Array.from({ length: 20 }, () => newFlux());
      const asked = await Promise.allSettled([
        ...good.slice(0, 10).map((flux) => outbox().keep([flux])),
        outbox().keep([newFlux({ id: taken.id })]),
        ...good.slice(10).map((flux) => outbox().keep([flux])),
      ]);
      assert.equal(asked.filter(({ status }) => status === "rejected").length, 1);
      for (const { id } of good) assert.ok(await outbox().find(id));
    });

    it("keeps a file of 20 MB byte for byte", async () => {
      const flux = newFlux({ bytes: randomBytes(20 * 1024 * 1024) });
      await outbox().keep([flux]);
      const original = await (await reopen()).file(flux.id, "original");
      assert.ok(original);
      assert.ok(Buffer.from(original.bytes).equals(flux.bytes));
    });

    it("keeps an empty file, and a small part of a large buffer", async () => {
      const large = randomBytes(1024 * 1024);
      const before = Buffer.from(large);
      const part = newFlux({ bytes: large.subarray(1000, 1010) });
      const empty = newRefusedFlux({ bytes: new Uint8Array(0) });
      await outbox().keep([part, empty]);
      assert.equal((await outbox().file(empty.id, "original"))?.bytes.byteLength, 0);
      const found = await outbox().file(part.id, "original");
      assert.deepEqual(Buffer.from(found?.bytes ?? []), before.subarray(1000, 1010));
      assert.ok(large.equals(before), "the caller's buffer is left as it was");
    });

    for (const [what, text] of Object.entries({
      "a NUL": "a\0b",
      "an emoji": "📬 café — 𝄞",
      quotes: `'"\`; DROP TABLE flux; -- {"$gt":""} $where %s`,
      "ten thousand characters": "é".repeat(10_000),
      "property names of JavaScript": "__proto__",
    })) {
      it(`gives back texts with ${what} as they came`, async () => {
        const flux = newFlux({
          guichet: text,
          lane: text,
          fileName: text,
          arrivalKey: text,
          origin: { from: text, messageId: text },
          envelope: { kind: text, numGuichet: text, numUnique: text, refInterne: text },
          returnTo: { channel: "mail", to: text, subject: text },
          event: { name: "flux.kept", detail: { text } },
        });
        const [result] = await outbox().keep([flux]);
        assert.equal(result?.kind, "kept");
        assert.deepEqual(await outbox().find(flux.id), result.flux);
        assert.equal(result.flux.fileName, text);
        assert.equal((await outbox().file(flux.id, "original"))?.name, text);
        assert.equal((await outbox().journal(flux.id))[0]?.detail["text"], text);
        for (const query of [{ guichet: text }, { numUnique: text }]) {
          const { fluxes } = await outbox().list({ ...query, limit: 2 });
          assert.deepEqual(fluxes, [result.flux]);
        }
        assert.equal((await outbox().keep([flux]))[0]?.kind, "sameArrival");
      });
    }
  });
}
