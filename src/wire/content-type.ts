/**
 * Reads and writes `Content-Type` headers (RFC 9110 section 8.3, RFC 2045 section 5.1). Lenient with
 * what comes (missing quotes, odd spaces), exact in what it writes.
 */

export interface ContentType {
  /** `type/subtype`, lower case. */
  readonly type: string;
  /** Parameters, names in lower case, values unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Reads a header value; undefined when it has no `type/subtype`. */
export function readContentType(header: string | undefined): ContentType | undefined {
  if (header === undefined) return undefined;
  const semicolon = header.indexOf(";");
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  if (!/^[^\s/;]+\/[^\s/;]+$/.test(type)) return undefined;
  return { type, parameters: readParameters(semicolon < 0 ? "" : header.slice(semicolon)) };
}

/** Reads `; name=value; name="quoted \" value"`; the first of two same names wins. */
export function readParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    while (at < text.length && (text[at] === ";" || text[at] === " " || text[at] === "\t")) at += 1;
    const equals = text.indexOf("=", at);
    if (equals < 0) break;
    const name = text.slice(at, equals).trim().toLowerCase();
    at = equals + 1;
    while (text[at] === " " || text[at] === "\t") at += 1;
    let value = "";
    if (text[at] === '"') {
      at += 1;
      while (at < text.length && text[at] !== '"') {
        if (text[at] === "\\" && at + 1 < text.length) at += 1;
        value += text[at] ?? "";
        at += 1;
      }
      const semicolon = text.indexOf(";", at);
      at = semicolon < 0 ? text.length : semicolon;
    } else {
      const semicolon = text.indexOf(";", at);
      const end = semicolon < 0 ? text.length : semicolon;
      value = text.slice(at, end).trim();
      at = end;
    }
    if (name !== "" && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

/** Writes a header value; values that are no token are quoted. */
export function writeContentType(
  type: string,
  parameters: Readonly<Record<string, string>>,
): string {
  let text = type;
  for (const [name, value] of Object.entries(parameters)) {
    const isToken = TOKEN.test(value);
    text += `; ${name}=${isToken ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`}`;
  }
  return text;
}
