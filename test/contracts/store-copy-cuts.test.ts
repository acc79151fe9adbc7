/**
 * A copy of a store cut anywhere, tampered with, or made under a gateway that still runs: never do both
 * ends open with the same live fluxes, there is always a way on, and what differs is found.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import mongoose from "mongoose";
import { openMongoTransfer } from "../../src/adapters/mongo/mongo-transfer.ts";
import { openSqliteTransfer } from "../../src/adapters/sqlite/sqlite-transfer.ts";
import { abandonCopyOf } from "../../src/copy-stores.ts";
import { GatewayError, messageOf } from "../../src/domain/errors.ts";
import type { StoreTransfer } from "../../src/keep/store-transfer.ts";
import { abandonCopy } from "../../src/operate/abandon-copy.ts";
import { copyStore } from "../../src/operate/store-copy.ts";
import { type Clock, systemChance, systemClock } from "../../src/runtime/clock.ts";
import { makeCopyBench, PAGE_FLUXES } from "../support/copy-bench.ts";
import { portrait } from "../support/lived-store.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { claimAt, newFlux, NOON } from "../support/new-flux.ts";
import { LONG } from "../support/long-form.ts";

/** Every cut, or one of two in the short form. */
const EACH = LONG ? 1 : 2;

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const clock = systemClock();
const chance = systemChance();

class Cut extends Error {}

/**
 * Cuts two transfers before their n-th write, or the first of a name, as a kill would: nothing of them
 * is heard any more.
 */
function cutBefore(write: number | string): <T extends StoreTransfer>(transfer: T) => T {
  const writes = [
    "setSeal",
    "unseal",
    "putInService",
    "takeBack",
    "import",
    "importValues",
    "wipe",
  ];
  let left = typeof write === "number" ? write : Infinity;
  return (transfer) =>
    new Proxy(transfer, {
      get: (target, name): unknown => {
        const method: unknown = Reflect.get(target, name);
        if (typeof name !== "string" || !writes.includes(name)) return method;
        return (...args: unknown[]) => {
          left = name === write ? 0 : left - 1;
          if (left <= 0) throw new Cut(name);
          return Reflect.apply(method as (...given: unknown[]) => unknown, target, args);
        };
      },
    });
}

