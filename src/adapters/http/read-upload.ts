/**
 * Reads the file a deposit carries: the body itself, or the one file of a form. Says plainly what is
 * wrong with a deposit that carries none that can be read; keeps nothing.
 */
import type { Request, Response } from "express";
import type { ErrorCode } from "../../domain/errors.ts";
import type { StoredFile } from "../../keep/outbox.ts";
import { readContentType } from "../../wire/content-type.ts";
import { hasBody, type ProblemFacts } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { MULTIPART_OVERHEAD_BYTES, readMultipart } from "./read-multipart.ts";
import { uploadFileName } from "./upload-file-name.ts";

export type UploadReading =
  | { readonly kind: "read"; readonly file: StoredFile }
  | { readonly kind: "problem"; readonly code: ErrorCode; readonly facts: ProblemFacts }
  /** The sender left before the end of its file. */
  | { readonly kind: "gone" };

/** @param maxBytes - the largest file taken, bytes */
export async function readUpload(
  request: Request,
  response: Response,
  maxBytes: number,
): Promise<UploadReading> {
  const tooLarge = problem("FILE_TOO_LARGE", { details: { limit: maxBytes } });
  if (!hasBody(request)) return problem("EMPTY_FILE");

  const coding = request.headers["content-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "identity") {
    return problem("UNSUPPORTED_MEDIA_TYPE", {
      detail: `Le corps est compressé (Content-Encoding: ${shown(coding)}), ce qui n'est pas accepté.`,
      advice: "Envoyez le fichier sans le compresser.",
      // RFC 9110 section 12.5.3: tells that only the identity coding is taken.
      headers: { "Accept-Encoding": "identity" },
    });
  }

  const header = request.headers["content-type"];
  const type = readContentType(header)?.type;
  const isForm = type === "multipart/form-data";
  if (!isForm && type !== "application/xml" && type !== "text/xml") {
    return problem("UNSUPPORTED_MEDIA_TYPE", {
      details: { found: header === undefined ? "(absent)" : shown(header) },
      headers: { Accept: "application/xml, text/xml, multipart/form-data" },
    });
  }

  const body = await readBody(
    request,
    response,
    isForm ? maxBytes + MULTIPART_OVERHEAD_BYTES : maxBytes,
  );
  if (body.kind === "gone") return body;
  if (body.kind === "tooLarge") return tooLarge;
  if (!isForm) return nonEmpty({ name: uploadFileName(request.headers), bytes: body.bytes });

  const form = await readMultipart(header ?? "", body.bytes, maxBytes);
  switch (form.kind) {
    case "read":
      return nonEmpty(form.file);
    case "noFile":
      return problem("NO_ATTACHMENT", {
        detail: "Le formulaire ne porte aucun fichier.",
        advice: "Joignez le fichier interfaceNuu dans une partie qui porte un nom de fichier.",
      });
    case "tooLarge":
      return tooLarge;
    case "unsupportedEncoding":
      return problem("UNSUPPORTED_MEDIA_TYPE", {
        detail: `La partie est encodée (Content-Transfer-Encoding: ${form.encoding}), ce qui n'est pas accepté.`,
        advice: "Envoyez les octets du fichier tels quels dans la partie.",
      });
    case "malformed":
      return problem("INVALID_REQUEST", { details: { detail: form.detail } });
  }
}

function nonEmpty(file: StoredFile): UploadReading {
  return file.bytes.length === 0 ? problem("EMPTY_FILE") : { kind: "read", file };
}

function problem(code: ErrorCode, facts: ProblemFacts = {}): UploadReading {
  return { kind: "problem", code, facts };
}

/** A header of the sender, fit to be shown back to it. */
function shown(header: string): string {
  return header.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}
