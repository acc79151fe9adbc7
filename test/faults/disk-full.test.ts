/**
 * A disk that is really full (a small tmpfs): each channel leaves the flux with its sender, nothing
 * confirmed is lost, and once there is room everything goes through by itself.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import { dropInto, filesIn, GUICHET, startWorld, type World } from "../support/world.ts";

function demande(seed: number): Uint8Array {
  return makeDemande({
    typeFichier: "CRE",
    guichet: GUICHET,
    nom: `NOM${seed}`,
    seed,
    padToBytes: 400_000,
  });
}

describe("a full disk", function () {
  this.timeout(60_000);
  let disk: string | undefined;
  let world: World | undefined;

  const resize = (size: string, ...options: string[]): boolean =>
    disk !== undefined &&
    spawnSync("mount", [
      ...options,
      "-o",
      `${options.length === 0 ? "remount," : ""}size=${size}`,
      ...(options.length === 0 ? [] : ["tmpfs"]),
      disk,
    ]).status === 0;

  before(function () {
    disk = mkdtempSync(join(tmpdir(), "passerelle-plein-"));
    if (resize("8m", "-t", "tmpfs")) return;
    rmSync(disk, { recursive: true });
    disk = undefined;
    process.stdout.write("    skipped: mounting a small file system needs root\n");
    this.skip();
  });
  after(async () => {
    await world?.stop();
    if (disk === undefined) return;
    spawnSync("umount", [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it("is told by each channel in its own way, loses nothing, and passes", async () => {
    assert.ok(disk !== undefined);
    world = await startWorld({ settings: { GATEWAY_STORE: join(disk, "passerelle.db") } });
    await world.control({ do: "down", how: "refuse" });

    const confirmed: Uint8Array[] = [];
    let response: Response;
    let seed = 900;
    do {
      const bytes = demande(seed);
      response = await world.deposit(`plein-${seed}.xml`, bytes);
      if (response.status === 201) confirmed.push(bytes);
      seed += 1;
    } while (response.status === 201 && seed < 1_000);
    assert.equal(response.status, 507);
    assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
    assert.match(await response.text(), /STORE_FULL/);
    assert.ok(confirmed.length > 3, `only ${confirmed.length} were confirmed`);

    const mailed = demande(1_001);
    assert.match(await world.mail("plein.xml", mailed).catch(String), /452/);
    const dropped = demande(1_002);
    let turnedAway = "";
    world.gateway.events.listen(({ name, detail }) => {
      if (name === "arrival.turnedAway" && detail["channel"] === "file") {
        turnedAway = String(detail["code"]);
      }
    });
    dropInto(world.drop, "plein.xml", dropped);
    await eventually("the file is turned away, and back in its place", () => {
      assert.ok(world !== undefined);
      return turnedAway === "STORE_FULL" && filesIn(world.drop).has("plein.xml");
    });
    const ready = await fetch(`${world.httpUrl}/livez`);
    assert.equal(ready.status, 200, "it lives all the same");

    assert.ok(resize("64m"));
    await eventually("the file is taken by itself once there is room", () => {
      assert.ok(world !== undefined);
      return !filesIn(world.drop).has("plein.xml");
    });
    assert.match(await world.mail("plein.xml", mailed), /^250/);
    await world.control({ do: "up" });
    const all = [...confirmed, mailed, dropped];
    await eventually(
      "one effect for each",
      async () => {
        for (const bytes of all) assert.equal(await world?.effectsOf(bytes), 1);
        return true;
      },
      { withinMs: 60_000 },
    );
    assert.equal((await world.fluxes()).length, all.length);
  });
});
