/** The HTTP interface under TLS: modern versions only, and no plain text on the same port. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureVersion } from "node:tls";
import {
  demande,
  GUICHETS,
  KEYS,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { openRaw } from "../support/raw-http.ts";

/** A certificate of this machine, made for one run. */
function makeCertificate(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...made, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

describe("the HTTP interface under TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "passerelle-tls-"));
  let tls: { key: string; cert: string };
  let gateway: HttpGateway | undefined;

  before(async function () {
    try {
      tls = makeCertificate(folder);
    } catch {
      process.stdout.write("skipped: no openssl command to make a certificate with\n");
      this.skip();
    }
    gateway = await startHttpGateway(() => ({ tls }));
  });
  after(async () => {
    await gateway?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function deposit(maxVersion: SecureVersion): Promise<number> {
    const bytes = demande(GUICHETS.A, 1);
    return new Promise((resolve, reject) => {
      const sent = request(`${gateway!.url}/api/v1/fluxes`, {
        method: "POST",
        ca: tls.cert,
        minVersion: "TLSv1",
        maxVersion,
        // So that the client would speak the old versions, and only the server refuses them.
        ciphers: "DEFAULT:@SECLEVEL=0",
        agent: false,
        headers: { Authorization: `Bearer ${KEYS.A}`, "Content-Type": "text/xml" },
      });
      sent.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on("error", reject);
      sent.end(bytes);
    });
  }

  it("takes deposits by TLS 1.3 and 1.2, and refuses 1.1", async () => {
    assert.match(gateway!.url, /^https:/);
    assert.equal(await deposit("TLSv1.3"), 201);
    assert.equal(await deposit("TLSv1.2"), 200);
    await assert.rejects(deposit("TLSv1.1"));
  });

  it("answers plain text with nothing of its own", async () => {
    const { socket, closed } = openRaw(gateway!.port);
    socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.doesNotMatch(await closed, /alive/);
  });
});
