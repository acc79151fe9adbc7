/** Builds the SMTP receiver as the settings describe it; none when its port is turned off. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { makeSmtpReceiver, type SmtpReceiver } from "./adapters/mail/smtp-receiver.ts";
import type { Receive } from "./arrive/arrival.ts";
import type { Events } from "./domain/events.ts";
import type { Guichets } from "./domain/guichet.ts";
import type { Clock } from "./runtime/clock.ts";
import type { Log } from "./runtime/log.ts";
import type { Settings } from "./runtime/settings.ts";

/** Mails in hand at once may hold this many times the largest file, bytes. */
const FILES_IN_HAND = 8;
const MAX_CONNECTIONS = 200;
/** RFC 5321 section 4.5.3.2: five minutes between commands, ten for the end of the data. */
const IDLE_MS = 5 * 60_000;
const DATA_MS = 10 * 60_000;

export async function buildSmtpReceiver(options: {
  readonly settings: Settings;
  readonly guichets: Guichets;
  readonly receive: Receive;
  readonly clock: Clock;
  readonly events: Events;
  readonly log: Log;
}): Promise<SmtpReceiver | undefined> {
  const { settings, guichets, receive, clock, events, log } = options;
  if (settings.smtpPort < 0) return undefined;
  const { smtpTlsKey, smtpTlsCert } = settings;
  const users = readSmtpUsers(settings.smtpUsers);
  return makeSmtpReceiver({
    host: settings.smtpHost,
    port: settings.smtpPort,
    hostName: settings.hostName,
    guichets,
    receive,
    clock,
    log,
    events,
    // Base64 makes a file a third larger; the rest is headers and text.
    maxBytes: Math.ceil(settings.maxFileBytes * 1.5),
    maxBytesInHand: settings.maxFileBytes * FILES_IN_HAND,
    maxConnections: MAX_CONNECTIONS,
    requireTls: settings.smtpRequireTls,
    ...(smtpTlsKey === undefined || smtpTlsCert === undefined
      ? {}
      : { tls: { key: await readFile(smtpTlsKey), cert: await readFile(smtpTlsCert) } }),
    ...(users === undefined
      ? {}
      : {
          auth: {
            verify: (user: string, password: string) => samePassword(users.get(user), password),
            required: true,
            withoutTls: smtpTlsKey === undefined,
          },
        }),
    recipients: settings.smtpRecipients,
    idleMs: IDLE_MS,
    dataMs: DATA_MS,
    stopGraceMs: settings.stopMs,
  });
}

/** `user:password` pairs separated by commas; undefined when the setting is unset. */
function readSmtpUsers(text: string | undefined): ReadonlyMap<string, string> | undefined {
  if (text === undefined) return undefined;
  return new Map(
    text.split(",").map((pair) => {
      const colon = pair.indexOf(":");
      return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
    }),
  );
}

/** Compares in a time that tells nothing of either. */
function samePassword(expected: string | undefined, given: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(expected ?? ""), digest(given)) && expected !== undefined;
}
