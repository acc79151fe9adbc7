/** Follow-up by REST: where a flux is, why, and nothing of anybody else's. */
import assert from "node:assert/strict";
import {
  demande,
  GUICHETS,
  KEYS,
  NUMERO,
  OPERATOR_KEY,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { newFlux } from "../support/new-flux.ts";

const { A, B } = GUICHETS;

describe("follow-up by REST", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway(() => ({
      breaker: { state: "closed", retryAt: undefined },
    }));
  });
  afterEach(() => gateway.stop());

  async function keepOne(seed: number, more = {}): Promise<string> {
    return (await gateway.deposit("A", demande(A, seed, more))).json.id;
  }

  const see = (path: string, key: string = KEYS.A) => gateway.call("GET", path, { key });

  it("shows a flux to its guichet, in words, without what operators alone may know", async () => {
    const id = await keepOne(1);
    const { status, json } = await see(`/api/v1/fluxes/${id}`);
    assert.equal(status, 200);
    assert.equal(json.state, "kept");
    assert.equal(json.waiting.code, "turn");
    assert.equal(json.origin, undefined);
    assert.equal(json.links["acquittement"], undefined);
  });

  it("shows it to the operator with its origin", async () => {
    const id = await keepOne(2);
    const { json } = await see(`/api/v1/fluxes/${id}`, OPERATOR_KEY);
    assert.equal(json.origin["from"], `guichet ${A.code}`);
    assert.equal(json.origin["remoteAddress"], "127.0.0.1");
  });

  it("hides the fluxes of other guichets as if they were not", async () => {
    const id = await keepOne(3);
    for (const path of ["", "/journal", "/acquittement", "/acquittement/reponse"]) {
      const other = await see(`/api/v1/fluxes/${id}${path}`, KEYS.B);
      const unknown = await see(`/api/v1/fluxes/01JQ7Z5W9M4T2X8C6V0B3N1KHD${path}`, KEYS.B);
      assert.equal(other.status, 404);
      assert.deepEqual(
        { ...other.json, instance: "" },
        { ...unknown.json, instance: "" },
        "nothing tells a hidden flux from one that is not there",
      );
    }
    const list = await see("/api/v1/fluxes", KEYS.B);
    assert.deepEqual(list.json.fluxes, []);
    const asked = await see(`/api/v1/fluxes?guichet=${A.code}`, KEYS.B);
    assert.equal(asked.json.code, "NOT_PERMITTED");
  });

  it("says that an older flux of the same demande goes first", async () => {
    const first = await keepOne(4, { typeFichier: "MOD", numUnique: NUMERO });
    const second = await keepOne(5, { typeFichier: "MOD", numUnique: NUMERO });
    const { json } = await see(`/api/v1/fluxes/${second}`);
    assert.equal(json.waiting.code, "laneHeld");
    assert.equal(json.waiting.behind, first);
    assert.equal((await see(`/api/v1/fluxes/${first}`)).json.waiting.code, "turn");
  });

  it("says when the next try comes, and that a doubt waits for a person", async () => {
    const id = await keepOne(6);
    const dueAt = Date.now() + 60_000;
    await gateway.conclude(id, {
      to: "kept",
      dueAt,
      reason: { code: "SNE_BUSY", text: "Le SNE demande de réessayer plus tard." },
      event: { name: "flux.postponed", detail: { code: "SNE_BUSY", ms: 3 } },
    });
    const { json } = await see(`/api/v1/fluxes/${id}`);
    assert.equal(json.waiting.code, "retryTime");
    assert.equal(json.waiting.until, new Date(dueAt).toISOString());
    const doubt = await keepOne(7);
    await gateway.conclude(doubt, {
      to: "inDoubt",
      event: { name: "flux.putInDoubt", detail: { code: "SNE_NO_ANSWER" } },
    });
    assert.equal((await see(`/api/v1/fluxes/${doubt}`)).json.waiting.code, "operator");
  });

  it("tells the journal in order, and hides from a guichet who operates the gateway", async () => {
    const id = await keepOne(8);
    await gateway.conclude(id, { to: "failed", event: { name: "flux.failed", detail: { ms: 1 } } });
    const order = await gateway.call("POST", `/api/v1/fluxes/${id}/resubmit`, {
      key: OPERATOR_KEY,
      json: { operator: "C. Martin" },
    });
    assert.equal(order.status, 200);
    const own = await see(`/api/v1/fluxes/${id}/journal`);
    assert.deepEqual(
      own.json.journal.map(({ name }) => name),
      ["flux.kept", "flux.claimed", "flux.failed", "flux.resubmitted"],
    );
    assert.doesNotMatch(own.bytes.toString(), /Martin/);
    const whole = await see(`/api/v1/fluxes/${id}/journal`, OPERATOR_KEY);
    assert.match(whole.bytes.toString(), /Martin/);
  });

  it("lists pages that together show every flux once, in both orders", async () => {
    const ids: string[] = [];
    for (let seed = 10; seed < 15; seed += 1) ids.push(await keepOne(seed));
    for (const order of ["oldestFirst", "newestFirst"]) {
      const seen: string[] = [];
      let path = `/api/v1/fluxes?limit=2&state=kept,accepted&order=${order}`;
      for (let page = 0; page < 3; page += 1) {
        const { json } = await see(path);
        seen.push(...json.fluxes.map(({ id }) => id));
        path = json.links["next"] ?? "";
      }
      assert.equal(path, "");
      assert.deepEqual(seen, order === "oldestFirst" ? ids : ids.toReversed());
    }
  });

  it("filters by state, number and time, and by guichet for the operator", async () => {
    const number = await keepOne(20, { typeFichier: "MOD", numUnique: NUMERO });
    await keepOne(21);
    await gateway.deposit("B", demande(B, 22));
    await gateway.outbox.keep([newFlux({ guichet: B.code, receivedAt: Date.UTC(2020, 0, 2) })]);
    const count = async (query: string, key = OPERATOR_KEY): Promise<number> =>
      (await see(`/api/v1/fluxes?${query}`, key)).json.fluxes.length;
    assert.equal(await count(""), 4);
    assert.equal(await count("", KEYS.A), 2);
    assert.equal(await count(`guichet=${B.code}`), 2);
    assert.equal(await count("state=failed"), 0);
    assert.equal(await count("receivedBefore=2020-01-03"), 1);
    assert.equal(
      await count("receivedFrom=2020-01-02T00:00:00%2B01:00&receivedBefore=2020-01-03"),
      1,
    );
    assert.equal(await count("receivedFrom=2020-01-03"), 3);
    const found = await see(`/api/v1/fluxes?numUnique=${NUMERO}`);
    assert.deepEqual(
      found.json.fluxes.map(({ id }) => id),
      [number],
    );
  });

  it("names every parameter it does not understand, and ignores none", async () => {
    const { status, json } = await see(
      "/api/v1/fluxes?etat=kept&state=perdu&limit=0&receivedFrom=hier&order=x&guichet=a&guichet=b&__proto__=1",
    );
    assert.equal(status, 400);
    assert.deepEqual(json.fields.map(({ field }) => field).sort(), [
      "__proto__",
      "etat",
      "guichet",
      "limit",
      "order",
      "receivedFrom",
      "state",
    ]);
    for (const query of ["limit=501", "receivedFrom=2020-02-31", "after=%00", "limit=1e2"]) {
      assert.equal((await see(`/api/v1/fluxes?${query}`)).status, 400, query);
    }
    assert.match((await see("/api/v1/fluxes?stat=kept")).json.fields[0]!.message, /state/);
  });

  it("refuses a page mark it did not give", async () => {
    const { status, json } = await see("/api/v1/fluxes?after=n-importe-quoi");
    assert.equal(status, 400);
    assert.equal(json.code, "INVALID_REQUEST");
  });
});
