/**
 * The promise under `kill -9`: the real program, fed by its three channels at once, is killed at
 * random moments. Afterwards every flux that was confirmed (250, file gone, 201) is in the bilan,
 * and the stand-in counted one effect for it, or it is visibly in doubt; never two.
 *
 * `npm run crash` kills 200 times; in the suite, 30.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { runStandin, type RunningStandin } from "../../src/standin/standin-main.ts";
import { eventually } from "../support/eventually.ts";
import {
  freePort,
  startAndKill,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/gateway-process.ts";
import { LONG } from "../support/long-form.ts";
import { callSne } from "../support/soap-callers.ts";
import { sendMail, startMailbox, type Mailbox } from "../support/mail-peers.ts";
import {
  API_KEY,
  dropInto,
  GUICHET,
  readEffects,
  SENDER,
  sha256,
  writeGuichets,
} from "../support/world.ts";

const KILLS = Number(process.env["PASSERELLE_KILLS"] ?? (LONG ? 200 : 15));
/** Longest life of one process once it listens, before it is killed, ms. */
const LONGEST_LIFE_MS = 1_200;

const MOST_FILES_WAITING = 10;

interface Confirmed {
  readonly digest: string;
  readonly by: "mail" | "file" | "rest" | "soap";
}

describe(`the promise under kill -9 (${KILLS} kills)`, function () {
  this.timeout(KILLS * 15_000 + 120_000);

  let directory: string;
  let standin: RunningStandin;
  let mailbox: Mailbox;
  let settings: Record<string, string>;
  let drop: string;
  let smtpPort: number;
  let httpUrl: string;
  let stopped = false;
  let sequence = 0;
  const confirmed: Confirmed[] = [];
  const dropped = new Map<string, string>();

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "passerelle-crash-"));
    standin = await runStandin({ quiet: true });
    mailbox = await startMailbox({ countOnly: true });
    drop = join(directory, "depot");
    smtpPort = await freePort();
    const httpPort = await freePort();
    httpUrl = `http://127.0.0.1:${httpPort}`;
    settings = {
      GATEWAY_NAME: "crash",
      GATEWAY_STORE: join(directory, "passerelle.db"),
      GATEWAY_GUICHETS: writeGuichets(directory),
      GATEWAY_SNE_URL: standin.url,
      GATEWAY_MAIL_URL: mailbox.url,
      GATEWAY_SMTP_PORT: String(smtpPort),
      GATEWAY_HTTP_PORT: String(httpPort),
      GATEWAY_FOLDER_SETTLE_MS: "20",
      GATEWAY_FOLDER_POLL_MS: "50",
      GATEWAY_RETRY_FIRST_MS: "50",
      GATEWAY_RETRY_MAX_MS: "200",
      GATEWAY_DELIVERY_RETRY_FIRST_MS: "50",
      GATEWAY_DELIVERY_RETRY_MAX_MS: "200",
      GATEWAY_LOG_LEVEL: "info",
    };
  });

  after(async () => {
    stopped = true;
    await standin.stop();
    await mailbox.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function nextFile(): { name: string; bytes: Uint8Array; digest: string } {
    sequence += 1;
    const bytes = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      refInterne: `CRASH${sequence}`,
      nom: `NOM${sequence}`,
      seed: sequence,
    });
    const name = fileName({ guichet: GUICHET, at: new Date("2026-01-15T09:00:00Z"), sequence });
    return { name, bytes, digest: sha256(bytes) };
  }

  /** Sends as fast as the gateway confirms, and remembers what was confirmed, nothing else. */
  async function feedByMail(): Promise<void> {
    while (!stopped) {
      const { name, bytes, digest } = nextFile();
      try {
        const reply = await sendMail({
          port: smtpPort,
          from: SENDER,
          attachments: [{ name, bytes }],
        });
        if (reply.startsWith("250")) confirmed.push({ digest, by: "mail" });
      } catch {
        // Not confirmed: the gateway is dead, or died before it answered. Nothing is owed.
        await sleep(10);
      }
    }
  }

  async function feedByRest(): Promise<void> {
    while (!stopped) {
      const { name, bytes, digest } = nextFile();
      try {
        const response = await fetch(`${httpUrl}/api/v1/fluxes`, {
          method: "POST",
          body: Buffer.from(bytes),
          headers: {
            authorization: `Bearer ${API_KEY}`,
            "content-type": "application/xml",
            "x-file-name": name,
            "idempotency-key": digest,
          },
        });
        if (response.status === 201) confirmed.push({ digest, by: "rest" });
        await response.arrayBuffer();
      } catch {
        await sleep(10);
      }
    }
  }

  const isStopped = (): boolean => stopped;

  /** A client of the SNE that sends its call again, as it was, until somebody answers it. */
  async function feedBySoap(): Promise<void> {
    while (!stopped) {
      const { name, bytes, digest } = nextFile();
      let isTold = false;
      while (!isTold && !isStopped()) {
        try {
          const answer = await callSne({
            url: `${httpUrl}/services/DemandeLogementImplService`,
            operation: "getNumUnique",
            element: "numUniqueParametres",
            fields: [
              { name: "nomFichierDemande", text: name },
              { name: "fichierDemande", file: bytes },
              { name: "nomCertificat", text: "CER.pem" },
              { name: "certificat", file: new Uint8Array() },
            ],
          });
          isTold = answer.status === 200 || answer.text("identifiant") !== undefined;
        } catch {
          await sleep(10);
        }
        if (isTold) confirmed.push({ digest, by: "soap" });
      }
    }
  }

  async function feedByFile(): Promise<void> {
    while (!stopped) {
      await sleep(10);
      // A folder that fills faster than a dying gateway empties it would only lengthen the end.
      if (readdirSync(drop).length > MOST_FILES_WAITING) continue;
      const { name, bytes, digest } = nextFile();
      dropInto(drop, name, bytes);
      dropped.set(name, digest);
    }
  }

  async function bilan(): Promise<Record<string, unknown>> {
    const response = await fetch(`${httpUrl}/api/v1/bilan`);
    const value: unknown = await response.json();
    assert.ok(typeof value === "object" && value !== null);
    return Object.fromEntries(Object.entries(value));
  }

  async function allFluxes(): Promise<{ state: string; sha256: string }[]> {
    const all: { state: string; sha256: string }[] = [];
    let after: string | undefined;
    do {
      const query = after === undefined ? "" : `&after=${encodeURIComponent(after)}`;
      const response = await fetch(`${httpUrl}/api/v1/fluxes?limit=500${query}`);
      const page: unknown = await response.json();
      assert.ok(typeof page === "object" && page !== null && "fluxes" in page);
      assert.ok(Array.isArray(page.fluxes));
      for (const flux of page.fluxes as Record<string, unknown>[]) {
        all.push({ state: String(flux["state"]), sha256: String(flux["sha256"]) });
      }
      after = "next" in page && typeof page.next === "string" ? page.next : undefined;
    } while (after !== undefined);
    return all;
  }

  it("keeps every confirmed flux and never takes an effect twice", async () => {
    const feeders = [feedByMail(), feedByMail(), feedByRest(), feedBySoap(), feedByFile()];
    let lastStartMs = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // One in five dies while it starts and takes back what the life before had lent.
      if (kill % 5 === 4) await startAndKill(settings, Math.random() * lastStartMs);
      else {
        const startedAt = performance.now();
        const gateway: GatewayProcess = await startGatewayProcess(settings);
        lastStartMs = performance.now() - startedAt;
        await sleep(Math.random() * LONGEST_LIFE_MS);
        await gateway.kill();
      }
    }
    stopped = true;
    await Promise.all(feeders);

    const gateway = await startGatewayProcess(settings);
    try {
      await eventually(
        "every dropped file taken",
        // Neither where it was dropped nor where a gateway that died had claimed it.
        () =>
          readdirSync(drop, { recursive: true }).every((path) => !String(path).endsWith(".xml")),
        { withinMs: 60_000 },
      );
      await eventually(
        "nothing on its way",
        async () => {
          const fluxes = await allFluxes();
          const moving = fluxes.filter(({ state }) => state === "kept" || state === "inTransit");
          if (moving.length === 0) return true;
          throw new Error(`${moving.length} still moving`);
        },
        { withinMs: 60_000 },
      );
      for (const digest of dropped.values()) confirmed.push({ digest, by: "file" });

      const fluxes = await allFluxes();
      const states = new Map<string, string[]>();
      for (const { sha256: digest, state } of fluxes) {
        states.set(digest, [...(states.get(digest) ?? []), state]);
      }
      const effects = await readEffects(standin.controlUrl);

      const lost = confirmed.filter(({ digest }) => !states.has(digest));
      assert.deepEqual(lost, [], "confirmed and not in the store");
      const twice = [...states].filter(([, found]) => found.length > 1);
      assert.deepEqual(twice, [], "kept twice");
      let inDoubt = 0;
      for (const [digest, [state]] of states) {
        const count = effects.get(digest) ?? 0;
        assert.ok(count <= 1, `${digest} (${state}): ${count} effects`);
        if (state === "inDoubt") inDoubt += 1;
        else assert.equal(count, 1, `${digest} is ${state} and had no effect`);
      }
      const found = await bilan();
      assert.equal(found["balanced"], true);
      assert.equal(found["received"], states.size);
      const by = (channel: Confirmed["by"]): number =>
        confirmed.filter((one) => one.by === channel).length;
      process.stdout.write(
        `      ${KILLS} kills: ${by("mail")} mails, ${by("rest")} deposits, ${by("file")} files, ` +
          `${by("soap")} SOAP calls confirmed; ` +
          `${states.size} kept, ${inDoubt} in doubt, 0 lost, 0 twice\n`,
      );
      // A run in which nothing was in flight would prove nothing.
      assert.ok(
        by("mail") > KILLS && by("rest") > KILLS && by("file") > KILLS && by("soap") > KILLS,
        "too little was sent",
      );

      const { code, ms } = await gateway.terminate();
      assert.equal(code, 0);
      assert.ok(ms < 10_000, `it took ${ms} ms to stop`);
    } finally {
      await gateway.kill();
    }
  });
});
