/**
 * How a sender is turned away: the SMTP code decides whether it keeps its mail and tries again (4xx)
 * or tells a person that it never will pass (5xx). Texts are ASCII (RFC 5321 section 4.2.1).
 */
import type { ErrorCode } from "../../domain/errors.ts";

export interface Refusal {
  readonly status: number;
  readonly text: string;
}

/**
 * The answer to each way `receive` may reject. A full quarantine is a 4xx: the mail may come from a
 * guichet not yet declared, and a 550 would lose it.
 */
export const REFUSAL_OF: Partial<Record<ErrorCode, Refusal>> = {
  STORE_FULL: { status: 452, text: "The gateway's disk is full, not kept, try again later" },
  STORE_UNAVAILABLE: {
    status: 451,
    text: "The gateway's store is unavailable, not kept, try again later",
  },
  QUEUE_FULL: { status: 451, text: "The gateway's queue is full, not kept, try again later" },
  STOPPING: { status: 451, text: "The gateway is stopping, not kept, try again soon" },
  QUARANTINE_FULL: {
    status: 451,
    text: "Sender not known and quarantine full, not kept, try again later",
  },
};

export const UNEXPECTED: Refusal = { status: 451, text: "Local error, not kept, try again later" };
export const BUSY: Refusal = { status: 451, text: "Too many mails in hand, try again later" };
export const TOO_SLOW: Refusal = { status: 421, text: "The mail took too long to arrive" };
export const TLS_FIRST: Refusal = { status: 530, text: "Must issue a STARTTLS command first" };
export const NO_SUCH_RECIPIENT: Refusal = { status: 550, text: "No such recipient here" };
export const WRONG_PASSWORD: Refusal = { status: 535, text: "Authentication credentials invalid" };
export const TOO_MANY_GUESSES: Refusal = { status: 421, text: "Too many authentication failures" };

export function tooLarge(maxBytes: number): Refusal {
  return { status: 552, text: `Message exceeds ${maxBytes} bytes` };
}

/** A refusal as smtp-server wants it: an error whose `responseCode` it sends. */
export class SmtpRefusal extends Error {
  readonly responseCode: number;

  constructor({ status, text }: Refusal) {
    super(text);
    this.responseCode = status;
  }
}
