/**
 * Calls the SNE's operations as known stacks frame them: Apache CXF with and without MTOM, and libsne
 * (seen, `docs/contract.md`). Written apart from the gateway's own client, so that both are judged.
 */
import { request as httpRequest } from "node:http";
import { readContentType } from "../../src/wire/content-type.ts";
import { readMultipart, rootPart } from "../../src/wire/multipart-related.ts";
import { API_KEY } from "./world.ts";

const NAMESPACE = "http://ws.metier.nuu.application.i2/";
const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";

export type Framing = "cxf" | "plain" | "libsne";
export type CallField =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly code: string }
  | { readonly name: string; readonly file: Uint8Array };

export interface SoapCallAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** The envelope. */
  readonly root: string;
  /** Text of the first element of that local name in the envelope. */
  text(name: string): string | undefined;
  /** A file: of its part, or inline in base64. */
  file(name: string): Buffer | undefined;
}

export async function callSne(options: {
  /** Of the service. */
  readonly url: string;
  readonly operation: string;
  readonly element: string;
  readonly fields: readonly CallField[];
  readonly framing?: Framing;
  readonly key?: string;
  /** Leaves before the answer. */
  readonly signal?: AbortSignal;
  /** Replaces the action everywhere; "" leaves it out. */
  readonly action?: string;
}): Promise<SoapCallAnswer> {
  const { framing = "cxf", operation, key = API_KEY } = options;
  const action = options.action ?? `${NAMESPACE}${operation}`;
  const { contentType, body } = written(framing, action, operation, options);
  const headers = { "content-type": contentType, authorization: `Bearer ${key}` };
  return post(options.url, body, headers, options.signal);
}

/** Sends any body, and reads the answer as far as it is SOAP. */
export function post(
  url: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<SoapCallAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: "POST", headers, signal }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const type = response.headers["content-type"] ?? "";
        resolve(answerOf(response.statusCode ?? 0, type, Buffer.concat(pieces)));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function written(
  framing: Framing,
  action: string,
  operation: string,
  { element, fields }: { element: string; fields: readonly CallField[] },
): { contentType: string; body: Buffer } {
  const parts: { id: string; bytes: Uint8Array }[] = [];
  const children = fields
    .map((field) => {
      if ("text" in field) return `<${field.name}>${field.text}</${field.name}>`;
      if ("code" in field) return `<${field.name} code="${field.code}"/>`;
      const { name, file } = field;
      if (framing === "plain") {
        return `<${name} n:contentType="text/xml">${Buffer.from(file).toString("base64")}</${name}>`;
      }
      // CXF leaves an empty file inline; libsne gives it a part of its own.
      if (framing === "cxf" && file.byteLength === 0) return `<${name} n:contentType="text/xml"/>`;
      const id = `${name}@appelant`;
      parts.push({ id, bytes: file });
      const include = `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${id}"/>`;
      return `<${name} n:contentType="text/xml">${include}</${name}>`;
    })
    .join("");
  const envelope =
    `<s:Envelope xmlns:s="${SOAP_12}"><s:Body>` +
    `<n:${element} xmlns:n="${NAMESPACE}">${children}</n:${element}></s:Body></s:Envelope>`;
  const withAction = (quoted: string): string => (action === "" ? "" : quoted);
  if (framing === "plain") {
    return {
      contentType: `application/soap+xml; charset=UTF-8${withAction(`; action="${action}"`)}`,
      body: Buffer.from(envelope),
    };
  }
  const boundary = "uuid:3f6f7b1e-appelant";
  const isCxf = framing === "cxf";
  const rootId = isCxf ? "<root.message@cxf.apache.org>" : "<soaproot>";
  const rootType = isCxf
    ? 'application/xop+xml; charset=UTF-8; type="application/soap+xml"'
    : `application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="${operation}"`;
  const pieces: Buffer[] = isCxf ? [Buffer.from("\r\n")] : [];
  const add = (headers: readonly string[], bytes: Uint8Array): void => {
    pieces.push(
      Buffer.from(`--${boundary}\r\n${headers.join("\r\n")}\r\n\r\n`),
      Buffer.from(bytes),
    );
    pieces.push(Buffer.from("\r\n"));
  };
  add(
    [
      `Content-Type: ${rootType}`,
      `Content-Transfer-Encoding: ${isCxf ? "binary" : "8bit"}`,
      `Content-ID: ${rootId}`,
    ],
    Buffer.from(envelope),
  );
  for (const { id, bytes } of parts) {
    const headers = isCxf
      ? ["Content-Type: application/octet-stream", "Content-Transfer-Encoding: binary"]
      : bytes.byteLength === 0
        ? ["Content-Type: application/octet-stream", "Content-Transfer-Encoding: BASE64"]
        : ["Content-Type: text/xml; charset=us-ascii", "Content-Transfer-Encoding: 7bit"];
    add([...headers, `Content-ID: <${id}>`], bytes);
  }
  pieces.push(Buffer.from(`--${boundary}--${isCxf ? "" : "\r\n"}`));
  const escaped = action === "" ? "" : `; action=\\"${action}\\"`;
  return {
    contentType: isCxf
      ? `multipart/related; type="application/xop+xml"; boundary="${boundary}"; ` +
        `start="${rootId}"; start-info="application/soap+xml${escaped}"`
      : `multipart/related; type="application/xop+xml"; start="soaproot"; ` +
        `start-info="application/soap+xml"${withAction(`; action="${action}"`)}; boundary="${boundary}"`,
    body: Buffer.concat(pieces),
  };
}

function answerOf(status: number, contentType: string, body: Buffer): SoapCallAnswer {
  const type = readContentType(contentType);
  const multipart =
    type?.type === "multipart/related"
      ? readMultipart(body, type.parameters.get("boundary") ?? "")
      : undefined;
  const parts = multipart?.kind === "read" ? multipart.parts : [];
  const rootBytes = rootPart(parts, type?.parameters.get("start"))?.bytes ?? body;
  const root = Buffer.from(rootBytes).toString("utf8");
  const content = (name: string): string | undefined =>
    new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([\\s\\S]*?)</(?:[\\w-]+:)?${name}>`).exec(
      root,
    )?.[1];
  return {
    ...{ status, contentType, body, root },
    text: (name) => content(name),
    file: (name) => {
      const inner = content(name);
      if (inner === undefined) return undefined;
      const cid = /href="cid:([^"]+)"/.exec(inner)?.[1];
      if (cid === undefined) return Buffer.from(inner, "base64");
      const id = `<${decodeURIComponent(cid)}>`;
      const part = parts.find(({ headers }) => headers.get("content-id") === id);
      return part === undefined ? undefined : Buffer.from(part.bytes);
    },
  };
}
