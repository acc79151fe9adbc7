/**
 * What the SMTP receiver promises a sender, on real sockets. `receive` is a fake: it stands for the
 * store, so that its slowness and its outages can be played.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSmtpReceiver } from "../../src/adapters/mail/smtp-receiver.ts";
import type { SmtpReceiver, SmtpReceiverOptions } from "../../src/adapters/mail/smtp-receiver.ts";
import type { Arrival, Reception } from "../../src/arrive/arrival.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import type { GatewayEvent } from "../../src/domain/events.ts";
import type { Flux } from "../../src/domain/flux.ts";
import { indexGuichets } from "../../src/domain/guichet.ts";
import type { Guichet } from "../../src/domain/guichet.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { makeEventBus } from "../../src/runtime/event-bus.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { eventually } from "../support/eventually.ts";
import { asData, openDialogue, sendMail, sendRaw } from "../support/mail-peers.ts";
import type { Dialogue } from "../support/mail-peers.ts";

const TLS_DIR = join(import.meta.dirname, "../fixtures/mail-tls");
const TLS = {
  key: readFileSync(join(TLS_DIR, "key.pem"), "utf8"),
  cert: readFileSync(join(TLS_DIR, "cert.pem"), "utf8"),
};
const XML = Buffer.from('<?xml version="1.0"?><interfaceNuu/>');
const SENDER = "flux@bailleur.test";
const ANSWERED_ACQUITTEMENT = "<acquittement.01J@passerelle.test>";

const guichet = (code: string, more: Partial<Guichet>): Guichet => ({
  code,
  name: code,
  senders: [],
  returnBy: "same",
  language: "fr",
  ...more,
});
const GUICHETS = indexGuichets([
  guichet("G1104", { senders: [SENDER] }),
  guichet("G1105", { senders: ["*@bailleur.test"], returnMail: "retours@bailleur.test" }),
  guichet("G1226", { senders: ["sne@mairie.test"], smtpUser: "mairie" }),
]);

function keptAs(id: string, kind: "kept" | "quarantined" = "kept"): Reception {
  const flux: Flux = {
    id,
    state: kind,
    channel: "mail",
    fileName: "a.xml",
    sha256: "",
    size: 0,
    origin: { from: "" },
    receivedAt: 0,
    since: 0,
    attempts: 0,
    repeats: 0,
  };
  return { kind, flux };
}

/** A mail with one XML attachment, as raw bytes. */
function rawMail(headers: readonly string[] = [], xml: string = XML.toString()): string {
  return [
    `From: <${SENDER}>`,
    "Message-ID: <1@bailleur.test>",
    "Subject: Flux du jour",
    ...headers,
    "Content-Type: multipart/mixed; boundary=B",
    "",
    "--B",
    "Content-Type: application/xml; name=a.xml",
    "",
    xml,
    "--B--",
    "",
  ].join("\r\n");
}

