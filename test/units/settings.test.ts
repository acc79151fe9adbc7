/** Settings are read once, checked all together, and nothing is guessed. */
import assert from "node:assert/strict";
import { readSettings } from "../../src/runtime/settings.ts";

function problemsOf(environment: Record<string, string>): readonly string[] {
  const reading = readSettings(environment);
  return reading.kind === "invalid" ? reading.problems.map(({ message }) => message) : [];
}

describe("settings", () => {
  it("have a default each, and look at no other name of the environment", () => {
    const reading = readSettings({ PATH: "/bin", HTTP_PROXY: "x" });
    assert.ok(reading.kind === "read");
    assert.equal(reading.settings.httpPort, 8080);
    assert.equal(reading.settings.sneUrl, undefined);
    assert.deepEqual(reading.settings.smtpRecipients, []);
  });

  it("take units: 30s, 5m, 2h, 500k, 20m", () => {
    const reading = readSettings({
      GATEWAY_SNE_TIMEOUT_MS: "30s",
      GATEWAY_LEASE_MS: "5m",
      GATEWAY_MAX_FILE_BYTES: "500k",
    });
    assert.ok(reading.kind === "read");
    assert.equal(reading.settings.sneTimeoutMs, 30_000);
    assert.equal(reading.settings.leaseMs, 300_000);
    assert.equal(reading.settings.maxFileBytes, 512_000);
  });

  it("take several words of a list, and refuse one that is not of it", () => {
    const reading = readSettings({ GATEWAY_SCHEMA_REFUSES: "structure, code" });
    assert.ok(reading.kind === "read");
    assert.deepEqual(reading.settings.schemaRefuses, ["structure", "code"]);
    const usual = readSettings({});
    assert.ok(usual.kind === "read");
    assert.deepEqual(usual.settings.schemaRefuses, ["structure", "value"]);
    for (const wrong of ["structures", "structure, facet", ","]) {
      const [message] = problemsOf({ GATEWAY_SCHEMA_REFUSES: wrong });
      assert.match(message ?? "", /GATEWAY_SCHEMA_REFUSES.*structure, value, unknown, code/);
    }
  });

  it("suggest the name that was meant for one that does not exist", () => {
    const [message] = problemsOf({ GATEWAY_SNE_ULR: "http://x" });
    assert.match(
      message ?? "",
      /GATEWAY_SNE_ULR n'existe pas \(vouliez-vous dire GATEWAY_SNE_URL \?\)/,
    );
  });

  it("tell every problem at once, and never the value of a secret", () => {
    const problems = problemsOf({
      GATEWAY_HTTP_PORT: "huit",
      GATEWAY_LOG_LEVEL: "loud",
      GATEWAY_SMTP_REQUIRE_TLS: "peut-être",
      GATEWAY_SNE_CONCURRENCY: "0",
    });
    assert.equal(problems.length, 4);
    const [secret] = problemsOf({ GATEWAY_OPERATOR_KEY_SHA256: "mon-secret" });
    assert.ok(secret);
    assert.doesNotMatch(secret, /mon-secret/);
  });

  it("take MongoDB for a store, and never tell a credential of it", () => {
    const reading = readSettings({ GATEWAY_STORE: "mongodb://op:s3cret@m1/p" });
    assert.equal(reading.kind, "read");
    const problems = problemsOf({
      GATEWAY_STORE: "mongo://op:s3cret@m1/p",
      GATEWAY_STORE_PARTITIONS: "nord=postgres://op:s3cret@m1/p",
    });
    assert.equal(problems.length, 2);
    assert.doesNotMatch(problems.join(), /s3cret/);
  });

  for (const [what, environment, told] of [
    ["a lease shorter than a call", { GATEWAY_LEASE_MS: "60s" }, /GATEWAY_LEASE_MS/],
    ["a certificate without its key", { GATEWAY_SNE_TLS_CERT: "c.pem" }, /GATEWAY_SNE_TLS_KEY/],
    [
      "TLS required and not offered",
      { GATEWAY_SMTP_REQUIRE_TLS: "true" },
      /GATEWAY_SMTP_REQUIRE_TLS/,
    ],
    ["an address that is none", { GATEWAY_SNE_URL: "sne.example" }, /GATEWAY_SNE_URL/],
    [
      "an address of the events that is none",
      { GATEWAY_SNE_URL: "http://sne.example/", GATEWAY_SNE_EVENTS_URL: "ftp://sne.example/" },
      /GATEWAY_SNE_EVENTS_URL.*http:/,
    ],
    [
      "an address of the search without the SNE's",
      { GATEWAY_SNE_SEARCH_URL: "http://sne.example/" },
      /GATEWAY_SNE_SEARCH_URL.*sans GATEWAY_SNE_URL/,
    ],
    ["a mail sender with a name", { GATEWAY_MAIL_FROM: "SNE <a@b.fr>" }, /GATEWAY_MAIL_FROM/],
    ["a store of another kind", { GATEWAY_STORE: "postgres://x" }, /GATEWAY_STORE /],
    ["a partition without name", { GATEWAY_STORE_PARTITIONS: "/a.db" }, /GATEWAY_STORE_PARTITIONS/],
    [
      "a broken expression",
      { GATEWAY_NUMERO_UNIQUE_PATTERN: "[" },
      /GATEWAY_NUMERO_UNIQUE_PATTERN/,
    ],
  ] as const) {
    it(`refuse ${what}`, () => {
      const problems = problemsOf({ ...environment });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", told);
    });
  }
});
