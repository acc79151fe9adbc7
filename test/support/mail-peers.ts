/**
 * The two mail peers of a gateway under test: a mailbox that collects what it is sent (and can be
 * told to refuse, to hang or to hang up), and senders, by nodemailer or byte by byte on a socket.
 *
 * What the mailbox collects is read by postal-mime, not by the gateway's own reader.
 */
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createTransport } from "nodemailer";
import PostalMime from "postal-mime";
import type { Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

export interface CollectedMail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly raw: Buffer;
  readonly parsed: Email;
  /** A header as it was written, unfolded. */
  header(name: string): string | undefined;
  readonly attachments: readonly {
    readonly name: string;
    readonly type: string;
    readonly bytes: Buffer;
  }[];
}

/** How the mailbox answers the final dot: a code and text, nothing at all, or by hanging up. */
export type MailboxAnswer = { readonly code: number; readonly text: string } | "hang" | "close";

export interface Mailbox {
  readonly port: number;
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  readonly mails: readonly CollectedMail[];
  /** How many mails ended with their final dot, refused ones included. */
  readonly attempts: number;
  /** The first mail that satisfies the condition. */
  find(condition: (mail: CollectedMail) => boolean): CollectedMail | undefined;
  /** Whether a mail speaks of this flux (header X-Passerelle-Flux). */
  has(fluxId: string): boolean;
  clear(): void;
  /** Answers so from now on; `undefined`: takes everything again. */
  answer(how: MailboxAnswer | undefined): void;
  stop(): Promise<void>;
}

export interface MailboxOptions {
  readonly port?: number;
  /** Asks for this user and password; without TLS, as a test may. */
  readonly login?: { readonly user: string; readonly password: string };
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Counts mails without reading or keeping them, for a bench. */
  readonly countOnly?: boolean;
}

