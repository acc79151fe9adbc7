/** Contract: an acquittement owed stays owed, to every address, until it is delivered. */
import assert from "node:assert/strict";
import type { ReturnAddress } from "../../../src/domain/flux.ts";
import type { ClaimedDelivery, Outbox } from "../../../src/keep/outbox.ts";
import { claimAt, MINUTE, newFlux, newRefusedFlux, NOON } from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";
import { fluxIn, moveTo } from "./journeys.ts";

const LATER = NOON + MINUTE;
const MAIL: ReturnAddress = {
  channel: "mail",
  to: "logiciel@bailleur.example",
  subject: "Dépôt du 15 janvier",
  messageId: "<1@bailleur.example>",
};
const FILE = { channel: "file", guichet: "75001", fileName: "dépôt.xml" } as const;

const DELIVERED = { kind: "delivered", detail: { channel: "mail" } } as const;

async function lendOne(outbox: Outbox, now: number): Promise<ClaimedDelivery> {
  const [delivery, ...others] = await outbox.claimDeliveries(claimAt(now));
  assert.ok(delivery, "an acquittement is lent");
  assert.deepEqual(others, []);
  return delivery;
}

export function acknowledgingContract({ outbox, reopen }: ContractBench): void {
  describe("acquittements", () => {
    it("owes nothing to a sender before there is a verdict", async () => {
      for (const state of ["kept", "inTransit", "inDoubt", "failed"] as const) {
        await fluxIn(outbox(), state, { returnTo: MAIL });
        assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER)), [], state);
        // The walks that follow want no other flux that is due.
        if (state === "kept") await outbox().claim(claimAt(NOON));
      }
      assert.equal((await outbox().counts()).deliveriesOwed, 0);
    });

    it("owes the acquittement from the verdict on, also after a restart", async () => {
      const { flux } = await fluxIn(outbox(), "accepted", { returnTo: MAIL });
      assert.equal((await outbox().counts()).deliveriesOwed, 1);
      const again = await reopen();
      assert.deepEqual(await again.claimDeliveries(claimAt(NOON - 1)), []);
      const delivery = await lendOne(again, NOON);
      assert.deepEqual(delivery.flux, flux);
      assert.deepEqual(delivery.to, MAIL);
      assert.deepEqual([delivery.attempts, delivery.isRepeat], [0, false]);
      assert.deepEqual(await again.claimDeliveries(claimAt(NOON)), []);
    });

    it("owes at once the acquittement of a flux refused at arrival", async () => {
      const flux = newRefusedFlux({ returnTo: FILE });
      await outbox().keep([flux]);
      const delivery = await lendOne(outbox(), NOON);
      assert.equal(delivery.flux.id, flux.id);
      assert.deepEqual(delivery.to, FILE);
    });

    it("lends nothing to deliver for a sender that collects", async () => {
      await outbox().keep([newRefusedFlux({ returnTo: { channel: "rest" } }), newRefusedFlux()]);
      assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER)), []);
      assert.equal((await outbox().counts()).deliveriesOwed, 0);
    });

    for (const state of ["accepted", "refused"] as const) {
      it(`acknowledges a flux ${state} when its sender has the acquittement`, async () => {
        const { flux } = await fluxIn(outbox(), state, { returnTo: MAIL });
        const delivery = await lendOne(outbox(), NOON);
        assert.equal(await outbox().endDelivery(delivery, LATER, DELIVERED), true);
        const told = await outbox().find(flux.id);
        assert.equal(told?.state, "acknowledged");
        assert.equal(told.since, LATER);
        assert.deepEqual(told.verdict, flux.verdict);
        assert.deepEqual((await outbox().journal(flux.id)).at(-1), {
          at: LATER,
          name: "acquittement.delivered",
          detail: { channel: "mail" },
        });
        const { deliveriesOwed, byState } = await outbox().counts();
        assert.deepEqual([deliveriesOwed, byState.acknowledged], [0, 1]);
        assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER + MINUTE)), []);
      });
    }

    it("tells the sender of a discarded flux, which stays discarded", async () => {
      const { flux } = await fluxIn(outbox(), "discarded", { returnTo: MAIL });
      const delivery = await lendOne(outbox(), NOON);
      assert.equal(await outbox().endDelivery(delivery, LATER, DELIVERED), true);
      assert.deepEqual(await outbox().find(flux.id), flux);
      assert.equal((await outbox().journal(flux.id)).at(-1)?.name, "acquittement.delivered");
    });

    it("owes a postponed acquittement again when its time has come, and says why", async () => {
      const { flux } = await fluxIn(outbox(), "accepted", { returnTo: MAIL });
      const delivery = await lendOne(outbox(), NOON);
      const reason = { code: "MAIL_NOT_DELIVERED", text: "Serveur occupé." };
      const end = { kind: "postponed", dueAt: LATER, reason, detail: { code: "451" } } as const;
      assert.equal(await outbox().endDelivery(delivery, NOON + 1, end), true);
      const waiting = await outbox().find(flux.id);
      assert.equal(waiting?.state, "accepted");
      assert.deepEqual(waiting.reason, reason);
      assert.deepEqual((await outbox().journal(flux.id)).at(-1), {
        at: NOON + 1,
        name: "acquittement.postponed",
        detail: { code: "451" },
      });
      assert.equal((await outbox().counts()).deliveriesOwed, 1);
      assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER - 1)), []);
      const again = await lendOne(outbox(), LATER);
      assert.equal(again.attempts, 1);
      assert.equal(await outbox().endDelivery(again, LATER, DELIVERED), true);
      assert.equal((await outbox().find(flux.id))?.reason, undefined);
    });

    it("never lends one acquittement twice to fifty claims at once", async () => {
      const fluxes = Array.from({ length: 80 }, () => newRefusedFlux({ returnTo: MAIL }));
      await outbox().keep(fluxes);
      const claims = await Promise.all(
        Array.from({ length: 50 }, () => outbox().claimDeliveries(claimAt(NOON, { max: 2 }))),
      );
      const lent = claims.flat().map(({ deliveryId }) => deliveryId);
      assert.equal(lent.length, 80);
      assert.equal(new Set(lent).size, 80);
    });

    it("takes back an acquittement whose lease ended, and owes it again", async () => {
      const { flux } = await fluxIn(outbox(), "accepted", { returnTo: MAIL });
      const lost = await lendOne(outbox(), NOON);
      assert.deepEqual(await outbox().takeBack(NOON + MINUTE - 1), { inDoubt: 0, deliveries: 0 });
      assert.deepEqual(await outbox().takeBack(NOON + MINUTE), { inDoubt: 0, deliveries: 1 });
      assert.equal(await outbox().endDelivery(lost, LATER, DELIVERED), false);
      assert.deepEqual(await outbox().find(flux.id), flux);
      const again = await lendOne(outbox(), LATER);
      assert.equal(again.attempts, 1);
      assert.equal(await outbox().endDelivery(lost, LATER, DELIVERED), false);
      assert.equal(await outbox().endDelivery(again, LATER, DELIVERED), true);
      assert.equal(await outbox().endDelivery(again, LATER, DELIVERED), false);
      const journal = await outbox().journal(flux.id);
      assert.equal(journal.filter(({ name }) => name === "acquittement.delivered").length, 1);
    });

    it("acknowledges a repeat where it came from, each address once", async () => {
      const first = newFlux({ returnTo: MAIL });
      const { bytes } = first;
      await outbox().keep([first]);
      // The same address twice, one of them with its properties in another order.
      const { fileName, guichet, channel } = FILE;
      await outbox().keep([
        newFlux({ bytes, returnTo: FILE }),
        newFlux({ bytes, returnTo: { guichet, fileName, channel } }),
      ]);
      await outbox().keep([newFlux({ bytes, returnTo: MAIL })]);
      assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER)), []);
      const [claimed] = await outbox().claim(claimAt(NOON));
      assert.ok(claimed);
      const { fence } = claimed;
      await outbox().move({ ...moveTo("accepted", first, NOON), from: ["inTransit"], fence });
      const lent = await outbox().claimDeliveries(claimAt(LATER));
      assert.deepEqual(
        lent.map(({ to, isRepeat }) => [to.channel, isRepeat]),
        [
          ["mail", false],
          ["file", true],
        ],
      );
      for (const delivery of lent) {
        assert.equal(await outbox().endDelivery(delivery, LATER, DELIVERED), true);
      }
      const journal = await outbox().journal(first.id);
      assert.equal(journal.filter(({ name }) => name === "acquittement.delivered").length, 2);
      assert.equal((await outbox().find(first.id))?.state, "acknowledged");
    });

    it("acknowledges at once a repeat of a flux already acknowledged, at the same address too", async () => {
      const { bytes } = newFlux();
      const { flux } = await fluxIn(outbox(), "accepted", { bytes, returnTo: MAIL });
      await outbox().endDelivery(await lendOne(outbox(), NOON), NOON, DELIVERED);
      await outbox().keep([newFlux({ bytes, returnTo: MAIL, receivedAt: LATER })]);
      assert.deepEqual(await outbox().claimDeliveries(claimAt(LATER - 1)), []);
      const delivery = await lendOne(outbox(), LATER);
      assert.equal(delivery.flux.id, flux.id);
      assert.equal(delivery.isRepeat, true);
      assert.equal(await outbox().endDelivery(delivery, LATER, DELIVERED), true);
    });

    it("leaves an acknowledged flux without reason when a repeat cannot be told", async () => {
      const { bytes } = newFlux();
      const { flux } = await fluxIn(outbox(), "acknowledged", { bytes });
      await outbox().keep([newFlux({ bytes, returnTo: FILE, receivedAt: LATER })]);
      const delivery = await lendOne(outbox(), LATER);
      await outbox().endDelivery(delivery, LATER, {
        kind: "postponed",
        dueAt: LATER + MINUTE,
        reason: { code: "FILE_NOT_DELIVERED", text: "Disque plein." },
        detail: {},
      });
      assert.deepEqual(await outbox().find(flux.id), { ...flux, repeats: 1 });
    });
  });
}
