/**
 * The events of the gateway. Those of a flux are written to its journal, in the same transaction as
 * the move they tell; all are emitted so that logs, metrics and alerts may listen. None carries the
 * content of a demande.
 */

/** Events written to the journal of a flux (`docs/lifecycle.md` says what each means). */
export const JOURNAL_EVENTS = [
  "flux.kept",
  "flux.refusedAtArrival",
  "flux.quarantined",
  "flux.receivedAgain",
  "flux.claimed",
  "flux.accepted",
  "flux.refused",
  "flux.postponed",
  "flux.failed",
  "flux.putInDoubt",
  "flux.resolved",
  "flux.resubmitted",
  "flux.released",
  "flux.discarded",
  "acquittement.delivered",
  "acquittement.postponed",
  "acquittement.collected",
  "acquittement.confirmed",
  "flux.filesErased",
] as const;
export type JournalEventName = (typeof JOURNAL_EVENTS)[number];

/** Small facts beside an event: codes, counts, identifiers, names of files; no personal data. */
export type EventDetail = Readonly<Record<string, string | number | boolean>>;

export interface JournalEntry {
  readonly at: number;
  readonly name: JournalEventName;
  readonly detail: EventDetail;
}

/** Events of the gateway itself, not of one flux. */
export const GATEWAY_EVENTS = [
  "gateway.started",
  "gateway.stopping",
  "gateway.stopped",
  "breaker.opened",
  "breaker.halfOpened",
  "breaker.closed",
  "arrival.turnedAway",
  "store.failed",
  "step.failed",
] as const;
export type GatewayEventName = (typeof GATEWAY_EVENTS)[number];

export interface GatewayEvent {
  readonly name: JournalEventName | GatewayEventName;
  readonly at: number;
  readonly fluxId?: string;
  readonly guichet?: string;
  readonly detail: EventDetail;
}

/** Where steps tell what happened; the composition decides who listens. */
export interface Events {
  emit(
    name: JournalEventName | GatewayEventName,
    about: { fluxId?: string; guichet?: string } & { detail?: EventDetail },
  ): void;
  listen(listener: (event: GatewayEvent) => void): void;
}
