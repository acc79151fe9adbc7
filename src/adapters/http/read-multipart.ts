/**
 * Takes the one file out of a `multipart/form-data` body (RFC 7578). Fields that are no file are
 * counted, bounded and ignored; a second file is an error, never silently dropped.
 */
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { safeFileName } from "../../domain/file-name.ts";
import type { StoredFile } from "../../keep/outbox.ts";

export type MultipartReading =
  | { readonly kind: "read"; readonly file: StoredFile }
  | { readonly kind: "noFile" }
  | { readonly kind: "tooLarge" }
  | { readonly kind: "unsupportedEncoding"; readonly encoding: string }
  /** French: what is wrong with it. */
  | { readonly kind: "malformed"; readonly detail: string };

/** Room for the boundaries, the headers of parts and the ignored fields, bytes. */
export const MULTIPART_OVERHEAD_BYTES = 64 * 1024;

const LIMITS = {
  files: 1,
  fields: 20,
  parts: 21,
  fieldSize: 8 * 1024,
  fieldNameSize: 200,
  headerPairs: 50,
  headerSize: 16 * 1024,
};

/** @param maxBytes - the largest file taken, bytes */
export function readMultipart(
  contentType: string,
  body: Buffer,
  maxBytes: number,
): Promise<MultipartReading> {
  return new Promise((resolve) => {
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: { "content-type": contentType },
        limits: { ...LIMITS, fileSize: maxBytes },
      });
    } catch {
      // The only cause: a Content-Type without a usable boundary.
      resolve({ kind: "malformed", detail: "multipart/form-data sans délimiteur (boundary)" });
      return;
    }
    let file: { name: string; chunks: Buffer[] } | undefined;
    let fault: MultipartReading | undefined;
    parser.on("file", (_field, stream, name, encoding) => {
      // RFC 7578 section 4.7: encodings are deprecated; taken as they are, they would be kept as text.
      if (/^(base64|quoted-printable)$/i.test(encoding)) {
        fault ??= { kind: "unsupportedEncoding", encoding: encoding.toLowerCase() };
      }
      const taken = { name: safeFileName(name), chunks: new Array<Buffer>() };
      file = taken;
      stream.on("data", (chunk: Buffer) => taken.chunks.push(chunk));
      stream.on("limit", () => (fault ??= { kind: "tooLarge" }));
      stream.on("error", broken);
    });
    const tooMany = (detail: string) => (): void => {
      fault ??= { kind: "malformed", detail };
    };
    parser.on("filesLimit", tooMany("plus d'un fichier ; envoyez-en un par requête"));
    parser.on("fieldsLimit", tooMany("trop de champs"));
    parser.on("partsLimit", tooMany("trop de parties"));
    parser.on("error", broken);
    parser.on("finish", () => {
      if (fault !== undefined) resolve(fault);
      else if (file === undefined) resolve({ kind: "noFile" });
      else {
        const bytes = Buffer.concat(file.chunks);
        resolve({ kind: "read", file: { name: file.name, bytes } });
      }
    });
    function broken(): void {
      resolve({ kind: "malformed", detail: "corps multipart/form-data incomplet ou mal formé" });
    }
    parser.end(body);
  });
}
