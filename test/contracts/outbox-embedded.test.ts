/** The outbox contract on the embedded store, and what is promised of that store alone. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { gunzipSync } from "node:zlib";
import { openDatabase } from "../../src/adapters/sqlite/open-database.ts";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import type { SqliteOutbox } from "../../src/adapters/sqlite/store-operations.ts";
import { sha256Of } from "../../src/keep/identity.ts";
import type { ClaimedFlux } from "../../src/keep/outbox.ts";
import { eventually } from "../support/eventually.ts";
import { claimAt, MINUTE, newFlux, newRefusedFlux, NOON } from "../support/new-flux.ts";
import { outboxContract } from "./outbox-contract.ts";
import { fluxIn } from "./outbox/journeys.ts";

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "passerelle-outbox-"));

outboxContract("embedded", async () => {
  const folder = await newFolder();
  return {
    open: () => openSqliteOutbox({ path: join(folder, "gateway.db") }),
    remove: () => rm(folder, { recursive: true }),
  };
});

describe("embedded store", function () {
  this.timeout(60_000);
  let folder: string;
  let path: string;
  let open: SqliteOutbox[] = [];
  let children: ChildProcess[] = [];

  async function openStore(at = path): Promise<SqliteOutbox> {
    const outbox = await openSqliteOutbox({ path: at });
    open.push(outbox);
    return outbox;
  }

  /** Another process that has the store open; what it says, line by line. */
  function startProcess(mode?: "lend"): { child: ChildProcess; said: () => readonly string[] } {
    const fixture = join(import.meta.dirname, "../fixtures/keeping-process.ts");
    const child = spawn(process.execPath, [fixture, path, ...(mode === undefined ? [] : [mode])], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    // The last line may be cut by the kill: only whole lines were said.
    return { child, said: () => text.split("\n").slice(0, -1) };
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }

  beforeEach(async () => {
    folder = await newFolder();
    path = join(folder, "deeper", "gateway.db");
  });
  afterEach(async () => {
    await Promise.all(open.map((outbox) => outbox.stop()));
    await Promise.all(children.map(kill));
    open = [];
    children = [];
    await rm(folder, { recursive: true });
  });

  it("has all that was confirmed when the process is killed at any moment", async () => {
    for (const moment of [1, 300, 900]) {
      const { child, said } = startProcess();
      await eventually(`${moment} fluxes kept`, () => said().length > moment);
      await kill(child);
      const confirmed = said().flatMap((line) =>
        line.startsWith("kept") ? [line.split(" ")] : [],
      );
      const outbox = await openStore();
      for (const [, id = "", sha256] of confirmed) {
        const file = await outbox.file(id, "original");
        assert.ok(file, `${id} was confirmed`);
        assert.equal(sha256Of(file.bytes), sha256);
      }
      assert.deepEqual(await outbox.counts(), await outbox.recount());
      await outbox.stop();
    }
  });

  it("is refused to a second process, and free again when the first is killed", async () => {
    const { child, said } = startProcess("lend");
    await eventually("the store is open", () => said().includes("opened"));
    await assert.rejects(openStore(), { code: "STORE_IN_USE", details: { path } });
    await kill(child);
    await openStore();
  });

  it("lends what is being kept in the commit that keeps it, and tells nobody else of it", async () => {
    const outbox = await openStore();
    const [flux, later] = [newFlux(), newFlux()];
    let told = 0;
    const lent = Promise.withResolvers<readonly ClaimedFlux[]>();
    const unwatch = outbox.watch(() => {
      told += 1;
      if (told === 1) outbox.claim(claimAt(NOON)).then(lent.resolve, lent.reject);
    });
    const kept = outbox.keep([flux]);
    assert.equal(told, 1, "told before it is on disk");
    const [claimed] = await lent.promise;
    assert.equal(claimed?.flux.id, flux.id);
    assert.equal((await kept)[0]?.kind, "kept");
    const events = (await outbox.journal(flux.id)).map(({ name }) => name);
    assert.deepEqual(events, ["flux.kept", "flux.claimed"]);
    await outbox.probe();
    assert.equal(told, 1, "nothing is left to claim");
    await outbox.keep([later]);
    await outbox.probe();
    unwatch();
    assert.equal(told, 3, "early, and once it is on disk, since nobody claimed it");
  });

  it("is refused a second time in one process", async () => {
    await openStore();
    await assert.rejects(openStore(), { code: "STORE_IN_USE" });
  });

  it("takes back, when it opens, all that its former life had lent", async () => {
    const { child, said } = startProcess("lend");
    const [, lentId = "", refusedId] = await eventually("a flux is lent", () =>
      said()
        .find((line) => line.startsWith("lent"))
        ?.split(" "),
    );
    await kill(child);
    const now = Date.now();
    const outbox = await openStore();
    const flux = await outbox.find(lentId);
    assert.equal(flux?.state, "inDoubt");
    assert.equal(flux.reason?.code, "LEASE_ENDED");
    assert.ok(flux.since >= now, "in doubt since the store was opened");
    assert.equal((await outbox.journal(lentId)).at(-1)?.name, "flux.putInDoubt");
    const [delivery] = await outbox.claimDeliveries(claimAt(Date.now()));
    assert.equal(delivery?.flux.id, refusedId);
    assert.deepEqual(await outbox.counts(), await outbox.recount());
  });

  it("refuses a file that a later edition wrote, and leaves it as it is", async () => {
    await (await openStore()).stop();
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 1000");
    later.close();
    await assert.rejects(openStore(), {
      code: "STORE_TOO_NEW",
      details: { found: 1000, known: 3 },
    });
    const untouched = new DatabaseSync(path);
    assert.equal(untouched.prepare("PRAGMA user_version").get()?.["user_version"], 1000);
    untouched.close();
  });

  it("brings a file of the first edition up to date, with all it holds", async () => {
    // Written by the program that had that edition: ten fluxes in seven states, one of them repeated.
    const fixture = join(import.meta.dirname, "../fixtures/store-edition-1.db.gz");
    const first = join(folder, "edition-1.db");
    await writeFile(first, gunzipSync(await readFile(fixture)));
    const before = new DatabaseSync(first);
    const edition = before.prepare("PRAGMA user_version").get()?.["user_version"];
    const rows = before.prepare("SELECT * FROM flux ORDER BY seq").all();
    before.close();
    assert.equal(edition, 1);
    assert.equal(rows.length, 10);

    const outbox = await openStore(first);
    const { fluxes } = await outbox.list({ limit: 500 });
    assert.deepEqual(
      fluxes.map(({ id, state, sha256, receivedAt }) => [id, state, sha256, receivedAt]),
      rows.map((row) => [row["id"], row["state"], row["sha256"], row["received_at"]]),
    );
    for (const { id, sha256 } of fluxes) {
      const file = await outbox.file(id, "original");
      assert.equal(file === undefined ? undefined : sha256Of(file.bytes), sha256);
      assert.ok((await outbox.journal(id)).length > 0);
    }
    for (const { id, guichet, fileName } of fluxes) {
      if (guichet === undefined) continue;
      const named = await outbox.list({ sentAs: { guichet, fileName }, limit: 500 });
      assert.ok(named.fluxes.some((flux) => flux.id === id));
    }
    const counts = await outbox.counts();
    assert.deepEqual(counts, await outbox.recount());
    assert.deepEqual([counts.received, counts.repeats, counts.deliveriesOwed], [10, 1, 4]);
    const load = await outbox.load();
    assert.deepEqual(load, await outbox.recountLoad());
    assert.deepEqual(load.byGuichet["69002"], { fluxes: 2, bytes: 92 });
    assert.equal(await outbox.noted("breaker.openUntil"), String(NOON + MINUTE));

    // What this edition brought works on it: of three fluxes that ended, two still owe an acquittement.
    const days = 90 * 24 * 60 * MINUTE;
    const erasure = { endedBefore: NOON + days, now: NOON + days, max: 100 };
    assert.equal(await outbox.eraseFiles(erasure), 1);
    const [claimed] = await outbox.claim(claimAt(NOON + days));
    assert.equal(claimed?.flux.guichet, "69002");
    await outbox.stop();
    const after = new DatabaseSync(first);
    assert.equal(after.prepare("PRAGMA user_version").get()?.["user_version"], 3);
    after.close();
  });

  it("overwrites in its file the bytes that it erases", async () => {
    const marks = ["petit dossier", "grand dossier"];
    const outbox = await openStore();
    for (const [n, mark] of marks.entries()) {
      // Within a page, and over many.
      const bytes = Buffer.from(`<interfaceNuu>${mark} `.repeat(n === 0 ? 1 : 5_000));
      await fluxIn(outbox, "acknowledged", { bytes });
    }
    const read = async (): Promise<boolean[]> => {
      const content = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)]);
      return marks.map((mark) => content.includes(mark));
    };
    assert.deepEqual(await read(), [true, true]);
    assert.equal(await outbox.eraseFiles({ endedBefore: NOON + 1, now: NOON + 1, max: 9 }), 2);
    await outbox.stop();
    const content = await readFile(path);
    assert.deepEqual(
      marks.filter((mark) => content.includes(mark)),
      [],
    );
  });

  it("refuses a file that is no database, or another program's", async () => {
    const text = join(folder, "notes.txt");
    await writeFile(text, "Ceci n'est pas une base.".repeat(100));
    await assert.rejects(openStore(text), { code: "STORE_UNAVAILABLE" });
    const foreign = join(folder, "other.db");
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE accounts (name TEXT)");
    other.close();
    await assert.rejects(openStore(foreign), { code: "STORE_UNAVAILABLE" });
    await assert.rejects(openStore(folder), { code: "STORE_UNAVAILABLE" });
  });

  it("keeps its files from other users of the machine", async () => {
    const outbox = await openStore();
    await outbox.keep([newFlux()]);
    for (const file of [path, `${path}-wal`]) {
      assert.equal((await stat(file)).mode & 0o077, 0, file);
    }
  });

  it("says so when its thread dies, and rejects what waits and what comes", async () => {
    const born: Worker[] = [];
    const seeBirth = (message: unknown): void => {
      assert.ok(typeof message === "object" && message !== null && "worker" in message);
      assert.ok(message.worker instanceof Worker);
      born.push(message.worker);
    };
    subscribe("worker_threads", seeBirth);
    const deaths: Error[] = [];
    const outbox = await openSqliteOutbox({ path, onDeath: (error) => deaths.push(error) });
    unsubscribe("worker_threads", seeBirth);
    const kept = newFlux();
    await outbox.keep([kept]);
    const waiting = Array.from({ length: 20 }, () => outbox.keep([newFlux()]));
    await born[0]?.terminate();
    const results = await Promise.allSettled(waiting);
    for (const result of results) {
      if (result.status === "rejected") {
        assert.equal((result.reason as { code?: string }).code, "STORE_UNAVAILABLE");
      }
    }
    assert.equal(deaths.length, 1);
    await assert.rejects(outbox.find(kept.id), { code: "STORE_UNAVAILABLE" });
    await assert.rejects(outbox.probe(), { code: "STORE_UNAVAILABLE" });
    await outbox.stop();
    // What the dead thread had confirmed is there.
    const again = await openStore();
    const confirmed = results.filter(({ status }) => status === "fulfilled").length;
    assert.ok(await again.find(kept.id));
    assert.ok((await again.counts()).received >= 1 + confirmed);
  });

  it("rejects a value that cannot cross to its thread, and only that", async () => {
    const outbox = await openStore();
    const detail = { shout: (() => undefined) as unknown as string };
    const flux = newFlux({ event: { name: "flux.kept", detail } });
    const [before, bad, after] = await Promise.allSettled([
      outbox.keep([newFlux()]),
      outbox.keep([flux]),
      outbox.keep([newFlux()]),
    ]);
    assert.deepEqual(
      [before.status, bad.status, after.status],
      ["fulfilled", "rejected", "fulfilled"],
    );
    await assert.rejects(outbox.keep([flux]), { code: "INTERNAL_ERROR" });
    assert.equal((await outbox.counts()).received, 2);
  });

  it("finishes a queue longer than one group before it stops", async () => {
    const outbox = await openStore();
    const asked = Array.from({ length: 1_200 }, () => outbox.keep([newFlux()]));
    await outbox.stop();
    assert.equal((await Promise.all(asked)).length, 1_200);
    assert.equal((await (await openStore()).counts()).received, 1_200);
  });

  it("asks the disk to be sure of each commit", () => {
    const db = openDatabase(path);
    const setting = (name: string): unknown => db.prepare(`PRAGMA ${name}`).get()?.[name];
    // What a power cut would show; a killed process cannot.
    assert.deepEqual(["journal_mode", "synchronous", "fullfsync", "foreign_keys"].map(setting), [
      "wal",
      2,
      1,
      1,
    ]);
    db.close();
  });

  it("keeps its write-ahead log small under a steady stream", async () => {
    const outbox = await openStore();
    const bytes = 256 * 1024;
    for (let kept = 0; kept < 240; kept += 4) {
      await outbox.keep(Array.from({ length: 4 }, () => newFlux({ bytes: randomBytes(bytes) })));
    }
    // 60 MB went through it: eight, and a group, may stand in it.
    assert.ok((await stat(`${path}-wal`)).size < 16 * 1024 * 1024);
  });

  it("shows in its counts a flux that a hand has deleted", async () => {
    const outbox = await openStore();
    const flux = newRefusedFlux();
    await outbox.keep([flux, newFlux()]);
    await outbox.stop();
    const hand = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    hand.prepare("DELETE FROM flux WHERE id = ?").run(flux.id);
    hand.close();
    const counts = await (await openStore()).counts();
    assert.equal(counts.received, 2);
    assert.deepEqual([counts.byState.refused, counts.byState.kept], [0, 1]);
  });

  it("has counters that equal a full count, whatever happened", async () => {
    const outbox = await openStore();
    const { bytes } = newFlux();
    const returnTo = { channel: "file", guichet: "75001", fileName: "a.xml" } as const;
    for (const state of ["inDoubt", "accepted", "refused", "acknowledged", "discarded"] as const) {
      await fluxIn(outbox, state, { returnTo });
    }
    await outbox.keep([
      newFlux({ bytes }),
      newFlux({ bytes, returnTo }),
      newRefusedFlux({ returnTo }),
    ]);
    const [first, second] = await outbox.claimDeliveries(claimAt(NOON, { max: 2 }));
    assert.ok(first && second);
    await outbox.endDelivery(first, NOON, { kind: "delivered", detail: {} });
    const reason = { code: "X", text: "x" };
    const postponed = { kind: "postponed", dueAt: NOON, reason, detail: {} } as const;
    await outbox.endDelivery(second, NOON, postponed);
    await outbox.claimDeliveries(claimAt(NOON, { max: 1 }));
    await fluxIn(outbox, "quarantined");
    const counts = await outbox.counts();
    assert.deepEqual(counts, await outbox.recount());
    assert.ok(counts.deliveriesOwed > 1 && counts.repeats === 1);
    const load = await outbox.load();
    assert.deepEqual(load, await outbox.recountLoad());
    assert.ok(load.fluxes > 1 && load.bytes > 0);
  });
});
