/**
 * Every query the MongoDB store makes is served by an index: a whole life of fluxes is played with
 * the database's own profiler on, and what scanned a collection or sorted in memory is named. So is
 * each index that served nothing.
 */
import assert from "node:assert/strict";
import mongoose from "mongoose";
import { connect } from "../../src/adapters/mongo/connect.ts";
import { makeFiles } from "../../src/adapters/mongo/files.ts";
import { INDEXES } from "../../src/adapters/mongo/indexes.ts";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { FLUX_STATES } from "../../src/domain/flux-state.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { claimAt, MINUTE, newFlux, newQuarantinedFlux, NOON } from "../support/new-flux.ts";
import { dropDatabase, freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { moveTo } from "./outbox/journeys.ts";

/** Small by nature: as many documents as gateways, or as pauses an operator has asked for. */
const SMALL = ["tallies", "pauses"];
const LATER = NOON + MINUTE;
const RETURN_TO = { channel: "mail", to: "g@bailleur.example", subject: "Dépôt" } as const;

interface Profiled {
  readonly ns: string;
  readonly op: string;
  readonly planSummary?: string;
  readonly hasSortStage?: boolean;
  readonly command?: Record<string, unknown>;
}

await withMongo("the queries of the MongoDB store", { ownProcesses: true }, () => {
  describe("queries of the MongoDB store", function () {
    this.timeout(60_000);
    let uri: string;
    let outbox: Outbox;
    let profiled: readonly Profiled[];

    before(async () => {
      uri = await freshDatabaseUri();
      outbox = await openMongoOutbox({
        ...{
          uri,
          owner: "gateway-1",
          clock: systemClock(),
          chance: systemChance(),
          log: SILENT_LOG,
        },
      });
      const connection = await mongoose.createConnection(uri).asPromise();
      const { db } = connection;
      assert(db !== undefined);
      // Enough of each kind for the planner to choose as it would on a full store.
      for (let n = 0; n < 20; n += 1) await liveThrough(outbox, n);
      await db.command({ profile: 2 });
      await liveThrough(outbox, 21);
      await readEverything(outbox);
      await sweep(uri);
      await db.command({ profile: 0 });
      profiled = await db.collection<Profiled>("system.profile").find({}).toArray();
      await connection.close();
    });
    after(async () => {
      await outbox.stop();
      await dropDatabase(uri);
    });

    const about = ({ ns, op, planSummary, command }: Profiled): string =>
      `${op} ${ns} ${planSummary ?? ""} ${JSON.stringify(command).slice(0, 400)}`;
    const isOurs = ({ ns }: Profiled): boolean =>
      !ns.includes("system.") && !SMALL.some((name) => ns.endsWith(`.${name}`));

    it("were seen, of every kind", () => {
      const kinds = new Set(profiled.filter(isOurs).map(({ op }) => op));
      for (const kind of ["query", "update", "insert", "remove", "command"]) {
        assert(kinds.has(kind), `${kind} among ${[...kinds].join(", ")}`);
      }
    });

    it("scan no collection", () => {
      const scans = profiled.filter((one) => isOurs(one) && one.planSummary?.includes("COLLSCAN"));
      assert.deepEqual(scans.map(about), []);
    });

    it("sort nothing in memory", () => {
      const sorts = profiled.filter((one) => isOurs(one) && one.hasSortStage === true);
      assert.deepEqual(sorts.map(about), []);
    });

    it("use every index there is, but for those that forbid or erase", () => {
      const plans = profiled.map(({ ns, planSummary }) => `${ns} ${planSummary ?? ""}`).join("\n");
      const unused = INDEXES.filter(({ key, collection, options }) => {
        if (options?.expireAfterSeconds !== undefined) return false;
        const shown = Object.keys(key)
          .map((name) => `${name}: 1`)
          .join(", ");
        return !plans.split("\n").some((line) => {
          return line.includes(`.${collection} `) && line.includes(`{ ${shown} }`);
        });
      });
      assert.deepEqual(
        unused.map(({ collection, name }) => `${collection}.${name}`),
        [],
      );
    });
  });
});

/** What the steps of the gateway ask of the store in the life of a few fluxes. */
async function liveThrough(outbox: Outbox, n: number): Promise<void> {
  const lane = `lane-${n}`;
  const numUnique = `0750118000000${String(n).padStart(5, "0")}`;
  const envelope = { kind: "MOD", numGuichet: "75001", numUnique };
  const [first, second] = [
    newFlux({ lane, envelope, returnTo: RETURN_TO, arrivalKey: `key-${n}` }),
    newFlux({ lane, bytes: new Uint8Array(300 * 1024).fill(n), receivedAt: NOON + 1 }),
  ];
  const stranger = newQuarantinedFlux();
  await outbox.keep([first, second, stranger]);
  await outbox.keep([newFlux({ bytes: first.bytes, returnTo: RETURN_TO })]);
  await outbox.keep([{ ...first, id: newFlux().id }]);
  await outbox.holderOf(lane);
  for (const flux of [first, second]) {
    const claimed = await outbox.claim(claimAt(LATER));
    await outbox.renew(
      claimed.map(({ flux: { id }, fence }) => ({ fluxId: id, fence })),
      LATER + MINUTE,
    );
    const fence = claimed.find(({ flux: { id } }) => id === flux.id)?.fence ?? -1;
    const files = { answer: { name: "a.xml", bytes: new Uint8Array(400) } };
    await outbox.move({ ...moveTo("accepted", flux, LATER), from: ["inTransit"], fence, files });
  }
  await outbox.move({
    ...moveTo("kept", stranger, LATER),
    from: ["quarantined"],
    attribute: { guichet: "75001", lane, identity: `75001|${stranger.sha256}` },
  });
  await outbox.claim(claimAt(LATER, { leaseMs: 1 }));
  await outbox.takeBack(LATER + MINUTE);
  const [delivery] = await outbox.claimDeliveries(claimAt(LATER));
  if (delivery !== undefined) {
    await outbox.endDelivery(delivery, LATER, { kind: "delivered", detail: {} });
  }
  await outbox.keep([newFlux({ bytes: first.bytes, returnTo: RETURN_TO, receivedAt: LATER })]);
  await outbox.claimDeliveries(claimAt(LATER, { leaseMs: 1 }));
  await outbox.takeBack(LATER + MINUTE);
  for (const { deliveryId, fence } of await outbox.claimDeliveries(claimAt(LATER + MINUTE))) {
    await outbox.endDelivery({ deliveryId, fence }, LATER, { kind: "delivered", detail: {} });
  }
  await outbox.file(second.id, "original");
  await outbox.eraseFiles({ endedBefore: LATER + 1, now: LATER, max: 5 });
  await outbox.keep([newFlux({ receivedAt: NOON + 9 * MINUTE }), newQuarantinedFlux()]);
}

/** What the store does by itself every few minutes. */
async function sweep(uri: string): Promise<void> {
  const { db, collections, close } = await connect(uri);
  const aDayLater = Date.now() + 24 * 60 * MINUTE;
  assert.equal(await makeFiles(db, collections).sweep(aDayLater), 0);
  await close();
}

/** What the console, the command line, health and the bilan ask. */
async function readEverything(outbox: Outbox): Promise<void> {
  const limit = 3;
  const [{ id: fluxId } = { id: "" }] = (await outbox.list({ limit: 1 })).fluxes;
  for (const order of ["oldestFirst", "newestFirst"] as const) {
    const { fluxes, next } = await outbox.list({ order, limit });
    const [flux] = fluxes;
    assert(flux !== undefined && next !== undefined);
    await outbox.list({ order, limit, after: next });
    await outbox.list({ order, limit, guichet: "75001", receivedFrom: NOON });
    await outbox.list({ order, limit, guichet: "75001", states: ["kept"], after: next });
    await outbox.list({ order, limit, numUnique: "075011800000000001" });
    await outbox.list({ order, limit, numUnique: "075011800000000001", states: ["accepted"] });
    await outbox.list({ order, limit, sha256: flux.sha256 });
    await outbox.list({ order, limit, sentAs: { guichet: "75001", fileName: flux.fileName } });
    await outbox.find(flux.id);
    await outbox.journal(flux.id);
    await outbox.file(flux.id, "original");
  }
  for (let told = 0; told < 2; told += 1) {
    const event = { name: "acquittement.confirmed", detail: {} } as const;
    await outbox.recordOnce({ fluxId, in: FLUX_STATES, at: LATER, event });
  }
  await outbox.counts();
  await outbox.load();
  await outbox.probe();
  await outbox.noted("breaker.openUntil");
  await outbox.pause({ scope: { kind: "lane", lane: "x" }, at: NOON, by: "t", reason: "t" });
  await outbox.pause({ scope: { kind: "guichet", guichet: "7" }, at: NOON, by: "t", reason: "t" });
  await outbox.claim(claimAt(LATER));
  await outbox.next("sequence");
  await outbox.holdRole("role", { owner: "gateway-1", now: NOON, leaseMs: MINUTE });
}
