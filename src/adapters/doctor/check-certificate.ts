/** Are the certificate and its key readable, made for one another, and still valid for a while? */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import { findingsOf, type DoctorCheck } from "../../operate/doctor-check.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Time a renewal takes an organisation, days. */
const WARN_DAYS = 30;

export async function checkCertificate({
  id,
  use,
  certFile,
  keyFile,
  passphrase,
  now,
}: {
  readonly id: string;
  /** French: what it serves for. */
  readonly use: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase?: string;
  /** ms since the epoch */
  readonly now: number;
}): Promise<DoctorCheck> {
  const { ok, warning, failed } = findingsOf(id);
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(await readFile(certFile));
    const key = createPrivateKey({
      key: await readFile(keyFile),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    if (!certificate.checkPrivateKey(key)) {
      return failed(
        `${use} : la clé ${keyFile} n'est pas celle du certificat ${certFile}.`,
        "Donnez la clé et le certificat d'une même demande.",
      );
    }
  } catch (error) {
    const isMissing = systemCodeOf(error) === "ENOENT";
    return failed(
      `${use} : ${isMissing ? `un fichier manque (${certFile} ou ${keyFile})` : messageOf(error)}.`,
      "Vérifiez les chemins, les droits, le format PEM et la phrase secrète.",
    );
  }
  const days = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS);
  if (Date.parse(certificate.validFrom) > now) {
    return failed(
      `${use} : le certificat n'est pas encore valable.`,
      "Vérifiez l'horloge de cette machine et la date de début du certificat.",
    );
  }
  if (days < 0) {
    return failed(
      `${use} : le certificat a expiré.`,
      "Remplacez-le ; il est relu sans redémarrer.",
    );
  }
  return days < WARN_DAYS
    ? warning(`${use} : le certificat expire dans ${days} jours.`, "Demandez son renouvellement.")
    : ok(`${use} : la clé et le certificat vont ensemble, encore valables ${days} jours.`);
}
