/** Deposit by REST (A6): what is said to be kept is kept, once, and what is refused says why. */
import assert from "node:assert/strict";
import {
  demande,
  GUICHET_MAX_FLUXES,
  GUICHETS,
  KEYS,
  MAX_BYTES,
  OPERATOR_KEY,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { gatewayError } from "../../src/domain/errors.ts";

const { A } = GUICHETS;

describe("deposit by REST", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway();
  });
  afterEach(() => gateway.stop());

  async function received(): Promise<number> {
    return (await gateway.outbox.counts()).received;
  }

  it("answers 201 with the flux it kept, byte for byte", async () => {
    const bytes = demande(A, 1);
    const answer = await gateway.deposit("A", bytes, {
      "Content-Disposition": `attachment; filename="DEM${A.code}-202603310800-000123.xml"`,
    });
    assert.equal(answer.status, 201);
    const { id, state, fileName, sequence, repeated, guichet } = answer.json;
    assert.deepEqual(
      { state, fileName, sequence, repeated, guichet },
      {
        state: "kept",
        fileName: `DEM${A.code}-202603310800-000123.xml`,
        sequence: 123,
        repeated: false,
        guichet: A.code,
      },
    );
    assert.equal(answer.headers.get("location"), `/api/v1/fluxes/${id}`);
    const original = await gateway.outbox.file(id, "original");
    assert.deepEqual(Buffer.from(original!.bytes), Buffer.from(bytes));
  });

  it("turns a deposit away, with the time to come again, once its guichet has too many open", async () => {
    for (let seed = 0; seed < GUICHET_MAX_FLUXES; seed += 1) {
      assert.equal((await gateway.deposit("A", demande(A, seed))).status, 201);
    }
    const answer = await gateway.deposit("A", demande(A, GUICHET_MAX_FLUXES));
    assert.equal(answer.status, 503);
    assert.equal(answer.json.code, "QUEUE_FULL");
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assert.equal(await received(), GUICHET_MAX_FLUXES);
    const { B } = GUICHETS;
    assert.equal((await gateway.deposit("B", demande(B, 1))).status, 201);
  });

  it("takes the one file of a form", async () => {
    const form = new FormData();
    form.set("commentaire", "un champ qui n'est pas un fichier");
    form.set("fichier", new Blob([demande(A, 2)], { type: "text/xml" }), "été 1.xml");
    const answer = await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: form });
    assert.equal(answer.status, 201);
    assert.equal(answer.json.fileName, "été 1.xml");
  });

  it("refuses a form with two files and one with none, and keeps nothing of them", async () => {
    const two = new FormData();
    two.append("fichier", new Blob([demande(A, 3)]), "1.xml");
    two.append("fichier", new Blob([demande(A, 4)]), "2.xml");
    const none = new FormData();
    none.set("fichier", "pas un fichier");
    const answers = [
      await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: two }),
      await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: none }),
    ];
    assert.deepEqual(
      answers.map(({ status, json }) => [status, json.code]),
      [
        [400, "INVALID_REQUEST"],
        [422, "NO_ATTACHMENT"],
      ],
    );
    assert.equal(await received(), 0);
  });

  it("gives back the first flux when the same file comes again", async () => {
    const first = await gateway.deposit("A", demande(A, 5));
    const again = await gateway.deposit("A", demande(A, 5));
    assert.equal(again.status, 200);
    assert.equal(again.json.id, first.json.id);
    assert.equal(again.json.repeated, true);
    assert.equal(again.headers.get("idempotent-replayed"), null);
    assert.equal(await received(), 1);
  });

  it("makes one flux of twenty deposits at once under one Idempotency-Key", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        gateway.deposit("A", demande(A, 6), { "Idempotency-Key": "export 6" }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [...Array<number>(19).fill(200), 201]);
    assert.equal(new Set(answers.map(({ json }) => json.id)).size, 1);
    const replayed = answers.filter(({ headers }) => headers.get("idempotent-replayed") === "true");
    assert.equal(replayed.length, 19);
    assert.equal(await received(), 1);
  });

  it("refuses an Idempotency-Key that already served for another file", async () => {
    const first = await gateway.deposit("A", demande(A, 7), { "Idempotency-Key": "k" });
    const other = await gateway.deposit("A", demande(A, 8), { "Idempotency-Key": "k" });
    assert.equal(other.status, 422);
    assert.equal(other.json.code, "IDEMPOTENCY_CONFLICT");
    assert.equal(other.json.fluxId, first.json.id);
    assert.equal(await received(), 1);
  });

  it("keeps the Idempotency-Keys of two guichets apart", async () => {
    const first = await gateway.deposit("A", demande(A, 9), { "Idempotency-Key": "k" });
    const second = await gateway.deposit("B", demande(GUICHETS.B, 9), { "Idempotency-Key": "k" });
    assert.deepEqual([first.status, second.status], [201, 201]);
  });

  it("refuses an Idempotency-Key that is empty, too long or not printable", async () => {
    for (const key of ["", "x".repeat(256), "é"]) {
      const answer = await gateway.deposit("A", demande(A, 10), { "Idempotency-Key": key });
      assert.equal(answer.status, 400, JSON.stringify(key));
      assert.equal(answer.json.fields[0]?.field, "Idempotency-Key");
    }
    assert.equal(await received(), 0);
  });

  it("tells where a file cannot be read, and keeps nothing of it", async () => {
    const answer = await gateway.deposit(
      "A",
      Buffer.from('<interfaceNuu xmlns="http://nuu.application.i2/">\n  <a></b>'),
    );
    assert.equal(answer.status, 422);
    assert.equal(answer.json.code, "NOT_XML");
    assert.equal(answer.json.controls[0]?.line, 2);
    assert.ok(answer.json.advice.length > 0);
    assert.equal(await received(), 0);
  });

  it("refuses a file that names another guichet", async () => {
    const answer = await gateway.deposit("A", demande(GUICHETS.B, 11));
    assert.equal(answer.status, 403);
    assert.equal(answer.json.code, "GUICHET_NOT_ALLOWED");
    assert.match(answer.json.detail, new RegExp(GUICHETS.B.code));
    assert.equal(await received(), 0);
  });

  it("answers an empty body, with or without a length", async () => {
    const empty = await gateway.deposit("A", new Uint8Array(0));
    const bodiless = await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A });
    assert.deepEqual([empty.json.code, bodiless.json.code], ["EMPTY_FILE", "EMPTY_FILE"]);
  });

  it("takes a file of exactly the largest size, by both ways, and refuses one byte more", async () => {
    const form = (bytes: Uint8Array): FormData => {
      const made = new FormData();
      made.set("f", new Blob([bytes]), "f.xml");
      return made;
    };
    const exact = demande(A, 12, { padToBytes: MAX_BYTES });
    const over = demande(A, 12, { padToBytes: MAX_BYTES + 1 });
    const answers = [
      await gateway.deposit("A", exact),
      await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: form(exact) }),
      await gateway.deposit("A", over),
      await gateway.call("POST", "/api/v1/fluxes", { key: KEYS.A, body: form(over) }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 200, 413, 413],
    );
    assert.match(answers[2]!.json.detail, /200000/);
  });

  it("refuses other types and compressed bodies, saying what it takes", async () => {
    const json = await gateway.deposit("A", Buffer.from("{}"), {
      "Content-Type": "application/json",
    });
    assert.equal(json.status, 415);
    assert.match(json.headers.get("accept") ?? "", /multipart\/form-data/);
    for (const coding of ["gzip", "br", "gzip, gzip"]) {
      const answer = await gateway.deposit("A", Buffer.from("pas du gzip"), {
        "Content-Encoding": coding,
      });
      assert.equal(answer.status, 415, coding);
      assert.equal(answer.headers.get("accept-encoding"), "identity");
    }
    assert.equal(await received(), 0);
  });

  it("deposits nothing in the operator's name", async () => {
    const answer = await gateway.call("POST", "/api/v1/fluxes", {
      key: OPERATOR_KEY,
      headers: { "Content-Type": "application/xml" },
      body: demande(A, 13),
    });
    assert.equal(answer.json.code, "NOT_PERMITTED");
    assert.equal(await received(), 0);
  });
});

