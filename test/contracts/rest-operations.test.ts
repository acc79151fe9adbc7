/** What the operator does by REST (F5, E5): allowed moves, refusals that say why, and the bilan. */
import assert from "node:assert/strict";
import {
  demande,
  GUICHETS,
  KEYS,
  NUMERO,
  OPERATOR_KEY,
  startHttpGateway,
  type Answer,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { newQuarantinedFlux } from "../support/new-flux.ts";

const { A } = GUICHETS;

describe("operations by REST", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway();
  });
  afterEach(() => gateway.stop());

  let seed = 0;
  async function keepOne(): Promise<string> {
    seed += 1;
    return (await gateway.deposit("A", demande(A, seed))).json.id;
  }

  async function inDoubt(): Promise<string> {
    const id = await keepOne();
    const event = { name: "flux.putInDoubt", detail: { code: "SNE_NO_ANSWER" } } as const;
    await gateway.conclude(id, { to: "inDoubt", event });
    return id;
  }

  function order(id: string, name: string, json?: unknown): Promise<Answer> {
    return gateway.call("POST", `/api/v1/fluxes/${id}/${name}`, { key: OPERATOR_KEY, json });
  }

  it("settles a doubt each way, and remembers who did", async () => {
    const orders = [
      [{ as: "accepted", numeroUnique: NUMERO, note: "vu", operator: "C. Martin" }, "accepted"],
      [{ as: "refused", note: "refusé dans le SNE" }, "refused"],
      [{ as: "resend" }, "kept"],
      [{ as: "failed", note: "à voir" }, "failed"],
    ] as const;
    for (const [body, state] of orders) {
      const id = await inDoubt();
      const answer = await order(id, "resolve", body);
      assert.equal(answer.status, 200);
      assert.equal(answer.json.state, state);
      const last = (await gateway.outbox.journal(id)).at(-1);
      assert.equal(last?.detail["operator"], "operator" in body ? body.operator : "exploitant");
    }
  });

  it("hides the operator's note from the guichet", async () => {
    const id = await inDoubt();
    await order(id, "resolve", { as: "accepted", numeroUnique: NUMERO, note: "note interne" });
    const own = await gateway.call("GET", `/api/v1/fluxes/${id}`, { key: KEYS.A });
    assert.equal(own.json.verdict["by"], "operator");
    assert.doesNotMatch(own.bytes.toString(), /interne/);
  });

  it("names every field that is not acceptable, and moves nothing", async () => {
    const id = await inDoubt();
    const orders: readonly [unknown, readonly string[]][] = [
      [{}, ["as"]],
      [{ as: "oui" }, ["as"]],
      [{ as: "accepted" }, ["numeroUnique"]],
      [{ as: "accepted", numeroUnique: "trop court" }, ["numeroUnique"]],
      [{ as: "refused" }, ["note"]],
      [{ as: "failed", note: "  " }, ["note"]],
      [{ as: "resend", numeroUnique: NUMERO }, ["numeroUnique"]],
      [{ as: "resend", note: "deux\nlignes", operater: "x" }, ["operater", "note"]],
      [{ as: "refused", note: "x".repeat(501), operator: 7 }, ["operator", "note"]],
      [[], [""]],
      ["accepted", [""]],
      [null, [""]],
    ];
    for (const [body, fields] of orders) {
      const answer = await order(id, "resolve", body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.deepEqual(
        answer.json.fields.map(({ field }) => field),
        fields,
        JSON.stringify(body),
      );
    }
    assert.equal((await gateway.outbox.find(id))?.state, "inDoubt");
  });

  it("takes a field named __proto__ for what it is: an unknown field", async () => {
    const id = await inDoubt();
    const answer = await gateway.call("POST", `/api/v1/fluxes/${id}/resolve`, {
      key: OPERATOR_KEY,
      headers: { "Content-Type": "application/json" },
      body: '{"as":"resend","__proto__":{"as":"accepted"},"constructor":1}',
    });
    assert.deepEqual(
      answer.json.fields.map(({ field }) => field),
      ["__proto__", "constructor"],
    );
    assert.equal(({} as Record<string, unknown>)["as"], undefined);
  });

  it("answers 400, 413 and 415 to bodies that are no small JSON", async () => {
    const id = await inDoubt();
    const path = `/api/v1/fluxes/${id}/discard`;
    const type = { "Content-Type": "application/json" };
    const send = (headers: Readonly<Record<string, string>>, body: string | Uint8Array) =>
      gateway.call("POST", path, { key: OPERATOR_KEY, headers, body });
    const statuses = [
      (await send(type, "{")).status,
      (await send(type, Buffer.from([0x22, 0xff, 0x22]))).status,
      (await send(type, JSON.stringify({ reason: "x".repeat(20_000) }))).status,
      (await send({ "Content-Type": "text/plain" }, "{}")).status,
      (await send({ ...type, "Content-Encoding": "gzip" }, "{}")).status,
    ];
    assert.deepEqual(statuses, [400, 400, 413, 415, 415]);
  });

  it("refuses a move the state does not allow, and says the state", async () => {
    const id = await keepOne();
    const answer = await order(id, "resubmit");
    assert.equal(answer.status, 409);
    assert.equal(answer.json.code, "MOVE_NOT_ALLOWED");
    assert.match(answer.json.detail, /kept/);
    assert.equal((await order("01JQ7Z5W9M4T2X8C6V0B3N1KHD", "resubmit")).status, 404);
    assert.equal((await order("rien", "discard", { reason: "x" })).status, 404);
  });

  it("releases from quarantine, unless the guichet or the content forbids it", async () => {
    const envelope = { kind: "CRE", numGuichet: A.code };
    const stranger = newQuarantinedFlux({ envelope });
    const unknown = newQuarantinedFlux({ envelope: { kind: "CRE", numGuichet: "99999" } });
    const bytes = demande(A, 500);
    const twin = newQuarantinedFlux({ envelope, bytes });
    await gateway.outbox.keep([stranger, unknown, twin]);
    const first = await gateway.deposit("A", bytes);
    assert.equal(first.status, 201);
    assert.equal((await order(stranger.id, "release")).json.guichet, A.code);
    const refused = await order(unknown.id, "release");
    assert.equal(refused.status, 409);
    assert.match(refused.json.detail, /99999/);
    const repeat = await order(twin.id, "release");
    assert.equal(repeat.status, 409);
    assert.equal(repeat.json.fluxId, first.json.id);
  });

  it("discards with a reason the guichet will read, its effect unknown if it was in doubt", async () => {
    const id = await inDoubt();
    const answer = await order(id, "discard", { reason: "Annulé par le guichet" });
    assert.equal(answer.json.state, "discarded");
    assert.equal(answer.json.verdict["effectUnknown"], true);
    const xml = await gateway.call("GET", `/api/v1/fluxes/${id}/acquittement`, { key: KEYS.A });
    assert.match(xml.bytes.toString(), /Annulé par le guichet/);
    const json = await gateway.call("GET", `/api/v1/fluxes/${id}/acquittement`, {
      key: KEYS.A,
      headers: { Accept: "application/json" },
    });
    assert.match(json.bytes.toString(), /"effetInconnu":"true"/);
  });

  it("keeps every order from a guichet's key", async () => {
    const id = await inDoubt();
    for (const name of ["resolve", "resubmit", "release", "discard"]) {
      const path = `/api/v1/fluxes/${id}/${name}`;
      const answer = await gateway.call("POST", path, { key: KEYS.A, json: { reason: "x" } });
      assert.equal(answer.json.code, "NOT_PERMITTED", name);
    }
    assert.equal((await gateway.call("GET", "/api/v1/bilan", { key: KEYS.A })).status, 403);
    assert.equal((await gateway.outbox.find(id))?.state, "inDoubt");
  });

  it("tells a bilan that balances, and one that does not", async () => {
    await keepOne();
    await inDoubt();
    const bilan = await gateway.call("GET", "/api/v1/bilan", { key: OPERATOR_KEY });
    const { received, open, balanced } = bilan.json;
    assert.deepEqual({ received, open, balanced }, { received: 2, open: 2, balanced: true });
    await gateway.stop();
    gateway = await startHttpGateway((outbox) => ({
      outbox: {
        ...outbox,
        counts: async () => ({ ...(await outbox.counts()), received: 1 }),
      },
    }));
    const broken = await gateway.call("GET", "/api/v1/bilan", { key: OPERATOR_KEY });
    assert.equal(broken.json.balanced, false);
  });
});
