/** Walks a flux to any state by the moves of the table, as the steps of the gateway would. */
import assert from "node:assert/strict";
import type { FluxState } from "../../../src/domain/flux-state.ts";
import type { Flux } from "../../../src/domain/flux.ts";
import type { Verdict } from "../../../src/domain/outcome.ts";
import type { Move, NewFlux, Outbox } from "../../../src/keep/outbox.ts";
import { claimAt, newFlux, newQuarantinedFlux } from "../../support/new-flux.ts";

export const NUMERO = "075011800000012345";

export function acceptedAt(at: number): Verdict {
  return { kind: "accepted", numeroUnique: NUMERO, by: "sne", at };
}

export function refusedAt(at: number): Verdict {
  return {
    kind: "refused",
    controls: [{ code: "CTRL_DEM_0042", message: "Le numéro est déjà pris." }],
    doublons: [],
    by: "sne",
    at,
  };
}

/** A move complete enough for any state it leads to. */
export function moveTo(to: FluxState, flux: { id: string }, at: number): Omit<Move, "from"> {
  const base = { fluxId: flux.id, to, at } as const;
  switch (to) {
    case "accepted":
      return {
        ...base,
        verdict: acceptedAt(at),
        oweAcquittement: true,
        event: { name: "flux.accepted", detail: {} },
      };
    case "refused":
      return {
        ...base,
        verdict: refusedAt(at),
        oweAcquittement: true,
        event: { name: "flux.refused", detail: {} },
      };
    case "discarded":
      return {
        ...base,
        verdict: { kind: "discarded", reason: "doublon", by: "operator", at },
        oweAcquittement: true,
        event: { name: "flux.discarded", detail: {} },
      };
    case "acknowledged":
      return { ...base, event: { name: "acquittement.collected", detail: {} } };
    case "failed":
      return {
        ...base,
        reason: { code: "SNE_SERVER_ERROR", text: "Erreur." },
        event: { name: "flux.failed", detail: {} },
      };
    case "inDoubt":
      return {
        ...base,
        reason: { code: "SNE_NO_ANSWER", text: "Sans réponse." },
        event: { name: "flux.putInDoubt", detail: {} },
      };
    case "kept":
    case "inTransit":
    case "quarantined":
      return { ...base, event: { name: "flux.postponed", detail: {} } };
  }
}

/** Claims this flux, which must be the only one that is due and free. */
export async function claimOne(
  outbox: Outbox,
  flux: { id: string },
  now: number,
): Promise<{ flux: Flux; fence: number }> {
  const [claimed, ...others] = await outbox.claim(claimAt(now));
  assert.ok(claimed, "a flux is claimed");
  assert.equal(claimed.flux.id, flux.id);
  assert.deepEqual(others, []);
  return claimed;
}

/** The states a flux goes through to come to each one. */
const PATHS: Readonly<Record<FluxState, readonly FluxState[]>> = {
  kept: [],
  inTransit: ["inTransit"],
  inDoubt: ["inTransit", "inDoubt"],
  accepted: ["inTransit", "accepted"],
  refused: ["inTransit", "refused"],
  acknowledged: ["inTransit", "accepted", "acknowledged"],
  failed: ["inTransit", "failed"],
  quarantined: [],
  discarded: ["inTransit", "failed", "discarded"],
};

/** Keeps a flux and walks it to a state; the store must have no other flux that is due. */
export async function fluxIn(
  outbox: Outbox,
  state: FluxState,
  parts: Partial<NewFlux> = {},
): Promise<{ flux: Flux; fence: number | undefined }> {
  const made = state === "quarantined" ? newQuarantinedFlux(parts) : newFlux(parts);
  const [kept] = await outbox.keep([made]);
  assert.equal(kept?.kind, "kept");
  let { flux } = kept;
  let fence: number | undefined;
  for (const next of PATHS[state]) {
    if (next === "inTransit") {
      ({ flux, fence } = await claimOne(outbox, flux, made.receivedAt));
      continue;
    }
    const result = await outbox.move({
      ...moveTo(next, flux, made.receivedAt),
      from: [flux.state],
      ...(flux.state === "inTransit" && fence !== undefined ? { fence } : {}),
    });
    assert.equal(result.kind, "moved");
    ({ flux } = result);
  }
  return { flux, fence };
}
