/**
 * The law of lanes in a few plain lines, played beside a real store: after each step the store must
 * have lent exactly what this says. Slow and simple on purpose; it knows nothing of heads or indexes.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FLUX_STATES, holdsLane } from "../../../src/domain/flux-state.ts";
import type { FluxState } from "../../../src/domain/flux-state.ts";
import type { Outbox } from "../../../src/keep/outbox.ts";
import { claimAt, newFlux, newQuarantinedFlux, NOON } from "../../support/new-flux.ts";
import { moveTo } from "./journeys.ts";

const LANES = ["A", "B", undefined] as const;

interface Modelled {
  readonly id: string;
  lane: string | undefined;
  state: FluxState;
  dueAt: number;
  fence: number;
}

/** One thing that happens. `pick` chooses the flux among those it can happen to. */
export type Step =
  | { readonly kind: "keep"; readonly lane: number; readonly quarantined: boolean }
  | { readonly kind: "claim"; readonly max: number }
  | { readonly kind: "end"; readonly pick: number; readonly to: FluxState; readonly delay: number }
  | { readonly kind: "decide"; readonly pick: number; readonly to: FluxState }
  | { readonly kind: "release"; readonly pick: number; readonly lane: number }
  | { readonly kind: "takeBack" };

const index = fc.nat({ max: 50 });
const lane = fc.nat({ max: LANES.length - 1 });

export const STEPS: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("keep" as const), lane, quarantined: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("claim" as const),
      max: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      pick: index,
      to: fc.constantFrom<FluxState>("accepted", "refused", "kept", "failed", "inDoubt"),
      delay: fc.nat({ max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("decide" as const),
      pick: index,
      to: fc.constantFrom<FluxState>("kept", "accepted", "discarded"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), pick: index, lane }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("takeBack" as const) }) },
);

export interface LaneModel {
  play(step: Step): Promise<void>;
  /** Gives everything up, so that the next run begins with nothing to lend. */
  drain(): Promise<void>;
}

export function makeLaneModel(outbox: Outbox): LaneModel {
  /** In the order they were kept. */
  const fluxes: Modelled[] = [];
  let now = NOON;

  function lendable(flux: Modelled, at: number): boolean {
    if (flux.state !== "kept" || at < flux.dueAt) return false;
    if (flux.lane === undefined) return true;
    const others = fluxes.filter((other) => other !== flux && other.lane === flux.lane);
    const older = others.filter((other) => fluxes.indexOf(other) < fluxes.indexOf(flux));
    return (
      !older.some(({ state }) => holdsLane(state)) &&
      !others.some(({ state }) => state === "inTransit" || state === "inDoubt")
    );
  }

  async function claim(max: number): Promise<void> {
    const expected: string[] = [];
    // One by one: lending one of a lane holds the others of it.
    while (expected.length < max) {
      const [next] = fluxes
        .filter((flux) => lendable(flux, now))
        .sort((a, b) => a.dueAt - b.dueAt || fluxes.indexOf(a) - fluxes.indexOf(b));
      if (next === undefined) break;
      next.state = "inTransit";
      expected.push(next.id);
    }
    const claimed = await outbox.claim(claimAt(now, { max, leaseMs: 1_000_000 }));
    assert.deepEqual(
      claimed.map(({ flux }) => flux.id),
      expected,
    );
    for (const { flux, fence } of claimed) {
      const lent = fluxes.find(({ id }) => id === flux.id);
      if (lent !== undefined) lent.fence = fence;
    }
  }

  async function move(flux: Modelled | undefined, to: FluxState, delay = 0): Promise<void> {
    if (flux === undefined) return;
    const result = await outbox.move({
      ...moveTo(to, flux, now),
      from: [flux.state],
      dueAt: now + delay,
      ...(flux.state === "inTransit" ? { fence: flux.fence } : {}),
    });
    assert.equal(result.kind, "moved");
    flux.state = to;
    flux.dueAt = now + delay;
  }

  function pick(n: number, states: readonly FluxState[]): Modelled | undefined {
    const among = fluxes.filter(({ state }) => states.includes(state));
    return among[n % Math.max(1, among.length)];
  }

  async function takeBack(): Promise<void> {
    const lent = fluxes.filter(({ state }) => state === "inTransit");
    const { inDoubt } = await outbox.takeBack(Number.MAX_SAFE_INTEGER);
    assert.equal(inDoubt, lent.length);
    for (const flux of lent) flux.state = "inDoubt";
  }

  async function play(step: Step): Promise<void> {
    now += 1;
    switch (step.kind) {
      case "keep": {
        const name = LANES[step.lane];
        const parts = { receivedAt: now, ...(name === undefined ? {} : { lane: name }) };
        const made = step.quarantined ? newQuarantinedFlux({ receivedAt: now }) : newFlux(parts);
        await outbox.keep([made]);
        fluxes.push({ id: made.id, lane: made.lane, state: made.state, dueAt: now, fence: 0 });
        return;
      }
      case "claim":
        return claim(step.max);
      case "end":
        return move(pick(step.pick, ["inTransit"]), step.to, step.delay);
      case "decide": {
        const states: Record<string, readonly FluxState[]> = {
          kept: ["inDoubt", "failed"],
          accepted: ["inDoubt"],
          discarded: ["kept", "inDoubt", "failed"],
        };
        return move(pick(step.pick, states[step.to] ?? []), step.to);
      }
      case "release": {
        const flux = pick(step.pick, ["quarantined"]);
        if (flux === undefined) return;
        const name = LANES[step.lane];
        const attribute = {
          guichet: "75001",
          identity: `75001|${flux.id}`,
          ...(name === undefined ? {} : { lane: name }),
        };
        const released = {
          ...moveTo("kept", flux, now),
          from: ["quarantined"],
          attribute,
        } as const;
        assert.equal((await outbox.move(released)).kind, "moved");
        Object.assign(flux, { lane: name, state: "kept", dueAt: now });
        return;
      }
      case "takeBack":
        return takeBack();
    }
  }

  return {
    play,
    drain: async () => {
      await claim(fluxes.length + 1);
      await takeBack();
      for (const state of FLUX_STATES) {
        if (!["kept", "inDoubt", "failed", "quarantined"].includes(state)) continue;
        for (const flux of fluxes.filter((one) => one.state === state)) {
          await move(flux, "discarded");
        }
      }
    },
  };
}
