/**
 * Calls our own SOAP service by hand, in both versions and both framings, and holds every answer to
 * `wsdl/passerelle.wsdl`: what is not as it says fails the test that met it.
 */
import assert from "node:assert/strict";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { join } from "node:path";
import { buildPasserelleService } from "../../src/build-passerelle-service.ts";
import { makeCollect } from "../../src/acknowledge/collect.ts";
import { readContentType } from "../../src/wire/content-type.ts";
import { readMultipart, rootPart } from "../../src/wire/multipart-related.ts";
import { escapeXml } from "../../src/wire/xml-text.ts";
import type { HttpServerOptions } from "../../src/adapters/http/http-server.ts";
import { KEYS, MAX_BYTES, type HttpGatewayParts } from "./http-gateway.ts";
import { compileSchema } from "./xsd-compiler.ts";

export const SERVICE_PATH = "/services/passerelle";
const NAMESPACE = "urn:passerelle-sne:service:1";
const ENVELOPES = {
  "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
  "1.2": "http://www.w3.org/2003/05/soap-envelope",
} as const;
const MEDIA = { "1.1": "text/xml", "1.2": "application/soap+xml" } as const;

const verdictOf = compileSchema(join(import.meta.dirname, "../../wsdl/passerelle.wsdl"));

/** The service on an HTTP port of a test. */
export function passerelleService(parts: HttpGatewayParts): Partial<HttpServerOptions> {
  const collect = makeCollect(parts);
  return {
    soap: buildPasserelleService({
      path: SERVICE_PATH,
      maxFileBytes: MAX_BYTES,
      ...parts,
      collect,
    }),
  };
}

export type Given =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly file: Uint8Array };

export interface CallForm {
  readonly version?: keyof typeof ENVELOPES;
  readonly framing?: "plain" | "mtom";
  /** Replaces the bearer key of guichet A; null: none. */
  readonly authorization?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: Pick<RequestOptions, "ca" | "key" | "cert" | "agent">;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly envelope: string;
  /** Text of the first element of that name. */
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  /** The file inside the first element of that name: its own part, or base64. */
  file(name: string): Buffer | undefined;
}

export async function callService(
  url: string,
  operation: string,
  fields: readonly Given[],
  form: CallForm = {},
): Promise<ServiceAnswer> {
  const { contentType, body } = write(operation, fields, form);
  return postSoap(url, body, {
    ...form,
    headers: { "Content-Type": contentType, ...form.headers },
  });
}

export async function postSoap(
  url: string,
  body: Uint8Array,
  { authorization = `Bearer ${KEYS.A}`, headers = {}, tls }: CallForm,
): Promise<ServiceAnswer> {
  const sent = await send(`${url}${SERVICE_PATH}`, body, tls, {
    ...(authorization === null ? {} : { Authorization: authorization }),
    ...headers,
  });
  return read(sent);
}

function write(
  operation: string,
  fields: readonly Given[],
  { version = "1.1", framing = "plain" }: CallForm,
): { contentType: string; body: Uint8Array } {
  const parts: { id: string; bytes: Uint8Array }[] = [];
  const children = fields.map((field) => {
    if ("text" in field) return `<${field.name}>${escapeXml(field.text)}</${field.name}>`;
    if (framing === "plain") {
      return `<${field.name}>${Buffer.from(field.file).toString("base64")}</${field.name}>`;
    }
    const id = `part${parts.length}@client`;
    parts.push({ id, bytes: field.file });
    const include = `<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:${id}"/>`;
    return `<${field.name}>${include}</${field.name}>`;
  });
  const envelope =
    `<s:Envelope xmlns:s="${ENVELOPES[version]}"><s:Body>` +
    `<p:${operation} xmlns:p="${NAMESPACE}">${children.join("")}</p:${operation}>` +
    `</s:Body></s:Envelope>`;
  if (framing === "plain") {
    return { contentType: `${MEDIA[version]}; charset=utf-8`, body: Buffer.from(envelope) };
  }
  const boundary = "limite-du-client";
  const pieces = [
    { type: `application/xop+xml; charset=UTF-8; type="${MEDIA[version]}"`, id: "racine@client" },
    ...parts.map(({ id }) => ({ type: "application/octet-stream", id })),
  ].map(({ type, id }, index) => [
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: binary\r\n` +
        `Content-ID: <${id}>\r\n\r\n`,
    ),
    index === 0 ? Buffer.from(envelope) : Buffer.from(parts[index - 1]?.bytes ?? []),
    Buffer.from("\r\n"),
  ]);
  return {
    contentType:
      `multipart/related; type="application/xop+xml"; boundary="${boundary}"; ` +
      `start="<racine@client>"; start-info="${MEDIA[version]}"`,
    body: Buffer.concat([...pieces.flat(), Buffer.from(`--${boundary}--\r\n`)]),
  };
}

interface Sent {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function send(
  url: string,
  body: Uint8Array,
  tls: CallForm["tls"],
  headers: Readonly<Record<string, string>>,
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith("https:") ? httpsRequest : httpRequest;
    const request = ask(url, { method: "POST", agent: false, headers, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

function read({ status, headers, body }: Sent): ServiceAnswer {
  const type = readContentType(headers["content-type"] ?? "");
  const multipart =
    type?.type === "multipart/related"
      ? readMultipart(body, type.parameters.get("boundary") ?? "")
      : undefined;
  if (multipart !== undefined) assert.equal(multipart.kind, "read", "the package can be read");
  const parts = multipart?.kind === "read" ? multipart.parts : [];
  const root =
    multipart === undefined ? body : rootPart(parts, type?.parameters.get("start"))?.bytes;
  const envelope = Buffer.from(root ?? []).toString("utf8");
  if (envelope.includes("Envelope")) holdToContract(envelope);
  const contents = (name: string): string[] =>
    [...envelope.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map(
      ([, content = ""]) => content,
    );
  return {
    ...{ status, headers, body, envelope },
    text: (name) => unescape(contents(name)[0]),
    texts: (name) => contents(name).map((content) => unescape(content) ?? ""),
    file: (name) => {
      const [content] = contents(name);
      if (content === undefined) return undefined;
      const [, inside] = /<contenu>([\s\S]*?)<\/contenu>/.exec(content) ?? [];
      const cid = /href="cid:([^"]+)"/.exec(inside ?? "")?.[1];
      if (cid === undefined) return Buffer.from(inside ?? "", "base64");
      const id = `<${decodeURIComponent(cid)}>`;
      const part = parts.find((one) => one.headers.get("content-id") === id);
      return part === undefined ? undefined : Buffer.from(part.bytes);
    },
  };
}

/** The element of the body, or of the detail of its fault, is what the WSDL says. */
function holdToContract(envelope: string): void {
  const [, body = ""] = /<soap:Body>([\s\S]*)<\/soap:Body>/.exec(envelope) ?? [];
  const isFault = body.startsWith("<soap:Fault>");
  const [, detail] = /<(?:soap:D|d)etail>([\s\S]*)<\/(?:soap:D|d)etail>/.exec(body) ?? [];
  const payload = isFault ? detail : body;
  // A fault of the head has no detail (SOAP 1.1 section 4.4).
  if (payload === undefined) return;
  const complaint = verdictOf(payload.replace(/<xop:Include [^>]*\/>/g, ""));
  assert.equal(complaint, undefined, `${complaint ?? ""} in ${payload.slice(0, 2_000)}`);
}

function unescape(text: string | undefined): string | undefined {
  return text
    ?.replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;|&apos;/g, "'")
    .replace(/&amp;/g, "&");
}
