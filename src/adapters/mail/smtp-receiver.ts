/**
 * Takes fluxes by SMTP (capability A1).
 *
 * Promise: `250` is said once `receive` has resolved, so once every file of the mail is durable, and
 * never otherwise. What cannot be kept is refused with a code that leaves the mail with its sender
 * (4xx), or tells it why it never will be (5xx). A connection that dies before its final dot leaves
 * nothing behind; one that dies after it may be repeated by its sender, and is then recognised
 * (`arrivalKey`). The bytes held in memory are bounded, per mail and in all.
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SMTPServerDataStream, SMTPServerSession } from "smtp-server";
import type { Receive, Reception } from "../../arrive/arrival.ts";
import { GatewayError, messageOf } from "../../domain/errors.ts";
import type { ErrorCode } from "../../domain/errors.ts";
import type { Events } from "../../domain/events.ts";
import type { Guichets } from "../../domain/guichet.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Part } from "../../runtime/part.ts";
import { identifySender, returnAddressOf } from "./identify-sender.ts";
import type { MailSender } from "./identify-sender.ts";
import { readMail } from "./read-mail.ts";
import type { ReadMail } from "./read-mail.ts";

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

/** What is told to a sender that is turned away. */
interface Refusal {
  readonly status: number;
  /** ASCII: SMTP texts are read by other mailers (RFC 5321 section 4.2.1). */
  readonly text: string;
}

/**
 * The answer to each way `receive` may reject. A full quarantine is a 4xx: the mail may come from a
 * guichet not yet declared, and a 550 would lose it.
 */
const REFUSALS: Partial<Record<ErrorCode, Refusal>> = {
  STORE_FULL: { status: 452, text: "The gateway's disk is full, not kept, try again later" },
  STORE_UNAVAILABLE: {
    status: 451,
    text: "The gateway's store is unavailable, not kept, try again later",
  },
  STOPPING: { status: 451, text: "The gateway is stopping, not kept, try again soon" },
  QUARANTINE_FULL: {
    status: 451,
    text: "Sender not known and quarantine full, not kept, try again later",
  },
};
const UNEXPECTED: Refusal = { status: 451, text: "Local error, not kept, try again later" };
const BUSY: Refusal = { status: 451, text: "Too many mails in hand, try again later" };
const MAX_AUTH_FAILURES = 3;

/** The connection ended before the final dot: nothing of the mail is kept, and nobody is left to tell. */
class ConnectionLost extends Error {}

/** An error as smtp-server wants it. */
class SmtpRefusal extends Error {
  readonly responseCode: number;
  constructor({ status, text }: Refusal) {
    super(text);
    this.responseCode = status;
  }
}

/**
 * smtp-server waits 100 ms before its greeting, to catch clients that talk first. Ours are known
 * machines, and a relay that sends one mail per connection would be held to ten a second each; there
 * is no option for it, so the connection is told it is ready at once.
 */
class PromptSmtpServer extends SMTPServer {
  override connect(...args: Parameters<SMTPServer["connect"]>): void {
    const before = new Set(this.connections);
    super.connect(...args);
    for (const connection of this.connections) {
      if (before.has(connection)) continue;
      const ready = connection.connectionReady.bind(connection);
      let greeted = false;
      connection.connectionReady = (next) => {
        if (greeted) return;
        greeted = true;
        ready(next);
      };
      setImmediate(() => connection.connectionReady());
    }
  }
}

