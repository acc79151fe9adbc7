/**
 * Metrics for Prometheus (capability F7): what happened, from the events; how things stand, from the
 * store at each scrape. Labels are bounded: events, channels, states and configured guichets.
 *
 * Promise: a store that cannot be read makes its gauges absent and `passerelle_store_readable` 0;
 * it never makes the scrape fail, nor shows an old count as a new one.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Events, GatewayEvent } from "../../domain/events.ts";
import { CHANNELS } from "../../domain/flux.ts";
import { FLUX_STATES } from "../../domain/flux-state.ts";
import type { Guichets } from "../../domain/guichet.ts";
import type { BreakerState } from "../../forward/breaker.ts";
import type { Outbox, StoreCounts } from "../../keep/outbox.ts";
import { readBilan } from "../../reconcile/bilan.ts";
import type { Clock } from "../../runtime/clock.ts";

export interface Metrics {
  readonly contentType: string;
  /** The text of one scrape. */
  expose(): Promise<string>;
  /** Counts one request answered. @param seconds - from its head to the end of its answer */
  requestAnswered(method: string, route: string, status: number, seconds: number): void;
  /** Frees what watches the process; may be called twice. */
  stop(): void;
}

/** Several scrapes within this time share one count of the store, ms. */
const COUNTS_FRESH_MS = 1_000;

const BREAKER_STATES: readonly BreakerState[] = ["closed", "halfOpen", "open"];
const CALL_ENDS: readonly string[] = [
  "flux.accepted",
  "flux.refused",
  "flux.postponed",
  "flux.failed",
  "flux.putInDoubt",
];
/** Events worth a series per guichet. */
const GUICHET_EVENTS: readonly string[] = [
  "flux.kept",
  "flux.receivedAgain",
  "flux.refusedAtArrival",
  "flux.accepted",
  "flux.refused",
  "flux.failed",
  "acquittement.delivered",
  "acquittement.collected",
];

export function makeMetrics({
  events,
  outbox,
  guichets,
  breakerState,
  clock,
}: {
  events: Events;
  outbox: Pick<Outbox, "counts">;
  guichets: Guichets;
  breakerState: () => BreakerState | undefined;
  clock: Clock;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const eventCount = new Counter({
    name: "passerelle_events_total",
    help: "Events told since the start, by name and channel (empty when it has none).",
    labelNames: ["event", "channel"],
    registers,
  });
  const guichetCount = new Counter({
    name: "passerelle_guichet_events_total",
    help: "Events of fluxes since the start, by configured guichet.",
    labelNames: ["event", "guichet"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "passerelle_sne_call_seconds",
    help: "Duration of calls to the SNE, by how they ended.",
    labelNames: ["event"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  });
  const acknowledgedSeconds = new Histogram({
    name: "passerelle_acknowledged_seconds",
    help: "Time from the arrival of a flux to its acquittement reaching the sender.",
    labelNames: ["channel"],
    buckets: [0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 604_800],
    registers,
  });
  const requestSeconds = new Histogram({
    name: "passerelle_http_request_seconds",
    help: "Duration of HTTP requests, by method, route and status.",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers,
  });

  const storeReadable = gauge("store_readable", "1 when the counts of the store could be read.");
  const fluxes = gauge("fluxes", "Fluxes in the store, by state.", "state");
  const received = gauge("fluxes_received", "Fluxes ever kept, counted apart from their states.");
  const difference = gauge("bilan_difference", "Received minus counted by state: must be 0.");
  const owed = gauge("acquittements_owed", "Acquittements owed and not yet delivered.");
  const oldest = gauge("oldest_kept_seconds", "Age of the oldest flux waiting to be forwarded.");
  const breaker = gauge("breaker_state", "1 for the present state of the breaker.", "state");
  const totals = [received, difference, owed, oldest];

  function gauge(name: string, help: string, label?: string): Gauge {
    const labelNames = label === undefined ? [] : [label];
    return new Gauge({ name: `passerelle_${name}`, help, labelNames, registers });
  }

  let last: { readonly at: number; readonly counts: StoreCounts } | undefined;

  async function readStore(): Promise<void> {
    const now = clock.now();
    if (last === undefined || now - last.at >= COUNTS_FRESH_MS || now < last.at) {
      last = undefined;
      fluxes.reset();
      try {
        last = { at: now, counts: await outbox.counts() };
      } catch {
        // Told by the gauge itself; the store's own log says why.
        for (const one of totals) one.remove();
        storeReadable.set(0);
        return;
      }
    }
    storeReadable.set(1);
    const { counts } = last;
    for (const state of FLUX_STATES) fluxes.set({ state }, counts.byState[state]);
    received.set(counts.received);
    difference.set(readBilan(counts).difference);
    owed.set(counts.deliveriesOwed);
    oldest.set(counts.oldestKeptAt === undefined ? 0 : (now - counts.oldestKeptAt) / 1000);
  }

  function hear({ name, guichet, detail }: GatewayEvent): void {
    const channel = CHANNELS.find((known) => known === detail["channel"]) ?? "";
    eventCount.inc({ event: name, channel });
    if (guichet !== undefined && GUICHET_EVENTS.includes(name)) {
      const known = guichets.byCode(guichet) === undefined ? "autre" : guichet;
      guichetCount.inc({ event: name, guichet: known });
    }
    const { ms, sinceReceivedMs } = detail;
    if (typeof ms === "number" && CALL_ENDS.includes(name)) {
      callSeconds.observe({ event: name }, ms / 1000);
    }
    if (typeof sinceReceivedMs === "number" && name.startsWith("acquittement.")) {
      if (name !== "acquittement.postponed") {
        acknowledgedSeconds.observe({ channel }, sinceReceivedMs / 1000);
      }
    }
  }
  events.listen(hear);

  return {
    contentType: registry.contentType,
    expose: async () => {
      await readStore();
      const now = breakerState();
      for (const state of BREAKER_STATES) breaker.set({ state }, state === now ? 1 : 0);
      return registry.metrics();
    },
    requestAnswered: (method, route, status, seconds) => {
      requestSeconds.observe({ method, route, status }, seconds);
    },
    stop: () => registry.clear(),
  };
}
