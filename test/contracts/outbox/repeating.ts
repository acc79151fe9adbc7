/** Contract: the same arrival, or the same content, has one effect; neither is ever lost. */
import assert from "node:assert/strict";
import type { FluxState } from "../../../src/domain/flux-state.ts";
import type { KeepResult, NewFlux } from "../../../src/keep/outbox.ts";
import {
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { fluxIn } from "./journeys.ts";

const LATER = NOON + MINUTE;

/** The same content, arrived otherwise. */
function copyOf(flux: NewFlux, parts: Partial<NewFlux> = {}): NewFlux {
  const { bytes } = flux;
  const name = "copie.xml";
  return newFlux({ bytes, channel: "file", fileName: name, receivedAt: LATER, ...parts });
}

function kindOf(results: readonly KeepResult[]): string | undefined {
  return results[0]?.kind;
}

export function repeatingContract({ outbox, reopen }: ContractBench): void {
  describe("repeats", () => {
    it("writes nothing when the same arrival is told again", async () => {
      const flux = newFlux({ arrivalKey: "mail:<1>#1" });
      await outbox().keep([flux]);
      const counts = await outbox().counts();
      const journal = await outbox().journal(flux.id);
      const again = copyOf(flux, { arrivalKey: "mail:<1>#1" });
      const [result] = await outbox().keep([again]);
      assert.equal(result?.kind, "sameArrival");
      assert.equal(result.first.id, flux.id);
      assert.equal(result.first.repeats, 0);
      assert.equal(await outbox().find(again.id), undefined);
      assert.deepEqual(await outbox().counts(), counts);
      assert.deepEqual(await outbox().journal(flux.id), journal);
    });

    it("knows an arrival for ever, whatever became of its flux", async () => {
      const refused = newRefusedFlux({ arrivalKey: "key-1" });
      await outbox().keep([refused]);
      const { flux } = await fluxIn(outbox(), "discarded", { arrivalKey: "key-2" });
      const again = await reopen();
      const told = await again.keep([
        { ...refused, id: newFlux().id },
        newFlux({ sha256: flux.sha256, arrivalKey: "key-2" }),
      ]);
      assert.deepEqual(
        told.map((result) => result.kind),
        ["sameArrival", "sameArrival"],
      );
    });

    it("refuses an arrival key that names other bytes, and keeps the rest of the batch", async () => {
      const first = newFlux({ arrivalKey: "key" });
      await outbox().keep([first]);
      const other = newFlux({ arrivalKey: "key" });
      const rest = newFlux();
      const [conflict, kept] = await outbox().keep([other, rest]);
      assert.equal(conflict?.kind, "keyConflict");
      assert.equal(conflict.first.id, first.id);
      assert.equal(kept?.kind, "kept");
      assert.equal(await outbox().find(other.id), undefined);
      assert.equal((await outbox().counts()).received, 2);
    });

    it("notes the same content, arrived by another channel, on the first", async () => {
      const first = newFlux();
      await outbox().keep([first]);
      const copy = copyOf(first);
      const [result] = await outbox().keep([copy]);
      assert.equal(result?.kind, "repeated");
      assert.equal(result.first.id, first.id);
      assert.equal(result.first.repeats, 1);
      assert.deepEqual(await outbox().find(first.id), result.first);
      assert.equal(await outbox().find(copy.id), undefined);
      const { received, repeats, byState } = await outbox().counts();
      assert.deepEqual([received, repeats, byState.kept], [1, 1, 1]);
      assert.deepEqual((await outbox().journal(first.id)).at(-1), {
        at: LATER,
        name: "flux.receivedAgain",
        detail: { channel: "file", fileName: "copie.xml" },
      });
    });

    it("takes for a repeat neither other bytes nor another guichet", async () => {
      const first = newFlux();
      const results = await outbox().keep([
        first,
        newFlux({ fileName: first.fileName }),
        newFlux({ bytes: first.bytes, guichet: "69002" }),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["kept", "kept", "kept"],
      );
    });

    it("sees the repeat inside one batch", async () => {
      const first = newFlux();
      const results = await outbox().keep([first, copyOf(first), newFlux()]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["kept", "repeated", "kept"],
      );
    });

    it("remembers the arrival of a repeat: told again, it counts once", async () => {
      const first = newFlux();
      await outbox().keep([first]);
      const copy = copyOf(first, { arrivalKey: "file:copie.xml" });
      assert.equal(kindOf(await outbox().keep([copy])), "repeated");
      assert.equal(kindOf(await outbox().keep([copy])), "sameArrival");
      assert.equal((await outbox().find(first.id))?.repeats, 1);
    });

    it("keeps one of a hundred copies that come at once", async () => {
      const first = newFlux();
      const results = await Promise.all(
        Array.from({ length: 100 }, () => outbox().keep([copyOf(first)])),
      );
      const kinds = results.map(kindOf);
      assert.equal(kinds.filter((kind) => kind === "kept").length, 1);
      assert.equal(kinds.filter((kind) => kind === "repeated").length, 99);
      const { received, repeats } = await outbox().counts();
      assert.deepEqual([received, repeats], [1, 99]);
    });

    it("keeps one of a hundred tellings of one arrival", async () => {
      const flux = newFlux({ arrivalKey: "key" });
      const results = await Promise.all(
        Array.from({ length: 100 }, () => outbox().keep([{ ...flux, id: newFlux().id }])),
      );
      const kinds = results.map(kindOf);
      assert.equal(kinds.filter((kind) => kind === "kept").length, 1);
      assert.equal(kinds.filter((kind) => kind === "sameArrival").length, 99);
    });

    const held: readonly FluxState[] = [
      "kept",
      "inTransit",
      "inDoubt",
      "failed",
      "accepted",
      "acknowledged",
    ];
    for (const state of held) {
      it(`takes the content of a flux ${state} for a repeat`, async () => {
        const bytes = newFlux().bytes;
        const { flux } = await fluxIn(outbox(), state, { bytes });
        const [result] = await outbox().keep([copyOf(newFlux({ bytes }))]);
        assert.equal(result?.kind, "repeated");
        assert.equal(result.first.id, flux.id);
        assert.equal(result.first.state, state);
      });
    }

    for (const state of ["refused", "discarded"] as const) {
      it(`keeps anew the content of a flux ${state}: it had no effect`, async () => {
        const bytes = newFlux().bytes;
        await fluxIn(outbox(), state, { bytes });
        assert.equal(kindOf(await outbox().keep([copyOf(newFlux({ bytes }))])), "kept");
      });
    }

    it("keeps anew the content of a flux whose refusal was acknowledged", async () => {
      const bytes = newFlux().bytes;
      const { flux } = await fluxIn(outbox(), "refused", { bytes });
      const told = await outbox().move({
        fluxId: flux.id,
        from: ["refused"],
        to: "acknowledged",
        at: LATER,
        event: { name: "acquittement.collected", detail: {} },
      });
      assert.equal(told.kind, "moved");
      assert.equal(kindOf(await outbox().keep([copyOf(newFlux({ bytes }))])), "kept");
    });

    it("keeps anew the content of a flux refused at arrival", async () => {
      const refused = newRefusedFlux();
      await outbox().keep([refused]);
      assert.equal(kindOf(await outbox().keep([copyOf(refused)])), "kept");
    });

    it("lets a stranger neither hold a content nor learn of it", async () => {
      const parts = { bytes: newFlux().bytes, identity: "75001|same" };
      const results = await outbox().keep([
        newQuarantinedFlux(parts),
        newFlux(parts),
        newQuarantinedFlux(parts),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ["kept", "kept", "kept"],
      );
      assert.equal((await outbox().counts()).repeats, 0);
    });
  });
}
