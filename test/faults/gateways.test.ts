/**
 * Three gateways on one MongoDB under load, the clock of one a minute ahead: they share the work, one
 * after the other is killed and started again, one is frozen past its lease and woken. Nothing
 * confirmed is lost, no flux overtakes an older one of its demande though its fluxes come through
 * different gateways, and each has one effect, or is visibly in doubt.
 *
 * `npm run faults` kills for a minute, on a replica set of three, and has an operator settle what the
 * frozen gateway holds before it wakes.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "../support/eventually.ts";
import {
  assertPromise,
  judge,
  listFluxes,
  printTable,
  settleDoubts,
  tellTroubles,
} from "../support/fault-table.ts";
import { freePort, startGatewayProcess, type GatewayProcess } from "../support/gateway-process.ts";
import { LONG } from "../support/long-form.ts";
import { startReplicaSet, type ReplicaSet } from "../support/mongo/replica-set.ts";
import { withDatabase } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { order } from "../support/standin-calls.ts";
import { startSenders, type SteadySenders } from "../support/steady-senders.ts";
import { writeGuichets } from "../support/world.ts";

const KILLS = LONG ? 20 : 3;
const FREEZES = LONG ? 5 : 1;
const LIFE_MS = LONG ? 3_000 : 1_500;
const LEASE_MS = 5_000;
const MINUTE_AHEAD = pathToFileURL(
  join(import.meta.dirname, "../fixtures/clock-a-minute-ahead.ts"),
);
const AT_WORK = "none";
const KILLED = "one after the other killed";
const FROZEN = "one frozen past its lease";
/** Of three that share alike, the least that any does. */
const FAIR_SHARE = 0.15;

/** One of the three, over its lives. */
interface Member {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly httpUrl: string;
  process: GatewayProcess;
  /** Log lines of its former lives. */
  readonly formerLog: string[];
}

