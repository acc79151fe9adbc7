/**
 * The fluxes a bench sends: real mails, each with one 10 KB demande in base64, every one different.
 *
 * They are composed before anything is measured, a few hundred of them; each mail sent is a copy of
 * one with its own reference and Message-ID written over, so that making it costs the generator a
 * copy and 21 characters. The result is byte for byte what a mailer would have written.
 */
import MailComposer from "nodemailer/lib/mail-composer";
import { fileName, makeDemande } from "../src/standin/sample-demandes.ts";

export const BENCH_GUICHET = "75A01";
export const BENCH_SENDER = "logiciel@bailleur.test";
export const BENCH_RECIPIENT = "sne@passerelle.test";
export const FILE_BYTES = 10_240;

/** Applicants that differ; references differ for every single flux. */
const TEMPLATES = 200;
/** Width of the number that makes each flux its own. */
const DIGITS = 9;
const BLANK_REFERENCE = "0".repeat(18);
const LINE = 76;

export interface SampleMail {
  readonly number: number;
  /** Ready for DATA: dot-stuffed, with its final dot. */
  readonly data: Buffer;
}

/** A 10 KB file, and where its own number stands. */
interface Template {
  readonly file: Buffer;
  /** Offset of nine digits of refInterne, a multiple of 3: they make twelve characters of base64. */
  readonly at: number;
}

function makeTemplate(seed: number): Template {
  const file = Buffer.from(
    makeDemande({
      typeFichier: "CRE",
      guichet: BENCH_GUICHET,
      refInterne: BLANK_REFERENCE,
      // Few applicants make many demandes here: the stand-in would see doublons.
      forcerDoublon: true,
      padToBytes: FILE_BYTES,
      seed,
    }),
  );
  const start = file.indexOf(BLANK_REFERENCE);
  if (start < 0 || file.length !== FILE_BYTES) throw new Error("the sample demande changed shape");
  return { file, at: Math.ceil(start / 3) * 3 };
}

function digitsOf(number: number): string {
  return number.toString().padStart(DIGITS, "0");
}

/** Files alone, for a store filled without mail. */
export function makeSampleFiles(): (number: number) => {
  readonly bytes: Buffer;
  readonly refInterne: string;
} {
  const templates = Array.from({ length: TEMPLATES }, (_, seed) => makeTemplate(seed + 1));
  return (number) => {
    const template = templates[number % TEMPLATES];
    if (template === undefined) throw new Error("no template");
    const bytes = Buffer.from(template.file);
    bytes.write(digitsOf(number), template.at, "latin1");
    const start = bytes.indexOf("<refInterne>") + "<refInterne>".length;
    return { bytes, refInterne: bytes.toString("latin1", start, start + BLANK_REFERENCE.length) };
  };
}

/** Composes the mails; the numbers of those sent begin after `first`. */
export async function makeSampleMails(first: number): Promise<() => SampleMail> {
  const templates: { raw: Buffer; digits: readonly number[]; messageId: number }[] = [];
  for (let seed = 1; seed <= TEMPLATES; seed += 1) {
    const { file, at } = makeTemplate(seed);
    const composed = await new MailComposer({
      from: `Logiciel du bailleur <${BENCH_SENDER}>`,
      to: BENCH_RECIPIENT,
      subject: "Envoi de demande de logement social",
      messageId: `<${digitsOf(0)}.bench@bailleur.test>`,
      date: new Date(Date.UTC(2026, 0, 15, 9, 30)),
      text: "Bonjour,\n\nVeuillez trouver ci-joint une demande.\n",
      attachments: [
        {
          filename: fileName({ guichet: BENCH_GUICHET, at: new Date(0), sequence: seed }),
          content: file,
          contentType: "application/xml",
        },
      ],
    })
      .compile()
      .build();
    const raw = Buffer.concat([composed, Buffer.from("\r\n.\r\n")]);
    const body = raw.indexOf(file.toString("base64").slice(0, LINE));
    const messageId = raw.indexOf(`<${digitsOf(0)}.bench`) + 1;
    if (body < 0 || messageId < 1 || raw.includes("\r\n.."))
      throw new Error("mail of another shape");
    const firstLetter = (at / 3) * 4;
    const digits = Array.from({ length: 12 }, (_, index) => {
      const letter = firstLetter + index;
      return body + letter + 2 * Math.floor(letter / LINE);
    });
    templates.push({ raw, digits, messageId });
  }
  let last = first;
  return () => {
    last += 1;
    const template = templates[last % TEMPLATES];
    if (template === undefined) throw new Error("no template");
    const data = Buffer.from(template.raw);
    const letters = Buffer.from(digitsOf(last), "latin1").toString("base64");
    template.digits.forEach((place, index) => {
      data[place] = letters.charCodeAt(index);
    });
    data.write(digitsOf(last), template.messageId, "latin1");
    return { number: last, data };
  };
}

/** The number of the flux that a mail or an acquittement speaks of, by a header of its own. */
export function numberIn(raw: Buffer, header: "Message-ID" | "In-Reply-To"): number | undefined {
  const at = raw.indexOf(`${header}: <`);
  if (at < 0) return undefined;
  const start = at + header.length + 3;
  const number = Number(raw.toString("latin1", start, start + DIGITS));
  return Number.isSafeInteger(number) ? number : undefined;
}
