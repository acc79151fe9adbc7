/** What is found in a mail: every way a flux may be attached, and every way a mail may lie. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createTransport } from "nodemailer";
import { readMail } from "../../src/adapters/mail/read-mail.ts";
import { cpuMs } from "../support/cpu-time.ts";

const XML = Buffer.from(
  '<?xml version="1.0"?>\r\n<interfaceNuu xmlns="x"><a>é</a></interfaceNuu>\r\n',
);
const LATIN = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?>\n<a>Éléonore</a>', "latin1");

function mail(headers: readonly string[], body: string | Buffer = ""): Buffer {
  const head = `${["From: Guichet <g1104@bailleur.test>", ...headers].join("\r\n")}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "utf8"), Buffer.from(body)]);
}

interface Piece {
  readonly headers: readonly string[];
  readonly body: Buffer | string;
}

function multipart(pieces: readonly Piece[], boundary = "LIMITE", closed = true): Buffer {
  return Buffer.concat([
    Buffer.from("Ce message est en plusieurs parties.\r\n"),
    ...pieces.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n`),
      Buffer.from(body),
      Buffer.from("\r\n"),
    ]),
    Buffer.from(closed ? `--${boundary}--\r\n` : ""),
  ]);
}

const MIXED = 'Content-Type: multipart/mixed; boundary="LIMITE"';
const TEXT: Piece = { headers: ["Content-Type: text/plain; charset=utf-8"], body: "Bonjour," };

function attached(body: Buffer, name = "flux.xml", type = "application/xml"): Piece {
  return {
    headers: [
      `Content-Type: ${type}`,
      `Content-Disposition: attachment; filename="${name}"`,
      "Content-Transfer-Encoding: base64",
    ],
    body: body.toString("base64").replace(/.{76}/g, "$&\r\n"),
  };
}

function mixed(pieces: readonly Piece[], headers: readonly string[] = []): Buffer {
  return mail([MIXED, ...headers], multipart(pieces));
}

function onlyFile(raw: Buffer): { name: string; bytes: Buffer } {
  const read = readMail(raw);
  assert.equal(read.unreadable, undefined);
  assert.equal(read.files.length, 1);
  const [file] = read.files;
  assert(file !== undefined);
  return { name: file.name, bytes: Buffer.from(file.bytes) };
}

function assertUnreadable(raw: Buffer, code: string): void {
  const read = readMail(raw);
  assert.equal(read.unreadable?.code, code);
  assert.equal(read.hasXml, false);
  assert.deepEqual(
    read.files.map(({ name }) => name),
    ["message.eml"],
  );
  assert(Buffer.from(read.files[0]?.bytes ?? []).equals(raw), "the raw mail is kept");
}

describe("reading a mail", () => {
  describe("bytes", () => {
    it("gives a base64 attachment byte for byte", () => {
      const { bytes, name } = onlyFile(
        mixed([TEXT, attached(LATIN, "DEMG1104-201803151200-000001.xml")]),
      );
      assert(bytes.equals(LATIN));
      assert.equal(name, "DEMG1104-201803151200-000001.xml");
    });

    it("keeps the bytes of a Latin-1 text/xml part sent in 8bit", () => {
      const part = {
        headers: [
          "Content-Type: text/xml; charset=iso-8859-1; name=a.xml",
          "Content-Transfer-Encoding: 8bit",
        ],
        body: Buffer.from("<a>\xc9l\xe9onore</a>\r\n<!-- fin -->", "latin1"),
      };
      const { bytes } = onlyFile(mixed([TEXT, part]));
      assert(bytes.equals(part.body));
    });

    it("takes the last line end of a part for its boundary's, and keeps those before", () => {
      const part = {
        headers: ["Content-Type: text/xml", "Content-Transfer-Encoding: 7bit"],
        body: "<a/>\r\n\r\n",
      };
      assert.equal(onlyFile(mixed([part])).bytes.toString(), "<a/>\r\n\r\n");
    });

    it("decodes quoted-printable, soft breaks and trailing blanks as RFC 2045 says", () => {
      const part = {
        headers: ["Content-Type: application/xml", "Content-Transfer-Encoding: quoted-printable"],
        body: '<a x=3D"1">caf=C3=A9=\r\n cr=c3=a8me  \r\n=20fin=\t\r\n</a>',
      };
      assert.equal(onlyFile(mixed([part])).bytes.toString(), '<a x="1">café crème\r\n fin</a>');
    });

    it("gives back any bytes a mailer attached, in any transfer encoding", async () => {
      const transport = createTransport({
        streamTransport: true,
        buffer: true,
        newline: "windows",
      });
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ minLength: 1, maxLength: 400 }),
          fc.constantFrom("base64" as const, "quoted-printable" as const),
          async (content, contentTransferEncoding) => {
            const { message } = await transport.sendMail({
              from: "g1104@bailleur.test",
              to: "sne@passerelle.test",
              text: "Bonjour",
              attachments: [
                { filename: "a.xml", content: Buffer.from(content), contentTransferEncoding },
              ],
            });
            assert(Buffer.isBuffer(message));
            const { bytes } = onlyFile(message);
            assert.deepEqual([...bytes], [...content]);
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  describe("which parts are fluxes", () => {
    it("takes every XML part, in order, and no logo, no signature, no text", () => {
      const read = readMail(
        mixed([
          {
            headers: ['Content-Type: multipart/alternative; boundary="ALT"'],
            body: multipart(
              [
                TEXT,
                { headers: ["Content-Type: text/html"], body: "<?xml version='1.0'?><html/>" },
              ],
              "ALT",
            ),
          },
          attached(Buffer.from("<svg/>"), "logo.svg", "image/svg+xml"),
          attached(XML, "un.XML", "application/octet-stream"),
          attached(XML, "deux", "application/vnd.sne+xml"),
          attached(XML, "trois.dat", "application/octet-stream"),
          attached(Buffer.from("%PDF-1.7"), "notice.pdf", "application/pdf"),
          attached(Buffer.from("sig"), "smime.p7s", "application/pkcs7-signature"),
        ]),
      );
      assert.deepEqual(
        read.files.map(({ name }) => name),
        ["un.XML", "deux", "trois.dat"],
      );
      assert.equal(read.hasXml, true);
    });

    it("finds XML in UTF-16 and behind a byte order mark", () => {
      const utf16 = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a/>', "utf16le");
      const big = Buffer.from(utf16).swap16();
      const bom = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), XML]);
      for (const bytes of [utf16, big, bom]) {
        const read = readMail(mixed([attached(bytes, "flux", "application/octet-stream")]));
        assert.equal(read.hasXml, true);
        assert(Buffer.from(read.files[0]?.bytes ?? []).equals(bytes));
      }
    });

    it("takes a nameless text/xml part, and a text/plain part named .xml", () => {
      assert.equal(
        onlyFile(mixed([{ headers: ["Content-Type: text/xml"], body: XML }])).name,
        "flux.xml",
      );
      const inline = {
        headers: ["Content-Type: text/plain; name=demande.xml", "Content-Disposition: inline"],
        body: XML,
      };
      assert.equal(onlyFile(mixed([TEXT, inline])).name, "demande.xml");
    });

    it("takes a mail that is nothing but an XML file", () => {
      assert(onlyFile(mail(["Content-Type: application/xml; name=a.xml"], XML)).bytes.equals(XML));
    });

    it("takes the first attachment that is no image when none is XML", () => {
      const read = readMail(
        mixed([
          TEXT,
          attached(Buffer.from("GIF89a"), "logo.gif", "image/gif"),
          attached(Buffer.from("%PDF-1.7"), "demande.pdf", "application/pdf"),
        ]),
      );
      assert.deepEqual(
        read.files.map(({ name }) => name),
        ["demande.pdf"],
      );
      assert.equal(read.hasXml, false);
      assert.equal(read.unreadable, undefined);
    });

    it("says that a mail of text and logos has no attachment, and keeps it whole", () => {
      assertUnreadable(
        mixed([TEXT, attached(Buffer.from("GIF"), "logo.gif", "image/gif")]),
        "NO_ATTACHMENT",
      );
      assertUnreadable(mail([], "Bonjour,\r\n"), "NO_ATTACHMENT");
      assertUnreadable(mail(["Content-Type: text/plain"], XML), "NO_ATTACHMENT");
      assertUnreadable(Buffer.from(""), "NO_ATTACHMENT");
    });

    it("does not open a mail inside a mail: a bounce holds our own acquittement", () => {
      const forwarded = { headers: ["Content-Type: message/rfc822"], body: mixed([attached(XML)]) };
      const read = readMail(
        mail(
          ['Content-Type: multipart/mixed; boundary="DEHORS"'],
          multipart([TEXT, forwarded], "DEHORS"),
        ),
      );
      assert.equal(read.hasXml, false);
      assert.equal(read.unreadable?.code, "NO_ATTACHMENT");
    });
  });

  describe("mails cut short or broken", () => {
    it("never takes a mail without its closing boundary, even when its attachment looks whole", () => {
      const raw = mail([MIXED], multipart([TEXT, attached(XML)], "LIMITE", false));
      assertUnreadable(raw, "UNREADABLE_MAIL");
    });

    it("never takes a mail cut anywhere for a whole one", () => {
      const raw = mixed([TEXT, attached(XML), attached(LATIN, "deux.xml")]);
      // Its last line end may go: the closing boundary is whole without it.
      for (let length = 0; length < raw.length - 2; length += 1) {
        const read = readMail(raw.subarray(0, length));
        assert.notEqual(read.unreadable, undefined, `cut at ${length} of ${raw.length}`);
      }
      assert.equal(readMail(raw).unreadable, undefined);
    });

    it("refuses an inner multipart left open inside a closed one", () => {
      const inner = multipart([TEXT, attached(XML)], "DEDANS", false);
      const raw = mixed([
        { headers: ['Content-Type: multipart/mixed; boundary="DEDANS"'], body: inner },
      ]);
      assertUnreadable(raw, "UNREADABLE_MAIL");
    });

    it("refuses base64 that is cut or holds strangers, and quoted-printable that is broken", () => {
      const bodies: [string, string][] = [
        ["base64", XML.toString("base64").slice(0, -3)],
        ["base64", `${XML.toString("base64").slice(0, 20)}!!${XML.toString("base64").slice(20)}`],
        ["base64", `${XML.toString("base64")}\r\n-- \r\nListe de diffusion`],
        // A list's footer, of a length that would pass, in letters that Buffer would read.
        ["base64", `${Buffer.from("<a></a>  ").toString("base64")}\r\n--\r\nab`],
        ["base64", "PGEvPg=A"],
        ["quoted-printable", '<a x="1"/>'],
        ["x-uuencode", "begin 644 a.xml"],
      ];
      for (const [encoding, body] of bodies) {
        const headers = ["Content-Type: application/xml", `Content-Transfer-Encoding: ${encoding}`];
        assertUnreadable(mixed([{ headers, body }]), "UNREADABLE_MAIL");
      }
    });

    it("refuses the whole mail when one of several attachments is broken", () => {
      const broken = { ...attached(XML, "deux.xml"), body: "PD94" + "bW" };
      assertUnreadable(mixed([attached(XML), broken]), "UNREADABLE_MAIL");
    });

    it("refuses a multipart that does not say its boundary", () => {
      assertUnreadable(
        mail(["Content-Type: multipart/mixed"], multipart([attached(XML)])),
        "UNREADABLE_MAIL",
      );
    });

    it("takes an empty text part written without its empty line", () => {
      const body = `--LIMITE\r\nContent-Type: text/plain\r\n\r\n--LIMITE\r\n${attached(XML).headers.join("\r\n")}\r\n\r\n${XML.toString("base64")}\r\n--LIMITE--`;
      assert(onlyFile(mail([MIXED], body)).bytes.equals(XML));
    });
  });

  describe("names", () => {
    const named = (disposition: string, type = "application/xml"): string =>
      onlyFile(
        mixed([
          {
            headers: [`Content-Type: ${type}`, `Content-Disposition: ${disposition}`],
            body: XML,
          },
        ]),
      ).name;

    it("reads RFC 2231, its continuations, encoded words and raw UTF-8", () => {
      assert.equal(
        named("attachment; filename*=utf-8'fr'demande%20d%27%C3%89l%C3%A9onore.xml"),
        "demande d'Éléonore.xml",
      );
      assert.equal(named("attachment; filename*=iso-8859-1''%E9t%E9.xml"), "été.xml");
      assert.equal(
        named("attachment; filename*0*=utf-8''d%C3%A9; filename*1=\"mande\"; filename*2*=%20n.xml"),
        "démande n.xml",
      );
      assert.equal(named('attachment; filename="=?UTF-8?B?w6l0w6kueG1s?="'), "été.xml");
      assert.equal(named('attachment; filename="été.xml"'), "été.xml");
      assert.equal(
        named("attachment", 'application/xml; name="=?iso-8859-1?Q?=E9t=E9.xml?="'),
        "été.xml",
      );
      assert.equal(named("attachment; filename*=klingon''abc%E9.xml"), "abc_.xml");
    });

    it("keeps nothing of a path, of control characters or of direction marks", () => {
      assert.equal(named('attachment; filename="../../etc/cron.d/x.xml"'), "x.xml");
      assert.equal(named('attachment; filename="C:\\\\temp\\\\x.xml"'), "x.xml");
      assert.equal(named("attachment; filename*=utf-8''a%0D%0ABcc%3A%20x%00.xml"), "aBcc_ x.xml");
      assert.equal(named("attachment; filename*=utf-8''a%E2%80%AElmx.xml"), "almx.xml");
      assert.equal(named('attachment; filename="..."'), "flux.xml");
    });
  });

  describe("who and what", () => {
    it("reads the sender, and none when there are two or the header lies", () => {
      assert.equal(readMail(mixed([TEXT])).from, "g1104@bailleur.test");
      const froms = (...lines: string[]): string | undefined =>
        readMail(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`)).from;
      assert.equal(froms('From: "g1104@bailleur.test" <x@ailleurs.test>'), "x@ailleurs.test");
      assert.equal(froms("From: a@b.test, c@d.test"), undefined);
      assert.equal(froms("From: a@b.test", "From: c@d.test"), undefined);
      assert.equal(froms("From: =?utf-8?B?YUBiLnRlc3Q=?= <x y@z>"), undefined);
      assert.equal(froms("Subject: x"), undefined);
    });

    it("cleans the subject: no line end, no control, no direction mark, at most 200 characters", () => {
      const subjectOf = (value: string): string => readMail(mail([`Subject: ${value}`])).subject;
      assert.equal(subjectOf("=?utf-8?Q?Flux=0D=0ABcc:_x@y.test?="), "Flux Bcc: x@y.test");
      assert.equal(subjectOf("=?utf-8?Q?a=E2=80=AEb=00c?="), "a b c");
      assert.equal(subjectOf("Flux\r\n du jour"), "Flux du jour");
      assert.equal(subjectOf("é".repeat(500)).length, 200);
      assert.equal(readMail(mail([])).subject, "");
    });

    it("takes a Message-ID only in a shape that may be written back", () => {
      const idOf = (value: string): string | undefined =>
        readMail(mail([`Message-ID: ${value}`])).messageId;
      assert.equal(idOf("<1.2@bailleur.test>"), "<1.2@bailleur.test>");
      assert.equal(idOf("<a> <b>"), undefined);
      assert.equal(idOf("a@b"), undefined);
      assert.equal(idOf(`<${"a".repeat(1000)}@b>`), undefined);
      assert.equal(idOf("<a\tb@c>"), undefined);
    });

    it("tells machines' mail from people's, and echoes of our acquittements", () => {
      const of = (...headers: string[]) => {
        const { autoSubmitted, echoesAcquittement } = readMail(mail(headers));
        return [autoSubmitted, echoesAcquittement];
      };
      assert.deepEqual(of(), ["no", false]);
      assert.deepEqual(of("Auto-Submitted: no"), ["no", false]);
      assert.deepEqual(of("Auto-Submitted: auto-generated"), ["generated", false]);
      assert.deepEqual(of("Auto-Submitted: auto-replied (vacation)"), ["replied", false]);
      assert.deepEqual(of("Content-Type: multipart/report; boundary=x"), ["replied", false]);
      assert.deepEqual(of("X-Autoreply: yes"), ["replied", false]);
      assert.deepEqual(of("In-Reply-To: <acquittement.01J@passerelle.test>"), ["no", true]);
      assert.deepEqual(of("References: <a@b>\r\n <acquittement.01J@passerelle.test>"), [
        "no",
        true,
      ]);
      assert.deepEqual(of("X-Passerelle-Flux: 01J"), ["no", true]);
    });
  });

  describe("hostile mails", () => {
    it("stays linear on a megabyte of what readers choke on", () => {
      const noise = [
        Buffer.alloc(1_000_000, 0x0d),
        Buffer.alloc(1_000_000, "--LIMITE"),
        Buffer.alloc(1_000_000, "\n--LIMITE\n\n"),
        Buffer.alloc(1_000_000, "= \t"),
        Buffer.alloc(1_000_000, "\r\n "),
        Buffer.alloc(1_000_000, "a \t"),
      ];
      const started = cpuMs();
      for (const body of noise) {
        readMail(mail([MIXED], body));
        readMail(body);
        for (const encoding of ["base64", "quoted-printable"]) {
          readMail(
            mixed([
              {
                headers: ["Content-Type: text/xml", `Content-Transfer-Encoding: ${encoding}`],
                body,
              },
            ]),
          );
        }
        readMail(
          mail([
            `Content-Type: multipart/mixed; ${body.toString("latin1", 0, 100_000).replace(/[\r\n]/g, " ")}`,
          ]),
        );
        readMail(
          Buffer.concat([Buffer.from("a"), Buffer.alloc(120_000, " "), Buffer.from("x:\r\n\r\n")]),
        );
      }
      // Quadratic code takes minutes here.
      assert(cpuMs() - started < 8_000, "read in linear time");
    });

    it("stops at a depth and at a number of parts", () => {
      let nested = mixed([attached(XML)]);
      for (let depth = 0; depth < 30; depth += 1) {
        const boundary = `B${depth}`;
        nested = mail(
          [`Content-Type: multipart/mixed; boundary=${boundary}`],
          multipart(
            [
              {
                headers: [
                  `Content-Type: multipart/mixed; boundary=${depth === 0 ? "LIMITE" : `B${depth - 1}`}`,
                ],
                body: nested.subarray(nested.indexOf("\r\n\r\n") + 4),
              },
            ],
            boundary,
          ),
        );
      }
      assertUnreadable(nested, "UNREADABLE_MAIL");
      assertUnreadable(mixed(Array.from({ length: 300 }, () => attached(XML))), "UNREADABLE_MAIL");
      assert.equal(
        readMail(mixed(Array.from({ length: 60 }, () => attached(XML)))).files.length,
        60,
      );
    });

    it("refuses a mail whose header never ends", () => {
      assertUnreadable(Buffer.alloc(300_000, "X-A: b\r\n"), "UNREADABLE_MAIL");
    });

    it("never throws, whatever the bytes, and always gives at least one file", () => {
      const token = fc.constantFrom(
        "--LIMITE",
        "--LIMITE--",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "Content-Type: ",
        "multipart/mixed",
        "; boundary=LIMITE",
        "text/xml",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment; filename*0*=",
        "=?utf-8?B?",
        "From: ",
        "<a@b>",
        "=",
        "%",
        "'",
        '"',
        "\\",
        "\0",
        "\xff",
        "(",
        ")",
        ";",
        XML.toString("base64"),
      );
      fc.assert(
        fc.property(
          fc.array(fc.oneof(token, fc.string({ maxLength: 5 })), { maxLength: 60 }),
          (tokens) => {
            const read = readMail(
              Buffer.from(
                `Content-Type: multipart/mixed; boundary=LIMITE\r\n${tokens.join("")}`,
                "latin1",
              ),
            );
            assert(read.files.length > 0);
          },
        ),
        { numRuns: 500 },
      );
    });
  });
});
