/** What is given from memory is what the store holds, once, within bounds; the store has the rest. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { Move, NewFlux, Outbox, StoredFile } from "../../src/keep/outbox.ts";
import { rememberFiles } from "../../src/keep/recent-files.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { FaultyOutbox } from "../support/faulty-outbox.ts";
import { makeFaultyOutbox } from "../support/faulty-outbox.ts";
import { claimAt, MINUTE, newFlux, newRefusedFlux, NOON } from "../support/new-flux.ts";

describe("files remembered for a moment", () => {
  let folder: string;
  let store: Outbox;
  let watched: FaultyOutbox;
  let outbox: Outbox;
  let now = NOON;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "passerelle-recent-"));
    store = await openSqliteOutbox({ path: join(folder, "gateway.db") });
    watched = makeFaultyOutbox(store);
    watched.plan(() => undefined);
    now = NOON;
    outbox = rememberFiles(watched.outbox, { ...systemClock(), now: () => now });
  });
  afterEach(async () => {
    await store.stop();
    await rm(folder, { recursive: true });
  });

  function asked(): number {
    return watched.asked.filter((operation) => operation === "file").length;
  }

  async function same(flux: NewFlux, given: StoredFile | undefined): Promise<void> {
    assert.equal(given?.name, flux.fileName);
    assert.deepEqual(Buffer.from(given.bytes), Buffer.from(flux.bytes));
    const stored = await store.file(flux.id, "original");
    assert.deepEqual(Buffer.from(stored?.bytes ?? []), Buffer.from(flux.bytes));
  }

  async function accepted(flux: NewFlux, files: Move["files"]): Promise<void> {
    const [claimed] = await outbox.claim(claimAt(NOON));
    assert.equal(claimed?.flux.id, flux.id);
    const { fence } = claimed;
    const verdict = { kind: "accepted", numeroUnique: "1", by: "sne", at: NOON } as const;
    const result = await outbox.move({
      ...{ fluxId: flux.id, from: ["inTransit"], fence, to: "accepted", at: NOON, verdict },
      ...(files === undefined ? {} : { files }),
      event: { name: "flux.accepted", detail: {} },
    });
    assert.equal(result.kind, "moved");
  }

  it("gives what was just kept without asking the store, then asks it", async () => {
    const flux = newFlux();
    await outbox.keep([flux]);
    await same(flux, await outbox.file(flux.id, "original"));
    assert.equal(asked(), 0);
    await same(flux, await outbox.file(flux.id, "original"));
    assert.equal(asked(), 1);
  });

  it("asks the store after a minute: another gateway may have erased it", async () => {
    const flux = newFlux();
    await outbox.keep([flux]);
    now += MINUTE;
    await same(flux, await outbox.file(flux.id, "original"));
    assert.equal(asked(), 1);
  });

  it("knows what an answer brought, and what it did not bring", async () => {
    const flux = newFlux();
    await outbox.keep([flux]);
    const answer = { name: "reponse.xml", bytes: new Uint8Array([1, 2, 3]) };
    await accepted(flux, { answer });
    assert.deepEqual(await outbox.file(flux.id, "answer"), answer);
    assert.equal(await outbox.file(flux.id, "attestation"), undefined);
    assert.equal(asked(), 0);
    assert.deepEqual((await outbox.file(flux.id, "answer"))?.bytes, answer.bytes);
    assert.equal(asked(), 1);
  });

  it("remembers nothing that was not kept", async () => {
    const flux = newFlux();
    watched.plan((operation) => (operation === "keep" ? "before" : undefined));
    await assert.rejects(outbox.keep([flux]), { code: "STORE_UNAVAILABLE" });
    assert.equal(await outbox.file(flux.id, "original"), undefined);
    watched.plan(() => undefined);
    await outbox.keep([flux]);
    const again = newFlux({ bytes: flux.bytes });
    await outbox.keep([again]);
    assert.equal(await outbox.file(again.id, "original"), undefined);
    const refused = newRefusedFlux();
    await outbox.keep([refused]);
    await same(refused, await outbox.file(refused.id, "original"));
    assert.equal(asked(), 2);
  });

  it("leaves large files to the store, and the oldest when there are many", async () => {
    const large = newFlux({ bytes: new Uint8Array(300_000).fill(1) });
    await outbox.keep([large]);
    await same(large, await outbox.file(large.id, "original"));
    assert.equal(asked(), 1);
    // 40 times 250 KB are more than the 8 MB that are remembered.
    const many = Array.from({ length: 40 }, (_, index) =>
      newFlux({ bytes: new Uint8Array(250_000).fill(index) }),
    );
    for (const flux of many) await outbox.keep([flux]);
    watched.plan(() => undefined);
    for (const flux of many) await same(flux, await outbox.file(flux.id, "original"));
    assert.equal(asked(), 40 - Math.floor((8 * 1024 * 1024) / (250_000 + 512)));
  });

  it("asks the store for everything once retention has erased files", async () => {
    const flux = newFlux();
    await outbox.keep([flux]);
    await outbox.eraseFiles({ endedBefore: NOON, now: NOON + 2 * MINUTE, max: 10 });
    await same(flux, await outbox.file(flux.id, "original"));
    assert.equal(asked(), 1);
  });
});
