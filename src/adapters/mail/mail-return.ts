/**
 * Brings acquittements to their senders by mail (capability D1).
 *
 * Promise: `delivered` is said once the mail server has taken the mail on itself (its 250), never
 * before; anything else, 4xx and 5xx alike, leaves the acquittement owed, with the server's own
 * words. No delivery lasts longer than its time limit. Delivering twice gives the same Message-ID.
 */
import { createTransport } from "nodemailer";
import type {
  AcquittementParcel,
  DeliveryResult,
  ReturnChannel,
} from "../../acknowledge/return-channel.ts";
import { errorText, messageOf, systemCodeOf } from "../../domain/errors.ts";
import type { ReturnAddress } from "../../domain/flux.ts";
import { safeSubject } from "../../domain/subject.ts";
import type { Clock } from "../../runtime/clock.ts";
import { isMailAddress } from "./mail-header.ts";
import { sendWritten } from "./send-written.ts";
import { writeMail } from "./write-mail.ts";

export interface MailReturnOptions {
  /** `smtp://user:password@host:port` (STARTTLS when offered) or `smtps://`. */
  readonly transportUrl: string;
  /** The sender address, of the envelope and of the header: bounces come back to it. */
  readonly from: string;
  /** Signs the Message-IDs and greets the server. */
  readonly hostName: string;
  /** Connections kept open to the mail server. */
  readonly maxConnections: number;
  /** The longest one delivery may take, waiting for a connection included, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly tls?: {
    /** Refuses to send on a connection without TLS. */
    readonly required?: boolean;
    /** Certificate authorities, PEM; the system's when absent. */
    readonly ca?: string | Buffer;
  };
}

export interface MailReturn extends ReturnChannel {
  /** Lets deliveries in hand end (their time limit bounds it), then closes. May be called twice. */
  stop(): Promise<void>;
}

/** Throws when the URL cannot be one of a mail server, or `from` is no address. */
export function makeMailReturn(options: MailReturnOptions): MailReturn {
  const { from, hostName, timeoutMs, clock, tls } = options;
  if (!isMailAddress(from)) throw new TypeError(`not a mail address: ${from}`);
  const url = new URL(options.transportUrl);
  if (url.protocol !== "smtp:" && url.protocol !== "smtps:") {
    throw new TypeError(`neither smtp: nor smtps: ${url.protocol}`);
  }
  const transport = createTransport({
    url: options.transportUrl,
    pool: true,
    name: hostName,
    maxConnections: options.maxConnections,
    maxMessages: Number.POSITIVE_INFINITY,
    // A connection the server had closed while idle: the mail is tried once more on another.
    maxRequeues: 1,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(tls?.required === true ? { requireTLS: true } : {}),
    ...(tls?.ca === undefined ? {} : { tls: { ca: tls.ca } }),
  });
  // A pooled connection that fails while idle: its next mail will say so.
  transport.on("error", () => undefined);
  const inHand = new Set<Promise<DeliveryResult>>();
  let stopped: Promise<void> | undefined;

  async function send(
    parcel: AcquittementParcel,
    to: Extract<ReturnAddress, { channel: "mail" }>,
  ): Promise<DeliveryResult> {
    const { messageId, raw } = writeMail(parcel, to, { from, hostName, at: clock.now() });
    const limit = new AbortController();
    const sent = new AbortController();
    void clock.wait(timeoutMs, sent.signal).then(() => limit.abort());
    try {
      const answer = await sendWritten(transport, {
        envelope: { from, to: to.to },
        messageId,
        raw,
        signal: limit.signal,
      });
      return {
        kind: "delivered",
        detail: { channel: "mail", to: to.to, messageId, answer: safeSubject(answer) },
      };
    } catch (error) {
      if (limit.signal.aborted) return notDelivered(`pas de réponse en ${timeoutMs / 1000} s`);
      return notDelivered(wordsOf(error));
    } finally {
      // A reason of its own: without one, an abort makes an error with its stack, at every mail.
      sent.abort("sent");
    }
  }

  return {
    channel: "mail",
    deliver: async (parcel, to) => {
      if (to.channel !== "mail") {
        const { channel } = to;
        const text = errorText("NO_RETURN_CHANNEL", { channel });
        return { kind: "notDelivered", reason: { code: "NO_RETURN_CHANNEL", text } };
      }
      if (!isMailAddress(to.to)) return notDelivered("l'adresse du guichet n'est pas une adresse");
      if (stopped !== undefined) return notDelivered("la passerelle s'arrête");
      const delivery = send(parcel, to);
      inHand.add(delivery);
      try {
        return await delivery;
      } finally {
        inHand.delete(delivery);
      }
    },
    stop: () => {
      stopped ??= (async () => {
        await Promise.allSettled(inHand);
        transport.close();
      })();
      return stopped;
    },
  };
}

function notDelivered(detail: string): DeliveryResult {
  const text = errorText("MAIL_NOT_DELIVERED", { detail });
  return { kind: "notDelivered", reason: { code: "MAIL_NOT_DELIVERED", text } };
}

/** The server's own words when it gave any, else what the network said; one line, bounded. */
function wordsOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "response" in error) {
    const { response } = error;
    if (typeof response === "string" && response !== "") return safeSubject(response);
  }
  const code = systemCodeOf(error);
  return safeSubject(code === undefined ? messageOf(error) : `${code}, ${messageOf(error)}`);
}