await withMongo("three gateways on one MongoDB under load", { ownProcesses: true }, () => {
  describe("three gateways on one MongoDB under load", function () {
    this.timeout(LONG ? 900_000 : 300_000);

    let directory: string;
    let set: ReplicaSet | undefined;
    let standin: RunningStandin | undefined;
    let members: Member[] = [];
    let senders: SteadySenders | undefined;

    before(() => {
      directory = mkdtempSync(join(tmpdir(), "passerelle-trois-"));
    });
    after(async () => {
      await senders?.stop();
      await Promise.all(members.map(({ process: one }) => one.kill()));
      await standin?.stop();
      await set?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    afterEach(function () {
      if (this.currentTest?.state === "failed") {
        tellTroubles(members.map(({ process: one }) => one));
      }
    });

    async function databaseUri(): Promise<string> {
      // What a gateway that died was writing is held for so long, a minute unless told otherwise.
      const parameters = LONG ? {} : { transactionLifetimeLimitSeconds: 5 };
      set = await startReplicaSet({ nodes: LONG ? 3 : 1, parameters });
      return withDatabase(set.uri, "trois");
    }

    async function startMember(
      name: string,
      common: Readonly<Record<string, string>>,
    ): Promise<Member> {
      const httpPort = await freePort();
      const settings = { ...common, GATEWAY_NAME: name, GATEWAY_HTTP_PORT: String(httpPort) };
      const httpUrl = `http://127.0.0.1:${httpPort}`;
      return {
        ...{ name, settings, httpUrl, formerLog: [] },
        process: await startGatewayProcess(settings),
      };
    }

    async function killAndRestart(member: Member): Promise<void> {
      await member.process.kill();
      member.formerLog.push(...member.process.log);
      member.process = await startGatewayProcess(member.settings);
    }

    /** How many fluxes of a phase each gateway forwarded, by the journal. */
    async function sharesOf(phase: string, httpUrl: string): Promise<ReadonlyMap<string, number>> {
      const digests = new Set(
        senders?.sent.filter((flux) => flux.phase === phase).map(({ digest }) => digest),
      );
      const shares = new Map(members.map(({ name }) => [name, 0]));
      for (const { id, sha256 } of await listFluxes(httpUrl)) {
        if (!digests.has(sha256)) continue;
        const response = await fetch(`${httpUrl}/api/v1/fluxes/${id}/journal`);
        const text = await response.text();
        const owner = /"flux\.claimed".*?"owner":\s*"([^"]+)"/s.exec(text)?.[1];
        const name = members.find((member) => owner?.startsWith(member.name) === true)?.name;
        assert.ok(name !== undefined, `claimed by one of the three: ${text}`);
        shares.set(name, (shares.get(name) ?? 0) + 1);
      }
      return shares;
    }

    /** Each time a role was taken: who, and the term, which grows when it changes hands. */
    function rolesTaken(): readonly { readonly role: string; readonly term: number }[] {
      const lines = members.flatMap(({ formerLog, process: one }) => [...formerLog, ...one.log]);
      return lines
        .filter((line) => line.includes('"role.taken"'))
        .map((line) => JSON.parse(line) as { role: string; term: number });
    }

    it("share the work, and lose nothing when one is killed or frozen", async () => {
      standin = await runStandin({ quiet: true });
      const { controlUrl } = standin;
      await order(controlUrl, [
        { do: "settings", doublons: false },
        // Long enough for every gateway to have calls in progress at any moment.
        { do: "slow", ms: 150 },
      ]);
      const common = {
        GATEWAY_STORE: await databaseUri(),
        GATEWAY_GUICHETS: writeGuichets(directory),
        GATEWAY_SNE_URL: standin.url,
        GATEWAY_SMTP_PORT: "-1",
        GATEWAY_SNE_TIMEOUT_MS: "3000",
        GATEWAY_SNE_CONNECT_TIMEOUT_MS: "1000",
        GATEWAY_LEASE_MS: String(LEASE_MS),
        GATEWAY_SNE_CONCURRENCY: "4",
        GATEWAY_RETRY_FIRST_MS: "50",
        GATEWAY_RETRY_MAX_MS: "500",
        GATEWAY_BREAKER_OPEN_MS: "500",
        GATEWAY_LOG_LEVEL: "info",
      };
      members = await Promise.all([
        startMember("aube", common),
        startMember("brume", common),
        startMember("crue", { ...common, NODE_OPTIONS: `--import ${MINUTE_AHEAD.href}` }),
      ]);
      const [first, second] = members;
      assert.ok(first !== undefined && second !== undefined);
      const running = startSenders({
        gateways: members,
        byRest: 12,
        // Less than the three can forward, so that what is not forwarded is what a fault holds.
        restMs: 200,
        fluxesPerLane: 4,
        prefix: "G",
        // One that is frozen answers nothing: another gateway is tried, under the same key.
        patienceMs: 2_000,
      });
      senders = running;

      const confirmedMore = async (many: number): Promise<void> => {
        const wanted = running.confirmed + many;
        await eventually("more are confirmed", () => running.confirmed >= wanted, {
          withinMs: 60_000,
        });
      };

      running.enter(AT_WORK);
      await confirmedMore(LONG ? 500 : 100);

      // Of the living nothing is taken back, though the clock of one is a minute ahead.
      const takenBack = (await listFluxes(first.httpUrl)).filter(
        ({ reason }) => reason?.code === "LEASE_ENDED",
      );
      assert.deepEqual(takenBack, [], "taken back though nothing had happened");

      running.enter(KILLED);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const member = members[kill % members.length];
        assert.ok(member !== undefined);
        await killAndRestart(member);
        await sleep(LIFE_MS);
      }
      await confirmedMore(20);

      running.enter(FROZEN);
      const doubtedBefore: string[] = [];
      for (let freeze = 0; freeze < FREEZES; freeze += 1) {
        const { pid } = second.process;
        process.kill(pid, "SIGSTOP");
        const frozenAt = Date.now();
        try {
          const isOfBefore = new Set(
            (await listFluxes(first.httpUrl, "inDoubt")).map(({ id }) => id),
          );
          const taken = await eventually(
            "what the frozen gateway holds is taken back",
            async () => {
              await sleep(300);
              const fluxes = (await listFluxes(first.httpUrl, "inDoubt")).filter(
                ({ id }) => !isOfBefore.has(id),
              );
              return fluxes.length > 0 && Date.now() > frozenAt + LEASE_MS ? fluxes : undefined;
            },
            { withinMs: 60_000 },
          );
          if (LONG) {
            await settleDoubts(first.httpUrl, controlUrl, taken);
            doubtedBefore.push(...taken.map(({ sha256 }) => sha256));
          }
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await confirmedMore(20);
      }
      await running.stop();

      const rows = await judge({
        senders: running,
        phases: [AT_WORK, KILLED, FROZEN],
        httpUrl: first.httpUrl,
        standinControlUrl: controlUrl,
        withinMs: 90_000,
        doubtedBefore,
      });
      printTable(rows);
      assertPromise(rows, { leastConfirmed: 20 });
      const shares = await sharesOf(AT_WORK, first.httpUrl);
      const all = [...shares.values()].reduce((sum, share) => sum + share, 0);
      process.stdout.write(
        `      shares: ${[...shares].map(([name, share]) => `${name} ${share}`).join(", ")}\n`,
      );
      for (const [name, share] of shares) {
        assert.ok(share >= FAIR_SHARE * all, `${name} forwarded ${share} of ${all}`);
      }

      const taken = rolesTaken().map(({ role, term }) => `${role} ${term}`);
      assert.ok(taken.length > 0, "somebody holds the role");
      assert.equal(new Set(taken).size, taken.length, `one holder at a time: ${taken.join(", ")}`);

      for (const member of members) {
        const { code, ms } = await member.process.terminate();
        assert.equal(code, 0, member.process.told());
        assert.ok(ms < 10_000, `${member.name} took ${ms} ms to stop`);
      }
    });
  });
});
