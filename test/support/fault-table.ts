/**
 * What became of everything that was sent during a fault campaign, judged by two witnesses: the
 * gateway (lists, bilan) and the stand-in SNE (effects, order). One row per fault.
 *
 * Fluxes in doubt are counted, then settled as an operator does who asks the SNE: what it took is
 * accepted under its number, what it never took is sent again. What waited behind them then passes,
 * and in the end every confirmed flux must have had its effect exactly once.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "./eventually.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { SteadySenders } from "./steady-senders.ts";

export interface FaultRow {
  readonly fault: string;
  readonly confirmed: number;
  /** Confirmed, and not kept, or without effect in the end. */
  readonly lost: number;
  /** Overtook an older flux of its demande, or was called beside it. */
  readonly outOfOrder: number;
  /** Kept as two fluxes, or with more than one effect. */
  readonly twice: number;
  /** Visibly so when everything had come to rest. */
  readonly inDoubt: number;
  /** Longest time without a confirmation, ms. */
  readonly silenceMs: number;
  /** Slowest answer to a sender, ms. */
  readonly slowestMs: number;
  /** Answers that were no confirmation. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** A list of everything is work too, for those that are watched, ms. */
const ASK_AGAIN_MS = 300;

interface ListedFlux {
  readonly id: string;
  readonly state: string;
  readonly channel: string;
  readonly sha256: string;
  readonly refInterne: string;
  readonly reason?: { readonly code: string };
}

interface Effects {
  readonly files: readonly {
    readonly sha256: string;
    readonly taken: number;
    readonly numUnique?: string;
  }[];
  readonly firstViolations: readonly {
    readonly kind: string;
    readonly key: string;
    readonly detail: string;
  }[];
}

/** Every flux the gateway has, in one state or all, page by page. */
export async function listFluxes(httpUrl: string, state?: string): Promise<readonly ListedFlux[]> {
  const all: ListedFlux[] = [];
  let after: string | undefined;
  do {
    const more =
      (after === undefined ? "" : `&after=${encodeURIComponent(after)}`) +
      (state === undefined ? "" : `&state=${state}`);
    const page = await readJson<{ fluxes: ListedFlux[]; next?: string }>(
      `${httpUrl}/api/v1/fluxes?limit=500${more}`,
    );
    all.push(...page.fluxes);
    after = page.next;
  } while (after !== undefined);
  return all;
}

/** @param httpUrl - of a gateway that works again; @param withinMs - leases must end within it */
export async function judge(options: {
  readonly senders: SteadySenders;
  readonly phases: readonly string[];
  readonly httpUrl: string;
  readonly standinControlUrl: string;
  readonly withinMs: number;
  /** Digests of fluxes that were in doubt before and were settled since. */
  readonly doubtedBefore?: Iterable<string>;
}): Promise<readonly FaultRow[]> {
  const { senders, httpUrl, withinMs } = options;

  const atRest = await atRestFluxes(httpUrl, withinMs);
  const doubted = new Set(options.doubtedBefore);
  for (const { state, sha256 } of atRest) if (state === "inDoubt") doubted.add(sha256);
  let fluxes = atRest;
  for (let round = 0; fluxes.some(({ state }) => state === "inDoubt"); round += 1) {
    assert.ok(round < 10, "doubts never end");
    await settleDoubts(httpUrl, options.standinControlUrl, fluxes);
    fluxes = await atRestFluxes(httpUrl, withinMs);
  }

  const kept = Map.groupBy(fluxes, ({ sha256 }) => sha256);
  const effects = await readEffects(options.standinControlUrl);
  const taken = new Map(effects.files.map((file) => [file.sha256, file.taken]));
  const disordered = lanesOutOfOrder(effects, fluxes);
  const rows = options.phases.map((phase): FaultRow => {
    const sent = senders.sent.filter((flux) => flux.phase === phase);
    const { confirmed, silenceMs, slowestMs, refusals } = senders.timesOf(phase);
    const count = (isSo: (digest: string) => boolean): number =>
      sent.filter(({ digest }) => isSo(digest)).length;
    return {
      fault: phase,
      confirmed,
      lost: sent.filter(
        ({ digest, confirmedAt }) =>
          confirmedAt !== undefined && (!kept.has(digest) || (taken.get(digest) ?? 0) === 0),
      ).length,
      outOfOrder: [...new Set(sent.map(({ refInterne }) => refInterne))].filter((lane) =>
        disordered.has(lane),
      ).length,
      twice: count((digest) => (kept.get(digest)?.length ?? 0) > 1 || (taken.get(digest) ?? 0) > 1),
      inDoubt: count((digest) => doubted.has(digest)),
      silenceMs,
      slowestMs,
      refusals,
    };
  });
  const bilan = await readJson<{ balanced: boolean; received: number }>(`${httpUrl}/api/v1/bilan`);
  assert.equal(bilan.balanced, true, `the bilan balances: ${JSON.stringify(bilan)}`);
  assert.equal(bilan.received, fluxes.length, "the bilan counts every flux");
  return rows;
}

