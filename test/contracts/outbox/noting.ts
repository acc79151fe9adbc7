/** Contract: a value noted under a condition is written once, and a number is given once. */
import assert from "node:assert/strict";
import type { ContractBench } from "../outbox-contract.ts";

export function notingContract({ outbox, reopen }: ContractBench): void {
  describe("noting", () => {
    it("notes a first value once, whoever else tries", async () => {
      assert.equal(await outbox().noteIf("cursor", undefined, "10"), true);
      assert.equal(await outbox().noteIf("cursor", undefined, "11"), false);
      assert.equal(await (await reopen()).noted("cursor"), "10");
    });

    it("notes a value over the expected one only, and otherwise writes nothing", async () => {
      await outbox().note("cursor", "10");
      assert.equal(await outbox().noteIf("cursor", "9", "11"), false);
      assert.equal(await outbox().noteIf("cursor", "", "11"), false);
      assert.equal(await outbox().noted("cursor"), "10");
      assert.equal(await outbox().noteIf("cursor", "10", "11"), true);
      assert.equal(await outbox().noteIf("cursor", "10", "12"), false);
      assert.equal(await (await reopen()).noted("cursor"), "11");
    });

    it("notes nothing over a value that was never noted", async () => {
      assert.equal(await outbox().noteIf("cursor", "10", "11"), false);
      assert.equal(await outbox().noted("cursor"), undefined);
    });

    it("tells an empty value from none", async () => {
      assert.equal(await outbox().noteIf("cursor", "", "1"), false);
      assert.equal(await outbox().noteIf("cursor", undefined, ""), true);
      assert.equal(await outbox().noteIf("cursor", undefined, "1"), false);
      assert.equal(await outbox().noteIf("cursor", "", "1"), true);
    });

    it("takes as changed a value noted again as it is", async () => {
      assert.equal(await outbox().noteIf("cursor", undefined, "10"), true);
      assert.equal(await outbox().noteIf("cursor", "10", "10"), true);
      assert.equal(await outbox().noted("cursor"), "10");
    });

    it("lets one of fifty who advance a cursor at once", async () => {
      for (const [expected, round] of [
        [undefined, "first"],
        ["0", "next"],
      ] as const) {
        if (expected !== undefined) await outbox().note("cursor", expected);
        const done = await Promise.all(
          Array.from({ length: 50 }, (_, n) =>
            outbox().noteIf("cursor", expected, `${round} ${n}`),
          ),
        );
        const winners = done.flatMap((won, n) => (won ? [`${round} ${n}`] : []));
        assert.deepEqual(winners, [await outbox().noted("cursor")]);
      }
    });

    it("counts each sequence from one, apart from the others and from the notes", async () => {
      await outbox().note("DEM75001", "99");
      const given: number[] = [];
      for (const name of ["DEM75001", "DEM75001", "DEM69002", "DEM75001", "DEM69002"]) {
        given.push(await outbox().next(name));
      }
      assert.deepEqual(given, [1, 2, 1, 3, 2]);
      assert.equal(await outbox().noted("DEM75001"), "99");
    });

    it("gives fifty numbers to fifty who ask at once, and never one again over a restart", async () => {
      const ask = async (): Promise<readonly number[]> =>
        Promise.all(Array.from({ length: 50 }, () => outbox().next("probes")));
      const before = await ask();
      await reopen();
      const after = await ask();
      assert.equal(new Set(before).size, 50);
      assert.equal(new Set([...before, ...after]).size, 100);
      assert.ok(Math.min(...after) > Math.max(...before));
    });

    it("takes any text as a name", async () => {
      for (const name of ["", "a.b", "$set", "__proto__", "d'été", "x".repeat(300)]) {
        assert.equal(await outbox().noteIf(name, undefined, "1"), true, name);
        assert.equal(await outbox().noted(name), "1", name);
        assert.equal(await outbox().next(name), 1, name);
      }
    });
  });
}
