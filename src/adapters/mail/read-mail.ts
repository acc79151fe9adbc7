/**
 * Finds the files of a mail: raw bytes in, the fluxes it carries out, byte for byte as they were
 * attached.
 *
 * Promise: a mail that was cut short, or whose encoding is broken, is never taken for a whole one:
 * it comes out as unreadable, its raw bytes as its only file, so that nothing of it is lost and
 * nothing of it is forwarded. Time is linear in the size of the mail, whatever its bytes.
 *
 * The structure is read here and not by postal-mime (whose address and encoded-word readers serve in
 * `mail-header.ts`): it rewrites the line ends of what it decodes, takes a mail without its closing
 * boundary for a whole one, loses a `text/plain` part named `.xml`, and costs ten times more.
 *
 * A mail inside a mail (message/rfc822) is a file like any other and is not opened: a bounce carries
 * our own acquittement, with the SNE's answer in it, which must never come back as a flux.
 */
import { errorText } from "../../domain/errors.ts";
import { safeFileName } from "../../domain/file-name.ts";
import type { Control } from "../../domain/outcome.ts";
import type { StoredFile } from "../../keep/outbox.ts";
import { readMultipart } from "../../wire/multipart-related.ts";
import { fromOf, messageIdOf, partNameOf, splitMail, subjectOf, typeOf } from "./mail-header.ts";
import type { MailHeader } from "./mail-header.ts";
import { decodeTransfer } from "../../wire/transfer-encoding.ts";

const MAX_DEPTH = 8;
const MAX_PARTS = 200;

export interface ReadMail {
  /** The fluxes found; the whole mail when `unreadable`. Never empty. */
  readonly files: readonly StoredFile[];
  readonly unreadable?: Control;
  /** False when no part looks like XML: `files` then holds what the sender will be told about. */
  readonly hasXml: boolean;
  /** The one address of the header `From`. */
  readonly from?: string;
  /** Cleaned, at most 200 characters, maybe empty. */
  readonly subject: string;
  readonly messageId?: string;
  /** What RFC 3834 calls it; a delivery report counts as an answer. */
  readonly autoSubmitted: "no" | "generated" | "replied";
  /** It is, or answers, one of our own acquittements. */
  readonly echoesAcquittement: boolean;
}

interface Leaf {
  readonly type: string;
  readonly name?: string;
  readonly isAttached: boolean;
  readonly encoding: string;
  readonly encoded: Uint8Array;
}

/** Why a mail cannot be read, in French, for UNREADABLE_MAIL. */
interface Trouble {
  readonly trouble: string;
}

export function readMail(bytes: Uint8Array): ReadMail {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const split = splitMail(raw);
  if (split === undefined) {
    return {
      ...whole(raw, unreadableMail("son en-tête est démesuré")),
      subject: "",
      autoSubmitted: "no",
      echoesAcquittement: false,
    };
  }
  const { header, body } = split;
  const from = fromOf(header);
  const messageId = messageIdOf(header);
  return {
    ...findFiles(raw, header, body),
    ...(from === undefined ? {} : { from }),
    subject: subjectOf(header),
    ...(messageId === undefined ? {} : { messageId }),
    autoSubmitted: autoSubmittedOf(header),
    echoesAcquittement: echoesAcquittement(header),
  };
}

type Found = Pick<ReadMail, "files" | "unreadable" | "hasXml">;

function findFiles(raw: Buffer, header: MailHeader, body: Buffer): Found {
  const leaves: Leaf[] = [];
  const found = collectLeaves((name) => header.first(name), body, leaves, 0);
  if (found !== undefined) return whole(raw, unreadableMail(found.trouble));

  const files: StoredFile[] = [];
  for (const leaf of leaves) {
    const file = fluxOf(leaf, files.length + 1);
    if (file !== undefined && "trouble" in file) return whole(raw, unreadableMail(file.trouble));
    if (file !== undefined) files.push(file);
  }
  if (files.length > 0) return { files, hasXml: true };

  const other = leaves.find((leaf) => leaf.isAttached && !isDecoration(leaf.type));
  if (other === undefined) {
    return whole(raw, { code: "NO_ATTACHMENT", message: errorText("NO_ATTACHMENT") });
  }
  const decoded = decodeTransfer(other.encoded, other.encoding);
  if (decoded === undefined) return whole(raw, unreadableMail(brokenPart(other)));
  const fallback = other.type === "message/rfc822" ? "message-joint.eml" : "piece-jointe";
  return {
    files: [{ name: safeFileName(other.name ?? fallback, fallback), bytes: decoded }],
    hasXml: false,
  };
}

function whole(raw: Buffer, unreadable: Control): Found {
  return {
    files: [{ name: "message.eml", bytes: new Uint8Array(raw) }],
    unreadable,
    hasXml: false,
  };
}

function unreadableMail(detail: string): Control {
  return { code: "UNREADABLE_MAIL", message: errorText("UNREADABLE_MAIL", { detail }) };
}

