/** Contract: a role is held by one at a time, and passes on when its holder leaves it or dies. */
import assert from "node:assert/strict";
import type { RoleHolding } from "../../../src/keep/outbox.ts";
import { MINUTE, NOON } from "../../support/new-flux.ts";
import type { ContractBench } from "../outbox-contract.ts";

export function rolesContract({ outbox, reopen }: ContractBench): void {
  const hold = (owner: string, now: number, role = "retention"): Promise<RoleHolding> =>
    outbox().holdRole(role, { owner, now, leaseMs: MINUTE });

  describe("roles", () => {
    it("gives a free role to who asks, until its lease ends", async () => {
      assert.deepEqual(await hold("one", NOON), {
        held: true,
        holder: "one",
        until: NOON + MINUTE,
        term: 1,
      });
    });

    it("refuses a role that is held, and says by whom and until when", async () => {
      await hold("one", NOON);
      const refused = { held: false, holder: "one", until: NOON + MINUTE, term: 1 };
      assert.deepEqual(await hold("two", NOON), refused);
      assert.deepEqual(await hold("two", NOON + MINUTE - 1), refused);
      assert.deepEqual(await hold("three", NOON), refused);
    });

    it("renews it for its holder, in the same term", async () => {
      await hold("one", NOON);
      const renewed = await hold("one", NOON + 40_000);
      assert.deepEqual(renewed, {
        held: true,
        holder: "one",
        until: NOON + 40_000 + MINUTE,
        term: 1,
      });
      assert.equal((await hold("two", NOON + MINUTE)).held, false);
    });

    it("passes to another once its lease has ended, in a new term", async () => {
      await hold("one", NOON);
      assert.deepEqual(await hold("two", NOON + MINUTE), {
        held: true,
        holder: "two",
        until: NOON + 2 * MINUTE,
        term: 2,
      });
      const late = await hold("one", NOON + MINUTE);
      assert.deepEqual([late.held, late.holder, late.term], [false, "two", 2]);
      assert.equal((await hold("one", NOON + 2 * MINUTE)).term, 3);
    });

    it("is the same term for a holder that nobody replaced", async () => {
      await hold("one", NOON);
      const back = await hold("one", NOON + 9 * MINUTE);
      assert.deepEqual([back.held, back.term], [true, 1]);
    });

    it("is free at once when its holder leaves it, and its next term is a new one", async () => {
      await hold("one", NOON);
      await outbox().leaveRole("retention", "one");
      const taken = await hold("two", NOON);
      assert.deepEqual([taken.held, taken.holder, taken.term], [true, "two", 2]);
    });

    it("is left by its holder alone", async () => {
      await hold("one", NOON);
      await outbox().leaveRole("retention", "two");
      await outbox().leaveRole("nobody's", "one");
      assert.equal((await hold("two", NOON)).held, false);
      // Who lost it cannot free it under another.
      await hold("two", NOON + MINUTE);
      await outbox().leaveRole("retention", "one");
      assert.equal((await hold("one", NOON + MINUTE)).held, false);
    });

    it("is apart from the other roles", async () => {
      await hold("one", NOON, "retention");
      const other = await hold("two", NOON, "mailbox a@b.example");
      assert.deepEqual([other.held, other.term], [true, 1]);
      assert.equal((await hold("two", NOON, "retention")).held, false);
    });

    it("is held over a restart of the store", async () => {
      await hold("one", NOON);
      await hold("two", NOON + MINUTE);
      await reopen();
      const refused = await hold("one", NOON + MINUTE);
      assert.deepEqual([refused.held, refused.holder, refused.term], [false, "two", 2]);
    });

    it("is given to one of a hundred who ask at once, free or just lost", async () => {
      for (const now of [NOON, NOON + MINUTE]) {
        const holdings = await Promise.all(
          Array.from({ length: 100 }, (_, n) => hold(`gateway-${now}-${n}`, now)),
        );
        const [winner, ...others] = holdings.filter(({ held }) => held);
        assert.ok(winner);
        assert.deepEqual(others, []);
        for (const holding of holdings) {
          assert.deepEqual({ ...holding, held: true }, winner);
        }
      }
    });
  });
}
