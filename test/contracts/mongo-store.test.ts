/** What is promised of the MongoDB store alone: unknown answers, clocks, large files, other servers. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mongoose from "mongoose";
import { makeClaims } from "../../src/adapters/mongo/claims.ts";
import { connect } from "../../src/adapters/mongo/connect.ts";
import type { MongoDatabase } from "../../src/adapters/mongo/connect.ts";
import { makeFiles } from "../../src/adapters/mongo/files.ts";
import { storeError } from "../../src/adapters/mongo/mongo-errors.ts";
import { inspectMongo } from "../../src/adapters/mongo/inspect-mongo.ts";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { makeStoreTime } from "../../src/adapters/mongo/store-time.ts";
import type { Outbox, Work } from "../../src/keep/outbox.ts";
import { sha256Of } from "../../src/keep/identity.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/gateway-process.ts";
import { startMongod } from "../support/mongo/mongod-process.ts";
import {
  dropDatabase,
  freshDatabaseUri,
  withDatabase,
} from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { claimAt, MINUTE, newFlux, newRefusedFlux, NOON } from "../support/new-flux.ts";
import { fluxIn, moveTo } from "./outbox/journeys.ts";

await withMongo("the MongoDB store", { ownProcesses: true }, (mongo) => {
  describe("MongoDB store", function () {
    this.timeout(60_000);
    let uri: string;
    let open: Outbox[] = [];
    let database: MongoDatabase;

    async function openStore(owner = "gateway-1", clock: Clock = systemClock()): Promise<Outbox> {
      const chance = systemChance();
      const outbox = await openMongoOutbox({ uri, owner, clock, chance, log: SILENT_LOG });
      open.push(outbox);
      return outbox;
    }

    /** Has the server fail some commands of the gateways, as its own tests do. */
    async function failing(data: Record<string, unknown>, times: number): Promise<void> {
      await database.client.db("admin").command({
        configureFailPoint: "failCommand",
        mode: { times },
        data: { appName: "passerelle-sne", ...data },
      });
    }

    before(async () => {
      uri = await freshDatabaseUri();
      database = await connect(uri);
    });
    beforeEach(async () => {
      for (const collection of await database.db.collections()) await collection.deleteMany({});
    });
    afterEach(async () => {
      await database.client.db("admin").command({ configureFailPoint: "failCommand", mode: "off" });
      await Promise.all(open.map((outbox) => outbox.stop()));
      open = [];
    });
    after(async () => {
      await database.close();
      await dropDatabase(uri);
    });

    it("asks again, further on, for what another gateway left of what both wanted", async () => {
      const other = await openStore();
      const fluxes = Array.from({ length: 8 }, () => newFlux());
      await other.keep(fluxes);
      const told: Work[] = [];
      let quicker: readonly string[] = [];
      let claims = 0;
      const clock = { ...systemClock(), now: () => NOON };
      const own = makeClaims({
        collections: database.collections,
        time: makeStoreTime({ clock, serverNow: () => Promise.resolve(NOON) }),
        clock,
        chance: { ...systemChance(), fraction: () => 0.999 },
        newClaimName: () => `test/${(claims += 1)}`,
        // Between what is looked for and what is lent, the other takes three.
        pauses: async () => {
          if (quicker.length > 0) return [];
          const taken = await other.claim(claimAt(NOON, { max: 3 }));
          quicker = taken.map(({ flux }) => flux.id);
          return [];
        },
        hint: (work) => told.push(work),
      });
      const ids = fluxes.map(({ id }) => id);
      const lent = await own.claim(claimAt(NOON, { max: 4 }));
      assert.deepEqual(quicker, ids.slice(0, 3));
      assert.deepEqual(
        lent.map(({ flux }) => flux.id),
        ids.slice(3, 4),
      );
      assert.deepEqual(told, ["forward"]);
      // Of the four that are left, two: not the first, which others want too.
      const next = await own.claim(claimAt(NOON, { max: 2 }));
      assert.deepEqual(
        next.map(({ flux }) => flux.id),
        ids.slice(6, 8),
      );
    });

    it("runs a transaction again when the server says that nothing of it stays", async () => {
      const outbox = await openStore();
      const data = {
        failCommands: ["insert"],
        errorCode: 112,
        errorLabels: ["TransientTransactionError"],
      };
      await failing(data, 3);
      const flux = newFlux();
      const [result] = await outbox.keep([flux]);
      assert.equal(result?.kind, "kept");
      assert.equal((await outbox.counts()).received, 1);
    });

    it("asks again about a commit whose answer was lost, which had happened", async () => {
      const outbox = await openStore();
      // The server commits, then says that a majority has not answered.
      const writeConcernError = { code: 64, errmsg: "waiting for replication timed out" };
      await failing({ failCommands: ["commitTransaction"], writeConcernError }, 4);
      const flux = newFlux();
      const [result] = await outbox.keep([flux]);
      assert.equal(result?.kind, "kept");
      const { received, byState } = await outbox.counts();
      assert.deepEqual([received, byState.kept], [1, 1]);
      assert.equal((await outbox.journal(flux.id)).length, 1);
    });

    it("asks again about a commit whose connection was cut, which had not happened", async () => {
      const outbox = await openStore();
      await failing({ failCommands: ["commitTransaction"], closeConnection: true }, 4);
      const flux = newFlux();
      const [result] = await outbox.keep([flux]);
      assert.equal(result?.kind, "kept");
      assert.equal((await outbox.counts()).received, 1);
    });

    it("says that it is unavailable, and has kept nothing, when the server refuses", async () => {
      const outbox = await openStore();
      await failing({ failCommands: ["insert"], errorCode: 13 }, 1);
      const flux = newFlux();
      await assert.rejects(outbox.keep([flux]), { code: "STORE_UNAVAILABLE" });
      assert.equal(await outbox.find(flux.id), undefined);
      await failing({ failCommands: ["insert"], errorCode: 14031 }, 1);
      await assert.rejects(outbox.keep([flux]), { code: "STORE_FULL" });
      assert.equal(await outbox.find(flux.id), undefined);
      assert.equal((await outbox.counts()).received, 0);
    });

    it("refuses one flux of a group that cannot be written, and keeps the others", async () => {
      const outbox = await openStore();
      // Deeper than a document may be (100 levels).
      let deep: unknown = "x";
      for (let n = 0; n < 200; n += 1) deep = { deep };
      const detail = deep as Record<string, string>;
      const bad = newFlux({ event: { name: "flux.kept", detail } });
      const [before_, refused, after_] = await Promise.allSettled(
        [newFlux(), bad, newFlux()].map((flux) => outbox.keep([flux])),
      );
      assert.deepEqual([before_?.status, after_?.status], ["fulfilled", "fulfilled"]);
      assert.equal(refused?.status, "rejected");
      assert.equal((await outbox.counts()).received, 2);
    });

    it("finds again what a claim lent when its answer was lost, and lends it once", async () => {
      const outbox = await openStore();
      const fluxes = [newFlux(), newFlux()];
      await outbox.keep(fluxes);
      const writeConcernError = { code: 64, errmsg: "waiting for replication timed out" };
      await failing({ failCommands: ["update"], writeConcernError }, 1);
      await assert.rejects(outbox.claim(claimAt(NOON)), { code: "STORE_UNAVAILABLE" });
      const claimed = await eventually("both are found again", async () => {
        const found = await outbox.claim(claimAt(NOON + 1));
        return found.length > 0 ? found : undefined;
      });
      assert.deepEqual(
        claimed.map(({ flux }) => [flux.id, flux.state, flux.attempts]).sort(),
        fluxes.map(({ id }) => [id, "inTransit", 1]).sort(),
      );
      assert.deepEqual(await outbox.claim(claimAt(NOON + 1)), []);
      for (const { flux, fence } of claimed) {
        const move = { ...moveTo("accepted", flux, NOON), from: ["inTransit"], fence } as const;
        assert.equal((await outbox.move(move)).kind, "moved");
      }
    });

    it("keeps leases right between gateways whose clocks are minutes apart", async () => {
      const system = systemClock();
      const ahead: Clock = { ...system, now: () => system.now() + 3 * MINUTE };
      const [right, wrong] = [await openStore("right"), await openStore("ahead", ahead)];
      await right.keep([newFlux({ receivedAt: system.now() })]);
      const [claimed] = await right.claim(claimAt(system.now(), { leaseMs: MINUTE }));
      assert.ok(claimed);
      assert.deepEqual(await wrong.takeBack(ahead.now()), { inDoubt: 0, deliveries: 0 });
      assert.deepEqual(await wrong.takeBack(ahead.now() + 2 * MINUTE), {
        inDoubt: 1,
        deliveries: 0,
      });
      // What the one ahead keeps may be claimed at once by the other.
      await wrong.keep([newFlux({ receivedAt: ahead.now() })]);
      const [fromWrong] = await right.claim(claimAt(system.now() + 1_000));
      assert.ok(fromWrong);
      const role = { owner: "right", now: system.now(), leaseMs: MINUTE };
      assert.equal((await right.holdRole("r", role)).held, true);
      const taken = await wrong.holdRole("r", { ...role, owner: "ahead", now: ahead.now() });
      assert.equal(taken.held, false);
    });

    it("tells the other gateways of work, at once", async () => {
      const [one, other] = [await openStore("one"), await openStore("other")];
      const told: Work[] = [];
      other.watch((work) => told.push(work));
      await eventually("the other is told to forward", async () => {
        await one.keep([newFlux()]);
        return told.includes("forward");
      });
      const returnTo = { channel: "file", guichet: "75001", fileName: "a.xml" } as const;
      await eventually("the other is told to acknowledge", async () => {
        await one.keep([newRefusedFlux({ returnTo })]);
        return told.includes("acknowledge");
      });
    });

    it("gives each flux to one of two gateways, and keeps the order of lanes", async () => {
      const gateways = [await openStore("one"), await openStore("two")] as const;
      const fluxes = Array.from({ length: 60 }, (_, n) => newFlux({ lane: `lane-${n % 12}` }));
      // Each lane fed by both, one flux after the other.
      for (let n = 0; n < fluxes.length; n += 12) {
        const gateway = gateways[(n / 12) % 2] ?? gateways[0];
        await gateway.keep(fluxes.slice(n, n + 12));
      }
      const order: string[] = [];
      async function work(outbox: Outbox): Promise<void> {
        while (order.length < fluxes.length) {
          for (const { flux, fence } of await outbox.claim(claimAt(NOON + MINUTE, { max: 5 }))) {
            order.push(flux.id);
            const accepted = {
              ...moveTo("accepted", flux, NOON),
              from: ["inTransit"],
              fence,
            } as const;
            assert.equal((await outbox.move(accepted)).kind, "moved");
          }
        }
      }
      await Promise.all(gateways.map(work));
      assert.equal(new Set(order).size, fluxes.length);
      for (let lane = 0; lane < 12; lane += 1) {
        const expected = fluxes.filter((_, n) => n % 12 === lane).map(({ id }) => id);
        assert.deepEqual(
          order.filter((id) => expected.includes(id)),
          expected,
        );
      }
    });

    it("keeps one of many copies that come through two gateways at once", async () => {
      const gateways = [await openStore("one"), await openStore("two")] as const;
      const { bytes } = newFlux();
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          (gateways[n % 2] ?? gateways[0]).keep([newFlux({ bytes, lane: "L" })]),
        ),
      );
      const kept = results.filter(([result]) => result?.kind === "kept");
      assert.equal(kept.length, 1);
      const { received, repeats } = await gateways[0].counts();
      assert.deepEqual([received, repeats], [1, 39]);
    });

    it("keeps a large file apart, gives it back whole, and erases it with the others", async () => {
      const outbox = await openStore();
      const bytes = Buffer.from(systemChance().bytes(3_000_001));
      const { flux } = await fluxIn(outbox, "acknowledged", { bytes });
      const file = await outbox.file(flux.id, "original");
      assert.equal(sha256Of(file?.bytes ?? new Uint8Array()), flux.sha256);
      const doc = await database.collections.files.findOne({ flux: flux.id });
      assert.ok(doc?.blob !== undefined && doc.bytes === undefined);
      const erased = await outbox.eraseFiles({ endedBefore: NOON + 1, now: Date.now(), max: 9 });
      assert.equal(erased, 1);
      assert.equal(await outbox.file(flux.id, "original"), undefined);
      const entry = (await outbox.journal(flux.id)).at(-1);
      assert.deepEqual(entry?.detail, { files: 1, bytes: 3_000_001 });
      // What the database's own eraser goes by, for every part of it.
      for (const name of ["files", "blobs.files", "blobs.chunks"]) {
        const kept = await database.db
          .collection(name)
          .countDocuments({ eraseAt: { $exists: false } });
        assert.equal(kept, 0, name);
      }
    });

    it("sweeps large objects that no flux came to name, and no other", async () => {
      const outbox = await openStore();
      const files = makeFiles(database.db, database.collections);
      const large = { name: "a.xml", bytes: new Uint8Array(300_000) };
      await files.prepare("nobody", "original", large);
      const flux = newFlux({ bytes: large.bytes });
      await outbox.keep([flux]);
      assert.equal(await files.sweep(Date.now()), 0, "too young to be judged");
      assert.equal(await files.sweep(Date.now() + 2 * 60 * MINUTE), 1);
      assert.ok(await outbox.file(flux.id, "original"));
      assert.equal(await database.db.collection("blobs.files").countDocuments(), 1);
    });

    it("adds up what many lives of gateways counted, and loses nothing of it", async () => {
      const outbox = await openStore();
      for (let life = 0; life < 70; life += 1) {
        const _id = `gateway#${life}/keep/0`;
        await database.collections.tallies.insertOne({ _id, received: 2, forward: 1 });
      }
      await outbox.keep([newFlux()]);
      const received = (await outbox.counts()).received;
      assert.equal(received, 141);
      const again = await openStore("another");
      assert.equal(await database.collections.tallies.countDocuments(), 1);
      await outbox.keep([newFlux()]);
      assert.equal((await again.counts()).received, received + 1);
    });

    it("leaves alone a database that a later program wrote", async () => {
      await (await openStore()).stop();
      await database.collections.notes.updateOne(
        { _id: "store.edition" },
        { $set: { value: "1000" } },
      );
      await assert.rejects(openStore(), {
        code: "STORE_TOO_NEW",
        details: { found: 1000, known: 1 },
      });
    });

    it("refuses an index of ours that was made otherwise, rather than work without it", async () => {
      const other = withDatabase(uri, "passerelle_other_index");
      const connection = await mongoose.createConnection(other).asPromise();
      await connection.collection("fluxes").createIndexes([{ key: { lane: 1 }, name: "front" }]);
      const store = openMongoOutbox({
        ...{
          uri: other,
          owner: "g",
          clock: systemClock(),
          chance: systemChance(),
          log: SILENT_LOG,
        },
      });
      await assert.rejects(store, (error: unknown) => {
        assert.ok(error instanceof Error && "code" in error);
        assert.equal(error.code, "STORE_UNAVAILABLE");
        assert.match(String(error.cause), /front/);
        return true;
      });
      await connection.dropDatabase();
      await connection.close();
    });

    it("shows no password in what it says of a server", () => {
      const told = storeError(new Error("connect mongodb://passerelle:s3cret@serveur:1/p failed"));
      assert.ok(String(told.cause).includes("mongodb://***@serveur"));
      assert.ok(!String(told.cause).includes("s3cret"));
    });

    it("is looked at without being written: its version, its members, its clock", async () => {
      const behind = { ...systemClock(), now: () => Date.now() - MINUTE };
      const seen = await inspectMongo(withDatabase(uri, "passerelle_never_made"), {
        clock: behind,
      });
      assert.ok(seen.kind === "usable", JSON.stringify(seen));
      assert.match(seen.version, /^\d+\.\d+/);
      assert.deepEqual([seen.members, seen.fluxes], [1, 0]);
      assert.ok(Math.abs(seen.clockDifferenceMs - MINUTE) < 10_000);
      const { databases } = await database.client.db("admin").admin().listDatabases();
      assert.ok(!databases.some(({ name }) => name === "passerelle_never_made"));
    });

    it("refuses a server without replica set, and says why", async () => {
      if (mongo.kind !== "binary") return assert.fail("a process of our own was asked for");
      const folder = await mkdtemp(join(tmpdir(), "passerelle-standalone-"));
      const port = await freePort();
      const mongod = await startMongod({
        ...{ binary: mongo.path, port, dbPath: folder, logPath: join(folder, "log"), args: [] },
        eraseIfWeDie: folder,
      });
      const alone = `mongodb://127.0.0.1:${port}/p`;
      await assert.rejects(connect(alone), { code: "STORE_NOT_REPLICATED" });
      assert.deepEqual(await inspectMongo(alone, { clock: systemClock() }), { kind: "alone" });
      mongod.signal("SIGKILL");
      await mongod.ended;
      await rm(folder, { recursive: true });
    });
  });
});
