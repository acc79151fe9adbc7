/**
 * Mutual TLS with the SNE: trusted both ways or nothing is sent, and a certificate renewed on disk is
 * taken without a restart. Certificates: test/fixtures/tls (made by the script beside them).
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import type { PeerCertificate, TlsOptions } from "node:tls";
import { afterEach, describe, it } from "mocha";
import type { ReadOperation } from "../../src/domain/sne-operation.ts";
import type { TlsFiles } from "../../src/adapters/sne/tls-material.ts";
import { sneAddresses } from "../../src/forward/sne-addresses.ts";
import type { ReadAnswer, Registry, RegistryAnswer } from "../../src/forward/registry.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { acceptedAnswer } from "../support/sne-answers.ts";
import { startScriptedSoapServer } from "../support/scripted-soap-server.ts";
import type { ScriptedSoapServer } from "../support/scripted-soap-server.ts";
import { creation, makeSneClient } from "../support/sne-client.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/tls");
const at = (name: string): string => join(FOLDER, name);
const read = (name: string): Buffer => readFileSync(at(name));

const MUTUAL: TlsOptions = {
  key: read("server.key"),
  cert: read("server.pem"),
  ca: read("authority.pem"),
  requestCert: true,
  rejectUnauthorized: true,
};
const CLIENT: TlsFiles = {
  certFile: at("client.pem"),
  keyFile: at("client.key"),
  caFile: at("authority.pem"),
};

describe("The SNE client under mutual TLS", () => {
  const opened: { stop(): Promise<void> }[] = [];
  /** Names of the client certificates seen, a call each. */
  let seen: string[] = [];

  async function serverOf(tls: TlsOptions): Promise<ScriptedSoapServer> {
    const server = await startScriptedSoapServer({
      tls,
      script: (_request, socket) => {
        assert.ok(socket instanceof TLSSocket);
        // An empty object when there is none, whatever the types say.
        const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
        seen.push(String(subject?.CN ?? "personne"));
        socket.write(acceptedAnswer());
      },
    });
    opened.unshift(server);
    return server;
  }
  async function clientOf(
    server: ScriptedSoapServer,
    tls: TlsFiles,
    options: Parameters<typeof makeSneClient>[1] = {},
  ): Promise<Registry> {
    const client = await makeSneClient(server.url, { tls, ...options });
    opened.unshift(client);
    return client;
  }
  function assertAccessRefused(answer: RegistryAnswer, detail: RegExp): void {
    assert.equal(answer.kind, "notProcessed", JSON.stringify(answer));
    assert.equal(answer.why, "accessRefused", answer.detail);
    assert.match(answer.detail, detail);
  }

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
    seen = [];
  });

  it("calls with its certificate, and keeps the connection", async () => {
    const server = await serverOf(MUTUAL);
    const client = await clientOf(server, CLIENT, { maxConnections: 1 });
    for (let call = 0; call < 3; call += 1) {
      const answer = await client.write(creation());
      assert.equal(answer.kind, "answered", JSON.stringify(answer));
    }
    assert.deepEqual(seen, Array(3).fill("Passerelle de test"));
    assert.equal(server.connections, 1);
  });

  it("opens a locked key with its passphrase", async () => {
    const server = await serverOf(MUTUAL);
    const tls = { ...CLIENT, keyFile: at("client-locked.key"), passphrase: "secret" };
    const client = await clientOf(server, tls);
    assert.equal((await client.write(creation())).kind, "answered");
    await assert.rejects(makeSneClient(server.url, { tls: { ...tls, passphrase: "autre" } }));
  });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    describe(`in ${maxVersion} knows that nothing was sent`, () => {
      it("when the server does not know its certificate's authority", async () => {
        const server = await serverOf({ ...MUTUAL, maxVersion });
        const stranger = { ...CLIENT, certFile: at("stranger.pem"), keyFile: at("stranger.key") };
        const client = await clientOf(server, stranger);
        const answer = await client.write(creation());
        // Node's server resets: in TLS 1.2 that may come before the handshake is over on our side,
        // and then says less.
        assert.equal(answer.kind, "notProcessed", JSON.stringify(answer));
        assert.match(answer.detail, /certificat client/);
        assert.deepEqual(seen, []);
      });

      it("when it gives no certificate to a server that wants one", async () => {
        const server = await serverOf({ ...MUTUAL, maxVersion });
        const client = await clientOf(server, { caFile: at("authority.pem") });
        assertAccessRefused(await client.write(creation()), /certificat client/);
        assert.equal(
          (await client.reachable("demandeLogement", new AbortController().signal)).ok,
          false,
        );
        assert.deepEqual(seen, []);
      });

      it("when it does not know the server's authority", async () => {
        const server = await serverOf({ ...MUTUAL, maxVersion });
        const client = await clientOf(server, { ...CLIENT, caFile: at("other-authority.pem") });
        assertAccessRefused(await client.write(creation()), /son autorité n'est pas connue/);
        assert.deepEqual(seen, []);
      });

      it("when the server's certificate is for another name", async () => {
        const server = await serverOf({
          ...MUTUAL,
          maxVersion,
          key: read("other-server.key"),
          cert: read("other-server.pem"),
        });
        const client = await clientOf(server, CLIENT);
        assertAccessRefused(await client.write(creation()), /fait pour un autre nom/);
        assert.deepEqual(seen, []);
      });
    });
  }

  it("knows that nothing was sent when the server speaks no TLS", async () => {
    const plain = await startScriptedSoapServer();
    opened.unshift(plain);
    const client = await makeSneClient(plain.url.replace("http:", "https:"), {
      tls: CLIENT,
      connectTimeoutMs: 300,
    });
    opened.unshift(client);
    const answer = await client.write(creation());
    assert.equal(answer.kind, "notProcessed", JSON.stringify(answer));
    assert.equal(plain.requests.length, 0);
  });

  it("does not start with a certificate it cannot use", async () => {
    const url = "https://127.0.0.1:1/";
    for (const tls of [
      { ...CLIENT, keyFile: at("stranger.key") },
      { ...CLIENT, certFile: at("absent.pem") },
      { ...CLIENT, caFile: at("make-certificates.sh"), certFile: at("make-certificates.sh") },
    ]) {
      await assert.rejects(makeSneClient(url, { tls }), JSON.stringify(tls));
    }
  });

  describe("when its certificate is renewed on disk", () => {
    /** A clock put forward by hand: the files are looked at every ten seconds. */
    function handClock(): Clock & { forward(ms: number): void } {
      const real = systemClock();
      let ahead = 0;
      return {
        now: () => real.now() + ahead,
        wait: (ms, signal) => real.wait(ms, signal),
        forward: (ms) => {
          ahead += ms;
        },
      };
    }
    async function filesInUse(): Promise<TlsFiles & { certFile: string; keyFile: string }> {
      const folder = await mkdtemp(join(tmpdir(), "passerelle-tls-"));
      opened.push({ stop: () => rm(folder, { recursive: true }) });
      const files = { certFile: join(folder, "c.pem"), keyFile: join(folder, "c.key") };
      await copyFile(at("client.pem"), files.certFile);
      await copyFile(at("client.key"), files.keyFile);
      return { ...files, caFile: at("authority.pem") };
    }
    async function replace(path: string, name: string): Promise<void> {
      await writeFile(path, read(name));
      // A file system may not tell two writes of the same millisecond apart.
      await utimes(path, new Date(), new Date(Date.now() + 5_000));
    }

    it("takes the new one for the calls that follow", async () => {
      const clock = handClock();
      const files = await filesInUse();
      const server = await serverOf(MUTUAL);
      const client = await clientOf(server, files, { clock });
      await client.write(creation());
      await replace(files.certFile, "renewed-client.pem");
      await replace(files.keyFile, "renewed-client.key");
      clock.forward(11_000);
      await client.write(creation());
      assert.deepEqual(seen, ["Passerelle de test", "Passerelle de test renouvelee"]);
    });

    it("takes it for questions, and at every origin its services have", async () => {
      const clock = handClock();
      const files = await filesInUse();
      const [here, there] = [await serverOf(MUTUAL), await serverOf(MUTUAL)];
      const client = await clientOf(here, files, {
        clock,
        maxConnections: 1,
        urls: sneAddresses({ sneUrl: here.url, sneSearchUrl: there.url }),
      });
      const ask = (operation: ReadOperation): Promise<ReadAnswer> =>
        client.read({ operation, parameters: [], signal: new AbortController().signal });
      await ask("getDoublons");
      await ask("rechercheDemandeMulticritere");
      assert.deepEqual([here.requests.length, there.requests.length], [1, 1]);
      await replace(files.certFile, "renewed-client.pem");
      await replace(files.keyFile, "renewed-client.key");
      clock.forward(11_000);
      await ask("getDoublons");
      await ask("rechercheDemandeMulticritere");
      await ask("rechercheDemandeMulticritere");
      assert.deepEqual([here.requests.length, there.requests.length], [2, 3]);
      const [old, renewed] = ["Passerelle de test", "Passerelle de test renouvelee"];
      assert.deepEqual(seen, [old, old, renewed, renewed, renewed]);
      // Kept between two questions, and given up when the certificate changed.
      assert.deepEqual([here.connections, there.connections], [2, 2]);
    });

    it("goes on with the old one while the new files do not go together, and says so", async () => {
      const clock = handClock();
      const warnings: string[] = [];
      const files = await filesInUse();
      const server = await serverOf(MUTUAL);
      const log = { ...SILENT_LOG, warn: (name: string) => void warnings.push(name) };
      const client = await clientOf(server, files, { clock, log });
      // The key first, its certificate not yet.
      await replace(files.keyFile, "renewed-client.key");
      clock.forward(11_000);
      assert.equal((await client.write(creation())).kind, "answered");
      assert.deepEqual(warnings, ["sne.certificateNotUsable"]);
      await replace(files.certFile, "renewed-client.pem");
      clock.forward(11_000);
      assert.equal((await client.write(creation())).kind, "answered");
      assert.deepEqual(seen, ["Passerelle de test", "Passerelle de test renouvelee"]);
    });
  });
});