/** Walks the parts in order, down to those that hold something. */
function collectLeaves(
  header: (name: string) => string | undefined,
  body: Uint8Array,
  leaves: Leaf[],
  depth: number,
): Trouble | undefined {
  const contentType = header("content-type");
  const { type, parameters } = typeOf(contentType);
  if (!type.startsWith("multipart/")) {
    if (leaves.length >= MAX_PARTS) return { trouble: `plus de ${MAX_PARTS} parties` };
    const disposition = header("content-disposition");
    const name = partNameOf(contentType, disposition);
    leaves.push({
      type,
      ...(name === undefined ? {} : { name }),
      isAttached:
        name !== undefined || /^\s*attachment\b/i.test(disposition ?? "") || isNoBody(type),
      encoding: header("content-transfer-encoding") ?? "",
      encoded: body,
    });
    return undefined;
  }
  if (depth >= MAX_DEPTH) return { trouble: `plus de ${MAX_DEPTH} niveaux de parties imbriquées` };
  const boundary = parameters.get("boundary");
  if (boundary === undefined) return { trouble: "la limite de ses parties n'est pas indiquée" };
  const reading = readMultipart(body, boundary, { maxParts: MAX_PARTS, bareHeaders: true });
  if (reading.kind === "unreadable") return { trouble: inFrench(reading.reason) };
  for (const part of reading.parts) {
    const trouble = collectLeaves((name) => part.headers.get(name), part.bytes, leaves, depth + 1);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}

function inFrench(reason: string): string {
  switch (reason) {
    case "closing boundary missing":
      return "il est tronqué, la limite de fin de ses parties manque";
    case "boundary not found":
      return "il est tronqué, aucune de ses parties n'est arrivée";
    case "too many parts":
      return `plus de ${MAX_PARTS} parties`;
    default:
      return "ses parties sont mal formées";
  }
}

/** Neither the text nor a page: a part of another type was put there to be taken. */
function isNoBody(type: string): boolean {
  return !type.startsWith("text/") && !type.startsWith("message/") && !type.startsWith("image/");
}

/** Logos and signatures: never what the sender meant to send. */
function isDecoration(type: string): boolean {
  return (
    type.startsWith("image/") ||
    type === "text/x-vcard" ||
    type === "text/vcard" ||
    type === "application/pgp-signature" ||
    type === "application/pkcs7-signature" ||
    type === "application/x-pkcs7-signature"
  );
}

/** The file of a part that is a flux, undefined when it is not one. */
function fluxOf(leaf: Leaf, rank: number): StoredFile | Trouble | undefined {
  const isNamedXml = leaf.name !== undefined && /\.xml\s*$/i.test(leaf.name);
  const isTypedXml =
    /^(?:(?:application|text)\/xml|[^/]+\/[^/]+\+xml)$/.test(leaf.type) &&
    !leaf.type.startsWith("image/") &&
    leaf.type !== "application/xhtml+xml";
  const mayBeXml =
    leaf.isAttached &&
    !isDecoration(leaf.type) &&
    !leaf.type.startsWith("message/") &&
    leaf.type !== "text/html" &&
    leaf.type !== "application/xhtml+xml";
  if (!isNamedXml && !isTypedXml && !mayBeXml) return undefined;
  const bytes = decodeTransfer(leaf.encoded, leaf.encoding);
  // A broken part that only might be XML (a spreadsheet beside the flux) must not pass unseen either.
  if (bytes === undefined) return { trouble: brokenPart(leaf) };
  if (!isNamedXml && !isTypedXml && !looksLikeXml(bytes)) return undefined;
  const fallback = rank === 1 ? "flux.xml" : `flux-${rank}.xml`;
  return { name: safeFileName(leaf.name ?? fallback, fallback), bytes };
}

function brokenPart(leaf: Leaf): string {
  const known = /^\s*(7bit|8bit|binary|base64|quoted-printable)\b/i.test(leaf.encoding);
  const name = safeFileName(leaf.name ?? "", "sans nom");
  return known
    ? `la pièce jointe « ${name} » est incomplète ou mal encodée`
    : `l'encodage de la pièce jointe « ${name} » n'est pas connu`;
}

/** Whether the first characters are those of an XML document, after a byte order mark if any. */
function looksLikeXml(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 256));
  const [a, b] = head;
  let text: string;
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0)) text = head.toString("utf16le");
  else if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c)) {
    text = head
      .subarray(0, head.length & ~1)
      .swap16()
      .toString("utf16le");
  } else text = head.toString("utf8");
  return /^<(?:\?xml\s|(?:[\w.-]{1,40}:)?interfaceNuu[\s>/])/.test(
    text.replace(/^[\ufeff\s]+/, ""),
  );
}

/** RFC 3834 section 5, and the marks of responders older than it. */
function autoSubmittedOf(header: MailHeader): ReadMail["autoSubmitted"] {
  const declared = /^\s*([\w-]+)/.exec(header.first("auto-submitted") ?? "")?.[1]?.toLowerCase();
  if (declared === "auto-replied") return "replied";
  if (typeOf(header.first("content-type")).type === "multipart/report") return "replied";
  if (header.first("x-autoreply") !== undefined || header.first("x-autorespond") !== undefined) {
    return "replied";
  }
  if (/^\s*auto_reply\b/i.test(header.first("precedence") ?? "")) return "replied";
  return declared === undefined || declared === "no" ? "no" : "generated";
}

/** Our mark, or an answer to a Message-ID of ours (`mail-return.ts` makes both). */
function echoesAcquittement(header: MailHeader): boolean {
  if (header.first("x-passerelle-flux") !== undefined) return true;
  return ["in-reply-to", "references"].some((name) =>
    header.all(name).some((value) => value.includes("<acquittement.")),
  );
}