describe("SMTP receiver", () => {
  let running: SmtpReceiver | undefined;
  let arrivals: Arrival[] = [];
  let told: GatewayEvent[] = [];
  let receive: (arrival: Arrival) => Promise<readonly Reception[]>;

  async function start(more: Partial<SmtpReceiverOptions> = {}): Promise<number> {
    const clock = systemClock();
    const events = makeEventBus({ clock, log: SILENT_LOG });
    events.listen((event) => told.push(event));
    running = makeSmtpReceiver({
      host: "127.0.0.1",
      port: 0,
      hostName: "passerelle.test",
      guichets: GUICHETS,
      receive: (arrival) => {
        arrivals.push(arrival);
        return receive(arrival);
      },
      clock,
      log: SILENT_LOG,
      events,
      maxBytes: 200_000,
      maxBytesInHand: 2_000_000,
      maxConnections: 60,
      requireTls: false,
      recipients: [],
      idleMs: 10_000,
      dataMs: 10_000,
      stopGraceMs: 300,
      ...more,
    });
    await running.start();
    return running.address().port;
  }

  async function greeted(port: number): Promise<Dialogue> {
    const dialogue = await openDialogue(port);
    assert.match(await dialogue.hear(), /^220 passerelle\.test ESMTP/);
    assert.match(await dialogue.say("EHLO peer.test"), /^250/);
    return dialogue;
  }

  async function readyForData(port: number, from = SENDER): Promise<Dialogue> {
    const dialogue = await greeted(port);
    assert.match(await dialogue.say(`MAIL FROM:<${from}>`), /^250/);
    assert.match(await dialogue.say("RCPT TO:<sne@passerelle.test>"), /^250/);
    assert.match(await dialogue.say("DATA"), /^354/);
    return dialogue;
  }

  beforeEach(() => {
    arrivals = [];
    told = [];
    receive = ({ files }) => Promise.resolve(files.map((_, index) => keptAs(`01JFLUX${index}`)));
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  describe("says 250", () => {
    it("only once the flux is kept, with its id", async () => {
      const port = await start();
      let keep: (receptions: readonly Reception[]) => void = () => undefined;
      receive = () =>
        new Promise((resolve) => {
          keep = resolve;
        });
      const dialogue = await readyForData(port);
      dialogue.write(asData(rawMail()));
      const answers: string[] = [];
      const answered = dialogue.hear().then((reply) => answers.push(reply));
      await eventually("the mail is with the store", () => arrivals.length === 1);
      // A second mail goes all the way round while the first is held: had the first been answered, it
      // would have been heard by now.
      const other = await greeted(port);
      assert.match(await other.say("NOOP"), /^250/);
      other.end();
      assert.deepEqual(answers, []);
      keep([keptAs("01JHELD")]);
      await answered;
      assert.deepEqual(answers, ["250 2.6.0 Kept as 01JHELD"]);
      dialogue.end();
    });

    it("for every file of a mail, and says when they wait for an operator", async () => {
      const port = await start();
      receive = ({ files }) =>
        Promise.resolve(files.map((_, index) => keptAs(`01JQ${index}`, "quarantined")));
      const answer = await sendMail({
        port,
        from: SENDER,
        attachments: [
          { name: "un.xml", bytes: XML },
          { name: "deux.xml", bytes: XML },
        ],
      });
      assert.match(answer, /^250 2\.6\.0 Kept as 01JQ0 01JQ1 \(sender not known/);
      assert.deepEqual(
        arrivals[0]?.files.map(({ name, bytes }) => [name, Buffer.from(bytes).equals(XML)]),
        [
          ["un.xml", true],
          ["deux.xml", true],
        ],
      );
    });

    it("never when a file of the mail was not kept", async () => {
      const port = await start();
      for (const result of [[], [keptAs("1"), keptAs("2")], [{ kind: "refused", controls: [] }]]) {
        receive = () => Promise.resolve(result as Reception[]);
        assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", rawMail()), /^451 /);
      }
    });
  });

  describe("leaves the mail with its sender", () => {
    const cases = [
      ["STORE_FULL", 452],
      ["STORE_UNAVAILABLE", 451],
      ["STOPPING", 451],
      ["QUARANTINE_FULL", 451],
    ] as const;
    for (const [code, status] of cases) {
      it(`with ${status} on ${code}`, async () => {
        const port = await start();
        receive = () => Promise.reject(gatewayError(code));
        const reply = await sendRaw(port, SENDER, "sne@passerelle.test", rawMail());
        assert.equal(reply.slice(0, 3), String(status));
        assert.deepEqual(
          told.map(({ name, detail }) => [name, detail.code]),
          [["arrival.turnedAway", code]],
        );
        receive = () => Promise.resolve([keptAs("01JLATER")]);
        assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", rawMail()), /^250 /);
      });
    }

    it("with 451 when something nobody foresaw happens", async () => {
      const port = await start();
      receive = () => Promise.reject(new Error("surprise: /etc/secret"));
      const reply = await sendRaw(port, SENDER, "sne@passerelle.test", rawMail());
      assert.match(reply, /^451 /);
      assert.doesNotMatch(reply, /secret/);
    });

    it("with 451 when too many bytes are in hand, and takes mail again after", async () => {
      const port = await start({ maxBytes: 60_000, maxBytesInHand: 100_000 });
      const release: (() => void)[] = [];
      receive = () =>
        new Promise((resolve) => {
          release.push(() => resolve([keptAs("01J")]));
        });
      const big = rawMail([], `<a>${"x".repeat(50_000)}</a>`);
      const first = sendRaw(port, SENDER, "sne@passerelle.test", big);
      await eventually("one mail in hand", () => release.length === 1);
      assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", big), /^451 .*in hand/);
      const second = sendRaw(port, SENDER, "sne@passerelle.test", rawMail());
      await eventually("a small one still passes", () => release.length === 2);
      for (const letGo of release) letGo();
      assert.match(await first, /^250/);
      assert.match(await second, /^250/);
      receive = () => Promise.resolve([keptAs("01JAFTER")]);
      assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", big), /^250/);
    });
  });

  describe("refuses", () => {
    it("a mail announced too large, before it comes", async () => {
      const dialogue = await greeted(await start());
      assert.match(await dialogue.say("EHLO peer.test"), /SIZE 200000/);
      assert.match(await dialogue.say(`MAIL FROM:<${SENDER}> SIZE=200001`), /^552 /);
      dialogue.end();
    });

    it("a mail that comes too large, and goes on with the next", async () => {
      const port = await start();
      const dialogue = await readyForData(port);
      dialogue.write(asData(rawMail([], "x".repeat(300_000))));
      assert.match(await dialogue.hear(), /^552 5\.3\.4 /);
      assert.equal(arrivals.length, 0);
      assert.deepEqual(
        told.map(({ detail }) => detail.code),
        ["FILE_TOO_LARGE"],
      );
      await dialogue.say(`MAIL FROM:<${SENDER}>`);
      await dialogue.say("RCPT TO:<sne@passerelle.test>");
      await dialogue.say("DATA");
      dialogue.write(asData(rawMail()));
      assert.match(await dialogue.hear(), /^250 /);
      dialogue.end();
    });

    it("a flood: the connection is cut when it goes on past four times the limit", async () => {
      const port = await start({ maxBytes: 20_000 });
      const dialogue = await readyForData(port);
      for (let i = 0; i < 10; i += 1) dialogue.write(`${"x".repeat(998)}\r\n`.repeat(20));
      assert.match(await dialogue.hear(), /^552 /);
      dialogue.end();
      await dialogue.closed;
      assert.equal(arrivals.length, 0);
    });

    it("a recipient that is not ours", async () => {
      const port = await start({
        recipients: ["sne@passerelle.test", "flux.test", "*@autre.test"],
      });
      const to = (address: string) => sendRaw(port, SENDER, address, rawMail());
      assert.match(await to("ailleurs@x.test"), /^550 /);
      assert.match(await to("autre@passerelle.test"), /^550 /);
      assert.match(await to("SNE@Passerelle.test"), /^250 /);
      assert.match(await to("qui@flux.test"), /^250 /);
      assert.match(await to("qui@autre.test"), /^250 /);
    });

    it("more connections than it was given, and takes them again after", async () => {
      const port = await start({ maxConnections: 2 });
      const first = await greeted(port);
      const second = await greeted(port);
      const third = await openDialogue(port);
      assert.match(await third.hear(), /^421 /);
      first.end();
      await first.closed;
      const fourth = await greeted(port);
      for (const dialogue of [second, third, fourth]) dialogue.end();
    });
  });

  describe("keeps nothing", () => {
    it("of a connection that dies before its final dot", async () => {
      const port = await start();
      const whole = rawMail();
      for (const how of ["cut", "end"] as const) {
        const dialogue = await readyForData(port);
        dialogue.write(whole);
        // The mail is whole to the eye: only its final dot is missing.
        dialogue[how]();
        await dialogue.closed;
      }
      assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", rawMail()), /^250 /);
      assert.equal(arrivals.length, 1, "only the mail that was ended");
    });

    it("of a client that falls silent, which is cut", async () => {
      const port = await start({ idleMs: 1_000 });
      const dialogue = await readyForData(port);
      dialogue.write("Subject: x\r\n");
      assert.match(await dialogue.hear(), /^421 /);
      dialogue.end();
      await dialogue.closed;
      assert.equal(arrivals.length, 0);
    });

    it("of a client that drips, which is cut", async () => {
      let now = 0;
      const clock = { ...systemClock(), now: () => now };
      const port = await start({ clock, dataMs: 60_000 });
      const dialogue = await readyForData(port);
      dialogue.write("Subject: x\r\nX-Filler: y\r\n");
      now = 70_000;
      dialogue.write("Subject: x\r\nX-Filler: y\r\n");
      assert.match(await dialogue.hear(), /^421 .*too long/);
      await dialogue.closed;
      assert.equal(arrivals.length, 0);
    });
  });

  describe("says who sent it", () => {
    async function arrivalOf(from: string, raw: string, port?: number): Promise<Arrival> {
      assert.match(
        await sendRaw(port ?? (await start()), from, "sne@passerelle.test", raw),
        /^250 /,
      );
      const arrival = arrivals.at(-1);
      assert(arrival !== undefined);
      return arrival;
    }
    const codes = ({ sender }: Arrival): readonly string[] => sender.map(({ code }) => code);
    const addressOf = (arrival: Arrival, index: number): string | undefined => {
      const file = arrival.files[0];
      assert(file !== undefined);
      const to = arrival.returnTo(file, arrival.sender[index]);
      return to?.channel === "mail" ? to.to : undefined;
    };

    it("by the envelope, whatever its case; each guichet has its own return address", async () => {
      const arrival = await arrivalOf("FLUX@bailleur.test", rawMail());
      assert.deepEqual(codes(arrival), ["G1104", "G1105"]);
      assert.equal(addressOf(arrival, 0)?.toLowerCase(), SENDER);
      assert.equal(addressOf(arrival, 1), "retours@bailleur.test");
      assert.equal(arrival.channel, "mail");
      assert.equal(arrival.origin.messageId, "<1@bailleur.test>");
      assert.equal(arrival.origin.remoteAddress, "127.0.0.1");
      const [file] = arrival.files;
      assert(file !== undefined);
      assert.deepEqual(arrival.returnTo(file, arrival.sender[0]), {
        channel: "mail",
        to: "FLUX@bailleur.test",
        subject: "Flux du jour",
        messageId: "<1@bailleur.test>",
      });
      assert.equal(arrival.returnTo(file, undefined), undefined);
    });

    it("by the header when the envelope names nobody, and never by Reply-To", async () => {
      const arrival = await arrivalOf("relais@relais.test", rawMail(["Reply-To: voleur@x.test"]));
      assert.deepEqual(codes(arrival), ["G1104", "G1105"]);
      assert.equal(addressOf(arrival, 0), SENDER);
    });

    it("nobody: a stranger, or the null sender whatever its header says", async () => {
      const port = await start();
      const stranger = rawMail().replace(`From: <${SENDER}>`, "From: <x@y.test>");
      assert.deepEqual(codes(await arrivalOf("x@y.test", stranger, port)), []);
      const bounce = await arrivalOf("", rawMail(), port);
      assert.deepEqual(codes(bounce), []);
      assert.equal(bounce.origin.from, "<>");
      assert.equal(addressOf(bounce, 0), undefined);
    });

    it("nobody, for what a machine sends in answer: it must never be answered", async () => {
      const port = await start();
      const text = [`From: <${SENDER}>`, "Content-Type: text/plain"];
      const noFlux = (...headers: string[]) => [...text, ...headers, "", "Absent."].join("\r\n");
      for (const raw of [
        noFlux("Auto-Submitted: auto-replied"),
        noFlux("Auto-Submitted: auto-generated"),
        noFlux(`In-Reply-To: ${ANSWERED_ACQUITTEMENT}`),
        rawMail(["Auto-Submitted: auto-replied"]),
        rawMail(["Auto-Submitted: auto-generated", `References: ${ANSWERED_ACQUITTEMENT}`]),
      ]) {
        assert.deepEqual(codes(await arrivalOf(SENDER, raw, port)), []);
      }
      // A nightly export says auto-generated, and a person may correct a file in answer to a refusal.
      for (const raw of [
        rawMail(["Auto-Submitted: auto-generated"]),
        rawMail([`In-Reply-To: ${ANSWERED_ACQUITTEMENT}`]),
        noFlux(),
      ]) {
        assert.deepEqual(codes(await arrivalOf(SENDER, raw, port)), ["G1104", "G1105"]);
      }
    });

    it("gives what it could not read with its reason", async () => {
      const raw = rawMail().replace("--B--", "");
      const arrival = await arrivalOf(SENDER, raw);
      assert.equal(arrival.unreadable?.code, "UNREADABLE_MAIL");
      assert.deepEqual(codes(arrival), ["G1104", "G1105"]);
      assert.equal(Buffer.from(arrival.files[0]?.bytes ?? []).toString(), raw);
    });
  });

  describe("names the arrival", () => {
    async function keyOf(port: number, raw: string, from = SENDER): Promise<string | undefined> {
      await sendRaw(port, from, "sne@passerelle.test", raw);
      return arrivals.at(-1)?.arrivalKey;
    }

    it("the same when the same mail comes again, another for other files, another sender or no id", async () => {
      const port = await start();
      const first = await keyOf(port, rawMail());
      assert(first !== undefined);
      assert.equal(await keyOf(port, rawMail()), first);
      assert.equal(await keyOf(port, rawMail(["Received: by another relay"])), first);
      const sameLength = XML.toString().replace("1.0", "1.1");
      assert.notEqual(await keyOf(port, rawMail([], sameLength)), first);
      assert.notEqual(await keyOf(port, rawMail().replace("<1@", "<2@")), first);
      const stranger = rawMail().replace(`From: <${SENDER}>`, "From: <x@y.test>");
      assert.notEqual(await keyOf(port, stranger, "x@y.test"), first);
      assert.equal(await keyOf(port, rawMail().replace(/Message-ID.*\r\n/, "")), undefined);
    });
  });

  describe("TLS and passwords", () => {
    const auth = {
      verify: (user: string, password: string) => user === "mairie" && password === "é:1",
      required: true,
    };

    it("offers STARTTLS with a certificate, and takes a mail under it", async () => {
      const port = await start({ tls: TLS });
      assert.match(
        await sendMail({
          port,
          from: SENDER,
          startTls: true,
          attachments: [{ name: "a.xml", bytes: XML }],
        }),
        /^250 /,
      );
    });

    it("offers neither STARTTLS nor AUTH without one", async () => {
      const dialogue = await greeted(await start({ auth: { ...auth, required: false } }));
      const features = await dialogue.say("EHLO peer.test");
      assert.doesNotMatch(features, /STARTTLS|AUTH/);
      dialogue.end();
    });

    it("does not start when AUTH is required and cannot be offered: mail would come without it", async () => {
      await assert.rejects(start({ auth }), /AUTH is required/);
    });

    it("refuses mail in clear when TLS is required", async () => {
      const port = await start({ tls: TLS, requireTls: true });
      assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", rawMail()), /^530 /);
      const dialogue = await greeted(port);
      assert.match(await dialogue.say("STARTTLS"), /^220 /);
      await dialogue.secure();
      assert.match(await dialogue.say("EHLO peer.test"), /^250/);
      assert.match(await dialogue.say(`MAIL FROM:<${SENDER}>`), /^250 /);
      dialogue.end();
    });

    it("knows a sender by its user, whatever its envelope says", async () => {
      const port = await start({ tls: TLS, auth });
      const login = { user: "mairie", password: "é:1" };
      await sendMail({
        port,
        from: SENDER,
        startTls: true,
        login,
        attachments: [{ name: "a.xml", bytes: XML }],
      });
      assert.deepEqual(
        arrivals.map(({ sender, origin }) => [sender.map(({ code }) => code), origin.from]),
        [[["G1226"], "mairie"]],
      );
    });

    it("refuses mail without a password, a wrong one, and a user that is nobody's", async () => {
      const port = await start({ tls: TLS, auth: { ...auth, verify: () => true } });
      assert.match(await sendRaw(port, SENDER, "sne@passerelle.test", rawMail()), /^530 /);
      await assert.rejects(
        sendMail({
          port,
          from: SENDER,
          startTls: true,
          login: { user: "personne", password: "x" },
        }),
        { responseCode: 535 },
      );
      await running?.stop();
      const strict = await start({ tls: TLS, auth });
      await assert.rejects(
        sendMail({
          port: strict,
          from: SENDER,
          startTls: true,
          login: { user: "mairie", password: "x" },
        }),
        { responseCode: 535 },
      );
      assert.equal(arrivals.length, 0);
    });

    it("cuts a connection that keeps guessing", async () => {
      const dialogue = await greeted(await start({ auth: { ...auth, withoutTls: true } }));
      const guess = `AUTH PLAIN ${Buffer.from("\0mairie\0x").toString("base64")}`;
      assert.match(await dialogue.say(guess), /^535 /);
      assert.match(await dialogue.say(guess), /^535 /);
      assert.match(await dialogue.say(guess), /^421 /);
      dialogue.end();
      await dialogue.closed;
    });
  });

  describe("many at once", () => {
    it("takes pipelined commands, and two mails on one connection", async () => {
      const port = await start();
      const dialogue = await greeted(port);
      const commands = `MAIL FROM:<${SENDER}>\r\nRCPT TO:<sne@passerelle.test>\r\nDATA\r\n`;
      dialogue.write(commands);
      for (const expected of [/^250/, /^250/, /^354/])
        assert.match(await dialogue.hear(), expected);
      dialogue.write(Buffer.concat([asData(rawMail()), Buffer.from(commands)]));
      for (const expected of [/^250 2\.6\.0/, /^250/, /^250/, /^354/]) {
        assert.match(await dialogue.hear(), expected);
      }
      dialogue.write(asData(rawMail()));
      assert.match(await dialogue.hear(), /^250 2\.6\.0/);
      assert.equal(arrivals.length, 2);
      dialogue.end();
    });

    it("serves fifty connections at once", async () => {
      const port = await start();
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => sendRaw(port, SENDER, "sne@passerelle.test", rawMail())),
      );
      assert(replies.every((reply) => reply.startsWith("250 2.6.0 Kept as")));
      assert.equal(arrivals.length, 50);
    });

    it("greets at once: a sender of one mail per connection is not held to ten a second", async () => {
      const port = await start();
      let shortest = Infinity;
      for (let i = 0; i < 40; i += 1) {
        const started = performance.now();
        const dialogue = await openDialogue(port);
        await dialogue.hear();
        dialogue.cut();
        shortest = Math.min(shortest, performance.now() - started);
      }
      // smtp-server's own delay is 100 ms for each; a busy machine makes some late, never one early.
      assert(shortest < 95, `${shortest} ms at least`);
    });
  });

  describe("stopping", () => {
    it("lets the mail in hand end with its 250, tells the idle, and takes nothing new", async () => {
      const port = await start({ stopGraceMs: 60_000 });
      let keep: (receptions: readonly Reception[]) => void = () => undefined;
      receive = () =>
        new Promise((resolve) => {
          keep = resolve;
        });
      const idle = await greeted(port);
      const busy = await readyForData(port);
      busy.write(asData(rawMail()));
      await eventually("the mail is with the store", () => arrivals.length === 1);
      const stopped = running?.stop();
      assert.match(await idle.hear(), /^421 /);
      await assert.rejects(openDialogue(port), { code: "ECONNREFUSED" });
      keep([keptAs("01JLAST")]);
      assert.match(await busy.hear(), /^250 .*01JLAST/);
      assert.match(await busy.hear(), /^421 /);
      idle.end();
      busy.end();
      await stopped;
      await running?.stop();
    });

    it("lets the second mail of a connection end too, when it followed at once", async () => {
      const port = await start({ stopGraceMs: 60_000 });
      const commands = `MAIL FROM:<${SENDER}>\r\nRCPT TO:<sne@passerelle.test>\r\nDATA\r\n`;
      const dialogue = await readyForData(port);
      dialogue.write(Buffer.concat([asData(rawMail()), Buffer.from(commands)]));
      for (const expected of [/^250 2\.6\.0/, /^250/, /^250/, /^354/]) {
        assert.match(await dialogue.hear(), expected);
      }
      const stopped = running?.stop();
      dialogue.write(asData(rawMail()));
      assert.match(await dialogue.hear(), /^250 2\.6\.0/);
      dialogue.end();
      await stopped;
    });

    it("does not wait for ever for a mail that never ends, and keeps nothing of it", async () => {
      const port = await start({ stopGraceMs: 100 });
      const dialogue = await readyForData(port);
      dialogue.write("Subject: x\r\n");
      await running?.stop();
      assert.match(await dialogue.hear(), /^421 /);
      dialogue.end();
      assert.equal(arrivals.length, 0);
    });

    it("says why it cannot start when its port is taken", async () => {
      const port = await start();
      const first = running;
      await assert.rejects(start({ port }), { code: "EADDRINUSE" });
      running = first;
    });
  });
});
