/**
 * Names a content, so that the same flux received twice, whatever the channel, has one effect (B3).
 *
 * The name is the guichet and the SHA-256 of the bytes: `entete/dateFichier` carries milliseconds,
 * so two files that differ in intent differ in bytes; the file's name is left out, since a mail
 * client may change it.
 */
import { createHash } from "node:crypto";
import { DEFAULT_OPERATION, type SneCall } from "../domain/sne-operation.ts";

/** SHA-256 of the bytes, hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** @param call - how it goes to the SNE: the same bytes may be asked to be added, then removed */
export function identityOf(guichet: string, sha256: string, call?: SneCall): string {
  const content = `${guichet}|${sha256}`;
  return call === undefined || call.operation === DEFAULT_OPERATION
    ? content
    : `${content}|${call.operation}`;
}
