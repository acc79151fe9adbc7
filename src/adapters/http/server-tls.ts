/**
 * The certificate of the HTTP port: read and proven usable before it is served, and read again when
 * its files change, so that a renewal needs no restart.
 *
 * Promise: files that cannot be used together (a key written before its certificate) change nothing:
 * the former ones stay, the log says why, and the files are looked at again.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { gatewayError, messageOf, systemCodeOf } from "../../domain/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { makeWakeableLoop, type WakeableLoop } from "../../runtime/wakeable-loop.ts";
import { SETTINGS } from "../../runtime/settings-table.ts";
import { markOfFiles } from "../../runtime/file-marks.ts";

export interface ServerTlsFiles {
  /** Certificate chain, PEM, its own first. */
  readonly certFile: string;
  /** Its private key, PEM, without passphrase. */
  readonly keyFile: string;
  /** Authorities of the clients' certificates, PEM. */
  readonly caFile?: string;
}

/** PEM texts. */
export interface ServerTlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** How often the files are looked at, ms: three `stat` calls. */
const LOOK_EVERY_MS = 10_000;

/** Reads the files. @throws INVALID_SETTING, naming the setting and what is wrong with its file */
export async function readServerTls(files: ServerTlsFiles): Promise<ServerTlsMaterial> {
  const { certFile, keyFile, caFile } = files;
  const cert = await readPem(SETTINGS.httpTlsCert.env, certFile);
  const [own] = certificatesOf(SETTINGS.httpTlsCert.env, certFile, cert);
  const key = await readPem(SETTINGS.httpTlsKey.env, keyFile);
  let isPair: boolean;
  try {
    isPair = own?.checkPrivateKey(createPrivateKey(key)) === true;
  } catch (error) {
    const detail =
      systemCodeOf(error) === "ERR_MISSING_PASSPHRASE" || /ENCRYPTED/.test(key)
        ? `la clé ${keyFile} est protégée par une phrase secrète : donnez-la en clair, lisible de la passerelle seule`
        : `le fichier ${keyFile} n'est pas une clé privée au format PEM`;
    throw gatewayError("INVALID_SETTING", { env: SETTINGS.httpTlsKey.env, detail }, error);
  }
  if (!isPair) {
    const detail = `la clé ${keyFile} n'est pas celle du certificat ${certFile}`;
    throw gatewayError("INVALID_SETTING", { env: SETTINGS.httpTlsKey.env, detail });
  }
  let ca: string | undefined;
  if (caFile !== undefined) {
    ca = await readPem(SETTINGS.httpTlsCa.env, caFile);
    certificatesOf(SETTINGS.httpTlsCa.env, caFile, ca);
  }
  const material = { cert, key, ...(ca === undefined ? {} : { ca }) };
  try {
    createSecureContext(material);
  } catch (error) {
    // A key too weak for this OpenSSL, for instance.
    const detail = `le certificat ${certFile} ne peut pas servir : ${messageOf(error)}`;
    throw gatewayError("INVALID_SETTING", { env: SETTINGS.httpTlsCert.env, detail }, error);
  }
  return material;
}

/** Looks at the files from time to time, and hands over what they have become. */
export function makeServerTlsWatch({
  files,
  served,
  renewed,
  clock,
  log,
}: {
  files: ServerTlsFiles;
  /** What is served when the watch begins. */
  served: ServerTlsMaterial;
  renewed: (material: ServerTlsMaterial) => void;
  clock: Clock;
  log: Log;
}): WakeableLoop {
  let current = served;
  let mark: string | undefined;
  let failed: string | undefined;
  return makeWakeableLoop({
    name: "http.certificate",
    clock,
    log,
    idleMs: LOOK_EVERY_MS,
    turn: async () => {
      const found = await markOfFiles([files.certFile, files.keyFile, files.caFile]);
      if (found === mark) return false;
      try {
        const material = await readServerTls(files);
        mark = found;
        if (!isDeepStrictEqual(material, current)) {
          renewed(material);
          current = material;
          log.info("http.certificateRenewed", {});
        }
        failed = undefined;
      } catch (error) {
        if (failed !== found) log.warn("http.certificateNotUsable", { error: messageOf(error) });
        failed = found;
      }
      return false;
    },
  });
}

async function readPem(env: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const detail =
      systemCodeOf(error) === "ENOENT"
        ? `le fichier ${path} n'existe pas`
        : `le fichier ${path} n'a pas pu être lu (${messageOf(error)})`;
    throw gatewayError("INVALID_SETTING", { env, detail }, error);
  }
}

/** Every certificate of a PEM text, each readable, one at least. @throws INVALID_SETTING */
function certificatesOf(env: string, path: string, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    if (certificates.length > 0) return certificates;
  } catch (error) {
    const detail = `le fichier ${path} contient un certificat illisible`;
    throw gatewayError("INVALID_SETTING", { env, detail }, error);
  }
  const detail = `le fichier ${path} ne contient aucun certificat au format PEM`;
  throw gatewayError("INVALID_SETTING", { env, detail });
}