await withMongo("copies of a store that are cut", { ownProcesses: false }, () => {
  describe("a store copy that is cut", function () {
    this.timeout(120_000);
    const bench = makeCopyBench();
    const { newAddress, openStore, lived, copy } = bench;
    beforeEach(bench.begin);
    afterEach(bench.end);

    const transfer = (address: string, create: boolean): Promise<StoreTransfer> =>
      address.startsWith("mongodb")
        ? openMongoTransfer({ uri: address, clock, pageFluxes: PAGE_FLUXES })
        : Promise.resolve(openSqliteTransfer({ path: address, create, pageFluxes: PAGE_FLUXES }));

    /** Runs work on both ends, cut before the n-th write; true when it came to its end before. */
    async function isDone(
      ends: { from: string; to: string },
      n: number | string,
      work: (from: StoreTransfer, to: StoreTransfer | undefined) => Promise<unknown>,
    ): Promise<boolean> {
      const cut = cutBefore(n);
      const from = await transfer(ends.from, false);
      const isThere = ends.to.startsWith("mongodb") || existsSync(ends.to);
      const to = isThere ? await transfer(ends.to, true) : undefined;
      try {
        await work(cut(from), to && cut(to));
        return true;
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        return false;
      } finally {
        await from.close();
        await to?.close();
      }
    }

    async function copyWhole(from: StoreTransfer, to: StoreTransfer | undefined): Promise<void> {
      assert.ok(to);
      const stopAsked = new AbortController().signal;
      const copying = copyStore({ from, to, clock, chance, stopAsked });
      let step = await copying.next();
      while (step.done !== true) step = await copying.next();
      assert.equal(step.value.kind, "moved");
    }

    async function endTransactionsAfter(uri: string, seconds: number): Promise<void> {
      const client = new mongoose.mongo.MongoClient(uri);
      await client
        .db("admin")
        .command({ setParameter: 1, transactionLifetimeLimitSeconds: seconds })
        // A server that was given to us: the test is only longer.
        .catch((error: unknown) => process.stdout.write(`  (${messageOf(error)})\n`));
      await client.close();
    }

    /** Which of the two a gateway could open and find live fluxes in. */
    async function usable(...addresses: readonly string[]): Promise<string[]> {
      const found: string[] = [];
      for (const address of addresses) {
        if (!address.startsWith("mongodb") && !existsSync(address)) continue;
        try {
          const outbox = await openStore(address);
          if ((await outbox.counts()).received > 0) found.push(address);
          await outbox.stop();
        } catch (error) {
          assert.ok(error instanceof GatewayError);
          assert.match(error.code, /^STORE_(MOVED|INCOMPLETE)$/);
          assert.match(error.message, /passerelle store copy/);
        }
      }
      return found;
    }

    for (const kind of ["sqlite", "mongodb"] as const) {
      it(`goes on from before any of its writes (to ${kind})`, async () => {
        const template = await lived("sqlite", 30);
        let writes = 0;
        for (let n = 1, done = false; !done; n += EACH) {
          const [from, to] = [await newAddress("sqlite"), await newAddress(kind)];
          await copyFile(template.address, from);
          if (kind === "sqlite") await transfer(to, true).then((made) => made.close());
          done = await isDone({ from, to }, n, copyWhole);
          const live = await usable(from, to);
          assert.ok(live.length <= 1, `cut before write ${n}: both open`);
          if (done) assert.deepEqual(live, [to]);
          if (!done) assert.equal((await copy(from, to)).kind, "moved", `cut before write ${n}`);
          assert.deepEqual(await usable(from, to), [to]);
          assert.deepEqual(await portrait(await openStore(to)), template.was);
          writes = n - 1;
        }
        assert.ok(writes >= 7, `only ${writes} writes`);
      });
    }

    it("is given up from before any of its writes, cut before any of those", async () => {
      const template = await lived("sqlite", 30);
      let paths = 0;
      for (let n = 2, copied = false; !copied; n += 1) {
        for (let m = 1, abandoned = false; !abandoned; m += EACH) {
          const ends = { from: await newAddress("sqlite"), to: await newAddress("sqlite") };
          await copyFile(template.address, ends.from);
          await transfer(ends.to, true).then((made) => made.close());
          copied = await isDone(ends, n, copyWhole);
          if (copied) {
            await assert.rejects(abandonCopyOf({ ...ends, clock, chance }), {
              code: "STORE_COPY_REFUSED",
            });
            break;
          }
          abandoned = await isDone(ends, m, (from, to) => abandonCopy({ from, to, clock, chance }));
          const live = await usable(ends.from, ends.to);
          assert.ok(live.length <= 1, `cut ${n}, ${m}: both open`);
          assert.ok(!live.includes(ends.to), `cut ${n}, ${m}: what is given up opens`);
          if (!abandoned && !(live.includes(ends.from) && !existsSync(ends.to))) {
            await abandonCopyOf({ ...ends, clock, chance });
          }
          assert.deepEqual(await portrait(await openStore(ends.from)), template.was);
          paths += 1;
        }
      }
      assert.ok(paths >= (LONG ? 15 : 8), `only ${paths} paths`);
    });

    it("is not taken up again once it is being given up", async () => {
      const { address: from, was } = await lived("sqlite", 30);
      const to = await newAddress("mongodb");
      await copy(from, to, ({ kind }) => kind === "verifying");
      // Cut while the target is being erased: it says abandoned, and all or part of it is still there.
      assert.equal(
        await isDone({ from, to }, "wipe", (source, target) =>
          abandonCopy({ from: source, to: target, clock, chance }),
        ),
        false,
      );
      await assert.rejects(copy(from, to), { code: "STORE_COPY_REFUSED" });
      assert.deepEqual(await usable(from, to), []);
      await abandonCopyOf({ from, to, clock, chance });
      assert.deepEqual(await portrait(await openStore(from)), was);
    });

    it("survives kill -9 of the command, again and again", async () => {
      const { address, was } = await lived("sqlite", 450);
      const to = await newAddress("mongodb");
      // What a killed client had begun, the server ends by itself, after a minute unless told otherwise.
      await endTransactionsAfter(to, 3);
      for (const lines of [1, 2, 4, 7, Infinity]) {
        const child = spawn(process.execPath, [MAIN, "store", "copy", address, to], {
          stdio: ["ignore", "ignore", "pipe"],
          env: { PATH: process.env["PATH"] },
        });
        let heard = 0;
        createInterface({ input: child.stderr }).on("line", () => {
          heard += 1;
          if (heard >= lines) child.kill("SIGKILL");
        });
        const [code] = (await once(child, "exit")) as [number | null];
        if (lines === Infinity) assert.equal(code, 0);
        else assert.deepEqual(await usable(address, to), [], `killed at line ${lines}`);
      }
      assert.deepEqual(await usable(address, to), [to]);
      assert.deepEqual(await portrait(await openStore(to)), was);
      await endTransactionsAfter(to, 60);
    });

    /** What a hand, or a disk, could do to a copy before it is verified. */
    const TAMPERING: Readonly<Record<string, (db: mongoose.mongo.Db) => Promise<unknown>>> = {
      "a byte of a file": async (db) => {
        const file = await db.collection("files").findOne({ bytes: { $exists: true } });
        assert.ok(file);
        const bytes = Buffer.from((file["bytes"] as mongoose.mongo.Binary).value());
        bytes[0] = 0x21;
        await db.collection("files").updateOne({ _id: file._id }, { $set: { bytes } });
      },
      "a byte of a large file": (db) =>
        db.collection("blobs.chunks").updateOne({}, { $set: { data: Buffer.alloc(1024 * 300) } }),
      "an entry of a journal": (db) =>
        db
          .collection("fluxes")
          .updateOne({}, { $set: { "journal.0.at": 1 } }, { bypassDocumentValidation: true }),
      "an address to tell": (db) => db.collection("deliveries").deleteOne({}),
      "a flux that is gone": (db) => db.collection("fluxes").deleteOne({ state: "kept" }),
      "a number already given": (db) =>
        db.collection("sequences").updateOne({}, { $inc: { last: -1 } }, FREE),
      "a count": (db) => db.collection("tallies").updateOne({}, { $inc: { discarded: 1 } }),
    };
    const FREE = { bypassDocumentValidation: true };

    it("finds whatever was tampered with, and opens neither end", async () => {
      const template = await lived("sqlite", 40);
      for (const [what, tamper] of Object.entries(TAMPERING)) {
        const [from, to] = [await newAddress("sqlite"), await newAddress("mongodb")];
        await copyFile(template.address, from);
        const client = new mongoose.mongo.MongoClient(to);
        try {
          // Between the copy and its comparison: the first flux compared is one of a page already read.
          let isTampered = false;
          const source = await transfer(from, false);
          const target = await transfer(to, true);
          const spied = new Proxy(target, {
            get: (held, name): unknown => {
              if (name !== "counts" && name !== "page") return Reflect.get(held, name);
              return async (...args: unknown[]) => {
                if (name === "page" && !isTampered) {
                  isTampered = true;
                  await tamper(client.db());
                }
                return Reflect.apply(Reflect.get(held, name), held, args) as unknown;
              };
            },
          });
          await assert.rejects(copyWhole(source, spied), assert.AssertionError, what);
          await source.close();
          await target.close();
        } finally {
          await client.close();
        }
        assert.deepEqual(await usable(from, to), [], what);
        await abandonCopyOf({ from, to, clock, chance });
        assert.deepEqual(await usable(from, to), [from], what);
      }
    });

    it("tells an original that was already altered, and takes the rest over", async () => {
      const { address } = await lived("sqlite", 20);
      const db = new DatabaseSync(address);
      db.exec("UPDATE file SET bytes = x'00' WHERE rowid = (SELECT min(rowid) FROM file)");
      db.close();
      const end = await copy(address, await newAddress("mongodb"));
      assert.ok(end.kind === "moved");
      assert.equal(end.damaged.length, 1);
    });
  });

  describe("a store copy under a gateway that runs", function () {
    this.timeout(60_000);
    const bench = makeCopyBench();
    const { newAddress, openStore, copy } = bench;
    beforeEach(bench.begin);
    afterEach(bench.end);

    it("waits for what a gateway has in hand, then shuts it out", async () => {
      const from = await newAddress("mongodb");
      const gateway = await openStore(from);
      const [first, second] = [newFlux(), newFlux()];
      await gateway.keep([first, second]);
      const now = Date.now();
      const [lent] = await gateway.claim(claimAt(now, { leaseMs: 4_000, max: 1 }));
      assert.ok(lent);
      const steps: string[] = [];
      const to = await newAddress("sqlite");
      const end = await copy(from, to, ({ kind }) => {
        steps.push(kind);
        return false;
      });
      assert.equal(end.kind, "moved");
      assert.equal(steps[0], "waiting");
      assert.ok(steps.includes("copying"));
      const away = { code: "STORE_UNAVAILABLE" };
      await assert.rejects(gateway.keep([newFlux()]), away);
      await assert.rejects(gateway.claim(claimAt(Date.now())), away);
      await assert.rejects(gateway.note("breaker.state", "x"), away);
      await assert.rejects(gateway.next("lots"), away);
      const copied = await openStore(to);
      assert.equal((await copied.find(lent.flux.id))?.state, "inDoubt");
      assert.equal((await copied.counts()).received, 2);
    });

    it("is refused while gateways do not let go", async () => {
      const from = await newAddress("mongodb");
      const gateway = await openStore(from);
      await gateway.keep([newFlux()]);
      await gateway.claim(claimAt(Date.now(), { leaseMs: 10 * 60_000 }));
      // Two minutes pass at each look.
      let passed = 0;
      const hasty: Clock = {
        now: () => Date.now() + passed,
        wait: () => {
          passed += 120_000;
          return Promise.resolve();
        },
      };
      const to = await newAddress("sqlite");
      await assert.rejects(copy(from, to, undefined, hasty), { code: "STORE_COPY_REFUSED" });
      await gateway.keep([newFlux()]);
    });

    it("gives nothing to a gateway that already waits on the target, until it is whole", async () => {
      const from = await newAddress("sqlite");
      const source = await openStore(from);
      await source.keep(Array.from({ length: 50 }, () => newFlux({ receivedAt: NOON })));
      await source.stop();
      const to = await newAddress("mongodb");
      const gateway = await openStore(to);
      const answers = new Set<unknown>();
      const end = await copy(from, to, async () => {
        try {
          answers.add((await gateway.claim(claimAt(NOON))).length);
        } catch (error) {
          answers.add(error instanceof GatewayError ? error.code : error);
        }
        return false;
      });
      assert.equal(end.kind, "moved");
      assert.deepEqual([...answers].sort(), [0, "STORE_UNAVAILABLE"]);
      assert.equal((await gateway.claim(claimAt(NOON))).length, 50);
    });
  });
});
