/**
 * What an operator may do to one flux: settle a doubt, submit again, release from quarantine, give
 * up. Each is one durable move with its event, and says plainly when it is not allowed.
 *
 * Promise: nothing an operator does makes a flux disappear; giving one up tells its sender.
 */
import { laneOf, type Flux } from "../domain/flux.ts";
import { canMove, type FluxState } from "../domain/flux-state.ts";
import type { Guichets } from "../domain/guichet.ts";
import type { Control, Verdict } from "../domain/outcome.ts";
import { returnAddressWithoutChannel } from "../arrive/return-address.ts";
import { identityOf } from "../keep/identity.ts";
import type { Move, Outbox } from "../keep/outbox.ts";
import type { Events, JournalEventName } from "../domain/events.ts";
import type { Clock } from "../runtime/clock.ts";

/** How an operator settles a doubt, after looking in the SNE. */
export type Resolution =
  | { readonly as: "accepted"; readonly numeroUnique: string; readonly note?: string }
  | { readonly as: "refused"; readonly note: string }
  /** The SNE took no effect: it may be called again. */
  | { readonly as: "resend"; readonly note?: string }
  | { readonly as: "failed"; readonly note: string };

export type OperationResult =
  | { readonly kind: "done"; readonly flux: Flux }
  | { readonly kind: "notAllowed"; readonly flux: Flux }
  /** Another live flux carries the same content: releasing this one would send it twice. */
  | { readonly kind: "repeatOf"; readonly first: Flux }
  | { readonly kind: "unknownGuichet"; readonly flux: Flux }
  | { readonly kind: "notFound" };

export interface Operations {
  /** in doubt → accepted, refused, kept (resend) or failed. */
  resolve(fluxId: string, resolution: Resolution, operator: string): Promise<OperationResult>;
  /** failed → kept, due at once. */
  resubmit(fluxId: string, operator: string): Promise<OperationResult>;
  /** quarantined → kept, attributed to the guichet its file names. */
  release(fluxId: string, operator: string): Promise<OperationResult>;
  /** kept, in doubt, failed or quarantined → discarded; the sender, when known, is told why. */
  discard(fluxId: string, reason: string, operator: string): Promise<OperationResult>;
}

export function makeOperations({
  outbox,
  guichets,
  clock,
  events,
}: {
  outbox: Outbox;
  guichets: Guichets;
  clock: Clock;
  events: Events;
}): Operations {
  async function moveBy(
    fluxId: string,
    from: readonly FluxState[],
    to: FluxState,
    name: JournalEventName,
    detail: Record<string, string>,
    more: Partial<Pick<Move, "verdict" | "reason" | "oweAcquittement" | "attribute">> = {},
  ): Promise<OperationResult> {
    const at = clock.now();
    const result = await outbox.move({ fluxId, from, to, at, event: { name, detail }, ...more });
    switch (result.kind) {
      case "notFound":
        return { kind: "notFound" };
      case "notMoved":
        return { kind: "notAllowed", flux: result.flux };
      case "identityTaken":
        return { kind: "repeatOf", first: result.first };
      case "moved":
        events.emit(name, {
          fluxId,
          ...(result.flux.guichet === undefined ? {} : { guichet: result.flux.guichet }),
          detail,
        });
        return { kind: "done", flux: result.flux };
    }
  }

  function resolve(
    fluxId: string,
    resolution: Resolution,
    operator: string,
  ): Promise<OperationResult> {
    const at = clock.now();
    const from: readonly FluxState[] = ["inDoubt"];
    const detail = {
      as: resolution.as,
      operator,
      ...(resolution.note === undefined ? {} : { note: resolution.note }),
    };
    switch (resolution.as) {
      case "accepted": {
        const verdict: Verdict = {
          kind: "accepted",
          numeroUnique: resolution.numeroUnique,
          by: "operator",
          at,
          ...(resolution.note === undefined ? {} : { note: resolution.note }),
        };
        return moveBy(fluxId, from, "accepted", "flux.resolved", detail, {
          verdict,
          oweAcquittement: true,
        });
      }
      case "refused": {
        const control: Control = { code: "OPERATEUR", message: resolution.note };
        return moveBy(fluxId, from, "refused", "flux.resolved", detail, {
          verdict: { kind: "refused", controls: [control], doublons: [], by: "operator", at },
          oweAcquittement: true,
        });
      }
      case "resend":
        return moveBy(fluxId, from, "kept", "flux.resolved", detail);
      case "failed":
        return moveBy(fluxId, from, "failed", "flux.resolved", detail, {
          reason: { code: "OPERATEUR", text: resolution.note },
        });
    }
  }

  async function release(fluxId: string, operator: string): Promise<OperationResult> {
    const flux = await outbox.find(fluxId);
    if (flux === undefined) return { kind: "notFound" };
    if (flux.state !== "quarantined") return { kind: "notAllowed", flux };
    const guichet =
      flux.envelope === undefined ? undefined : guichets.byCode(flux.envelope.numGuichet);
    if (flux.envelope === undefined || guichet === undefined) {
      return { kind: "unknownGuichet", flux };
    }
    const lane = laneOf(flux.envelope);
    return moveBy(
      fluxId,
      ["quarantined"],
      "kept",
      "flux.released",
      { operator, guichet: guichet.code },
      {
        attribute: {
          guichet: guichet.code,
          identity: identityOf(guichet.code, flux.sha256, flux.envelope.call),
          returnTo: returnAddressWithoutChannel(guichet, flux),
          ...(lane === undefined ? {} : { lane }),
        },
      },
    );
  }

  async function discard(
    fluxId: string,
    reason: string,
    operator: string,
  ): Promise<OperationResult> {
    const flux = await outbox.find(fluxId);
    if (flux === undefined) return { kind: "notFound" };
    if (!canMove(flux.state, "discarded")) return { kind: "notAllowed", flux };
    return moveBy(
      fluxId,
      // From the very state read: a doubt changes what the sender is told.
      [flux.state],
      "discarded",
      "flux.discarded",
      { reason, operator, from: flux.state },
      {
        verdict: {
          kind: "discarded",
          reason,
          ...(flux.state === "inDoubt" ? { effectUnknown: true as const } : {}),
          by: "operator",
          at: clock.now(),
        },
        reason: { code: "OPERATEUR", text: reason },
        oweAcquittement: true,
      },
    );
  }

  return {
    resolve,
    release,
    resubmit: (fluxId, operator) =>
      moveBy(fluxId, ["failed"], "kept", "flux.resubmitted", { operator }),
    discard,
  };
}