describe("deposit by REST, when it cannot be kept", () => {
  for (const [code, status] of [
    ["STORE_FULL", 507],
    ["STORE_UNAVAILABLE", 503],
    ["STOPPING", 503],
  ] as const) {
    it(`answers ${status} for ${code} and says when to come back`, async () => {
      const gateway = await startHttpGateway(() => ({
        receive: () => Promise.reject(gatewayError(code)),
      }));
      try {
        const answer = await gateway.deposit("A", demande(A, 20));
        assert.equal(answer.status, status);
        assert.equal(answer.json.code, code);
        assert.ok(Number(answer.headers.get("retry-after")) > 0);
        assert.ok(gateway.told.some(({ name }) => name === "arrival.turnedAway"));
      } finally {
        await gateway.stop();
      }
    });
  }

  it("shows no cause of an unexpected error, and logs it under the identifier it gives", async () => {
    const gateway = await startHttpGateway(() => ({
      receive: () => Promise.reject(new TypeError("secret cause")),
    }));
    try {
      const answer = await gateway.deposit("A", demande(A, 21));
      assert.equal(answer.status, 500);
      assert.equal(answer.json.code, "INTERNAL_ERROR");
      assert.doesNotMatch(answer.bytes.toString(), /secret|\.ts:|at /);
      const logged = gateway.logLines.find(({ name }) => name === "http.unexpected");
      assert.equal(logged?.facts["correlationId"], answer.json.correlationId);
      assert.equal(logged.facts["error"], "secret cause");
    } finally {
      await gateway.stop();
    }
  });
});