/** Nothing confirmed is lost, nothing is out of order, nothing had two effects, and it was tried. */
export function assertPromise(
  rows: readonly FaultRow[],
  { leastConfirmed }: { readonly leastConfirmed: number },
): void {
  for (const { fault, confirmed, lost, outOfOrder, twice } of rows) {
    assert.deepEqual(
      { fault, lost, outOfOrder, twice },
      { fault, lost: 0, outOfOrder: 0, twice: 0 },
    );
    // A fault during which nothing was sent would prove nothing.
    assert.ok(confirmed >= leastConfirmed, `${fault}: only ${confirmed} were confirmed`);
  }
}

export function printTable(rows: readonly FaultRow[]): void {
  const head = [
    "fault",
    "confirmed",
    "lost",
    "out of order",
    "twice",
    "in doubt",
    "longest without a confirmation, ms",
    "slowest answer, ms",
    "not confirmed at first",
  ];
  const lines = rows.map((row) => [
    row.fault,
    ...[row.confirmed, row.lost, row.outOfOrder, row.twice, row.inDoubt].map(String),
    String(Math.round(row.silenceMs)),
    String(Math.round(row.slowestMs)),
    [...row.refusals].map(([what, count]) => `${count} × ${what}`).join(", "),
  ]);
  const widths = head.map((title, n) =>
    Math.max(title.length, ...lines.map((line) => line[n]?.length ?? 0)),
  );
  for (const line of [head, ...lines]) {
    const cells = line.map((cell, n) =>
      n === 0 || n === line.length - 1
        ? cell.padEnd(widths[n] ?? 0)
        : cell.padStart(widths[n] ?? 0),
    );
    process.stdout.write(`      ${cells.join("  ").trimEnd()}\n`);
  }
}

/** What gateways complained of, for whoever reads why a campaign failed. */
export function tellTroubles(gateways: readonly (GatewayProcess | undefined)[]): void {
  for (const gateway of gateways) {
    const troubles = gateway?.log.filter((line) => /"level":"(?:warn|error)"/.test(line)) ?? [];
    for (const line of troubles.slice(-40)) process.stdout.write(`      ${line.slice(0, 400)}\n`);
  }
}

/** All fluxes once none is on its way, but for those that wait behind a doubt. */
function atRestFluxes(httpUrl: string, withinMs: number): Promise<readonly ListedFlux[]> {
  return eventually(
    "nothing on its way",
    async () => {
      const fluxes = await listFluxes(httpUrl);
      const held = new Set(
        fluxes.filter(({ state }) => state === "inDoubt").map(({ refInterne }) => refInterne),
      );
      const moving = fluxes.filter(
        ({ state, refInterne, channel }) =>
          state === "inTransit" ||
          (state === "kept" && !held.has(refInterne)) ||
          (channel === "mail" && (state === "accepted" || state === "refused")),
      );
      const [one] = moving;
      if (one !== undefined) {
        await sleep(ASK_AGAIN_MS);
        throw new Error(`${moving.length} still moving: ${one.id} ${one.state}`);
      }
      const failed = fluxes.filter(({ state }) => state === "failed");
      assert.deepEqual(failed, [], "no flux failed");
      return fluxes;
    },
    { withinMs },
  );
}

function readEffects(standinControlUrl: string): Promise<Effects> {
  return readJson(`${standinControlUrl}/standin/effects?limit=1000000`);
}

/** Ends the doubts among these fluxes as an operator does who asks the SNE. */
export async function settleDoubts(
  httpUrl: string,
  standinControlUrl: string,
  fluxes: readonly ListedFlux[],
): Promise<void> {
  const effects = await readEffects(standinControlUrl);
  const known = new Map(effects.files.map((file) => [file.sha256, file]));
  for (const { id, state, sha256 } of fluxes) {
    if (state !== "inDoubt") continue;
    const file = known.get(sha256);
    const order =
      file !== undefined && file.taken > 0
        ? { as: "accepted", numeroUnique: file.numUnique }
        : { as: "resend" };
    const response = await fetch(`${httpUrl}/api/v1/fluxes/${id}/resolve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    assert.equal(response.status, 200, await response.text());
  }
}

/** The demandes of which the stand-in saw a flux too early, or refused one (its creation was not there). */
function lanesOutOfOrder(effects: Effects, fluxes: readonly ListedFlux[]): ReadonlySet<string> {
  const byDigest = new Map(fluxes.map((flux) => [flux.sha256, flux.refInterne]));
  const byNumber = new Map(
    effects.files.map(({ sha256, numUnique }) => [
      `numUnique:${numUnique ?? ""}`,
      byDigest.get(sha256),
    ]),
  );
  const lanes = new Set<string>();
  for (const { key } of effects.firstViolations) {
    lanes.add(byNumber.get(key) ?? key.slice(key.indexOf("|") + 1));
  }
  for (const { state, refInterne } of fluxes) if (state === "refused") lanes.add(refInterne);
  return lanes;
}

async function readJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
