/**
 * Says in words why a flux is where it is and what it waits for. Derived each time from what is
 * known, never stored as a state (architecture.md, "States of a flux").
 */
import { isToCollect } from "../acknowledge/collect.ts";
import type { Flux } from "../domain/flux.ts";
import type { Breaker } from "../forward/breaker.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";

export type BreakerView = Pick<Breaker, "state" | "retryAt">;

/** What a flux waits for; `WAITING_CODES` are part of the contract of the interface. */
export const WAITING_CODES = [
  "turn",
  "laneHeld",
  "retryTime",
  "sneSuspended",
  "sneAnswer",
  "operator",
  "acquittementToCollect",
  "acquittementToDeliver",
] as const;

export interface Waiting {
  readonly code: (typeof WAITING_CODES)[number];
  /** French. */
  readonly text: string;
  /** When the next attempt may be made, ms since the epoch. */
  readonly until?: number;
  /** The older flux that goes first. */
  readonly behind?: string;
}

/** What is known around a flux when one asks. */
export interface Surroundings {
  readonly now: number;
  /** Undefined when no SNE address is set. */
  readonly breaker: BreakerView | undefined;
  /** The oldest flux that holds the same lane, when it is not this one. */
  readonly behind?: string;
  /** True when the guichet is to fetch the acquittement itself. */
  readonly toCollect: boolean;
}

/** Says what a flux waits for, having looked around it. */
export type TellWaiting = (flux: Flux) => Promise<Waiting | undefined>;

export function makeTellWaiting({
  outbox,
  breaker,
  clock,
}: {
  outbox: Pick<Outbox, "holderOf">;
  /** Absent when no SNE address is set. */
  breaker?: BreakerView;
  clock: Clock;
}): TellWaiting {
  /** The flux that goes before this one, when it is of the same guichet: others' are not told. */
  async function olderOfLane(flux: Flux): Promise<string | undefined> {
    if (flux.lane === undefined) return undefined;
    const holder = await outbox.holderOf(flux.lane);
    return holder?.id === flux.id || holder?.guichet !== flux.guichet ? undefined : holder?.id;
  }

  return async (flux) => {
    const behind = flux.state === "kept" ? await olderOfLane(flux) : undefined;
    return whyWaiting(flux, {
      now: clock.now(),
      breaker,
      ...(behind === undefined ? {} : { behind }),
      toCollect: isToCollect(flux),
    });
  };
}

/** @returns undefined when the flux has ended and waits for nothing */
export function whyWaiting(flux: Flux, around: Surroundings): Waiting | undefined {
  switch (flux.state) {
    case "kept":
      return whyKept(flux, around);
    case "inTransit":
      return { code: "sneAnswer", text: "La réponse du SNE est attendue." };
    case "inDoubt":
      return {
        code: "operator",
        text: "L'effet de l'appel est inconnu : un exploitant doit vérifier dans le SNE et trancher.",
      };
    case "failed":
      return {
        code: "operator",
        text: "Un exploitant doit examiner le flux, puis le resoumettre ou l'abandonner.",
      };
    case "quarantined":
      return {
        code: "operator",
        text: "Un exploitant doit décider si l'expéditeur est légitime.",
      };
    case "accepted":
    case "refused":
      return around.toCollect
        ? {
            code: "acquittementToCollect",
            text: "L'acquittement est prêt : le guichet doit le retirer.",
          }
        : {
            code: "acquittementToDeliver",
            text: "L'acquittement est prêt et part vers l'expéditeur.",
          };
    case "acknowledged":
    case "discarded":
      return undefined;
  }
}

function whyKept(flux: Flux, { now, breaker, behind }: Surroundings): Waiting {
  if (behind !== undefined) {
    return {
      code: "laneHeld",
      text: "Un flux plus ancien de la même demande doit aboutir d'abord.",
      behind,
    };
  }
  if (breaker?.state === "open") {
    return {
      code: "sneSuspended",
      text: "Le SNE ne répond pas : les envois sont suspendus et reprendront d'eux-mêmes.",
      ...(breaker.retryAt === undefined ? {} : { until: breaker.retryAt }),
    };
  }
  if (flux.dueAt !== undefined && flux.dueAt > now) {
    return {
      code: "retryTime",
      text: "Le dernier essai n'a pas abouti : un nouvel essai est prévu.",
      until: flux.dueAt,
    };
  }
  if (breaker === undefined) {
    return {
      code: "sneSuspended",
      text: "Aucune adresse du SNE n'est réglée : le flux est gardé.",
    };
  }
  return { code: "turn", text: "Le flux attend son tour." };
}
