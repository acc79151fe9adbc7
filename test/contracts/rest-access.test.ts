/** Who may call: keys, and the trust given to this machine, which anything odd takes away. */
import assert from "node:assert/strict";
import { KEYS, OPERATOR_KEY, startHttpGateway, type HttpGateway } from "../support/http-gateway.ts";
import { sendRaw } from "../support/raw-http.ts";

describe("access to the HTTP interface", () => {
  let gateway: HttpGateway;
  afterEach(() => gateway.stop());

  async function statusOf(headers: readonly string[], version = "1.1"): Promise<number> {
    const lines = [`GET /api/v1/bilan HTTP/${version}`, ...headers, "Connection: close", "", ""];
    return (await sendRaw(gateway.port, lines.join("\r\n"))).status;
  }

  describe("with an operator key", () => {
    beforeEach(async () => {
      gateway = await startHttpGateway();
    });

    it("asks for a key, and says how to give it", async () => {
      const answer = await gateway.call("GET", "/api/v1/fluxes");
      assert.equal(answer.status, 401);
      assert.equal(answer.json.code, "AUTHENTICATION_REQUIRED");
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer /);
    });

    it("knows keys by their digest, and takes no other", async () => {
      const statuses = async (key: string): Promise<number> =>
        (await gateway.call("GET", "/api/v1/bilan", { key })).status;
      assert.equal(await statuses(OPERATOR_KEY), 200);
      assert.equal(await statuses(KEYS.A), 403);
      assert.equal(await statuses("inconnue"), 401);
      assert.equal(await statuses(`${OPERATOR_KEY} x`), 401);
    });

    it("takes neither another scheme, nor two keys, nor a key in the address", async () => {
      const basic = Buffer.from(`operateur:${OPERATOR_KEY}`).toString("base64");
      assert.equal(await statusOf(["Host: localhost", `Authorization: Basic ${basic}`]), 401);
      assert.equal(
        await statusOf([
          "Host: localhost",
          `Authorization: Bearer ${KEYS.A}`,
          `Authorization: Bearer ${OPERATOR_KEY}`,
        ]),
        401,
      );
      const answer = await gateway.call("GET", `/api/v1/bilan?access_token=${OPERATOR_KEY}`);
      assert.equal(answer.status, 401);
    });

    it("trusts this machine no more than another", async () => {
      assert.equal(await statusOf(["Host: localhost"]), 401);
    });

    it("reads no body of someone it does not know", async () => {
      const head = `POST /api/v1/fluxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n`;
      const answer = await sendRaw(
        gateway.port,
        `${head}Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n`,
      );
      assert.equal(answer.status, 401);
      assert.doesNotMatch(answer.head, /100 Continue/);
    });
  });

  describe("without an operator key", () => {
    beforeEach(async () => {
      gateway = await startHttpGateway(() => ({ operatorKeySha256: undefined }) as never);
    });

    it("lets a program of this machine operate, and says so when it starts", async () => {
      for (const host of ["localhost", `127.0.0.1:${gateway.port}`, "[::1]:8080"]) {
        assert.equal(await statusOf([`Host: ${host}`]), 200, host);
      }
      assert.equal((await gateway.call("GET", "/api/v1/bilan")).status, 200);
      assert.ok(gateway.logLines.some(({ name }) => name === "http.noOperatorKey"));
    });

    it("trusts nothing that came through a proxy", async () => {
      for (const header of [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: localhost",
        "X-Real-IP: ::1",
        "Forwarded: for=127.0.0.1",
        "Via: 1.1 proxy",
      ]) {
        assert.equal(await statusOf(["Host: localhost", header]), 401, header);
      }
      assert.equal(
        await statusOf(["Host: localhost"], "1.0"),
        401,
        "HTTP/1.0, as nginx by default",
      );
    });

    it("trusts no name rebound to this machine, and no page from elsewhere", async () => {
      for (const host of ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1"]) {
        assert.equal(await statusOf([`Host: ${host}`]), 401, host);
      }
      for (const header of [
        "Origin: http://evil.test",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
      ]) {
        assert.equal(await statusOf(["Host: localhost", header]), 401, header);
      }
    });

    it("takes a wrong key for a wrong key, not for none", async () => {
      const answer = await gateway.call("GET", "/api/v1/bilan", { key: "inconnue" });
      assert.equal(answer.json.code, "UNKNOWN_SENDER");
      assert.equal(await statusOf(["Host: localhost", "Authorization: "]), 401);
    });

    it("asks for the guichet's key when one deposits without any", async () => {
      const answer = await gateway.call("POST", "/api/v1/fluxes", {
        headers: { "Content-Type": "application/xml" },
        body: "<a/>",
      });
      assert.equal(answer.json.code, "AUTHENTICATION_REQUIRED");
    });
  });
});
