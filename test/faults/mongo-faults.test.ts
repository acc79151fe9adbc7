/**
 * The promise on a real replica set of three that fails under load: primary killed, stepped down,
 * frozen, slow; network between gateway and primary refused, silent, deaf; a secondary whose disk is
 * full; no majority. The real gateway is fed by REST and by mail all the while. Afterwards nothing
 * confirmed is lost, no flux overtook an older one of its demande, and each had one effect, or was
 * visibly in doubt. Counts are printed, a row per fault.
 *
 * `npm run crash` makes every fault several times, and longer.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "../support/eventually.ts";
import { assertPromise, judge, printTable, tellTroubles } from "../support/fault-table.ts";
import { freePort, startGatewayProcess, type GatewayProcess } from "../support/gateway-process.ts";
import { LONG } from "../support/long-form.ts";
import { startMailbox, type Mailbox } from "../support/mail-peers.ts";
import {
  startReplicaSet,
  type ReplicaNode,
  type ReplicaSet,
} from "../support/mongo/replica-set.ts";
import { withDatabase } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { order } from "../support/standin-calls.ts";
import { PATIENCE_MS, startSenders, type SteadySenders } from "../support/steady-senders.ts";
import { writeGuichets } from "../support/world.ts";

const ROUNDS = LONG ? 3 : 1;
/** How much longer each fault lasts. */
const STRETCH = LONG ? 5 : 1;
/** Confirmed again before a fault counts as over. */
const OVER_AFTER = 10;
/** How the gateway calls itself to MongoDB. */
const GATEWAY = "passerelle-sne";
const DISK_MB = 384;

interface Fault {
  readonly name: string;
  /** Makes the fault, and ends it. */
  readonly happen: () => Promise<void>;
}

