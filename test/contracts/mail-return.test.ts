/** What an acquittement by mail promises the guichet that gets it, and the gateway that owes it. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeMailReturn } from "../../src/adapters/mail/mail-return.ts";
import type { MailReturn, MailReturnOptions } from "../../src/adapters/mail/mail-return.ts";
import type { AcquittementParcel, DeliveryResult } from "../../src/acknowledge/return-channel.ts";
import type { ReturnAddress } from "../../src/domain/flux.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { eventually } from "../support/eventually.ts";
import { startMailbox } from "../support/mail-peers.ts";
import type { CollectedMail, Mailbox, MailboxOptions } from "../support/mail-peers.ts";

const TLS_DIR = join(import.meta.dirname, "../fixtures/mail-tls");
const CERT = readFileSync(join(TLS_DIR, "cert.pem"), "utf8");
const KEY = readFileSync(join(TLS_DIR, "key.pem"), "utf8");
const FLUX_ID = "01JQ4ZK7P8";
const EVERY_BYTE = Buffer.from(Array.from({ length: 256 * 20 }, (_, i) => i % 256));
const LATIN = Buffer.from(
  '<?xml version="1.0" encoding="ISO-8859-1"?>\n<a>\xc9l\xe9onore</a>\r\n\n',
  "latin1",
);

const PARCEL: AcquittementParcel = {
  fluxId: FLUX_ID,
  parcelId: FLUX_ID,
  language: "fr",
  title: "Demande acceptée : 1110318016982G1104",
  text: "Bonjour,\nVotre flux « été.xml » a été accepté.\n",
  xml: { name: `acquittement-${FLUX_ID}.xml`, bytes: Buffer.from("<acquittement/>") },
  answer: { name: "réponse de l'été.xml", bytes: LATIN },
  attestation: { name: "attestation.pdf", bytes: EVERY_BYTE },
  originalName: "été.xml",
};
const TO: ReturnAddress = {
  channel: "mail",
  to: "flux@bailleur.test",
  subject: "Flux du 15 août",
  messageId: "<1.2@bailleur.test>",
};

/** An SMTP server that takes everything, and tells each command and each mail it hears. */
async function startScribe(
  onLine: (line: string, socket: Socket) => void,
  onMail: (mail: string) => void = () => undefined,
): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let isData = false;
    let mail = "";
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const text = chunk.toString("utf8");
      if (isData) {
        mail += text;
        if (!mail.endsWith("\r\n.\r\n")) return;
        onMail(mail);
        mail = "";
        isData = false;
        socket.write("250 taken\r\n");
        return;
      }
      const line = text.trimEnd();
      onLine(line, socket);
      isData = line === "DATA";
      if (!socket.destroyed) socket.write(isData ? "354 go on\r\n" : "250 fine\r\n");
    });
    socket.write("220 scribe\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe("acquittement by mail", () => {
  let mailbox: Mailbox;
  const started: MailReturn[] = [];

  async function startBox(options: MailboxOptions = {}): Promise<void> {
    mailbox = await startMailbox(options);
  }

  function makeReturn(more: Partial<MailReturnOptions> = {}): MailReturn {
    const made = makeMailReturn({
      transportUrl: mailbox.url,
      from: "sne@passerelle.test",
      hostName: "passerelle.test",
      maxConnections: 3,
      timeoutMs: 5_000,
      clock: { ...systemClock(), now: () => Date.UTC(2024, 7, 15, 9, 5, 7) },
      ...more,
    });
    started.push(made);
    return made;
  }

  async function delivered(parcel = PARCEL, to = TO): Promise<CollectedMail> {
    const before = mailbox.mails.length;
    const result = await makeReturn().deliver(parcel, to);
    assert.equal(result.kind, "delivered", JSON.stringify(result));
    const mail = mailbox.mails[before];
    assert(mail !== undefined);
    return mail;
  }

  function reasonOf(result: DeliveryResult): string {
    assert.equal(result.kind, "notDelivered");
    assert.equal(result.reason.code, "MAIL_NOT_DELIVERED");
    return result.reason.text;
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map((part) => part.stop()));
    await mailbox.stop();
  });

  describe("the mail", () => {
    beforeEach(() => startBox());

    it("carries every file byte for byte, under its name, and a text a person reads", async () => {
      const mail = await delivered();
      assert.deepEqual(
        mail.attachments.map(({ name, type }) => [name, type]),
        [
          [`acquittement-${FLUX_ID}.xml`, "application/xml"],
          ["réponse de l'été.xml", "application/xml"],
          ["attestation.pdf", "application/pdf"],
        ],
      );
      const [xml, answer, attestation] = mail.attachments;
      assert.equal(xml?.bytes.toString(), "<acquittement/>");
      assert(answer?.bytes.equals(LATIN));
      assert(attestation?.bytes.equals(EVERY_BYTE));
      assert.equal(mail.parsed.text?.trim(), "Bonjour,\r\nVotre flux « été.xml » a été accepté.");
    });

    it("answers the mail that brought the flux, and says that a machine wrote it", async () => {
      const mail = await delivered();
      assert.equal(mail.header("In-Reply-To"), "<1.2@bailleur.test>");
      assert.equal(mail.header("References"), "<1.2@bailleur.test>");
      assert.equal(mail.header("Auto-Submitted"), "auto-replied");
      assert.equal(mail.header("X-Passerelle-Flux"), FLUX_ID);
      assert.equal(
        mail.parsed.subject,
        "Demande acceptée : 1110318016982G1104 (Re: Flux du 15 août)",
      );
      assert.equal(mail.header("Date"), "Thu, 15 Aug 2024 09:05:07 +0000");
      assert.deepEqual(mail.envelope, { from: "sne@passerelle.test", to: ["flux@bailleur.test"] });
      assert.equal(mail.parsed.from?.address, "sne@passerelle.test");
      assert.equal(mail.parsed.to?.[0]?.address, "flux@bailleur.test");
    });

    it("has the same Message-ID and the same bytes when delivered twice", async () => {
      const [first, second] = [await delivered(), await delivered()];
      assert.equal(first.header("Message-ID"), `<acquittement.${FLUX_ID}@passerelle.test>`);
      assert(first.raw.equals(second.raw));
      const repeat = await delivered({ ...PARCEL, parcelId: `${FLUX_ID}.7` });
      assert.equal(repeat.header("Message-ID"), `<acquittement.${FLUX_ID}.7@passerelle.test>`);
    });

    it("leaves out what there is not", async () => {
      const { fluxId, parcelId, language, title, text, xml, originalName } = PARCEL;
      const mail = await delivered(
        { fluxId, parcelId, language, title, text, xml, originalName },
        { channel: "mail", to: TO.to, subject: "" },
      );
      assert.equal(mail.attachments.length, 1);
      assert.equal(mail.header("In-Reply-To"), undefined);
      assert.equal(mail.parsed.subject, title);
    });

    it("lets no value begin a header of its own", async () => {
      const mail = await delivered(
        {
          ...PARCEL,
          title: "a\r\nBcc: x@y.test\r\n",
          xml: { ...PARCEL.xml, name: 'a"\r\nX-Evil: 1.xml' },
        },
        { ...TO, subject: "b\nX-Evil: 1", messageId: "<a@b>\r\nX-Evil: 1" },
      );
      assert.equal(mail.header("X-Evil"), undefined);
      assert.equal(mail.header("Bcc"), undefined);
      assert.equal(mail.header("In-Reply-To"), undefined);
      assert.equal(mail.parsed.subject, "a Bcc: x@y.test (Re: b X-Evil: 1)");
      assert.equal(mail.attachments.length, 3);
      assert.equal(mail.attachments[0]?.name, "a_X-Evil_ 1.xml");
    });

    it("keeps every line within what SMTP takes", async () => {
      const mail = await delivered(
        {
          ...PARCEL,
          title: "é".repeat(300),
          answer: { name: `${"à".repeat(110)}.xml`, bytes: EVERY_BYTE },
        },
        { ...TO, subject: "û".repeat(300), messageId: `<${"a".repeat(900)}@b>` },
      );
      const longest = Math.max(
        ...mail.raw
          .toString("latin1")
          .split("\r\n")
          .map(({ length }) => length),
      );
      assert(longest <= 998, `${longest} characters`);
      assert.equal(mail.attachments[1]?.name, `${"à".repeat(110)}.xml`);
    });

    it("goes to a domain with accents by its ASCII name", async () => {
      const heard: string[] = [];
      const server = await startScribe((line) => heard.push(line));
      const back = makeReturn({ transportUrl: `smtp://127.0.0.1:${server.port}` });
      const result = await back.deliver(PARCEL, { ...TO, to: "flux@été.test" });
      assert.equal(result.kind, "delivered", JSON.stringify(result));
      assert(heard.includes("RCPT TO:<flux@xn--t-9fab.test>"), heard.join(" | "));
      server.close();
    });

    it("goes by another connection when the server closes an idle one as it comes", async () => {
      let connections = 0;
      const heard: string[] = [];
      const mails: string[] = [];
      const server = await startScribe(
        (line, socket) => {
          heard.push(line);
          if (line.startsWith("EHLO")) connections += 1;
          // The first connection takes one mail and hangs up at the next, before a byte of it.
          const isSecond = heard.filter((one) => one.startsWith("MAIL")).length === 2;
          if (connections === 1 && isSecond) socket.destroy();
        },
        (mail) => mails.push(mail),
      );
      const back = makeReturn({
        transportUrl: `smtp://127.0.0.1:${server.port}`,
        maxConnections: 1,
      });
      assert.equal((await back.deliver(PARCEL, TO)).kind, "delivered");
      const second = await back.deliver(PARCEL, TO);
      assert.equal(second.kind, "delivered", JSON.stringify(second));
      assert.equal(connections, 2);
      assert.equal(mails.length, 2);
      assert.equal(mails[1], mails[0], "the whole mail goes by the other");
      server.close();
    });

    it("goes by another connection when the server has closed an idle one", async () => {
      const sockets: Socket[] = [];
      const mails: string[] = [];
      const server = await startScribe(
        (line, socket) => {
          if (line.startsWith("EHLO")) sockets.push(socket);
        },
        (mail) => mails.push(mail),
      );
      const back = makeReturn({
        transportUrl: `smtp://127.0.0.1:${server.port}`,
        maxConnections: 1,
      });
      assert.equal((await back.deliver(PARCEL, TO)).kind, "delivered");
      sockets[0]?.end("421 goodbye\r\n");
      await eventually("the pool has hung up too", () => sockets[0]?.destroyed);
      assert.equal((await back.deliver(PARCEL, TO)).kind, "delivered");
      assert.equal(sockets.length, 2);
      assert.equal(mails.length, 2);
      server.close();
    });

    it("goes a hundred at a time over a few connections, each once", async () => {
      const back = makeReturn();
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, i) => back.deliver({ ...PARCEL, fluxId: `01J${i}` }, TO)),
      );
      assert(results.every(({ kind }) => kind === "delivered"));
      assert.equal(
        new Set(mailbox.mails.map((mail) => mail.header("X-Passerelle-Flux"))).size,
        100,
      );
      assert.equal(mailbox.mails.length, 100);
    });
  });

  describe("when it cannot be delivered, it stays owed and says why", () => {
    for (const code of [421, 451, 550, 552]) {
      it(`on a ${code}, with the server's words`, async () => {
        await startBox();
        mailbox.answer({ code, text: "boîte pleine" });
        const back = makeReturn();
        assert.match(reasonOf(await back.deliver(PARCEL, TO)), new RegExp(`${code} .*pleine`));
        mailbox.answer(undefined);
        assert.equal((await back.deliver(PARCEL, TO)).kind, "delivered");
      });
    }

    it("when nobody listens", async () => {
      await startBox();
      await mailbox.stop();
      assert.match(reasonOf(await makeReturn().deliver(PARCEL, TO)), /ECONNREFUSED/);
    });

    it("when the server hangs after the final dot, within its time limit", async () => {
      await startBox();
      mailbox.answer("hang");
      assert.match(
        reasonOf(await makeReturn({ timeoutMs: 300 }).deliver(PARCEL, TO)),
        /pas de réponse en 0.3 s/,
      );
      assert.equal(mailbox.attempts, 1);
    });

    it("when the server takes the connection and says nothing", async () => {
      await startBox();
      const mute = createServer(() => undefined);
      await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
      const { port } = mute.address() as AddressInfo;
      const back = makeReturn({ transportUrl: `smtp://127.0.0.1:${port}`, timeoutMs: 300 });
      reasonOf(await back.deliver(PARCEL, TO));
      mute.close();
    });

    it("when the server drips its words without end", async () => {
      await startBox();
      const timers: NodeJS.Timeout[] = [];
      const dripping = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.write("220 goutte\r\n");
        socket.once("data", () => {
          timers.push(setInterval(() => socket.write("250-encore\r\n"), 20));
        });
      });
      await new Promise<void>((resolve) => dripping.listen(0, "127.0.0.1", resolve));
      const { port } = dripping.address() as AddressInfo;
      const back = makeReturn({ transportUrl: `smtp://127.0.0.1:${port}`, timeoutMs: 300 });
      assert.match(reasonOf(await back.deliver(PARCEL, TO)), /pas de réponse/);
      timers.forEach(clearInterval);
      dripping.close();
    });

    it("when the server hangs up instead of answering; then delivers again", async () => {
      await startBox();
      mailbox.answer("close");
      const back = makeReturn();
      reasonOf(await back.deliver(PARCEL, TO));
      mailbox.answer(undefined);
      assert.equal((await back.deliver(PARCEL, TO)).kind, "delivered");
    });

    it("when the address is none, or belongs to another channel", async () => {
      await startBox();
      const back = makeReturn();
      for (const to of ["", "a@b, c@d", "a@b\r\nRCPT TO:<c@d>", "<a@b>"]) {
        reasonOf(await back.deliver(PARCEL, { ...TO, to }));
      }
      const elsewhere = await back.deliver(PARCEL, { channel: "rest" });
      assert.equal(elsewhere.kind === "notDelivered" && elsewhere.reason.code, "NO_RETURN_CHANNEL");
      assert.equal(mailbox.attempts, 0);
    });

    it("when the password is wrong, without telling it", async () => {
      await startBox({ login: { user: "sne", password: "juste" } });
      const url = (password: string) => `smtp://sne:${password}@127.0.0.1:${mailbox.port}`;
      const text = reasonOf(
        await makeReturn({ transportUrl: url("faux-secret") }).deliver(PARCEL, TO),
      );
      assert.match(text, /535/);
      assert.doesNotMatch(text, /secret/);
      const right = makeReturn({ transportUrl: url("juste") });
      assert.equal((await right.deliver(PARCEL, TO)).kind, "delivered");
    });
  });

  describe("TLS", () => {
    it("is used when offered, and the certificate is checked", async () => {
      await startBox({ tls: { key: KEY, cert: CERT } });
      assert.match(reasonOf(await makeReturn().deliver(PARCEL, TO)), /self-signed|certificate/);
      const trusting = makeReturn({ tls: { ca: CERT } });
      assert.equal((await trusting.deliver(PARCEL, TO)).kind, "delivered");
    });

    it("refuses to send in clear when it is required", async () => {
      await startBox();
      reasonOf(await makeReturn({ tls: { required: true } }).deliver(PARCEL, TO));
      assert.equal(mailbox.mails.length, 0);
    });
  });

  it("stops after the delivery in hand, and then delivers nothing more", async () => {
    await startBox();
    const back = makeReturn();
    const inHand = back.deliver(PARCEL, TO);
    await back.stop();
    assert.equal((await inHand).kind, "delivered");
    await eventually("it is in the mailbox", () => mailbox.has(FLUX_ID));
    reasonOf(await back.deliver(PARCEL, TO));
    await back.stop();
  });

  it("refuses settings that can never work", async () => {
    await startBox();
    assert.throws(() => makeReturn({ transportUrl: "http://x" }), /smtp/);
    assert.throws(() => makeReturn({ from: "nobody" }), /mail address/);
  });
});
