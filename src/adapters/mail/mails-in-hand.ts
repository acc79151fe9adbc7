/**
 * Reads the mails that are coming in, and counts what they hold in memory.
 *
 * Promise: one mail never holds more than its limit, all mails together never more than theirs, and
 * what a mail holds is given back when it is let go, whatever became of it.
 */
import type { SMTPServerDataStream } from "smtp-server";
import type { Clock } from "../../runtime/clock.ts";

/** How the reading of one mail ended. */
export type MailReading =
  /** It came to its final dot; `letGo` when it is answered. */
  | { readonly kind: "whole"; readonly raw: Buffer; letGo(): void }
  | { readonly kind: "tooLarge" }
  /** It goes on and on past its limit: no mailer does. */
  | { readonly kind: "flood" }
  /** All mails together hold too much. */
  | { readonly kind: "busy" }
  /** It comes so slowly that it holds its place too long. */
  | { readonly kind: "tooSlow" }
  /** The connection ended before the final dot. */
  | { readonly kind: "lost" };

export interface MailsInHand {
  /** True when no more mail should be begun. */
  isFull(): boolean;
  read(stream: SMTPServerDataStream): Promise<MailReading>;
}

/** A client that was told the limit by SIZE and sends this many times as much is cut. */
const FLOOD = 4;

export function makeMailsInHand(options: {
  readonly maxBytes: number;
  readonly maxBytesInHand: number;
  readonly dataMs: number;
  readonly clock: Clock;
}): MailsInHand {
  const { maxBytes, maxBytesInHand, dataMs, clock } = options;
  let bytesInHand = 0;

  async function read(stream: SMTPServerDataStream): Promise<MailReading> {
    const startedAt = clock.now();
    let chunks: Buffer[] = [];
    let held = 0;
    let refused: "tooLarge" | "busy" | undefined;
    const letGo = (): void => {
      bytesInHand -= held;
      held = 0;
      chunks = [];
    };
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        // Silence is the socket's to notice; a steady drip is noticed here.
        if (clock.now() - startedAt > dataMs) {
          letGo();
          return { kind: "tooSlow" };
        }
        if (stream.byteLength > FLOOD * maxBytes) {
          letGo();
          return { kind: "flood" };
        }
        if (stream.byteLength > maxBytes) refused ??= "tooLarge";
        else if (bytesInHand + chunk.length > maxBytesInHand) refused ??= "busy";
        // What is refused is read on and forgotten: SMTP answers only after the final dot.
        if (refused !== undefined) letGo();
        else {
          chunks.push(chunk);
          held += chunk.length;
          bytesInHand += chunk.length;
        }
      }
    } catch {
      letGo();
      return { kind: "lost" };
    }
    if (refused !== undefined) return { kind: refused };
    return { kind: "whole", raw: Buffer.concat(chunks), letGo };
  }

  return { isFull: () => bytesInHand >= maxBytesInHand, read };
}
