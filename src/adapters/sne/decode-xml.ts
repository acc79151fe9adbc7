/**
 * Turns the bytes of an XML document into text (XML 1.0, appendix F): byte order mark, then the
 * encoding declared, then UTF-8. Lenient, since it reads what the SNE sends: a document that is not
 * written in the encoding it declares is read as Windows-1252, which loses no ASCII character; the
 * bytes themselves are kept elsewhere and travel on untouched.
 */

/** Text of the document, without byte order mark. @param charset - told by a MIME header, wins */
export function decodeXml(bytes: Uint8Array, charset?: string): string {
  const label = byteOrderMark(bytes) ?? charset ?? declaredEncoding(bytes) ?? "utf-8";
  return (
    decodeAs(label, bytes) ?? decodeAs("utf-8", bytes) ?? decodeAs("windows-1252", bytes) ?? ""
  );
}

function decodeAs(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    // An unknown label, or bytes that are not in that encoding: the next one is tried.
    return undefined;
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0x3c && bytes[1] === 0) return "utf-16le";
  if (bytes[0] === 0 && bytes[1] === 0x3c) return "utf-16be";
  return undefined;
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 256));
  const found = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(
    head.toString("latin1"),
  );
  return found?.[1];
}
