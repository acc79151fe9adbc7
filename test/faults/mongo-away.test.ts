/**
 * A gateway whose MongoDB cannot be reached, the network telling nothing: whoever sends is told to
 * come again, soon, and nothing hangs; the gateway lives, says it is not ready, and stops in its
 * time; one that starts says why it cannot. When the network is back everything goes on by itself.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import { startCutProxy, type CutProxy } from "../support/cut-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, startGatewayProcess, type GatewayProcess } from "../support/gateway-process.ts";
import { sendMail } from "../support/mail-peers.ts";
import { freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { API_KEY, GUICHET, SENDER, writeGuichets } from "../support/world.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
/** The driver looks for a server for 5 s; a request that was under way first waits to be given up. */
const SOON_MS = 25_000;
const STOP_MS = 2_000;

await withMongo("a MongoDB that cannot be reached", { ownProcesses: true }, () => {
  describe("a MongoDB that cannot be reached", function () {
    this.timeout(120_000);
    let directory: string;
    let proxy: CutProxy;
    const running: { stop(): Promise<void> }[] = [];
    let settings: Record<string, string>;
    let gateway: GatewayProcess | undefined;
    let httpUrl: string;
    let seed = 0;

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), "passerelle-absente-"));
      const uri = new URL((await freshDatabaseUri()).replace("mongodb:", "http:"));
      proxy = await startCutProxy({ to: Number(uri.port) });
      running.push(proxy);
      const httpPort = await freePort();
      httpUrl = `http://127.0.0.1:${httpPort}`;
      settings = {
        GATEWAY_NAME: "absente",
        GATEWAY_STORE: `mongodb://127.0.0.1:${proxy.port}${uri.pathname}?directConnection=true`,
        GATEWAY_GUICHETS: writeGuichets(directory),
        GATEWAY_HTTP_PORT: String(httpPort),
        GATEWAY_SMTP_PORT: String(await freePort()),
        GATEWAY_STOP_MS: String(STOP_MS),
      };
      gateway = await startGatewayProcess(settings);
    });
    after(async () => {
      await gateway?.kill();
      await Promise.all(running.map((one) => one.stop()));
      rmSync(directory, { recursive: true, force: true });
    });

    async function deposit(): Promise<{ status: number; text: string; retryAfter: string | null }> {
      seed += 1;
      const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, nom: `NOM${seed}`, seed });
      const response = await fetch(`${httpUrl}/api/v1/fluxes`, {
        method: "POST",
        body: Buffer.from(bytes),
        headers: {
          authorization: `Bearer ${API_KEY}`,
          "content-type": "application/xml",
          "x-file-name": `absente-${seed}.xml`,
        },
      });
      const retryAfter = response.headers.get("retry-after");
      return { status: response.status, text: await response.text(), retryAfter };
    }

    async function mail(): Promise<string> {
      seed += 1;
      const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, nom: `NOM${seed}`, seed });
      const attachments = [{ name: `absente-${seed}.xml`, bytes }];
      const port = Number(settings["GATEWAY_SMTP_PORT"]);
      return sendMail({ port, from: SENDER, attachments }).catch(String);
    }

    const within = async <T>(what: string, limitMs: number, asked: Promise<T>): Promise<T> => {
      const startedAt = performance.now();
      const value = await asked;
      const ms = Math.round(performance.now() - startedAt);
      process.stdout.write(`      ${what}: ${ms} ms\n`);
      assert.ok(ms < limitMs, `${what} took ${ms} ms`);
      return value;
    };

    /** What a gateway that starts now says, and its exit code. */
    async function startAnother(): Promise<{ code: number; told: string }> {
      const child = spawn(process.execPath, [MAIN, "serve"], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { PATH: process.env["PATH"], ...settings },
      });
      let told = "";
      child.stderr.on("data", (chunk: Buffer) => {
        told += chunk.toString();
      });
      const [code] = (await once(child, "exit")) as [number];
      return { code, told };
    }

    it("is told to senders soon, by each channel, and to whom starts or asks if all is ready", async () => {
      assert.equal((await deposit()).status, 201);
      proxy.silence();
      const [byRest, byMail, ready, other] = await Promise.all([
        within("first deposit refused", SOON_MS, deposit()),
        within("first mail refused", SOON_MS, mail()),
        within("not ready", SOON_MS, fetch(`${httpUrl}/readyz`)),
        within("another did not start", SOON_MS, startAnother()),
      ]);
      assert.equal(byRest.status, 503);
      assert.match(byRest.text, /STORE_UNAVAILABLE/);
      assert.match(byRest.retryAfter ?? "", /^\d+$/);
      assert.match(byMail, /451/);
      assert.equal(ready.status, 503);
      assert.equal((await fetch(`${httpUrl}/livez`)).status, 200, "it lives all the same");
      assert.equal(other.code, 1);
      assert.match(other.told, /La passerelle ne démarre pas : .*indisponible/);
      const next = await within("next deposit refused", SOON_MS, deposit());
      assert.equal(next.status, 503);
    });

    it("is gone through by itself once the network is back", async () => {
      proxy.restore();
      await eventually("a deposit is kept", async () => (await deposit()).status === 201, {
        withinMs: 30_000,
      });
      assert.match(await mail(), /^250/);
    });

    it("does not keep a gateway from stopping in its time", async () => {
      proxy.silence();
      const inHand = deposit().catch(String);
      assert.ok(gateway !== undefined);
      const { code, ms } = await gateway.terminate();
      process.stdout.write(`      stopped: ${Math.round(ms)} ms, code ${code}\n`);
      assert.ok(ms < STOP_MS + 3_000, `it took ${ms} ms to stop`);
      await inHand;
    });
  });
});