await withMongo("faults of a replica set of three under load", { ownProcesses: true }, () => {
  describe("faults of a replica set of three under load", function () {
    this.timeout(LONG ? 1_200_000 : 240_000);

    let directory: string;
    let disk: string | undefined;
    let set: ReplicaSet;
    let standin: RunningStandin;
    let mailbox: Mailbox;
    let gateway: GatewayProcess | undefined;
    let httpUrl: string;
    let senders: SteadySenders | undefined;
    const running: { stop(): Promise<void> }[] = [];

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), "passerelle-fautes-"));
      disk = mountSmallDisk();
      [set, standin, mailbox] = await Promise.all([
        startReplicaSet({ nodes: 3, throughProxies: true, dbPaths: [undefined, undefined, disk] }),
        runStandin({ quiet: true }),
        startMailbox({ countOnly: true }),
      ]);
      running.push(set, standin, mailbox);
      // Made-up people look like one another; and a call takes a moment, so that lanes fill.
      await order(standin.controlUrl, [
        { do: "settings", doublons: false },
        { do: "slow", ms: 20 },
      ]);
      const [httpPort, smtpPort] = [await freePort(), await freePort()];
      httpUrl = `http://127.0.0.1:${httpPort}`;
      gateway = await startGatewayProcess({
        GATEWAY_NAME: "fautes",
        GATEWAY_STORE: withDatabase(set.uri, "fautes"),
        GATEWAY_GUICHETS: writeGuichets(directory),
        GATEWAY_SNE_URL: standin.url,
        GATEWAY_MAIL_URL: mailbox.url,
        GATEWAY_HTTP_PORT: String(httpPort),
        GATEWAY_SMTP_PORT: String(smtpPort),
        GATEWAY_SNE_TIMEOUT_MS: "3000",
        GATEWAY_SNE_CONNECT_TIMEOUT_MS: "1000",
        GATEWAY_LEASE_MS: "10000",
        GATEWAY_RETRY_FIRST_MS: "50",
        GATEWAY_RETRY_MAX_MS: "500",
        GATEWAY_BREAKER_OPEN_MS: "500",
        GATEWAY_DELIVERY_RETRY_FIRST_MS: "50",
        GATEWAY_DELIVERY_RETRY_MAX_MS: "500",
        GATEWAY_LOG_LEVEL: "info",
      });
      senders = startSenders({
        gateways: [{ httpUrl, smtpPort }],
        byRest: 8,
        byMail: 1,
        fluxesPerLane: 5,
        prefix: "F",
      });
    });

    after(async () => {
      await senders?.stop();
      await gateway?.kill();
      await Promise.all(running.map((one) => one.stop()));
      rmSync(directory, { recursive: true, force: true });
      if (disk === undefined) return;
      spawnSync("umount", [disk]);
      rmSync(disk, { recursive: true, force: true });
    });

    afterEach(function () {
      if (this.currentTest?.state === "failed") tellTroubles([gateway]);
    });

    /** A file system small enough to fill; undefined, with the reason printed, without root. */
    function mountSmallDisk(): string | undefined {
      const path = mkdtempSync(join(tmpdir(), "passerelle-disque-"));
      const options = ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", path];
      if (spawnSync("mount", options).status === 0) return path;
      rmSync(path, { recursive: true });
      process.stdout.write(
        "      not run: secondary whose disk is full (mounting a small file system needs root)\n",
      );
      return undefined;
    }

    async function confirmedAgain(): Promise<void> {
      const wanted = (senders?.confirmed ?? 0) + OVER_AFTER;
      await eventually("fluxes are confirmed again", () => (senders?.confirmed ?? 0) >= wanted, {
        withinMs: PATIENCE_MS,
      });
    }

    async function isSecondary(node: ReplicaNode): Promise<void> {
      await eventually(
        "it is a secondary again",
        async () => (await node.admin({ hello: 1 }))["secondary"] === true,
        { withinMs: 60_000 },
      );
    }

    /** The gateway's connections to the primary of now fail for a while. */
    async function network(fail: (node: ReplicaNode) => void, ms: number): Promise<void> {
      const primary = await set.primary();
      fail(primary);
      await sleep(ms * STRETCH);
      primary.proxy?.restore();
    }

    async function primaryKilled(): Promise<void> {
      const dead = await set.primary();
      await dead.kill();
      await confirmedAgain();
      await dead.start();
      await isSecondary(dead);
    }

    async function primaryFrozen(): Promise<void> {
      const frozen = await set.primary();
      frozen.freeze();
      await confirmedAgain();
      await sleep(1_000 * (STRETCH - 1));
      frozen.thaw();
    }

    async function noMajority(): Promise<void> {
      const primary = await set.primary();
      const others = set.nodes.filter((node) => node !== primary);
      await Promise.all(others.map((node) => node.kill()));
      await sleep(2_000 * STRETCH);
      await Promise.all(others.map((node) => node.start()));
    }

    async function deafThenReset(): Promise<void> {
      const primary = await set.primary();
      // What is asked is done, and its answer never comes: outcomes nobody knows.
      primary.proxy?.silence({ of: GATEWAY, way: "down" });
      await sleep(1_000 * STRETCH);
      primary.proxy?.cut({ of: GATEWAY });
      await sleep(200);
      primary.proxy?.restore();
    }

    async function diskFull(): Promise<void> {
      const node = set.nodes[2];
      assert.ok(node !== undefined && disk !== undefined);
      if ((await set.primary()) === node) await set.stepDown(20);
      const ballast = join(disk, "ballast");
      await fill(ballast);
      await eventually("the secondary dies of its full disk", () => !node.isRunning, {
        withinMs: 60_000,
      });
      await confirmedAgain();
      rmSync(ballast);
      await node.start();
      await isSecondary(node);
    }

    const faults: readonly Fault[] = [
      { name: "none", happen: () => sleep(1_500 * STRETCH) },
      { name: "primary killed", happen: primaryKilled },
      { name: "primary stepped down", happen: () => set.stepDown(3) },
      {
        name: "network refused",
        happen: () => network(({ proxy }) => proxy?.cut({ of: GATEWAY }), 1_000),
      },
      {
        name: "network silent",
        happen: () => network(({ proxy }) => proxy?.silence({ of: GATEWAY }), 2_000),
      },
      { name: "answers never come", happen: deafThenReset },
      {
        name: "primary slow (0.2 s each way)",
        happen: () =>
          network(({ proxy }) => proxy?.delay({ of: GATEWAY, upMs: 200, downMs: 200 }), 2_000),
      },
      { name: "primary frozen", happen: primaryFrozen },
      { name: "no majority", happen: noMajority },
      { name: "secondary's disk full", happen: diskFull },
    ];

    it("loses nothing it confirmed, keeps order, and takes no effect twice", async () => {
      assert.ok(senders !== undefined && gateway !== undefined);
      const happening = faults.filter(({ happen }) => happen !== diskFull || disk !== undefined);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const { name, happen } of happening) {
          senders.enter(name);
          await happen();
          await confirmedAgain();
        }
      }
      await senders.stop();
      const rows = await judge({
        senders,
        phases: happening.map(({ name }) => name),
        httpUrl,
        standinControlUrl: standin.controlUrl,
        withinMs: 90_000,
      });
      printTable(rows);
      assertPromise(rows, { leastConfirmed: OVER_AFTER });
      for (const { fault, refusals } of rows) {
        // Whoever is not confirmed is told to come again; nobody is left without an answer.
        const rude = [...refusals.keys()].filter((answer) => !["503", "451"].includes(answer));
        assert.deepEqual(rude, [], `${fault}: answers that are no refusal of a store that is away`);
      }
      const { code, ms } = await gateway.terminate();
      assert.equal(code, 0);
      assert.ok(ms < 10_000, `it took ${ms} ms to stop`);
    });
  });
});

/** Writes zeros until there is no room. */
async function fill(path: string): Promise<void> {
  const dd = spawn("dd", ["if=/dev/zero", `of=${path}`, "bs=64k"], { stdio: "ignore" });
  const [code] = (await once(dd, "exit")) as [number];
  assert.equal(code, 1, "there was room for everything");
}
