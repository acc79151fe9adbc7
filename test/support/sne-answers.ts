/** Answers of getNumUnique as bytes, right ones and nearly right ones, for the scripted server. */
import { httpAnswer } from "./scripted-soap-server.ts";

export const SOAP_12 = "http://www.w3.org/2003/05/soap-envelope";
export const SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/";
export const SNE = "http://ws.metier.nuu.application.i2/";
export const XOP = "http://www.w3.org/2004/08/xop/include";
export const NUMBER = "1110318016982G1104";
export const ERROR_SENTENCE =
  "Une erreur inattendue est survenue lors du traitement de la demande.";

/** An interfaceNuu file as the SNE answers one, with what is given inside demandeLogement. */
export function answerFile(inside = `<ns2:numUnique>${NUMBER}</ns2:numUnique>`): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?>` +
    `<ns2:interfaceNuu xmlns:ns2="http://nuu.application.i2/" versionInterface="02.01">` +
    `<ns2:entete><ns2:typeFichier>RET</ns2:typeFichier></ns2:entete>` +
    `<ns2:demande><ns2:demandeLogement>${inside}</ns2:demandeLogement></ns2:demande>` +
    `</ns2:interfaceNuu>`
  );
}

export function envelope(body: string, namespace = SOAP_12): string {
  return `<env:Envelope xmlns:env="${namespace}"><env:Header/><env:Body>${body}</env:Body></env:Envelope>`;
}

/** numUniqueReponse with the given children. */
export function reponse(children: string): string {
  return `<sne:numUniqueReponse xmlns:sne="${SNE}">${children}</sne:numUniqueReponse>`;
}

export function include(id: string): string {
  return `<xop:Include xmlns:xop="${XOP}" href="cid:${id}"/>`;
}

/** Name and file elements; the file is whatever content is given. */
export function fileChildren(content: string, more = ""): string {
  return `<nomFichierDemande>REP.xml</nomFichierDemande><fichierDemande>${content}</fichierDemande>${more}`;
}

export interface MimePart {
  readonly id: string;
  readonly type?: string;
  readonly encoding?: string;
  readonly bytes: Uint8Array | string;
}

/** A multipart/related answer; `end` replaces the closing boundary. */
export function multipartAnswer(
  parts: readonly MimePart[],
  {
    status = 200,
    start,
    end = "--limite--\r\n",
  }: { readonly status?: number; readonly start?: string; readonly end?: string } = {},
): Buffer {
  const pieces = parts.flatMap(({ id, type = "text/xml", encoding, bytes }) => [
    Buffer.from(
      `--limite\r\nContent-Type: ${type}\r\nContent-ID: <${id}>\r\n` +
        `${encoding === undefined ? "" : `Content-Transfer-Encoding: ${encoding}\r\n`}\r\n`,
    ),
    Buffer.from(bytes),
    Buffer.from("\r\n"),
  ]);
  const named = start === undefined ? "" : `; start="${start}"`;
  return httpAnswer(
    status,
    {
      "Content-Type": `multipart/related; type="application/xop+xml"; boundary="limite"${named}; start-info="application/soap+xml"`,
    },
    Buffer.concat([...pieces, Buffer.from(end)]),
  );
}

export function rootPart(xml: string): MimePart {
  return {
    id: "racine@sne",
    type: `application/xop+xml; charset=UTF-8; type="application/soap+xml"`,
    bytes: xml,
  };
}

/** The answer Apache CXF gives when all is well. */
export function acceptedAnswer(file: Uint8Array | string = answerFile()): Buffer {
  return multipartAnswer(
    [
      rootPart(envelope(reponse(fileChildren(include("fichier@sne"))))),
      { id: "fichier@sne", bytes: file },
    ],
    { start: "<racine@sne>" },
  );
}

/** The same without MTOM: the file in base64 inside the envelope. */
export function inlineAnswer(
  children = fileChildren(Buffer.from(answerFile()).toString("base64")),
  {
    status = 200,
    namespace = SOAP_12,
  }: { readonly status?: number; readonly namespace?: string } = {},
): Buffer {
  const type = namespace === SOAP_12 ? "application/soap+xml" : "text/xml";
  return httpAnswer(
    status,
    { "Content-Type": `${type}; charset=utf-8` },
    envelope(reponse(children), namespace),
  );
}

export function fault12(code: string, text: string): string {
  return envelope(
    `<env:Fault><env:Code><env:Value>env:${code}</env:Value></env:Code>` +
      `<env:Reason><env:Text xml:lang="fr">${text}</env:Text></env:Reason></env:Fault>`,
  );
}

export function fault11(code: string, text: string): string {
  return envelope(
    `<env:Fault><faultcode>env:${code}</faultcode><faultstring>${text}</faultstring></env:Fault>`,
    SOAP_11,
  );
}
