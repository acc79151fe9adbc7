/**
 * Takes fluxes by SMTP (capability A1).
 *
 * Promise: `250` is said once `receive` has resolved, so once every file of the mail is durable, and
 * never otherwise. What cannot be kept is refused with a code that leaves the mail with its sender
 * (4xx), or tells it why it never will be (5xx). A connection that dies before its final dot leaves
 * nothing behind; one that dies after it may be repeated by its sender, and is then recognised
 * (`arrivalKey`). The bytes held in memory are bounded, per mail and in all.
 */
import type { AddressInfo } from "node:net";
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import type { Receive, Reception } from "../../arrive/arrival.ts";
import { GatewayError, messageOf } from "../../domain/errors.ts";
import type { Events } from "../../domain/events.ts";
import type { Guichets } from "../../domain/guichet.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Part } from "../../runtime/part.ts";
import { arrivalKeyOf } from "./arrival-key.ts";
import { identifySender, returnAddressOf } from "./identify-sender.ts";
import { makeMailsInHand } from "./mails-in-hand.ts";
import { PromptSmtpServer } from "./prompt-smtp-server.ts";
import { readMail } from "./read-mail.ts";
import {
  BUSY,
  NO_SUCH_RECIPIENT,
  REFUSAL_OF,
  SmtpRefusal,
  TLS_FIRST,
  TOO_MANY_GUESSES,
  TOO_SLOW,
  UNEXPECTED,
  WRONG_PASSWORD,
  tooLarge,
} from "./smtp-refusal.ts";
import type { Refusal } from "./smtp-refusal.ts";

export interface SmtpReceiverOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The name of the banner and of `EHLO`. */
  readonly hostName: string;
  readonly guichets: Guichets;
  readonly receive: Receive;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Events;
  /** The largest mail, bytes, announced by SIZE (RFC 1870). Base64 makes a file a third larger. */
  readonly maxBytes: number;
  /** The most bytes held for all mails being received or kept; over it, `451`. */
  readonly maxBytesInHand: number;
  readonly maxConnections: number;
  /** PEM. Absent: no STARTTLS, and no AUTH unless `auth.withoutTls`. */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** Refuses mail on a connection that has not done STARTTLS. */
  readonly requireTls: boolean;
  readonly auth?: {
    /** Whether the password is this user's; a user that names no guichet is refused anyway. */
    verify(user: string, password: string): boolean | Promise<boolean>;
    /** Refuses mail from a sender that has not authenticated. */
    readonly required: boolean;
    /** Takes passwords in clear: for a private network or a test. */
    readonly withoutTls?: boolean;
  };
  /** Recipients taken: addresses, or domains (`domain`, `@domain`, `*@domain`). Empty: any. */
  readonly recipients: readonly string[];
  /** Silence after which a connection is closed, ms. RFC 5321 section 4.5.3.2.7 asks for 5 minutes. */
  readonly idleMs: number;
  /** The longest a mail may take to arrive, ms, however steadily it drips. */
  readonly dataMs: number;
  /** How long `stop` waits for the mails in hand, ms. */
  readonly stopGraceMs: number;
}

export interface SmtpReceiver extends Part {
  /** Where it listens, once started. */
  address(): { readonly host: string; readonly port: number };
}

const MAX_AUTH_FAILURES = 3;

