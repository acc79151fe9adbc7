/**
 * The certificate files of the mutual TLS with the SNE: read, proven usable together, and told apart
 * by a mark when they change on disk, so that a renewed certificate needs no restart.
 */
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";

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

/** A text that changes when one of the files does. A file that cannot be seen is part of it. */
export async function markOfTlsFiles(files: TlsFiles): Promise<string> {
  const marks = [files.certFile, files.keyFile, files.caFile].map(async (path) => {
    if (path === undefined) return "-";
    try {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs}/${size}/${ino}`;
    } catch {
      // Being replaced, or gone: readTlsMaterial says which, when it is asked to read.
      return "unseen";
    }
  });
  return (await Promise.all(marks)).join(" ");
}

async function readIfNamed(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : await readFile(path);
}
