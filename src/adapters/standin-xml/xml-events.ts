/**
 * Decodes XML and reads it as events, for the stand-in SNE. Shared by its two readers.
 *
 * Promise: a DOCTYPE, a deep nesting, an undefined entity, a wrong encoding or a broken document is
 * refused with a reason; nothing is ever fetched or expanded. Time is linear in the size.
 */
import { SaxesParser, type SaxesTagNS } from "saxes";

export interface XmlEvents {
  open(tag: SaxesTagNS, depth: number): void;
  /** @param depth - of the element that closes; the root has 1. */
  close(tag: SaxesTagNS, depth: number): void;
  text(text: string): void;
}

/** What stops the reading, with a sentence for the caller. */
export class XmlRefused extends Error {}

/** Reads the whole document; returns why it was refused, or undefined. */
export function readXml(
  bytes: Uint8Array,
  maxDepth: number,
  events: XmlEvents,
): string | undefined {
  const text = decodeXml(bytes);
  if (text === undefined) return "encodage inconnu, ou octets contraires à l'encodage annoncé";
  const parser = new SaxesParser({ xmlns: true, position: true });
  let depth = 0;
  parser.on("error", (error) => {
    throw new XmlRefused(error.message);
  });
  parser.on("doctype", () => {
    throw new XmlRefused("DOCTYPE interdit");
  });
  parser.on("opentag", (tag) => {
    depth += 1;
    if (depth > maxDepth) throw new XmlRefused(`plus de ${maxDepth} éléments imbriqués`);
    events.open(tag, depth);
  });
  parser.on("closetag", (tag) => {
    events.close(tag, depth);
    depth -= 1;
  });
  parser.on("text", (chunk) => {
    if (depth > 0) events.text(chunk);
  });
  parser.on("cdata", (chunk) => {
    events.text(chunk);
  });
  try {
    parser.write(text).close();
    return undefined;
  } catch (error) {
    if (error instanceof XmlRefused) return error.message;
    throw error;
  }
}

/** The text of a document: its byte order mark, else its declaration, else UTF-8. */
function decodeXml(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const encoding = encodingOf(buffer);
  if (encoding === "iso-8859-1") return buffer.toString("latin1");
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(buffer);
  } catch {
    return undefined;
  }
}

const KNOWN = new Set(["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"]);

function encodingOf(buffer: Buffer): string {
  if (buffer[0] === 0xff && buffer[1] === 0xfe) return "utf-16le";
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return "utf-16be";
  const start = buffer.toString("latin1", 0, 200);
  const declared = /^(?:\u00EF\u00BB\u00BF)?<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(
    start,
  );
  const name = declared?.[1]?.toLowerCase() ?? "utf-8";
  if (name === "us-ascii") return "utf-8";
  return KNOWN.has(name) ? name : "unknown";
}
