/**
 * Reads the header of a mail (RFC 5322) and the parameters of its parts (RFC 2045, 2047, 2231).
 *
 * Promise: what comes out is safe to store, to show and to write back in another header: no control
 * character, no line end, no direction mark, a bounded length. An ambiguous sender is no sender.
 */
import { isUtf8 } from "node:buffer";
import { addressParser, decodeWords } from "postal-mime";
import { safeSubject } from "../../domain/subject.ts";
import { readParameters } from "../../wire/content-type.ts";

/** The most bytes the header of a mail may take; Postfix sets its own limit at 100 KB. */
const MAX_HEADER_BYTES = 128 * 1024;
/** The longest value that is decoded: what follows could only be noise or an attack. */
const MAX_DECODED = 4_000;
/** RFC 5321 section 4.5.3.1.3: the longest path, bytes. */
const MAX_ADDRESS = 254;

export interface MailHeader {
  /** The first value of a header, unfolded, bytes read as Latin-1; undefined when absent. */
  first(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** Splits a mail at its first empty line; undefined when its header is longer than any mail's. */
export function splitMail(raw: Buffer): { header: MailHeader; body: Buffer } | undefined {
  const start = raw[0] === 10 ? 1 : raw[0] === 13 && raw[1] === 10 ? 2 : 0;
  if (start > 0) return { header: readHeader(""), body: raw.subarray(start) };
  const head = raw.subarray(0, MAX_HEADER_BYTES);
  const crlf = head.indexOf("\r\n\r\n");
  const lf = head.indexOf("\n\n");
  if (crlf < 0 && lf < 0) {
    if (raw.length > MAX_HEADER_BYTES) return undefined;
    return { header: readHeader(raw.toString("latin1")), body: raw.subarray(raw.length) };
  }
  const useCrlf = crlf >= 0 && (lf < 0 || crlf < lf);
  const end = useCrlf ? crlf : lf;
  return {
    header: readHeader(raw.toString("latin1", 0, end)),
    body: raw.subarray(end + (useCrlf ? 4 : 2)),
  };
}

function readHeader(text: string): MailHeader {
  const fields = new Map<string, string[]>();
  for (const line of text.replace(/\r?\n(?=[ \t])/g, "").split(/\r?\n/)) {
    const colon = line.indexOf(":");
    // A line that is no field (mbox `From `, rubbish) is left out, as every mailer does.
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trimEnd().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = fields.get(name);
    if (known === undefined) fields.set(name, [value]);
    else known.push(value);
  }
  return { first: (name) => fields.get(name)?.[0], all: (name) => fields.get(name) ?? [] };
}

/** The text of a header: raw UTF-8 (RFC 6532) and encoded words (RFC 2047) decoded. */
function decodeText(value: string): string {
  return decodeWords(fromRawBytes(value.slice(0, MAX_DECODED)));
}

/** Bytes read as Latin-1, read again as UTF-8 when they are (a header should be ASCII; some are not). */
function fromRawBytes(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : value;
}

/** The subject, decoded and cleaned, at most 200 characters; empty when there is none. */
export function subjectOf(header: MailHeader): string {
  return safeSubject(decodeText(header.first("subject") ?? "")).toWellFormed();
}

/** The Message-ID with its brackets; undefined when absent or of no shape that may be written back. */
export function messageIdOf(header: MailHeader): string | undefined {
  const value = header.first("message-id");
  return isMessageId(value) ? value : undefined;
}

/**
 * Whether this may be written back in In-Reply-To: printable ASCII between brackets, short enough
 * for a header line (RFC 5322 section 2.1.1: 998 characters).
 */
export function isMessageId(value: string | undefined): value is string {
  return value !== undefined && /^<[\x21-\x3b\x3d\x3f-\x7e]{1,980}>$/.test(value);
}

/** Whether this is one plain mail address that may be written in an envelope. */
export function isMailAddress(text: string): boolean {
  return (
    text.length <= MAX_ADDRESS &&
    /^[^\s@<>()[\]\\,;:"\p{C}]+@[^\s@<>()[\]\\,;:"\p{C}]+$/u.test(text)
  );
}

/** The one address of the one `From`; undefined when there are none, several, or it is unreadable. */
export function fromOf(header: MailHeader): string | undefined {
  const values = header.all("from");
  const [value] = values;
  if (value === undefined || values.length > 1 || value.length > MAX_DECODED) return undefined;
  const mailboxes = addressParser(fromRawBytes(value), { flatten: true });
  const address = mailboxes.length === 1 ? mailboxes[0]?.address : undefined;
  return address !== undefined && isMailAddress(address) ? address : undefined;
}

/** The type of a part, lower case, comments left out; `text/plain` when it says none (RFC 2045 5.2). */
export function typeOf(contentType: string | undefined): {
  type: string;
  parameters: ReadonlyMap<string, string>;
} {
  const value = contentType ?? "";
  const type = /^\s*([\w.+-]+\/[\w.+-]+)/.exec(value)?.[1];
  if (type === undefined) return { type: "text/plain", parameters: new Map() };
  const semicolon = value.indexOf(";");
  const rest = semicolon < 0 ? "" : value.slice(semicolon);
  return { type: type.toLowerCase(), parameters: readParameters(rest) };
}

/** The name a part gives to its file, decoded, not yet made safe: `filename`, then `name`. */
export function partNameOf(
  contentType: string | undefined,
  disposition: string | undefined,
): string | undefined {
  for (const [header, name] of [
    [disposition, "filename"],
    [contentType, "name"],
  ] as const) {
    const semicolon = header?.indexOf(";") ?? -1;
    if (header === undefined || semicolon < 0) continue;
    const parameters = readParameters(header.slice(semicolon, semicolon + MAX_DECODED));
    const found = extendedParameter(parameters, name) ?? parameters.get(name);
    if (found !== undefined && found.trim() !== "") return decodeText(found);
  }
  return undefined;
}

/** A parameter in the extended or continued form of RFC 2231 (`name*=`, `name*0*=`, `name*1=`). */
function extendedParameter(
  parameters: ReadonlyMap<string, string>,
  name: string,
): string | undefined {
  const pieces: { text: string; encoded: boolean }[] = [];
  const whole = parameters.get(`${name}*`);
  if (whole !== undefined) pieces.push({ text: whole, encoded: true });
  for (let i = 0; whole === undefined && i < 100; i += 1) {
    const plain = parameters.get(`${name}*${i}`);
    const text = plain ?? parameters.get(`${name}*${i}*`);
    if (text === undefined) break;
    pieces.push({ text, encoded: plain === undefined });
  }
  const [head] = pieces;
  if (head === undefined) return undefined;
  let charset = "utf-8";
  if (head.encoded) {
    const [, label, text] = /^([\w.:+-]*)'[^']*'(.*)$/s.exec(head.text) ?? [];
    if (label !== undefined && label !== "") charset = label;
    if (text !== undefined) head.text = text;
  }
  const bytes = pieces.map(({ text, encoded }) => (encoded ? percentDecoded(text) : text)).join("");
  try {
    return new TextDecoder(charset).decode(Buffer.from(bytes, "latin1"));
  } catch {
    // A charset nobody knows: the name keeps what of it is ASCII.
    return bytes.replace(/[\x80-\xff]/g, "_");
  }
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