/** Throws when AUTH is required and cannot be offered: mail would then come in without it. */
export function makeSmtpReceiver(options: SmtpReceiverOptions): SmtpReceiver {
  const { hostName, guichets, receive, log, events, auth } = options;
  const recipients = new Set(options.recipients.map(recipientPattern));
  const authFailures = new WeakMap<SMTPServerSession, number>();
  /** Sessions with a mail in hand: between the first byte of DATA and the answer to it. */
  const busy = new Map<string, Promise<void>>();
  const inHand = makeMailsInHand(options);
  const offersAuth = auth !== undefined && (options.tls !== undefined || auth.withoutTls === true);
  if (auth?.required === true && !offersAuth) {
    throw new TypeError("AUTH is required, and there is neither TLS nor leave to do without");
  }
  let stopping = false;
  let stopped: Promise<void> | undefined;

  const server = new PromptSmtpServer({
    name: hostName,
    banner: "Passerelle SNE",
    size: options.maxBytes,
    rejectOversized: true,
    maxClients: options.maxConnections,
    maxRecipients: 50,
    socketTimeout: options.idleMs,
    closeTimeout: options.stopGraceMs,
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    authOptional: auth?.required !== true,
    allowInsecureAuth: auth?.withoutTls === true,
    authMethods: ["PLAIN", "LOGIN"],
    ...(options.tls === undefined ? {} : { key: options.tls.key, cert: options.tls.cert }),
    disabledCommands: [
      "WIZ",
      "SHELL",
      "KILL",
      "VRFY",
      ...(options.tls === undefined ? ["STARTTLS"] : []),
      ...(offersAuth ? [] : ["AUTH"]),
    ],
    logger: false,
    onAuth: ({ username, password }, session, done) => {
      void checkPassword(username ?? "", password ?? "", session).then(
        (refusal) => {
          if (refusal === undefined) done(null, { user: username });
          else done(new SmtpRefusal(refusal));
        },
        (error: unknown) => done(new SmtpRefusal(unexpected("smtp.authFailed", error))),
      );
    },
    onMailFrom: (_address, session, done) => {
      if (options.requireTls && !session.secure) {
        done(new SmtpRefusal(TLS_FIRST));
      } else if (inHand.isFull()) {
        done(turnedAway("BUSY", BUSY, session));
      } else done();
    },
    onRcptTo: ({ address }, _session, done) => {
      const lower = address.toLowerCase();
      const domain = lower.slice(lower.lastIndexOf("@") + 1);
      if (recipients.size === 0 || recipients.has(lower) || recipients.has(`@${domain}`)) done();
      else done(new SmtpRefusal(NO_SUCH_RECIPIENT));
    },
    onData: (stream, session, done) => {
      const work = takeMail(stream, session).then(
        (answer) => {
          if (answer instanceof SmtpRefusal) done(answer);
          else if (answer !== undefined) done(null, answer);
        },
        (error: unknown) => done(new SmtpRefusal(unexpected("smtp.takeFailed", error))),
      );
      busy.set(session.id, work);
      void work.finally(() => {
        // The next mail of the same connection may have begun.
        if (busy.get(session.id) === work) busy.delete(session.id);
        if (stopping) closeIdle();
      });
    },
  });
  // Of one connection (reset, failed handshake) as of the listener once it listens; never fatal.
  server.on("error", (error) => log.info("smtp.connectionFailed", { error: messageOf(error) }));

  async function checkPassword(
    user: string,
    password: string,
    session: SMTPServerSession,
  ): Promise<Refusal | undefined> {
    const isRight =
      user !== "" &&
      guichets.bySmtpUser(user).length > 0 &&
      auth !== undefined &&
      (await auth.verify(user, password));
    if (isRight) return undefined;
    const failures = (authFailures.get(session) ?? 0) + 1;
    authFailures.set(session, failures);
    log.warn("smtp.authRefused", { remote: session.remoteAddress });
    return failures < MAX_AUTH_FAILURES ? WRONG_PASSWORD : TOO_MANY_GUESSES;
  }

  /** The text of the 250, or the refusal; undefined when nobody is left to be answered. */
  async function takeMail(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
  ): Promise<string | SmtpRefusal | undefined> {
    const reading = await inHand.read(stream);
    switch (reading.kind) {
      case "lost":
        log.info("smtp.connectionLost", { remote: session.remoteAddress });
        return undefined;
      case "tooLarge":
        return turnedAway("FILE_TOO_LARGE", tooLarge(options.maxBytes), session);
      case "flood":
        turnedAway("FILE_TOO_LARGE", tooLarge(options.maxBytes), session);
        closeSession(session.id, tooLarge(options.maxBytes));
        return undefined;
      case "busy":
        return turnedAway("BUSY", BUSY, session);
      case "tooSlow":
        return turnedAway("TOO_SLOW", TOO_SLOW, session);
      case "whole":
        try {
          return await keepMail(reading.raw, session);
        } catch (error) {
          const code = error instanceof GatewayError ? error.code : undefined;
          const known = code === undefined ? undefined : REFUSAL_OF[code];
          const refusal = known ?? unexpected("smtp.receiveFailed", error);
          return turnedAway(code ?? "UNEXPECTED", refusal, session);
        } finally {
          reading.letGo();
        }
    }
  }

  /** Resolves with the text of the 250 once every file of the mail is durable. */
  async function keepMail(raw: Buffer, session: SMTPServerSession): Promise<string> {
    const mail = readMail(raw);
    const { mailFrom } = session.envelope;
    const user: unknown = session.user;
    const sender = identifySender(
      mail,
      {
        envelopeFrom: mailFrom === false ? "" : mailFrom.address,
        ...(typeof user === "string" ? { user } : {}),
      },
      guichets,
    );
    const arrivalKey = arrivalKeyOf(mail, sender);
    const receptions = await receive({
      channel: "mail",
      sender: sender.guichets,
      files: mail.files,
      ...(mail.unreadable === undefined ? {} : { unreadable: mail.unreadable }),
      origin: {
        from: sender.seenAs,
        ...(mail.messageId === undefined ? {} : { messageId: mail.messageId }),
        remoteAddress: session.remoteAddress,
      },
      ...(arrivalKey === undefined ? {} : { arrivalKey }),
      returnTo: (_file, guichet) => returnAddressOf(mail, sender, guichet),
    });
    return textOf250(receptions, mail.files.length);
  }

  function unexpected(name: string, error: unknown): Refusal {
    log.error(name, { error: messageOf(error) });
    return UNEXPECTED;
  }

  function turnedAway(code: string, refusal: Refusal, session: SMTPServerSession): SmtpRefusal {
    const { status } = refusal;
    events.emit("arrival.turnedAway", { detail: { channel: "mail", code, status } });
    log.warn("smtp.turnedAway", { code, status, remote: session.remoteAddress });
    return new SmtpRefusal(refusal);
  }

  function closeSession(id: string, { status, text }: Refusal): void {
    for (const connection of server.connections) {
      if (connection.session.id !== id) continue;
      connection.send(status, text);
      connection.close();
    }
  }

  /** While stopping: a connection with no mail in hand has nothing left to wait for. */
  function closeIdle(): void {
    for (const connection of [...server.connections]) {
      if (!busy.has(connection.session.id)) connection.send(421, `${hostName} is stopping`);
    }
  }

  return {
    name: "smtp-receiver",
    start: () =>
      new Promise((resolve, reject) => {
        const listener = server.listen(options.port, options.host, () => {
          listener.removeListener("error", reject);
          resolve();
        });
        listener.once("error", reject);
      }),
    stop: () => {
      stopped ??= (async () => {
        stopping = true;
        const closed = new Promise<void>((resolve) => server.close(resolve));
        closeIdle();
        await closed;
        // After the grace, connections are cut; what `receive` has in hand is still waited for.
        await Promise.all(busy.values());
      })();
      return stopped;
    },
    address: () => {
      const { address, port } = server.server.address() as AddressInfo;
      return { host: address, port };
    },
  };
}

/** An address as it is, a domain as `@domain`; lower case. */
function recipientPattern(recipient: string): string {
  const bare = recipient.trim().toLowerCase().replace(/^\*@/, "@");
  return bare.includes("@") ? bare : `@${bare}`;
}

/** Says under which names the files were kept; throws when any was not, which no mail may pass over. */
function textOf250(receptions: readonly Reception[], files: number): string {
  const ids = receptions.map((reception) => {
    if ("flux" in reception) return reception.flux.id;
    throw new Error(`a file of a mail was not kept: ${reception.kind}`);
  });
  if (ids.length !== files) throw new Error(`${files} files given, ${ids.length} kept`);
  const isQuarantined = receptions.some(({ kind }) => kind === "quarantined");
  // RFC 5321 section 4.5.3.1.5: a reply line is at most 512 bytes.
  const shown = ids.slice(0, 8).join(" ");
  const more = ids.length > 8 ? ` and ${ids.length - 8} more` : "";
  return `Kept as ${shown}${more}${isQuarantined ? " (sender not known, waits for an operator)" : ""}`;
}
