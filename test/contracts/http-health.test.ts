/** Health and metrics (F7): what monitoring is told, with the store well and with it away. */
import assert from "node:assert/strict";
import { gatewayError } from "../../src/domain/errors.ts";
import {
  demande,
  GUICHETS,
  KEYS,
  startHttpGateway,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { eventually } from "../support/eventually.ts";

const { A } = GUICHETS;

describe("health and metrics", () => {
  let gateway: HttpGateway;
  afterEach(() => gateway.stop());

  async function scrape(): Promise<string> {
    const answer = await gateway.call("GET", "/metrics");
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    return answer.bytes.toString("utf8");
  }

  /** The value of one series; undefined when it is absent. */
  function value(text: string, series: string): number | undefined {
    const line = text.split("\n").find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  it("is alive and ready, and not ready when the store cannot write", async () => {
    let isAway = false;
    gateway = await startHttpGateway((outbox) => ({
      health: {
        stopping: () => undefined,
        readiness: async () => {
          if (!isAway) await outbox.probe();
          return { ready: !isAway, checks: [{ name: "store", ok: !isAway, detail: "écrit" }] };
        },
      },
    }));
    assert.equal((await gateway.call("GET", "/livez")).status, 200);
    assert.equal((await gateway.call("GET", "/readyz")).json.ready, true);
    isAway = true;
    const away = await gateway.call("GET", "/readyz");
    assert.equal(away.status, 503);
    assert.equal(away.json.ready, false);
    assert.equal((await gateway.call("GET", "/livez")).status, 200);
  });

  it("counts events by channel and guichet, calls and collections by their time", async () => {
    gateway = await startHttpGateway(() => ({ breaker: { state: "open", retryAt: 1 } }));
    const { json } = await gateway.deposit("A", demande(A, 1));
    await gateway.deposit("A", demande(A, 1));
    gateway.events.emit("flux.accepted", { fluxId: json.id, guichet: A.code, detail: { ms: 300 } });
    await gateway.accept(json.id);
    await gateway.call("GET", `/api/v1/fluxes/${json.id}/acquittement`, { key: KEYS.A });
    await eventually("the collection is told", () =>
      gateway.told.some(({ name }) => name === "acquittement.collected"),
    );
    const text = await scrape();
    const series = {
      'passerelle_events_total{event="flux.kept",channel="rest"}': 1,
      'passerelle_events_total{event="flux.receivedAgain",channel="rest"}': 1,
      [`passerelle_guichet_events_total{event="flux.kept",guichet="${A.code}"}`]: 1,
      'passerelle_sne_call_seconds_sum{event="flux.accepted"}': 0.3,
      'passerelle_acknowledged_seconds_count{channel="rest"}': 1,
      'passerelle_fluxes{state="acknowledged"}': 1,
      'passerelle_fluxes{state="kept"}': 0,
      passerelle_fluxes_received: 1,
      passerelle_bilan_difference: 0,
      passerelle_store_readable: 1,
      'passerelle_breaker_state{state="open"}': 1,
      'passerelle_breaker_state{state="closed"}': 0,
      'passerelle_http_request_seconds_count{method="POST",route="/api/v1/fluxes",status="201"}': 1,
    };
    for (const [name, expected] of Object.entries(series)) {
      assert.equal(value(text, name), expected, name);
    }
    assert.ok((value(text, "process_resident_memory_bytes") ?? 0) > 0);
    assert.doesNotMatch(text, new RegExp(json.id), "an identifier in a label has no bound");
  });

  it("gives a guichet that is not configured, and a route that is not there, no series of their own", async () => {
    gateway = await startHttpGateway();
    for (const code of ["X1", "X2"]) gateway.events.emit("flux.kept", { guichet: code });
    await gateway.call("GET", "/rien/1");
    await gateway.call("GET", "/rien/2");
    const text = await scrape();
    assert.equal(
      value(text, 'passerelle_guichet_events_total{event="flux.kept",guichet="autre"}'),
      2,
    );
    assert.match(text, /route="\(aucune\)",status="404"\} 2\n/);
    assert.doesNotMatch(text, /X1|rien/);
  });

  it("shows no old count for a new one when the store cannot be read", async () => {
    let isAway = false;
    gateway = await startHttpGateway((outbox) => ({
      clock: { now: () => (isAway ? 10_000 : 0), wait: () => Promise.resolve() },
      outbox: {
        ...outbox,
        counts: () =>
          isAway ? Promise.reject(gatewayError("STORE_UNAVAILABLE")) : outbox.counts(),
      },
    }));
    assert.equal(value(await scrape(), "passerelle_fluxes_received"), 0);
    isAway = true;
    const text = await scrape();
    assert.equal(value(text, "passerelle_store_readable"), 0);
    assert.equal(value(text, "passerelle_fluxes_received"), undefined);
    assert.doesNotMatch(text, /^passerelle_fluxes\{/m);
  });
});
