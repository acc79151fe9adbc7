/**
 * A stranger kept in one database and released to a guichet of another, cut at every step: it is never
 * forwarded twice, never vanishes, and releasing it again goes on.
 */
import assert from "node:assert/strict";
import type { Move, NewFlux, Outbox } from "../../src/keep/outbox.ts";
import { identityOf } from "../../src/keep/identity.ts";
import { claimAt, MINUTE, newFlux, newQuarantinedFlux, NOON } from "../support/new-flux.ts";
import type { Fault } from "../support/faulty-outbox.ts";
import { moveTo } from "./outbox/journeys.ts";
import { openPartitions, type PartitionsBench } from "./partitions-bench.ts";

const LATER = NOON + MINUTE;

function release(flux: NewFlux): Move {
  return {
    ...moveTo("kept", flux, LATER),
    from: ["quarantined"],
    event: { name: "flux.released", detail: { operator: "op" } },
    attribute: {
      guichet: "69002",
      lane: "L",
      identity: identityOf("69002", flux.sha256),
      returnTo: { channel: "mail", to: "a@b.example", subject: "s" },
    },
  };
}

describe("a stranger released to a guichet of another database", function () {
  this.timeout(60_000);
  let bench: PartitionsBench;
  let stranger: NewFlux;
  const outbox = (): Outbox => bench.outbox;

  beforeEach(async () => {
    bench = await openPartitions();
    stranger = newQuarantinedFlux({ origin: { from: "inconnu@b.example", messageId: "<1@b>" } });
    await outbox().keep([stranger]);
  });
  afterEach(() => bench.remove());

  async function ids(states: readonly ("quarantined" | "kept")[]): Promise<readonly string[]> {
    return (await outbox().list({ states, limit: 50 })).fluxes.map(({ id }) => id);
  }

  /** Released, once, with all that it had. */
  async function assertReleased(): Promise<void> {
    assert.deepEqual(await ids(["quarantined"]), []);
    assert.deepEqual(await ids(["kept"]), [stranger.id]);
    await bench.assertBalanced();
    const found = await outbox().find(stranger.id);
    assert.deepEqual(
      [found?.state, found?.guichet, found?.lane, found?.receivedAt, found?.sha256],
      ["kept", "69002", "L", NOON, stranger.sha256],
    );
    assert.deepEqual(found?.origin, stranger.origin);
    const file = await outbox().file(stranger.id, "original");
    assert.deepEqual(Buffer.from(file?.bytes ?? []), Buffer.from(stranger.bytes));
    const journal = await outbox().journal(stranger.id);
    assert.equal(journal[0]?.name, "flux.quarantined");
    assert.equal(journal.filter(({ name }) => name === "flux.released").length, 1);
    const left = journal.find(({ name }) => name === "flux.discarded");
    assert.equal(left?.detail["partition"], "sud");

    const [claimed, ...others] = await outbox().claim(claimAt(LATER));
    assert.equal(claimed?.flux.id, stranger.id);
    assert.deepEqual(others, []);
    const { flux, fence } = claimed;
    const accepted = { ...moveTo("accepted", flux, LATER), from: ["inTransit"], fence } as const;
    assert.equal((await outbox().move(accepted)).kind, "moved");
    const [delivery] = await outbox().claimDeliveries(claimAt(LATER));
    assert.equal(delivery?.flux.id, stranger.id);
    const [repeat] = await outbox().keep([
      newFlux({ bytes: stranger.bytes, guichet: "69002", receivedAt: LATER }),
    ]);
    assert.equal(repeat?.kind, "repeated");
    assert.equal(repeat.first.id, stranger.id);
  }

  it("keeps its name, its bytes, its time and its trace", async () => {
    const moved = await outbox().move(release(stranger));
    assert.equal(moved.kind, "moved");
    assert.equal(moved.flux.id, stranger.id);
    assert.deepEqual(await outbox().find(stranger.id), moved.flux);
    await assertReleased();
  });

  // Each step, cut before it is done and after it is done but told to nobody: as kill -9 leaves it.
  const steps = [
    ["base", "file"],
    ["sud", "keep"],
    ["base", "move"],
    ["sud", "move"],
  ] as const;
  for (const [part, operation] of steps) {
    for (const fault of ["before", "after"] as const satisfies readonly Fault[]) {
      it(`is released by releasing it again, cut ${fault} ${operation} in ${part}`, async () => {
        bench.parts[part].plan((one) => (one === operation ? fault : undefined));
        await assert.rejects(outbox().move(release(stranger)), { code: "STORE_UNAVAILABLE" });
        assert.ok(bench.parts[part].asked.includes(operation), "the step was reached");
        await bench.reopen();
        await bench.assertBalanced();
        const found = await outbox().find(stranger.id);
        const isDone = part === "sud" && operation === "move" && fault === "after";
        assert.equal(found?.state, isDone ? "kept" : "quarantined");
        if (!isDone) {
          // Whatever copies there are, nothing forwards them, and they are seen.
          assert.deepEqual(await outbox().claim(claimAt(LATER)), []);
          const seen = await ids(["quarantined"]);
          assert.ok(seen.length > 0 && seen.every((id) => id === stranger.id), seen.join());
          assert.equal((await outbox().move(release(stranger))).kind, "moved");
        } else {
          assert.equal((await outbox().move(release(stranger))).kind, "notMoved");
        }
        await assertReleased();
      });
    }
  }

  it("can be given up by an operator when its release was cut, and stays given up", async () => {
    bench.parts.base.plan((one) => (one === "move" ? "before" : undefined));
    await assert.rejects(outbox().move(release(stranger)));
    await bench.reopen();
    const discard = { ...moveTo("discarded", stranger, LATER), from: ["quarantined"] } as const;
    while ((await outbox().find(stranger.id))?.state === "quarantined") {
      assert.equal((await outbox().move(discard)).kind, "moved");
    }
    assert.deepEqual(await ids(["quarantined", "kept"]), []);
    assert.equal((await outbox().move(release(stranger))).kind, "notMoved");
    assert.deepEqual(await outbox().claim(claimAt(LATER)), []);
    await bench.assertBalanced();
  });

  it("is not released when an operator gives it up meanwhile", async () => {
    const discard = { ...moveTo("discarded", stranger, LATER), from: ["quarantined"] } as const;
    bench.parts.sud.plan((one) => (one === "keep" ? "late" : undefined));
    const releasing = outbox().move(release(stranger));
    while (!bench.parts.sud.asked.includes("keep")) await bench.parts.base.outbox.probe();
    await bench.parts.base.outbox.move(discard);
    bench.parts.sud.recover();
    const result = await releasing;
    assert.equal(result.kind, "notMoved");
    assert.deepEqual([result.flux.state, result.flux.reason], ["discarded", undefined]);
    assert.deepEqual(await ids(["quarantined", "kept"]), []);
    assert.equal((await outbox().find(stranger.id))?.reason?.code, undefined);
    await bench.assertBalanced();
  });

  it("is released once by many who release it at once", async () => {
    const others = await Promise.all([bench.another(), bench.another(), bench.another()]);
    const results = await Promise.all(
      [outbox(), ...others].map((one) => one.move(release(stranger))),
    );
    assert.equal(results.filter(({ kind }) => kind === "moved").length, 1);
    assert.equal(results.filter(({ kind }) => kind === "notMoved").length, 3);
    await assertReleased();
  });

  it("stays quarantined when its guichet already has this content", async () => {
    const first = newFlux({ bytes: stranger.bytes, guichet: "69002" });
    await outbox().keep([first]);
    const result = await outbox().move(release(stranger));
    assert.equal(result.kind, "identityTaken");
    assert.equal(result.first.id, first.id);
    assert.deepEqual(await ids(["quarantined"]), [stranger.id]);
    assert.equal((await outbox().find(stranger.id))?.state, "quarantined");
    assert.equal((await outbox().find(first.id))?.repeats, 0);
    await bench.assertBalanced();
  });

  it("is not moved when it is not asked from quarantine, nor when it is unknown", async () => {
    const wrong = { ...release(stranger), from: ["failed"] } as const;
    assert.equal((await outbox().move(wrong)).kind, "notMoved");
    assert.equal((await outbox().find(stranger.id))?.state, "quarantined");
    const unknown = { ...release(stranger), fluxId: newFlux().id };
    assert.deepEqual(await outbox().move(unknown), { kind: "notFound" });
  });

  it("is found where it is now by who met it where it was", async () => {
    const other = await bench.another();
    assert.equal((await other.find(stranger.id))?.state, "quarantined");
    await outbox().move(release(stranger));
    assert.equal((await other.find(stranger.id))?.state, "kept");
    assert.equal((await other.file(stranger.id, "original"))?.name, stranger.fileName);
  });

  it("is never said to be elsewhere by what it left, while its database is down", async () => {
    await outbox().move(release(stranger));
    const other = await bench.another();
    bench.parts.sud.goDown();
    await assert.rejects(other.find(stranger.id), { code: "STORE_UNAVAILABLE" });
  });
});
