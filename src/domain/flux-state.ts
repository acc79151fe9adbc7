/**
 * The states of a flux and the one table of moves between them. Nothing else in the project decides
 * that a flux may go from one state to another, and every store refuses a move that is not here.
 *
 * The meaning of each state, with a figure, is in `docs/lifecycle.md`, which a test compares with
 * this file. States of later pieces of work (deferred, superseded, compensation) are added here when
 * something can put a flux in them, not before.
 */

export const FLUX_STATES = [
  "kept",
  "inTransit",
  "inDoubt",
  "accepted",
  "refused",
  "acknowledged",
  "failed",
  "quarantined",
  "discarded",
] as const;

export type FluxState = (typeof FLUX_STATES)[number];

/** From a state, the states that may follow. An empty list is an end. */
export const MOVES: Readonly<Record<FluxState, readonly FluxState[]>> = {
  kept: ["inTransit", "discarded"],
  inTransit: ["accepted", "refused", "kept", "failed", "inDoubt"],
  // Unknown is not failed (law 5): only a person, or a later answer, ends a doubt.
  inDoubt: ["accepted", "refused", "kept", "failed", "discarded"],
  accepted: ["acknowledged"],
  refused: ["acknowledged"],
  acknowledged: [],
  failed: ["kept", "discarded"],
  quarantined: ["kept", "discarded"],
  discarded: [],
};

/** The states in which a flux may be born, at arrival. */
export const BIRTH_STATES = ["kept", "refused", "quarantined"] as const;
export type BirthState = (typeof BIRTH_STATES)[number];

/**
 * The states in which a flux holds its lane: no younger flux of the same key may be forwarded.
 * A failed flux holds it too, so that an update never overtakes the create that failed before it.
 * A quarantined one does not: a stranger must not be able to block a landlord's lane.
 */
export const LANE_HOLDING_STATES: readonly FluxState[] = ["kept", "inTransit", "inDoubt", "failed"];

/** The four columns of the bilan: every state is in exactly one of them (capability E5). */
export const BILAN_COLUMNS = {
  acknowledged: ["acknowledged"],
  open: ["kept", "inTransit", "inDoubt", "accepted", "refused", "quarantined"],
  failed: ["failed"],
  discarded: ["discarded"],
} as const satisfies Record<string, readonly FluxState[]>;

/** True when the table allows the move. */
export function canMove(from: FluxState, to: FluxState): boolean {
  return MOVES[from].includes(to);
}

/** True when a flux in this state keeps younger fluxes of its lane waiting. */
export function holdsLane(state: FluxState): boolean {
  return LANE_HOLDING_STATES.includes(state);
}

/** Reads a state from outside (a query, a stored row); undefined when it is none of ours. */
export function readFluxState(value: unknown): FluxState | undefined {
  return FLUX_STATES.find((state) => state === value);
}
