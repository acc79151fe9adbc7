/**
 * The certificate files of the mutual TLS with the SNE: read, proven usable together, and told apart
 * by a mark when they change on disk, so that a renewed certificate needs no restart.
 */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { markOfFiles } from "../../runtime/file-marks.ts";

export interface TlsFiles {
  /** Client certificate chain, PEM. */
  readonly certFile?: string;
  /** Its private key, PEM. */
  readonly keyFile?: string;
  /** Authorities the server's certificate must come from, PEM; the system's when absent. */
  readonly caFile?: string;
  readonly passphrase?: string;
}

export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
  readonly passphrase?: string;
}

/** Reads the files; rejects when one is missing, or when key and certificate do not go together. */
export async function readTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  const [cert, key, ca] = await Promise.all([
    readIfNamed(files.certFile),
    readIfNamed(files.keyFile),
    readIfNamed(files.caFile),
  ]);
  const material: TlsMaterial = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    ...(files.passphrase === undefined ? {} : { passphrase: files.passphrase }),
  };
  // Throws on an unreadable PEM, a wrong passphrase, or a key of another certificate.
  createSecureContext(material);
  return material;
}

/** A text that changes when one of the files does. */
export function markOfTlsFiles({ certFile, keyFile, caFile }: TlsFiles): Promise<string> {
  return markOfFiles([certFile, keyFile, caFile]);
}

async function readIfNamed(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : await readFile(path);
}
