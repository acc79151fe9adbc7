/**
 * Calls the stand-in by hand over raw HTTP: envelopes, MTOM framings as libsne and Apache CXF were
 * seen to write them, orders, questions. Nothing of the gateway's own client.
 */
import assert from "node:assert/strict";
import { request, type IncomingHttpHeaders } from "node:http";
import { readContentType } from "../../src/wire/content-type.ts";
import { partById, readMultipart, rootPart } from "../../src/wire/multipart-related.ts";

export interface RawCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One call on a connection of its own; rejects with the error of the socket. */
export function post(url: string, call: RawCall, signal?: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", headers: call.headers, agent: false, ...(signal && { signal }) },
      (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(call.body);
  });
}

/** The code of the error a call ended with. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
  assert.fail("the call was answered");
}

export const SOAP12 = "http://www.w3.org/2003/05/soap-envelope";
const SERVICE = "http://ws.metier.nuu.application.i2/";
const XOP = 'xmlns:xop="http://www.w3.org/2004/08/xop/include"';

/** A call as libsne 0.1.0a8 writes it: `start` without brackets, empty certificate, CRLF. */
export function asLibsne(file: Uint8Array, operation = "NumUnique"): RawCall {
  const doublons = operation === "Doublons";
  const element = doublons ? "rechercheDoublonsParametres" : "numUniqueParametres";
  const certificate = doublons
    ? ""
    : `      <nomCertificat>CERG1226-202601150930.pem</nomCertificat>
      <certificat ws:contentType="application/x-x509-ca-cert"><xop:Include href="cid:certificate" ${XOP}/></certificat>
`;
  const soap = `<soap:Envelope xmlns:soap="${SOAP12}" xmlns:ws="${SERVICE}">
  <soap:Header/>
  <soap:Body>
    <ws:${element}>
      <nomFichierDemande>DEMG1226-202601150930-000000.xml</nomFichierDemande>
      <fichierDemande><xop:Include href="cid:xml_id" ${XOP}/></fichierDemande>
${certificate}    </ws:${element}>
  </soap:Body>
</soap:Envelope>`;
  const parts = [
    `--MIME_BOUNDARY
Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"; action="get${operation}"
Content-Transfer-Encoding: 8bit
Content-ID: <soaproot>

${soap}
`,
    ...(doublons
      ? []
      : [
          `--MIME_BOUNDARY
Content-Type: application/octet-stream
Content-ID: <certificate>
Content-Transfer-Encoding: BASE64
Content-Disposition: attachment


`,
        ]),
    `--MIME_BOUNDARY
Content-Type: text/xml; charset=us-ascii
Content-Transfer-Encoding: 7bit
Content-ID: <xml_id>
Content-Disposition: attachment

`,
  ];
  return {
    headers: {
      "MIME-Version": "1.0",
      "Accept-Encoding": "deflate",
      "Content-Type":
        'multipart/related; type="application/xop+xml"; start="soaproot"; ' +
        'start-info="application/soap+xml"; boundary="MIME_BOUNDARY"; ' +
        `action="${SERVICE}get${operation}"`,
      Host: "nuu-ws.ecole.application.developpement-durable.gouv.fr",
      Connection: "Keep-Alive",
      "User-Agent": "Apache-HttpClient/4.1.1 (java 1.5)",
    },
    body: Buffer.concat([
      Buffer.from(parts.join("").replace(/\n/g, "\r\n"), "utf8"),
      file,
      Buffer.from("\r\n--MIME_BOUNDARY--", "latin1"),
    ]),
  };
}

/** An envelope with the parameters of an operation. */
export function envelope(element: string, parameters: string, soap = SOAP12): string {
  return (
    `<soap:Envelope xmlns:soap="${soap}"><soap:Body>` +
    `<ns2:${element} xmlns:ns2="${SERVICE}">${parameters}</ns2:${element}>` +
    `</soap:Body></soap:Envelope>`
  );
}

/** A call as Apache CXF writes it with MTOM on: the action escaped inside start-info. */
export function asCxf(soap: string, action: string, files: readonly Uint8Array[] = []): RawCall {
  const boundary = "uuid:6f1d4b6e-0000-4000-8000-2f51ad0cb7a1";
  const part = (headers: string): Buffer =>
    Buffer.from(`\r\n--${boundary}\r\n${headers}\r\n\r\n`, "latin1");
  const pieces: Uint8Array[] = [
    part(
      'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n' +
        "Content-Transfer-Encoding: binary\r\nContent-ID: <root.message@cxf.apache.org>",
    ),
    Buffer.from(soap, "utf8"),
  ];
  files.forEach((file, index) => {
    pieces.push(
      part(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n" +
          `Content-ID: <${index}@cxf.apache.org>`,
      ),
      file,
    );
  });
  pieces.push(Buffer.from(`\r\n--${boundary}--`, "latin1"));
  return {
    headers: {
      "Content-Type":
        `multipart/related; type="application/xop+xml"; boundary="${boundary}"; ` +
        'start="<root.message@cxf.apache.org>"; ' +
        `start-info="application/soap+xml; action=\\"${SERVICE}${action}\\""`,
      Accept: "*/*",
    },
    body: Buffer.concat(pieces),
  };
}

