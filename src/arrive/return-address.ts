/**
 * Decides, once, at arrival, where the acquittement of a flux will go: by the channel it came by,
 * unless its guichet asked for another (D1).
 */
import { safeSubject } from "../domain/subject.ts";
import type { Origin, ReturnAddress } from "../domain/flux.ts";
import type { Guichet } from "../domain/guichet.ts";

/**
 * @param byItsChannel - the address the arrival's own channel proposes
 * @returns undefined when nobody can be told (unknown sender)
 */
export function returnAddressOf(
  guichet: Guichet | undefined,
  byItsChannel: ReturnAddress | undefined,
  { fileName, origin }: { fileName: string; origin: Origin },
): ReturnAddress | undefined {
  if (guichet === undefined) return undefined;
  switch (guichet.returnBy) {
    case "same":
      return byItsChannel;
    case "rest":
      return { channel: "rest" };
    case "file":
      return { channel: "file", guichet: guichet.code, fileName };
    case "mail": {
      if (byItsChannel?.channel === "mail" && guichet.returnMail === undefined) return byItsChannel;
      return guichet.returnMail === undefined
        ? byItsChannel
        : mailAddress(guichet.returnMail, fileName, origin, byItsChannel);
    }
  }
}

/** The best address for a flux whose arrival channel is gone (released from quarantine). */
export function returnAddressWithoutChannel(
  guichet: Guichet,
  about: { fileName: string; origin: Origin },
): ReturnAddress {
  const wanted = returnAddressOf(guichet, undefined, about);
  if (wanted !== undefined) return wanted;
  const mail = guichet.returnMail ?? guichet.senders.find((sender) => !sender.startsWith("*"));
  if (mail !== undefined) return mailAddress(mail, about.fileName, about.origin, undefined);
  if (guichet.folders !== undefined) {
    return { channel: "file", guichet: guichet.code, fileName: about.fileName };
  }
  return { channel: "rest" };
}

function mailAddress(
  to: string,
  fileName: string,
  origin: Origin,
  came: ReturnAddress | undefined,
): ReturnAddress {
  const subject = came?.channel === "mail" ? came.subject : safeSubject(fileName);
  return {
    channel: "mail",
    to,
    subject,
    ...(origin.messageId === undefined ? {} : { messageId: origin.messageId }),
  };
}