export function makeSmtpReceiver(options: SmtpReceiverOptions): SmtpReceiver {
  const { hostName, guichets, receive, clock, log, events, auth } = options;
  const recipients = new Set(options.recipients.map(recipientPattern));
  const authFailures = new WeakMap<SMTPServerSession, number>();
  /** Sessions with a mail in hand: between the first byte of DATA and the answer to it. */
  const busy = new Map<string, Promise<void>>();
  let bytesInHand = 0;
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
      ...(auth === undefined || (options.tls === undefined && auth.withoutTls !== true)
        ? ["AUTH"]
        : []),
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
        done(new SmtpRefusal({ status: 530, text: "Must issue a STARTTLS command first" }));
      } else if (bytesInHand >= options.maxBytesInHand) {
        turnedAway("BUSY", BUSY, session);
        done(new SmtpRefusal(BUSY));
      } else done();
    },
    onRcptTo: ({ address }, _session, done) => {
      const lower = address.toLowerCase();
      const domain = lower.slice(lower.lastIndexOf("@") + 1);
      if (recipients.size === 0 || recipients.has(lower) || recipients.has(`@${domain}`)) done();
      else done(new SmtpRefusal({ status: 550, text: "No such recipient here" }));
    },
    onData: (stream, session, done) => {
      const work = takeMail(stream, session).then(
        (text) => done(null, text),
        (error: unknown) => {
          if (error instanceof SmtpRefusal) done(error);
          else log.info("smtp.connectionLost", { remote: session.remoteAddress });
        },
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
    return failures < MAX_AUTH_FAILURES
      ? { status: 535, text: "Authentication credentials invalid" }
      : { status: 421, text: "Too many authentication failures" };
  }

  /** Resolves with the text of the 250; rejects with the refusal, or with the loss of the connection. */
  async function takeMail(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
  ): Promise<string> {
    const held = { bytes: 0 };
    try {
      const raw = await readAll(stream, session, held);
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
      const key = arrivalKeyOf(mail, sender);
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
        ...(key === undefined ? {} : { arrivalKey: key }),
        returnTo: (_file, guichet) => returnAddressOf(mail, sender, guichet),
      });
      return textOf250(receptions, mail.files.length);
    } catch (error) {
      if (error instanceof SmtpRefusal || error instanceof ConnectionLost) throw error;
      const code = error instanceof GatewayError ? error.code : undefined;
      const refusal =
        (code === undefined ? undefined : REFUSALS[code]) ??
        unexpected("smtp.receiveFailed", error);
      turnedAway(code ?? "UNEXPECTED", refusal, session);
      throw new SmtpRefusal(refusal);
    } finally {
      bytesInHand -= held.bytes;
    }
  }

  /** Reads DATA to its final dot, or fails; holds no more than it may. */
  async function readAll(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    held: { bytes: number },
  ): Promise<Buffer> {
    const startedAt = clock.now();
    const chunks: Buffer[] = [];
    let refusal: Refusal | undefined;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        // Silence is the socket's to notice; a steady drip is noticed here.
        if (clock.now() - startedAt > options.dataMs) {
          throw new SmtpRefusal({ status: 421, text: "The mail took too long to arrive" });
        }
        if (stream.byteLength > 4 * options.maxBytes) {
          // It has been told the limit by SIZE, and goes on: it is no mailer.
          const flood = { status: 552, text: `Message exceeds ${options.maxBytes} bytes` };
          turnedAway("FILE_TOO_LARGE", flood, session);
          closeSession(session.id, flood);
          throw new ConnectionLost();
        }
        if (stream.byteLength > options.maxBytes) {
          refusal ??= { status: 552, text: `Message exceeds ${options.maxBytes} bytes` };
        } else if (bytesInHand + chunk.length > options.maxBytesInHand) {
          refusal ??= BUSY;
        }
        if (refusal === undefined) {
          chunks.push(chunk);
          held.bytes += chunk.length;
          bytesInHand += chunk.length;
        } else {
          // The rest is read and forgotten: SMTP has no way to answer before the final dot.
          chunks.length = 0;
          bytesInHand -= held.bytes;
          held.bytes = 0;
        }
      }
    } catch (error) {
      throw error instanceof SmtpRefusal ? error : new ConnectionLost("", { cause: error });
    }
    if (refusal !== undefined) {
      turnedAway(refusal === BUSY ? "BUSY" : "FILE_TOO_LARGE", refusal, session);
      throw new SmtpRefusal(refusal);
    }
    return Buffer.concat(chunks);
  }

  function unexpected(name: string, error: unknown): Refusal {
    log.error(name, { error: messageOf(error) });
    return UNEXPECTED;
  }

  function turnedAway(code: string, { status }: Refusal, session: SMTPServerSession): void {
    events.emit("arrival.turnedAway", { detail: { channel: "mail", code, status } });
    log.warn("smtp.turnedAway", { code, status, remote: session.remoteAddress });
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

/**
 * Names the arrival by what a repeat of it would carry again: who, its Message-ID, its files. The
 * sender is in it so that nobody can take the name of another's mail. Without a Message-ID it has no
 * name: the content's identity still tells a repeat of a flux (`keep/identity.ts`).
 */
function arrivalKeyOf(mail: ReadMail, sender: MailSender): string | undefined {
  if (mail.messageId === undefined) return undefined;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([mail.messageId, sender.guichets.map(({ code }) => code).sort()]));
  for (const { bytes } of mail.files) hash.update(`\n${bytes.length}\n`).update(bytes);
  return `mail:${hash.digest("hex")}`;
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
