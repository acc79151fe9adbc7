/** Contract: what happens to a flux without moving it is in its journal once, and changes nothing else. */
import assert from "node:assert/strict";
import { FLUX_STATES } from "../../../src/domain/flux-state.ts";
import type { JournalRecord } from "../../../src/keep/outbox.ts";
import { MINUTE, NOON } from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { fluxIn } from "./journeys.ts";

const LATER = NOON + MINUTE;

function confirmed(fluxId: string, more: Partial<JournalRecord> = {}): JournalRecord {
  return {
    fluxId,
    in: ["acknowledged"],
    at: LATER,
    event: { name: "acquittement.confirmed", detail: { channel: "soap" } },
    ...more,
  };
}

export function recordingContract({ outbox, reopen }: ContractBench): void {
  describe("recording", () => {
    for (const state of FLUX_STATES) {
      it(`adds an event to the journal of a flux ${state}, and leaves it as it is`, async () => {
        const { flux } = await fluxIn(outbox(), state);
        const before = await outbox().journal(flux.id);
        const record = confirmed(flux.id, { in: [state] });
        assert.deepEqual(await outbox().recordOnce(record), { kind: "recorded" });
        const entry = { at: LATER, ...record.event };
        assert.deepEqual(await outbox().journal(flux.id), [...before, entry]);
        assert.deepEqual(await outbox().find(flux.id), flux);
      });
    }

    it("adds it once, however often and at once it is told", async () => {
      const { flux } = await fluxIn(outbox(), "acknowledged");
      const times = [LATER, LATER + 1, LATER + 2, LATER + 3];
      const results = await Promise.all(
        times.map((at) => outbox().recordOnce(confirmed(flux.id, { at }))),
      );
      assert.equal(results.filter(({ kind }) => kind === "recorded").length, 1);
      const journal = await outbox().journal(flux.id);
      const [first, ...others] = journal.filter(({ name }) => name === "acquittement.confirmed");
      assert.deepEqual(others, []);
      for (const result of results) {
        if (result.kind !== "recorded") assert.deepEqual(result, { kind: "already", first });
      }
    });

    it("is there when the store is opened again, and counts nothing", async () => {
      const { flux } = await fluxIn(outbox(), "acknowledged");
      const counts = await outbox().counts();
      await outbox().recordOnce(confirmed(flux.id));
      const reopened = await reopen();
      assert.equal((await reopened.journal(flux.id)).at(-1)?.name, "acquittement.confirmed");
      assert.deepEqual(await reopened.counts(), counts);
      const again = await reopened.recordOnce(confirmed(flux.id, { at: LATER + MINUTE }));
      assert.equal(again.kind, "already");
    });

    it("writes nothing when the flux is not in an expected state, or is not", async () => {
      const { flux } = await fluxIn(outbox(), "failed");
      const before = await outbox().journal(flux.id);
      const result = await outbox().recordOnce(confirmed(flux.id));
      assert.deepEqual(result, { kind: "notRecorded", flux });
      assert.deepEqual(await outbox().journal(flux.id), before);
      assert.deepEqual(await outbox().recordOnce(confirmed("nobody")), { kind: "notFound" });
    });
  });
}
