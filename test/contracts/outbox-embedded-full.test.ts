/**
 * The embedded store on a full disk: what was confirmed is there, what was rejected is not, and it
 * works again by itself once there is room. On a real full file system where the machine lets us
 * mount one, and by SQLite's own limit of pages everywhere.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Answer, Call } from "../../src/adapters/sqlite/group-commit.ts";
import { makeGroupCommit } from "../../src/adapters/sqlite/group-commit.ts";
import { openDatabase } from "../../src/adapters/sqlite/open-database.ts";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { SqliteOutbox } from "../../src/adapters/sqlite/store-operations.ts";
import { makeStoreOperations } from "../../src/adapters/sqlite/store-operations.ts";
import type { NewFlux } from "../../src/keep/outbox.ts";
import { claimAt, newFlux, NOON } from "../support/new-flux.ts";
import { moveTo } from "./outbox/journeys.ts";

const large = (): NewFlux => newFlux({ bytes: randomBytes(2 * 1024 * 1024) });

function outcomes(answers: readonly Answer[]): readonly string[] {
  return answers.map((answer) => ("fault" in answer ? answer.fault.code : "done"));
}

describe("group commit when something fails", () => {
  let folder: string;
  let db: DatabaseSync;
  let id = 0;

  function limitPages(spare: number): void {
    const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
    db.exec(`PRAGMA max_page_count = ${pages + spare}`);
  }

  function keepCall(flux: NewFlux): Call {
    id += 1;
    return { id, name: "keep", args: [[flux]] };
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "passerelle-full-"));
    db = openDatabase(join(folder, "gateway.db"));
  });
  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  it("refuses the flux that does not fit, and writes the others and the verdict beside it", () => {
    const operations = makeStoreOperations(db, new Set());
    const group = makeGroupCommit(db, operations);
    const waiting = newFlux();
    group.run([keepCall(waiting)]);
    const [claimed] = operations.claim(claimAt(NOON));
    assert.ok(claimed);
    limitPages(40);
    const [before, tooLarge, after] = [newFlux(), large(), newFlux()];
    const move: Call = {
      id: 1_000,
      name: "move",
      args: [{ ...moveTo("accepted", waiting, NOON), from: ["inTransit"], fence: claimed.fence }],
    };
    const answers = group.run([keepCall(before), keepCall(tooLarge), move, keepCall(after)]);
    assert.deepEqual(outcomes(answers), ["done", "STORE_FULL", "done", "done"]);
    assert.equal(operations.find(tooLarge.id), undefined);
    assert.ok(operations.find(before.id) && operations.find(after.id));
    assert.equal(operations.find(waiting.id)?.state, "accepted");
    assert.deepEqual(operations.counts(), operations.recount());

    limitPages(10_000);
    assert.deepEqual(outcomes(group.run([keepCall(tooLarge)])), ["done"]);
  });

  it("leaves out the operations that fail, wherever they stand, and does all the others", () => {
    const operations = makeStoreOperations(db, new Set());
    const group = makeGroupCommit(db, operations);
    const taken = newFlux();
    group.run([keepCall(taken)]);
    const fluxes = Array.from({ length: 30 }, (_, n) =>
      n % 7 === 0 ? newFlux({ id: taken.id }) : newFlux(),
    );
    const answers = group.run(fluxes.map(keepCall));
    assert.deepEqual(
      outcomes(answers),
      fluxes.map((_, n) => (n % 7 === 0 ? "INTERNAL_ERROR" : "done")),
    );
    assert.equal(operations.counts().received, 26);
    assert.deepEqual(operations.counts(), operations.recount());
  });

  it("leaves nothing of a batch that does not fit", () => {
    const operations = makeStoreOperations(db, new Set());
    const group = makeGroupCommit(db, operations);
    limitPages(40);
    const batch = [newFlux({ arrivalKey: "key" }), large(), newFlux()];
    assert.deepEqual(outcomes(group.run([{ id: 1, name: "keep", args: [batch] }])), ["STORE_FULL"]);
    for (const flux of batch) assert.equal(operations.find(flux.id), undefined);
    assert.equal(operations.counts().received, 0);
  });
});

describe("embedded store on a full disk", function () {
  this.timeout(60_000);
  let disk: string | undefined;
  let outbox: SqliteOutbox | undefined;

  function mount(...options: readonly string[]): boolean {
    return disk !== undefined && spawnSync("mount", [...options, disk]).status === 0;
  }

  function fill(path: string): void {
    for (const size of [65_536, 1]) {
      try {
        for (;;) appendFileSync(path, Buffer.alloc(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
      }
    }
  }

  before(function () {
    disk = mkdtempSync(join(tmpdir(), "passerelle-disk-"));
    if (mount("-t", "tmpfs", "-o", "size=6m", "tmpfs")) return;
    rmSync(disk, { recursive: true });
    disk = undefined;
    process.stdout.write("    skipped: mounting a small file system needs root\n");
    this.skip();
  });
  afterEach(() => outbox?.stop());
  after(() => {
    if (disk === undefined) return;
    spawnSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  async function openStore(path: string): Promise<SqliteOutbox> {
    outbox = await openSqliteOutbox({ path });
    return outbox;
  }

  it("opens where not one byte can be written, and lets what it holds be read", async () => {
    assert.ok(disk !== undefined);
    const path = join(disk, "first", "gateway.db");
    const flux = newFlux();
    const before = await openStore(path);
    await before.keep([flux]);
    await before.stop();
    const ballast = join(disk, "ballast");
    fill(ballast);
    const store = await openStore(path);
    assert.equal((await store.find(flux.id))?.state, "kept");
    await assert.rejects(store.probe(), { code: "STORE_FULL" });
    await assert.rejects(store.keep([newFlux()]), { code: "STORE_FULL" });
    rmSync(ballast);
    await store.probe();
    await store.keep([newFlux()]);
    assert.equal((await store.counts()).received, 2);
    await store.stop();
    rmSync(join(disk, "first"), { recursive: true });
  });

  it("loses nothing it confirmed, keeps nothing it rejected, and works again by itself", async () => {
    assert.ok(disk !== undefined);
    const folder = join(disk, "data");
    mkdirSync(folder);
    const path = join(folder, "gateway.db");
    let store = await openStore(path);
    const kept: NewFlux[] = [];
    const refused: NewFlux[] = [];
    const keepOne = async (flux: NewFlux): Promise<void> => {
      try {
        await store.keep([flux]);
        kept.push(flux);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "STORE_FULL");
        refused.push(flux);
      }
    };
    while (refused.length < 60) {
      await Promise.all(
        Array.from({ length: 20 }, () => keepOne(newFlux({ bytes: randomBytes(10_240) }))),
      );
    }
    assert.ok(kept.length > 50, `${kept.length} kept`);

    const check = async (): Promise<void> => {
      for (const { id, bytes } of kept) {
        const file = await store.file(id, "original");
        assert.ok(file, `${id} was confirmed`);
        assert.ok(Buffer.from(file.bytes).equals(bytes));
      }
      for (const { id } of refused) assert.equal(await store.find(id), undefined);
      const counts = await store.counts();
      assert.equal(counts.received, kept.length);
      assert.deepEqual(counts, await store.recount());
    };
    await check();
    // A restart on the full disk.
    await store.stop();
    store = await openStore(path);
    await check();

    assert.ok(mount("-o", "remount,size=64m"));
    await store.probe();
    for (const flux of refused.splice(0)) await keepOne(flux);
    assert.deepEqual(refused, []);
    await check();
  });
});