export async function startMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const mails: CollectedMail[] = [];
  let attempts = 0;
  let how: MailboxAnswer | undefined;
  const { login, tls, countOnly } = options;
  const server = new SMTPServer({
    disableReverseLookup: true,
    authOptional: login === undefined,
    allowInsecureAuth: true,
    ...(tls === undefined ? { disabledCommands: ["STARTTLS"] } : tls),
    logger: false,
    closeTimeout: 200,
    onAuth: ({ username, password }, _session, done) => {
      if (username === login?.user && password === login?.password) done(null, { user: username });
      else done(new Error("wrong password"));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => {
        if (countOnly !== true) chunks.push(chunk);
      });
      stream.on("error", () => undefined);
      stream.on("end", () => {
        attempts += 1;
        if (how === "hang") return;
        if (how === "close") {
          for (const connection of server.connections) {
            if (connection.session.id === session.id) connection.close();
          }
          return;
        }
        if (how !== undefined) {
          done(Object.assign(new Error(how.text), { responseCode: how.code }));
          return;
        }
        if (countOnly === true) {
          done();
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const envelope = {
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
        };
        collect(Buffer.concat(chunks), envelope).then(
          (mail) => {
            mails.push(mail);
            done();
          },
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      });
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    get attempts() {
      return attempts;
    },
    find: (condition) => mails.find(condition),
    has: (fluxId) => mails.some((mail) => mail.header("X-Passerelle-Flux") === fluxId),
    clear: () => {
      mails.length = 0;
    },
    answer: (next) => {
      how = next;
    },
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

async function collect(raw: Buffer, envelope: CollectedMail["envelope"]): Promise<CollectedMail> {
  const parsed = await PostalMime.parse(raw);
  return {
    envelope,
    raw,
    parsed,
    header: (name) => parsed.headers.find(({ key }) => key === name.toLowerCase())?.value,
    attachments: parsed.attachments.map(({ filename, mimeType, content }) => ({
      name: filename ?? "",
      type: mimeType,
      bytes:
        typeof content === "string" ? Buffer.from(content) : Buffer.from(new Uint8Array(content)),
    })),
  };
}

export interface MailToSend {
  readonly port: number;
  readonly from: string;
  readonly to?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly attachments?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly messageId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly login?: { readonly user: string; readonly password: string };
  /** Insists on STARTTLS, whatever the certificate. */
  readonly startTls?: boolean;
}

/** Sends a mail the way a landlord's system does; resolves with the answer to its final dot. */
export async function sendMail(mail: MailToSend): Promise<string> {
  const transport = createTransport({
    host: "127.0.0.1",
    port: mail.port,
    tls: { rejectUnauthorized: false },
    requireTLS: mail.startTls === true,
    ignoreTLS: mail.startTls !== true,
    ...(mail.login === undefined
      ? {}
      : { auth: { user: mail.login.user, pass: mail.login.password } }),
  });
  try {
    const { response } = await transport.sendMail({
      from: mail.from,
      to: mail.to ?? "sne@passerelle.test",
      subject: mail.subject ?? "Flux SNE",
      text: mail.text ?? "Veuillez trouver ci-joint un fichier.",
      attachments: (mail.attachments ?? []).map(({ name, bytes }) => ({
        filename: name,
        content: Buffer.from(bytes),
      })),
      ...(mail.messageId === undefined ? {} : { messageId: mail.messageId }),
      ...(mail.headers === undefined ? {} : { headers: mail.headers }),
    });
    return response;
  } finally {
    transport.close();
  }
}

/** One SMTP conversation, line by line. */
export interface Dialogue {
  /** Sends a line, resolves with the reply to it (all its lines). */
  say(line: string): Promise<string>;
  /** The next reply, to something already sent. */
  hear(): Promise<string>;
  /** Sends bytes as they are. */
  write(bytes: Uint8Array | string): void;
  /** Continues under TLS (after a 220 to STARTTLS). */
  secure(): Promise<void>;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  /** Cuts the connection without a word (RST). */
  cut(): void;
  end(): void;
}

/** Opens a conversation; the greeting is yet to be heard. */
export async function openDialogue(port: number): Promise<Dialogue> {
  let socket: Socket = connectSocket({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  let buffered = "";
  let ended = false;
  let wake: () => void = () => undefined;
  let tellClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    tellClosed = resolve;
  });
  const listen = (to: Socket): void => {
    to.on("data", (chunk: Buffer) => {
      buffered += chunk.toString("utf8");
      wake();
    });
    to.on("error", () => undefined);
    to.on("close", () => {
      ended = true;
      wake();
      tellClosed();
    });
  };
  listen(socket);
  const hear = async (): Promise<string> => {
    for (;;) {
      const last = /^\d{3}(?: [^\n]*)?\r\n/m.exec(buffered);
      if (last !== null) {
        const end = last.index + last[0].length;
        const reply = buffered.slice(0, end).trimEnd();
        buffered = buffered.slice(end);
        return reply;
      }
      if (ended) throw new Error(`connection closed, no reply (had: ${JSON.stringify(buffered)})`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    hear,
    say: (line) => {
      socket.write(`${line}\r\n`);
      return hear();
    },
    write: (bytes) => {
      socket.write(bytes);
    },
    secure: async () => {
      socket.removeAllListeners("data");
      const secured = connectTls({ socket, rejectUnauthorized: false });
      await once(secured, "secureConnect");
      socket = secured;
      listen(secured);
    },
    closed,
    cut: () => socket.resetAndDestroy(),
    end: () => {
      socket.end();
    },
  };
}

/** Dot-stuffs and ends a mail for DATA (RFC 5321 section 4.5.2). */
export function asData(raw: Uint8Array | string): Buffer {
  const text = Buffer.from(raw).toString("latin1").replace(/^\./gm, "..");
  return Buffer.from(`${text}${text.endsWith("\r\n") ? "" : "\r\n"}.\r\n`, "latin1");
}

/** Sends raw bytes as one mail; resolves with the reply to the final dot, or to what was refused. */
export async function sendRaw(
  port: number,
  from: string,
  to: string,
  raw: Uint8Array | string,
): Promise<string> {
  const dialogue = await openDialogue(port);
  try {
    await dialogue.hear();
    for (const line of ["EHLO peer.test", `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, "DATA"]) {
      const reply = await dialogue.say(line);
      if (/^[45]/.test(reply)) return reply;
    }
    dialogue.write(asData(raw));
    return await dialogue.hear();
  } finally {
    dialogue.end();
  }
}
