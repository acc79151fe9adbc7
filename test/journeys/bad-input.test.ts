/**
 * Bad input, through the real protocols, each with the answer its sender gets: a clear code, the
 * place, a French sentence; and nothing lost, nothing forwarded, nothing broken for the next one.
 */
import assert from "node:assert/strict";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import { sendRaw, type CollectedMail } from "../support/mail-peers.ts";
import { dropInto, filesIn, GUICHET, SENDER, startWorld, type World } from "../support/world.ts";

const GOOD = Buffer.from(
  makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 601 }),
).toString();
const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");

interface BadFile {
  readonly what: string;
  readonly bytes: Buffer;
  readonly code: string;
  /** Whether the answer must say the line. */
  readonly line?: number;
}

const BAD_FILES: readonly BadFile[] = [
  {
    what: "a file that is not XML",
    bytes: utf8("Bonjour,\nvoici la demande."),
    code: "NOT_XML",
  },
  {
    what: "a truncated file",
    bytes: utf8(GOOD.slice(0, GOOD.length - 200)),
    code: "NOT_XML",
  },
  { what: "another root", bytes: utf8("<facture/>"), code: "WRONG_ROOT", line: 1 },
  {
    what: "another namespace",
    bytes: utf8(GOOD.replace("http://nuu.application.i2/", "http://exemple.test/")),
    code: "WRONG_NAMESPACE",
  },
  {
    what: "a DOCTYPE with entities",
    bytes: utf8(
      GOOD.replace(
        /<\?xml[^>]*\?>/,
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
      ),
    ),
    code: "DOCTYPE_REFUSED",
  },
  {
    what: "an entity nobody defined",
    bytes: utf8(GOOD.replace(/<precision\/?>/, "<precision>&lol;")),
    code: "NOT_XML",
  },
  { what: "an empty file", bytes: Buffer.alloc(0), code: "EMPTY_FILE" },
  {
    what: "an encoding declared wrongly",
    bytes: Buffer.from(
      GOOD.replace(/<precision\/?>(<\/precision>)?/, "<precision>été</precision>").replace(
        /encoding="[^"]*"/,
        'encoding="UTF-8"',
      ),
      "latin1",
    ),
    code: "WRONG_ENCODING",
  },
  {
    what: "no typeFichier",
    bytes: utf8(GOOD.replace(/<typeFichier>.*?<\/typeFichier>/, "")),
    code: "NO_TYPE_FICHIER",
  },
  {
    what: "no numGuichet",
    bytes: utf8(GOOD.replace(/<numGuichet>.*?<\/numGuichet>/, "")),
    code: "NO_GUICHET",
  },
  {
    what: "20,000 nested elements",
    bytes: utf8(
      GOOD.replace(
        "</interfaceNuu>",
        `${"<a>".repeat(20_000)}${"</a>".repeat(20_000)}</interfaceNuu>`,
      ),
    ),
    code: "TOO_DEEP",
  },
];

