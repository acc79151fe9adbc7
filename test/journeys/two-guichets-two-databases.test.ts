/** Two guichets in two databases, one gateway: each is acknowledged, under one list and one bilan (B7). */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import {
  GUICHET,
  OTHER_GUICHET,
  OTHER_SENDER,
  SENDER,
  startWorld,
  type World,
} from "../support/world.ts";

const AT = new Date("2026-01-15T08:30:00Z");

describe("two guichets in two databases", function () {
  this.timeout(60_000);
  let world: World;
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "passerelle-nord-"));
    world = await startWorld({
      settings: { GATEWAY_STORE_PARTITIONS: `nord=${join(folder, "nord.db")}` },
      guichet: { store: "nord" },
    });
  });
  after(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  it("are both acknowledged, also after a restart, and one bilan counts both", async () => {
    const send = async (guichet: string, from: string, seed: number): Promise<Uint8Array> => {
      const bytes = makeDemande({ typeFichier: "CRE", guichet, seed });
      const reply = await world.mail(fileName({ guichet, at: AT, sequence: seed }), bytes, {
        from,
      });
      assert.match(reply, /^250 /);
      return bytes;
    };
    const sent = [
      await send(GUICHET, SENDER, 1),
      await send(OTHER_GUICHET, OTHER_SENDER, 2),
      await send(GUICHET, SENDER, 3),
    ];
    await world.restart();
    const fluxes = await world.fluxes();
    assert.equal(fluxes.length, 3);
    for (const { id } of fluxes) {
      await world.acknowledgedByMail(id);
      await world.reaches(id, "acknowledged");
    }
    for (const bytes of sent) assert.equal(await world.effectsOf(bytes), 1);
    const bilan: unknown = await (await fetch(`${world.httpUrl}/api/v1/bilan`)).json();
    assert.match(JSON.stringify(bilan), /"received":3.*"acknowledged":3.*"balanced":true/);

    await world.gateway.stop();
    const north = await openSqliteOutbox({ path: join(folder, "nord.db") });
    const { received } = await north.counts();
    await north.stop();
    assert.equal(received, 2, "those of the guichet that names it");
  });
});
