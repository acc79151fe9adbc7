/** Contract: files are erased long after the end of their flux, never before, and all else stays. */
import assert from "node:assert/strict";
import { FLUX_STATES } from "../../../src/domain/flux-state.ts";
import { FILE_ROLES } from "../../../src/keep/outbox.ts";
import {
  claimAt,
  MINUTE,
  newFlux,
  newQuarantinedFlux,
  newRefusedFlux,
  NOON,
} from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { claimOne, fluxIn, moveTo } from "./journeys.ts";

const DAY = 24 * 60 * MINUTE;
const LATER = NOON + 90 * DAY;

export function erasingContract({ outbox, reopen }: ContractBench): void {
  const erase = (max = 100, endedBefore = LATER - DAY): Promise<number> =>
    outbox().eraseFiles({ endedBefore, now: LATER, max });
  const erasedAt = async (flux: { id: string }): Promise<number | undefined> =>
    (await outbox().find(flux.id))?.erasedAt;

  describe("erasing files", () => {
    it("erases all the files of a flux that ended, and says so in its journal", async () => {
      const text = (length: number): Uint8Array => new Uint8Array(length).fill(0x20);
      const flux = newFlux({ bytes: text(1_000) });
      await outbox().keep([flux]);
      const { fence } = await claimOne(outbox(), flux, NOON);
      await outbox().move({
        ...moveTo("accepted", flux, NOON),
        from: ["inTransit"],
        fence,
        files: {
          answer: { name: "reponse.xml", bytes: text(200) },
          attestation: { name: "attestation.pdf", bytes: text(30) },
        },
      });
      await outbox().move({ ...moveTo("acknowledged", flux, NOON + 5), from: ["accepted"] });
      const before = await outbox().find(flux.id);
      const told = await outbox().journal(flux.id);
      assert.equal(before?.erasedAt, undefined);

      assert.equal(await erase(), 1);

      await reopen();
      for (const role of FILE_ROLES) assert.equal(await outbox().file(flux.id, role), undefined);
      assert.deepEqual(await outbox().find(flux.id), { ...before, erasedAt: LATER });
      assert.deepEqual(await outbox().journal(flux.id), [
        ...told,
        { at: LATER, name: "flux.filesErased", detail: { files: 3, bytes: 1_230 } },
      ]);
    });

    it("erases those of acknowledged and discarded fluxes, and of no others, however old", async () => {
      const erased: string[] = [];
      for (const state of FLUX_STATES) {
        // Kept last: it would be claimed by the walks of the others.
        if (state === "kept") continue;
        const { flux } = await fluxIn(outbox(), state);
        if (state === "acknowledged" || state === "discarded") erased.push(flux.id);
      }
      await outbox().keep([newFlux()]);
      const counts = await outbox().counts();
      assert.equal(await erase(), erased.length);
      const { fluxes } = await outbox().list({ limit: 500 });
      assert.equal(fluxes.length, FLUX_STATES.length);
      for (const flux of fluxes) {
        const gone = erased.includes(flux.id);
        assert.equal(flux.erasedAt, gone ? LATER : undefined, flux.state);
        const file = await outbox().file(flux.id, "original");
        assert.equal(file === undefined, gone, flux.state);
      }
      assert.deepEqual(await outbox().counts(), counts);
    });

    it("leaves those of a flux that ended since", async () => {
      const { flux } = await fluxIn(outbox(), "acknowledged", { receivedAt: NOON });
      assert.equal(await erase(100, NOON), 0);
      assert.ok(await outbox().file(flux.id, "original"));
      assert.equal(await erase(100, NOON + 1), 1);
    });

    it("leaves those of a flux of which an acquittement is owed or lent, until it is delivered", async () => {
      const returnTo = { channel: "file", guichet: "75001", fileName: "a.xml" } as const;
      const refused = newRefusedFlux({ returnTo });
      await outbox().keep([refused]);
      // Told by another way: it ended, and its acquittement is owed all the same.
      await outbox().move({ ...moveTo("acknowledged", refused, NOON), from: ["refused"] });
      assert.equal(await erase(), 0);
      const [delivery] = await outbox().claimDeliveries(claimAt(NOON));
      assert.ok(delivery);
      assert.equal(await erase(), 0);
      const reason = { code: "FILE_NOT_DELIVERED", text: "Dossier absent." };
      const postponed = { kind: "postponed", dueAt: NOON, reason, detail: {} } as const;
      assert.equal(await outbox().endDelivery(delivery, NOON, postponed), true);
      assert.equal(await erase(), 0);
      assert.ok(await outbox().file(refused.id, "original"));
      const [again] = await outbox().claimDeliveries(claimAt(NOON));
      assert.ok(again);
      await outbox().endDelivery(again, NOON, { kind: "delivered", detail: {} });
      assert.equal(await erase(), 1);
    });

    it("leaves those of a flux that a repeat is still to be told of", async () => {
      const { flux } = await fluxIn(outbox(), "acknowledged");
      const bytes = (await outbox().file(flux.id, "original"))?.bytes;
      assert.ok(bytes);
      const returnTo = { channel: "mail", to: "a@b.example", subject: "" } as const;
      const [repeat] = await outbox().keep([newFlux({ bytes, returnTo })]);
      assert.equal(repeat?.kind, "repeated");
      assert.equal(await erase(), 0);
      const [delivery] = await outbox().claimDeliveries(claimAt(NOON));
      assert.ok(delivery);
      await outbox().endDelivery(delivery, NOON, { kind: "delivered", detail: {} });
      assert.equal(await erase(), 1);
    });

    it("erases no more than asked at once, those that ended first, each once", async () => {
      const ids: string[] = [];
      for (const n of [3, 1, 4, 0, 2]) {
        const stranger = newQuarantinedFlux({ receivedAt: NOON - n });
        await outbox().keep([stranger]);
        await outbox().move({ ...moveTo("discarded", stranger, NOON + n), from: ["quarantined"] });
        ids[n] = stranger.id;
      }
      const gone = async (): Promise<boolean[]> => {
        const at = await Promise.all(ids.map((id) => erasedAt({ id })));
        return at.map((time) => time !== undefined);
      };
      assert.equal(await erase(0), 0);
      assert.equal(await erase(2), 2);
      assert.deepEqual(await gone(), [true, true, false, false, false]);
      assert.equal(await erase(2), 2);
      assert.equal(await erase(2), 1);
      assert.equal(await erase(2), 0);
      for (const id of ids) {
        const told = (await outbox().journal(id)).filter(({ name }) => name === "flux.filesErased");
        assert.equal(told.length, 1);
      }
    });

    it("erases each once when several ask at once", async () => {
      for (let n = 0; n < 8; n += 1) await fluxIn(outbox(), "acknowledged");
      const counts = await Promise.all(Array.from({ length: 6 }, () => erase(5)));
      const rest = await erase();
      assert.equal(
        counts.reduce((sum, count) => sum + count, rest),
        8,
      );
      const { fluxes } = await outbox().list({ limit: 500 });
      for (const { id } of fluxes) {
        const told = (await outbox().journal(id)).filter(({ name }) => name === "flux.filesErased");
        assert.equal(told.length, 1);
      }
    });

    it("still knows a file whose bytes were erased, when it comes again", async () => {
      const bytes = new TextEncoder().encode("<interfaceNuu>encore</interfaceNuu>");
      const { flux } = await fluxIn(outbox(), "acknowledged", { bytes, arrivalKey: "mail:1" });
      assert.equal(await erase(), 1);
      const returnTo = { channel: "mail", to: "a@b.example", subject: "" } as const;
      const [told, repeated] = await outbox().keep([
        newFlux({ bytes, arrivalKey: "mail:1" }),
        newFlux({ bytes, arrivalKey: "mail:2", returnTo }),
      ]);
      assert.equal(told?.kind, "sameArrival");
      assert.equal(repeated?.kind, "repeated");
      assert.equal(repeated.first.id, flux.id);
      assert.equal(repeated.first.erasedAt, LATER);
      const [delivery] = await outbox().claimDeliveries(claimAt(LATER));
      assert.equal(delivery?.flux.id, flux.id);
      assert.equal(delivery.flux.erasedAt, LATER);
    });
  });
}