describe("bad input", function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(async () => {
    await world.stop();
  });

  /** The mail that answers an original. */
  function answerTo(messageId: string): Promise<CollectedMail> {
    return eventually(`an answer to ${messageId}`, () =>
      world.mailbox.find((mail) => mail.header("in-reply-to") === messageId),
    );
  }

  async function nothingForwarded(): Promise<void> {
    const summary: unknown = await (
      await fetch(`${world.standin.controlUrl}/standin/effects?summary`)
    ).json();
    assert.match(JSON.stringify(summary), /"calls":0/);
  }

  for (const [index, { what, bytes, code, line }] of BAD_FILES.entries()) {
    it(`answers ${what} with ${code}, by REST, by mail and by file`, async () => {
      const response = await world.deposit("mauvais.xml", bytes);
      const problem = (await response.json()) as {
        code: string;
        controls?: { code: string; line?: number; message: string }[];
      };
      assert.equal(response.status, 422, JSON.stringify(problem));
      assert.equal(response.headers.get("content-type")?.split(";")[0], "application/problem+json");
      assert.equal(problem.code, code);
      if (line !== undefined) assert.equal(problem.controls?.[0]?.line, line);

      const messageId = `<mauvais-${index}@bailleur.test>`;
      assert.match(await world.mail(`mauvais-${index}.xml`, bytes, { messageId }), /^250/);
      const mail = await answerTo(messageId);
      assert.match(mail.parsed.subject ?? "", /Refusé/);
      assert.ok((mail.parsed.text ?? "").includes(code), mail.parsed.text);
      assert.match(
        mail.attachments[0]?.bytes.toString("utf8") ?? "",
        new RegExp(`<controle code="${code}">`),
      );

      dropInto(world.drop, `mauvais-${index}.xml`, bytes);
      const xml = await eventually("a negative acquittement in the folder", () =>
        filesIn(world.returned).get(`mauvais-${index}.acquittement.xml`)?.toString("utf8"),
      );
      assert.ok(xml.includes(code), xml);
      await nothingForwarded();
    });
  }

  it("answers a mail without attachment with NO_ATTACHMENT", async () => {
    const raw = `From: ${SENDER}\r\nTo: sne@passerelle.test\r\nSubject: rien\r\nMessage-ID: <rien@bailleur.test>\r\n\r\nVoir ci-joint.\r\n`;
    assert.match(await sendRaw(world.smtpPort, SENDER, "sne@passerelle.test", raw), /^250/);
    assert.match((await answerTo("<rien@bailleur.test>")).parsed.text ?? "", /NO_ATTACHMENT/);
  });

  it("answers a truncated MIME with UNREADABLE_MAIL", async () => {
    const raw = [
      `From: ${SENDER}`,
      "Subject: coupe",
      "Message-ID: <coupe@bailleur.test>",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      'Content-Type: application/xml; name="a.xml"',
      "Content-Transfer-Encoding: base64",
      'Content-Disposition: attachment; filename="a.xml"',
      "",
      Buffer.from(GOOD)
        .toString("base64")
        .slice(0, 400)
        .match(/.{1,76}/g)
        ?.join("\r\n") ?? "",
    ].join("\r\n");
    assert.match(await sendRaw(world.smtpPort, SENDER, "sne@passerelle.test", raw), /^250/);
    assert.match((await answerTo("<coupe@bailleur.test>")).parsed.text ?? "", /UNREADABLE_MAIL/);
  });

  it("refuses 60 MB by every channel without keeping it in memory", async () => {
    const big = Buffer.alloc(60 * 1024 * 1024, 0x20);
    const before = process.memoryUsage().rss;
    const response = await world.deposit("gros.xml", big).catch((error: unknown) => error);
    // The gateway may hang up on a body it will not read; a status, when it arrives, is 413.
    if (response instanceof Response) assert.equal(response.status, 413);
    const reply = await world.mail("gros.xml", big).catch(String);
    assert.match(reply, /552/);
    dropInto(world.drop, "gros.xml", big);
    await eventually("a negative answer, or the file left with a word why", () => {
      const answer = [...filesIn(world.returned)].find(([name]) => name.startsWith("gros"));
      return answer?.[1].includes("FILE_TOO_LARGE");
    });
    const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
    assert.ok(grown < 400, `memory grew by ${Math.round(grown)} MB`);
    await nothingForwarded();
  });
});

describe("unusual input that is right", () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(async () => {
    await world.stop();
  });

  const RIGHT = [
    [
      "Latin-1 declared as such",
      makeDemande({
        typeFichier: "CRE",
        guichet: GUICHET,
        seed: 611,
        encoding: "iso-8859-1",
        nom: "LÉVÊQUE",
      }),
    ],
    [
      "a byte order mark",
      makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 612, bom: true }),
    ],
    [
      "a prefix on every element",
      makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 613, prefix: "nuu" }),
    ],
    [
      "CRLF line ends",
      makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 614, eol: "\r\n" }),
    ],
    [
      "a date in the past",
      makeDemande({
        typeFichier: "CRE",
        guichet: GUICHET,
        seed: 615,
        dateFichier: "1970-01-01T00:00:00.000+01:00",
      }),
    ],
  ] as const;
  for (const [what, bytes] of RIGHT) {
    it(`takes ${what}, and forwards it byte for byte`, async () => {
      const response = await world.deposit("droit.xml", bytes);
      assert.equal(response.status, 201, await response.clone().text());
      await eventually(
        "its effect, by the digest of the very bytes",
        async () => (await world.effectsOf(bytes)) === 1,
      );
    });
  }

  it("gives a path in an attachment's name no power", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 616 });
    const reply = await world.mail("../../etc/cron.d/evil.xml", bytes, {
      messageId: "<chemin@bailleur.test>",
    });
    const id = /[0-9A-HJKMNP-TV-Z]{26}/.exec(reply)?.[0] ?? "";
    const mail = await world.acknowledgedByMail(id);
    for (const { name } of mail.attachments) assert.doesNotMatch(name, /[/\\]/);
    assert.equal((await world.flux(id))["fileName"], "evil.xml");
  });

  it("gives a line end in a subject no power over the headers of the answer", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 617 });
    const raw = [
      `From: ${SENDER}`,
      "Subject: =?utf-8?B?" +
        Buffer.from("Envoi\r\nBcc: victime@ailleurs.test\r\nX-Evil: 1").toString("base64") +
        "?=",
      "Message-ID: <injection@bailleur.test>",
      "MIME-Version: 1.0",
      'Content-Type: application/xml; name="a.xml"',
      'Content-Disposition: attachment; filename="a.xml"',
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(bytes)
        .toString("base64")
        .match(/.{1,76}/g)
        ?.join("\r\n") ?? "",
      "",
    ].join("\r\n");
    const reply = await sendRaw(world.smtpPort, SENDER, "sne@passerelle.test", raw);
    const mail = await world.acknowledgedByMail(/[0-9A-HJKMNP-TV-Z]{26}/.exec(reply)?.[0] ?? "");
    assert.deepEqual(mail.envelope.to, [SENDER]);
    assert.equal(mail.header("bcc"), undefined);
    assert.equal(mail.header("x-evil"), undefined);
  });
});

