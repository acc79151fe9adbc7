/** The stores of the settings: opened by their kind, one outbox over them, nothing secret in errors. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { diagnose } from "../../src/doctor.ts";
import { type Guichet, indexGuichets } from "../../src/domain/guichet.ts";
import type { Outbox } from "../../src/keep/outbox.ts";
import { openStores, shownStores } from "../../src/open-stores.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { dropDatabase, freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { claimAt, newFlux, newRefusedFlux, NOON } from "../support/new-flux.ts";

const guichet = (code: string, store?: string): Guichet => ({
  ...{ code, name: code, senders: [], returnBy: "same", language: "fr" },
  ...(store === undefined ? {} : { store }),
});
const GUICHETS = indexGuichets([guichet("75001", "nord"), guichet("69002")]);

function open(store: string, storePartitions?: string): Promise<Outbox> {
  return openStores({
    settings: { store, storePartitions },
    owner: "essai",
    guichets: GUICHETS,
    clock: systemClock(),
    chance: systemChance(),
    log: SILENT_LOG,
    onFatal: (error) => assert.fail(error),
  });
}

describe("opening the stores of the settings", function () {
  this.timeout(60_000);
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "passerelle-bases-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("gives one store as it is", async () => {
    const outbox = await open(at("seule.db"));
    assert.ok("recount" in outbox, "nothing stands before the embedded store");
    await outbox.stop();
  });

  it("keeps each guichet in the store it names, and the others in GATEWAY_STORE", async () => {
    const outbox = await open(at("base.db"), `nord=${at("nord.db")};sud=${at("sud.db")}`);
    const [north, other] = [newFlux(), newFlux({ guichet: "69002" })];
    await outbox.keep([north, other]);
    assert.equal((await outbox.counts()).received, 2);
    await outbox.stop();
    for (const [name, kept] of [
      ["nord", north.id],
      ["base", other.id],
      ["sud", undefined],
    ] as const) {
      const alone = await openSqliteOutbox({ path: at(`${name}.db`) });
      const { fluxes } = await alone.list({ limit: 5 });
      assert.deepEqual(
        fluxes.map(({ id }) => id),
        kept === undefined ? [] : [kept],
      );
      await alone.stop();
    }
  });

  it("opens all or none, and names the one that cannot be opened", async () => {
    mkdirSync(at("nord.db"));
    await assert.rejects(open(at("base.db"), `nord=${at("nord.db")}`), {
      code: "STORE_UNAVAILABLE",
      message: /« nord »/,
    });
    // It was closed again: nobody holds it.
    await (await openSqliteOutbox({ path: at("base.db") })).stop();
  });

  it("tells no credential of a database that cannot be reached", async () => {
    const address = "mongodb://op:s3cret@127.0.0.1:1/p?serverSelectionTimeoutMS=300";
    const error: unknown = await open(at("base.db"), `nord=${address}`).then(
      () => assert.fail("it was opened"),
      (caught: unknown) => caught,
    );
    assert.match(String(error), /« nord »/);
    assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /s3cret/);
  });

  it("shows where fluxes are kept without its credentials", () => {
    const shown = shownStores({
      store: "mongodb://op:s3cret@m1/p?w=1",
      storePartitions: "nord=/srv/nord.db;sud=mongodb://op:s3cret@m2/p",
    });
    assert.equal(shown, "mongodb://m1/p ; nord : /srv/nord.db ; sud : mongodb://m2/p");
  });

  it("has the doctor look at each, without telling a credential", async () => {
    const told: string[] = [];
    for await (const { id, text } of diagnose({
      environment: {
        GATEWAY_STORE: at("base.db"),
        GATEWAY_STORE_PARTITIONS: `nord=${at("nord.db")};sud=mongodb://op:s3cret@127.0.0.1:1/p?serverSelectionTimeoutMS=300`,
        GATEWAY_GUICHETS: "config/guichets.json",
        GATEWAY_HTTP_PORT: "0",
        GATEWAY_SMTP_PORT: "-1",
      },
      clock: systemClock(),
      chance: systemChance(),
    })) {
      if (id === "store") told.push(text);
    }
    assert.equal(told.length, 3);
    assert.match(told.join(), /base\.db.*nord\.db.*mongodb:\/\/127\.0\.0\.1:1\/p/);
    assert.doesNotMatch(told.join(), /s3cret/);
  });
});

await withMongo("a guichet on MongoDB beside a file", { ownProcesses: false }, () => {
  it("has one bilan over both, and lends from both", async function () {
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), "passerelle-bases-"));
    const uri = await freshDatabaseUri();
    const outbox = await open(join(folder, "base.db"), `nord=${uri}`);
    try {
      const returnTo = { channel: "mail", to: "a@b.example", subject: "s" } as const;
      const batch = [newFlux(), newFlux({ guichet: "69002" }), newRefusedFlux({ returnTo })];
      await outbox.keep(batch);
      const { received, byState } = await outbox.counts();
      assert.deepEqual([received, byState.kept, byState.refused], [3, 2, 1]);
      const pages: string[] = [];
      let after: string | undefined;
      do {
        const page = await outbox.list({ limit: 1, ...(after === undefined ? {} : { after }) });
        pages.push(...page.fluxes.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(pages.toSorted(), batch.map(({ id }) => id).toSorted());
      assert.equal((await outbox.claim(claimAt(NOON))).length, 2);
      const [delivery] = await outbox.claimDeliveries(claimAt(NOON));
      assert.ok(delivery);
      assert.match(delivery.deliveryId, /^nord\./);
      const end = { kind: "delivered", detail: {} } as const;
      assert.equal(await outbox.endDelivery(delivery, NOON, end), true);
      await outbox.probe();
    } finally {
      await outbox.stop();
      await dropDatabase(uri);
      rmSync(folder, { recursive: true });
    }
  });
});
