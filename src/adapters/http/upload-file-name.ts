/**
 * Finds the name a sender gives to the file it uploads as the body of a request. The name is never
 * trusted: `safeFileName` makes it one, here and again at arrival.
 */
import type { IncomingHttpHeaders } from "node:http";
import { safeFileName } from "../../domain/file-name.ts";
import { readParameters } from "../../wire/content-type.ts";

/** By Content-Disposition (`filename*` first, RFC 6266 section 4.3), then by X-File-Name. */
export function uploadFileName(headers: IncomingHttpHeaders): string {
  const disposition = headers["content-disposition"];
  if (disposition !== undefined) {
    const semicolon = disposition.indexOf(";");
    const parameters = readParameters(semicolon < 0 ? "" : disposition.slice(semicolon));
    const extended = readExtendedValue(parameters.get("filename*"));
    const plain = parameters.get("filename");
    const name = extended ?? (plain === undefined ? undefined : readHeaderText(plain));
    if (name !== undefined) return safeFileName(name);
  }
  const header = headers["x-file-name"];
  return safeFileName(typeof header === "string" ? readHeaderText(header) : "");
}

/** `UTF-8''percent-encoded` (RFC 8187); undefined when it is not that. */
function readExtendedValue(value: string | undefined): string | undefined {
  const found = /^utf-8'[^']*'(.+)$/i.exec(value ?? "");
  if (found === null) return undefined;
  try {
    return decodeURIComponent(found[1] ?? "");
  } catch {
    // A broken extended name is no name; the plain one may still be good.
    return undefined;
  }
}

/** Header bytes come as Latin-1; many senders write UTF-8 in them. */
function readHeaderText(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}
