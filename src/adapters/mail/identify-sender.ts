/**
 * Says who sent a mail, and where its acquittement may go.
 *
 * Promise: an acquittement goes to an address the administrator declared, or that an authenticated
 * sender gave itself; never to a `Reply-To`, never to an address that only the mail vouches for. A
 * mail that a machine sent in answer to us is nobody's: it is kept in quarantine and never answered,
 * so that no two machines can answer each other for ever (RFC 3834 section 2).
 */
import type { ReturnAddress } from "../../domain/flux.ts";
import type { Guichet, Guichets } from "../../domain/guichet.ts";
import { isMailAddress } from "./mail-header.ts";
import type { ReadMail } from "./read-mail.ts";

export interface MailSender {
  /** The guichets it may send for; empty when unknown. */
  readonly guichets: readonly Guichet[];
  /** What the channel saw, for the trace. */
  readonly seenAs: string;
  /** An address of the sender that may be written to. */
  readonly address?: string;
}

/**
 * Three things may name a sender, the most certain first: its SMTP AUTH user, the address of the
 * envelope, the header `From` (relays that rewrite envelopes). The null sender names nobody.
 */
export function identifySender(
  mail: ReadMail,
  session: { readonly user?: string; readonly envelopeFrom: string },
  guichets: Guichets,
): MailSender {
  const { user, envelopeFrom } = session;
  const seenAs = user ?? (envelopeFrom === "" ? "<>" : envelopeFrom);
  if (mustNotBeAnswered(mail)) return { guichets: [], seenAs };
  if (user !== undefined) {
    const address = isMailAddress(envelopeFrom) ? envelopeFrom : mail.from;
    return {
      guichets: guichets.bySmtpUser(user),
      seenAs,
      ...(address === undefined ? {} : { address }),
    };
  }
  if (!isMailAddress(envelopeFrom)) return { guichets: [], seenAs };
  const byEnvelope = guichets.bySender(envelopeFrom);
  if (byEnvelope.length > 0) return { guichets: byEnvelope, seenAs, address: envelopeFrom };
  const byHeader = mail.from === undefined ? [] : guichets.bySender(mail.from);
  if (mail.from === undefined || byHeader.length === 0) return { guichets: [], seenAs };
  return { guichets: byHeader, seenAs: mail.from, address: mail.from };
}

/**
 * Automatic answers, and whatever answers an acquittement of ours without bringing a flux. A flux
 * that a machine sends of itself (`auto-generated`: every nightly export may say so) is a flux; so is
 * a corrected file that a person sends in answer to a refusal.
 */
function mustNotBeAnswered(mail: ReadMail): boolean {
  if (mail.autoSubmitted === "replied") return true;
  if (mail.autoSubmitted === "generated" && (!mail.hasXml || mail.echoesAcquittement)) return true;
  return mail.echoesAcquittement && !mail.hasXml;
}

/** Where the acquittement of one guichet's flux is mailed; undefined when nowhere is allowed. */
export function returnAddressOf(
  mail: ReadMail,
  sender: MailSender,
  guichet: Guichet | undefined,
): ReturnAddress | undefined {
  const to =
    guichet?.returnMail ??
    (guichet === undefined ? undefined : sender.address) ??
    guichet?.senders.find((declared) => !declared.startsWith("*"));
  if (to === undefined) return undefined;
  return {
    channel: "mail",
    to,
    subject: mail.subject,
    ...(mail.messageId === undefined ? {} : { messageId: mail.messageId }),
  };
}
