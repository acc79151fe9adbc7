/**
 * Writes an acquittement as a mail (RFC 5322, multipart/mixed, everything in base64).
 *
 * Promise: files leave byte for byte; the same parcel to the same address, at the same time, gives
 * the same bytes, and always the same Message-ID; no value given to it can begin another header.
 *
 * Written here because nodemailer's composer, sound but general, takes about two fifths of the
 * processor time of a mail with three attachments; its encoders of headers serve below.
 */
import { buildHeaderValue, encodeWords, foldLines } from "nodemailer/lib/mime-funcs";
import type { AcquittementParcel } from "../../acknowledge/return-channel.ts";
import type { ReturnAddress } from "../../domain/flux.ts";
import { safeFileName } from "../../domain/file-name.ts";
import { safeSubject } from "../../domain/subject.ts";
import type { StoredFile } from "../../keep/outbox.ts";
import { isMessageId } from "./mail-header.ts";

export interface WrittenMail {
  readonly messageId: string;
  readonly raw: Buffer;
}

/**
 * @param from - a plain address
 * @param hostName - the right side of the Message-ID
 * @param at - ms since the epoch
 */
export function writeMail(
  parcel: AcquittementParcel,
  to: Extract<ReturnAddress, { channel: "mail" }>,
  { from, hostName, at }: { from: string; hostName: string; at: number },
): WrittenMail {
  const messageId = `<acquittement.${parcel.parcelId}@${hostName}>`;
  // No line of base64 can look like it: it holds a `_`.
  const boundary = `=_acquittement_${parcel.fluxId}`;
  const answersTo = isMessageId(to.messageId) ? to.messageId : undefined;
  const subject = safeSubject(
    to.subject === "" ? parcel.title : `${parcel.title} (Re: ${to.subject})`,
  );
  const lines = [
    `From: ${from}`,
    `To: ${to.to}`,
    foldLines(`Subject: ${encodeWords(subject, "Q", 52, true)}`, 76),
    `Date: ${new Date(at).toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: ${messageId}`,
    ...(answersTo === undefined ? [] : [`In-Reply-To: ${answersTo}`, `References: ${answersTo}`]),
    // RFC 3834 section 5: says to every other machine that this must not be answered.
    "Auto-Submitted: auto-replied",
    `X-Passerelle-Flux: ${parcel.fluxId}`,
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
  ];
  const files = [parcel.xml, parcel.answer, parcel.attestation].filter(
    (file) => file !== undefined,
  );
  const text = parcel.text.replace(/\r?\n/g, "\r\n");
  const pieces = [
    lines.join("\r\n"),
    part(boundary, ["Content-Type: text/plain; charset=utf-8"], Buffer.from(text, "utf8")),
    ...files.map((file) => part(boundary, fileHeaders(file), file.bytes)),
    `\r\n--${boundary}--\r\n`,
  ];
  return { messageId, raw: Buffer.from(pieces.join(""), "utf8") };
}

function part(boundary: string, headers: readonly string[], bytes: Uint8Array): string {
  const head = [...headers, "Content-Transfer-Encoding: base64"].join("\r\n");
  return `\r\n--${boundary}\r\n${head}\r\n\r\n${base64Lines(bytes)}`;
}

function fileHeaders(file: StoredFile): readonly string[] {
  const name = safeFileName(file.name);
  const type = /\.xml$/i.test(name)
    ? "application/xml"
    : /\.pdf$/i.test(name)
      ? "application/pdf"
      : "application/octet-stream";
  return [
    foldLines(`Content-Type: ${buildHeaderValue({ value: type, params: { name } })}`, 76),
    foldLines(
      `Content-Disposition: ${buildHeaderValue({ value: "attachment", params: { filename: name } })}`,
      76,
    ),
  ];
}

/** RFC 2045 section 6.8: lines of at most 76 characters. */
function base64Lines(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += 76) lines.push(text.slice(at, at + 76));
  return lines.join("\r\n");
}