/** A plain `application/soap+xml` call. */
export function plain(soap: string, type = "application/soap+xml; charset=utf-8"): RawCall {
  return { headers: { "Content-Type": type }, body: Buffer.from(soap, "utf8") };
}

export const CERTIFICATE = "<nomCertificat>CERG1104.pem</nomCertificat><certificat/>";
const INCLUDE = `<xop:Include ${XOP} href="cid:0%40cxf.apache.org"/>`;

/** getNumUnique, as CXF writes it. */
export function numUniqueCall(file: Uint8Array): RawCall {
  const parameters = `<nomFichierDemande>DEMG1104.xml</nomFichierDemande><fichierDemande>${INCLUDE}</fichierDemande>${CERTIFICATE}`;
  return asCxf(envelope("numUniqueParametres", parameters), "getNumUnique", [file]);
}

export function doublonsCall(file: Uint8Array): RawCall {
  const parameters = `<nomFichierDemande>DEMG1104.xml</nomFichierDemande><fichierDemande>${INCLUDE}</fichierDemande>`;
  return asCxf(envelope("rechercheDoublonsParametres", parameters), "getDoublons", [file]);
}

export function daloCall(file: Uint8Array): RawCall {
  const parameters = `<nomFichierDalo>DALO.xml</nomFichierDalo><fichierDalo>${INCLUDE}</fichierDalo>${CERTIFICATE}`;
  const soap = envelope("declarationNouveauDaloParametres", parameters);
  return asCxf(soap, "getDeclarationNouveauDalo", [file]);
}

export interface SoapAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The root part. */
  readonly envelope: string;
  /** The other parts, in their order. */
  readonly files: readonly Uint8Array[];
  readonly body: Buffer;
}

/** A multipart answer, which it must be; its root is first and is the one `start` names. */
export function readSoap(answer: HttpAnswer): SoapAnswer {
  const type = readContentType(answer.headers["content-type"]);
  assert.equal(type?.type, "multipart/related", answer.body.toString("utf8").slice(0, 300));
  assert.equal(type.parameters.get("type"), "application/xop+xml");
  assert.equal(type.parameters.get("start-info"), "application/soap+xml");
  assert.equal(answer.headers["x-standin"], "not the SNE");
  const reading = readMultipart(answer.body, type.parameters.get("boundary") ?? "");
  assert.ok(reading.kind === "read", "multipart answer");
  const [root, ...others] = reading.parts;
  assert.equal(root, rootPart(reading.parts, type.parameters.get("start")));
  const soap = Buffer.from(root?.bytes ?? []).toString("utf8");
  assert.match(soap, /Ceci n'est pas le SNE/);
  // Each file of the envelope, in its order, is the part of that order.
  const included = [...soap.matchAll(/href="cid:([^"]+)"/g)].map(([, cid]) => cid ?? "");
  assert.deepEqual(
    included.map((cid) => partById(reading.parts, cid)),
    others,
  );
  const { status, headers, body } = answer;
  return { status, headers, envelope: soap, files: others.map(({ bytes }) => bytes), body };
}

/** Sends an order, or several, to the control port; the answer is the state, or the refusal. */
export async function order(
  controlUrl: string,
  orders: unknown,
): Promise<{ status: number; value: Record<string, unknown> }> {
  const answer = await post(`${controlUrl}/standin/control`, {
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(JSON.stringify(orders), "utf8"),
  });
  const value = JSON.parse(answer.body.toString("utf8")) as Record<string, unknown>;
  return { status: answer.status, value };
}

/** Asks the control port. */
export async function ask<T>(controlUrl: string, path: string): Promise<T> {
  const answer = await fetch(`${controlUrl}${path}`);
  assert.equal(answer.headers.get("x-standin"), "not the SNE");
  return (await answer.json()) as T;
}

/** A call of the second or third service, as CXF writes it; the action can be another, or nowhere. */
export function fileCall(operation: string, file: Uint8Array, action = operation): RawCall {
  const parameters =
    `<nomFichier>${operation}.xml</nomFichier><fichierXml>${INCLUDE}</fichierXml>` +
    "<nomCertificat>CERG1104.pem</nomCertificat>";
  return asCxf(envelope("fichierXmlParametres", parameters), action, [file]);
}
