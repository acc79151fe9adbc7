/**
 * Writes the answer of an operation as its request was framed: an MTOM package for an MTOM request,
 * a plain envelope with base64 for a plain one, in the request's own SOAP version.
 *
 * Promise: what old clients of the SNE need (sne-contract, "Seen from the field"): the root part
 * first, `xop:Include` on its parent's line, files raw in their parts; and for a caller that has not
 * shown it reads any bytes, a body that decodes as UTF-8 as a whole: a file that would not is written
 * in base64 in the root part.
 */
import { isUtf8 } from "node:buffer";
import type { HttpReply } from "../../wire/http-message.ts";
import { writeContentType } from "../../wire/content-type.ts";
import { writeMultipart } from "../../wire/multipart-related.ts";
import { SNE_NAMESPACE } from "../../wire/sne-contract.ts";
import { escapeXml } from "../../wire/xml-text.ts";
import { ENVELOPE_NAMESPACES, MEDIA_TYPES, XOP_NAMESPACE } from "./soap-namespaces.ts";
import type { SoapRequest, SoapResult, SoapVersion } from "./soap-message.ts";

export interface SoapAnswer {
  readonly version: SoapVersion;
  readonly framing: SoapRequest["framing"];
  readonly readsBinary: boolean;
  readonly namespace: string;
  /** Prefix of the answer's element. */
  readonly prefix?: string;
  /** Local name of the answer's element. */
  readonly element: string;
  /** In the order of the contract. */
  readonly results: readonly SoapResult[];
  /** Letters and digits, not seen in the content: makes boundary and Content-IDs. */
  readonly unique: string;
}

interface FilePart {
  readonly id: string;
  readonly file: Uint8Array;
  readonly contentType: string;
}

const HOST = "passerelle-sne";

export function writeSoapAnswer(answer: SoapAnswer): HttpReply {
  const { version, framing, namespace, prefix = "tns", element, results } = answer;
  const parts: FilePart[] = [];
  const pieces: Uint8Array[] = [];
  const write = (text: string): void => {
    pieces.push(Buffer.from(text, "utf8"));
  };
  const writeFile = ({ name, file, contentType }: Extract<SoapResult, { file: Uint8Array }>) => {
    // An attribute of the SNE's contract (2017); in others a file is plain base64Binary.
    const attribute =
      namespace === SNE_NAMESPACE ? ` ${prefix}:contentType="${escapeXml(contentType)}"` : "";
    write(`<${name}${attribute}>`);
    if (framing === "mtom" && (answer.readsBinary || isUtf8(file))) {
      // Not the file's name: libsne takes the first `:listeDoublons` of the body for the file's root.
      const id = `fichier${parts.length + 1}-${answer.unique}@${HOST}`;
      parts.push({ id, file, contentType });
      write(`<xop:Include xmlns:xop="${XOP_NAMESPACE}" href="cid:${id}"/>`);
    } else {
      pieces.push(Buffer.from(base64Of(file), "latin1"));
    }
    write(`</${name}>`);
  };
  const writeResult = (result: SoapResult): void => {
    if ("file" in result) writeFile(result);
    else if ("text" in result) {
      write(`<${result.name}>${escapeXml(result.text)}</${result.name}>`);
    } else {
      write(`<${result.name}>`);
      result.children.forEach(writeResult);
      write(`</${result.name}>`);
    }
  };
  write(
    `<soap:Envelope xmlns:soap="${ENVELOPE_NAMESPACES[version]}"><soap:Body>` +
      `<${prefix}:${element} xmlns:${prefix}="${escapeXml(namespace)}">`,
  );
  results.forEach(writeResult);
  write(`</${prefix}:${element}></soap:Body></soap:Envelope>`);
  const envelope = Buffer.concat(pieces);
  return framing === "mtom"
    ? packageOf(version, envelope, parts, answer.unique)
    : {
        status: 200,
        headers: { "Content-Type": `${MEDIA_TYPES[version]}; charset=utf-8` },
        body: envelope,
      };
}

/** RFC 2387, XOP 1.0 section 4; `start-info` and the root's `type` say the version (SOAP 1.2 MTOM). */
function packageOf(
  version: SoapVersion,
  envelope: Uint8Array,
  files: readonly FilePart[],
  unique: string,
): HttpReply {
  const boundary = boundaryFor([envelope, ...files.map(({ file }) => file)], unique);
  const start = `<racine-${unique}@${HOST}>`;
  const root = {
    headers: {
      "Content-Type": `application/xop+xml; charset=UTF-8; type="${MEDIA_TYPES[version]}"`,
      "Content-Transfer-Encoding": "binary",
      "Content-ID": start,
    },
    bytes: envelope,
  };
  const parts = files.map(({ id, file, contentType }) => ({
    headers: {
      "Content-Type": headerSafe(contentType),
      "Content-Transfer-Encoding": "binary",
      "Content-ID": `<${id}>`,
    },
    bytes: file,
  }));
  return {
    status: 200,
    headers: {
      "MIME-Version": "1.0",
      "Content-Type": writeContentType("multipart/related", {
        type: "application/xop+xml",
        boundary,
        start,
        "start-info": MEDIA_TYPES[version],
      }),
    },
    body: writeMultipart(boundary, [root, ...parts]),
  };
}

/** A boundary that no content holds: a file of someone who could foresee ours is still whole. */
function boundaryFor(contents: readonly Uint8Array[], unique: string): string {
  const buffers = contents.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  let boundary = `passerelle-${unique}`;
  while (buffers.some((buffer) => buffer.includes(`--${boundary}`))) boundary += "-x";
  return boundary;
}

/** A content type that came with a file, fit for a header of ours. */
function headerSafe(contentType: string): string {
  return /^[\x20-\x7e]{3,200}$/.test(contentType) ? contentType : "application/octet-stream";
}

function base64Of({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
