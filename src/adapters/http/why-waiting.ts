/**
 * Says in words why a flux is where it is and what it waits for. Derived each time from what is
 * known, never stored as a state (architecture.md, "States of a flux").
 */
import type { Breaker } from "../../forward/breaker.ts";
import type { Flux } from "../../domain/flux.ts";

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
  readonly breaker: Pick<Breaker, "state" | "retryAt"> | undefined;
  /** The oldest flux that holds the same lane, when it is not this one. */
  readonly behind?: string;
  /** True when the guichet is to fetch the acquittement itself. */
  readonly toCollect: boolean;
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