describe("a file invalid against the schema", () => {
  const invalid = Buffer.from(makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 621 }))
    .toString()
    .replace(/<demandeElargie>.*?<\/demandeElargie>/, "<demandeElargie>peut-être</demandeElargie>");

  it("is forwarded with a remark when the SNE is the judge (default)", async () => {
    const world = await startWorld();
    try {
      const reply = await world.mail("remarque.xml", utf8(invalid));
      const mail = await world.acknowledgedByMail(/[0-9A-HJKMNP-TV-Z]{26}/.exec(reply)?.[0] ?? "");
      assert.match(mail.parsed.text ?? "", /Remarques/);
      assert.match(mail.parsed.text ?? "", /demandeElargie \(ligne \d+\) : /);
      assert.match(mail.attachments[0]?.bytes.toString("utf8") ?? "", /<remarque code="SCHEMA_/);
      assert.equal(await world.effectsOf(utf8(invalid)), 1);
    } finally {
      await world.stop();
    }
  });

  it("is refused at arrival when the setting says so, with line, field and a French sentence", async () => {
    const world = await startWorld({ settings: { GATEWAY_SCHEMA_POLICY: "refuse" } });
    try {
      const response = await world.deposit("refus.xml", utf8(invalid));
      const problem = (await response.json()) as {
        code: string;
        controls: { code: string; line: number; field: string; message: string }[];
      };
      assert.equal(response.status, 422);
      assert.equal(problem.code, "SCHEMA_INVALID");
      const [control] = problem.controls;
      assert.match(control?.code ?? "", /^SCHEMA_/);
      assert.match(control?.field ?? "", /demandeElargie/);
      assert.ok((control?.line ?? 0) > 1);
      const mailed = await world.mail("refus.xml", utf8(invalid), {
        messageId: "<refus@bailleur.test>",
      });
      assert.match(mailed, /^250/);
      const mail = await eventually("a negative acquittement", () =>
        world.mailbox.find((one) => one.header("in-reply-to") === "<refus@bailleur.test>"),
      );
      assert.match(mail.parsed.text ?? "", /demandeElargie \(ligne \d+\)/);
      assert.equal(await world.effectsOf(utf8(invalid)), 0);
      const valid = await world.deposit("bon.xml", utf8(GOOD));
      assert.equal(valid.status, 201);
    } finally {
      await world.stop();
    }
  });

  it("is not refused for what a later edition may have added: it is forwarded with a remark", async () => {
    const later = Buffer.from(makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 622 }))
      .toString()
      .replace("<precision>", "<ajoutDe2026>oui</ajoutDe2026><precision>")
      .replace(/<nationalite code="."/, '<nationalite code="N26"');
    const world = await startWorld({ settings: { GATEWAY_SCHEMA_POLICY: "refuse" } });
    try {
      const reply = await world.mail("edition-2026.xml", utf8(later));
      const mail = await world.acknowledgedByMail(/[0-9A-HJKMNP-TV-Z]{26}/.exec(reply)?.[0] ?? "");
      const acquittement = mail.attachments[0]?.bytes.toString("utf8") ?? "";
      assert.match(acquittement, /<remarque code="SCHEMA_UNKNOWN">/);
      assert.match(acquittement, /<remarque code="SCHEMA_CODE">/);
      assert.equal(await world.effectsOf(utf8(later)), 1);
    } finally {
      await world.stop();
    }
  });
});
