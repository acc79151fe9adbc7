/**
 * Names the arrival of a mail by what a repeat of it would carry again: who, its Message-ID, its
 * files. A sender whose `250` was lost sends the same mail again, and it is then the same arrival.
 *
 * The sender is in the name so that nobody can take the name of another's mail. Without a Message-ID
 * there is none: the content's identity still tells a repeat of a flux (`keep/identity.ts`).
 */
import { createHash } from "node:crypto";
import type { MailSender } from "./identify-sender.ts";
import type { ReadMail } from "./read-mail.ts";

export function arrivalKeyOf(mail: ReadMail, sender: MailSender): string | undefined {
  if (mail.messageId === undefined) return undefined;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([mail.messageId, sender.guichets.map(({ code }) => code).sort()]));
  for (const { bytes } of mail.files) hash.update(`\n${bytes.length}\n`).update(bytes);
  return `mail:${hash.digest("hex")}`;
}
