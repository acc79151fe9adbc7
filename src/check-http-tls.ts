/** Looks at the TLS of the HTTP port for the doctor: its files, and what guichets need of them. */
import { checkCertificate } from "./adapters/doctor/check-certificate.ts";
import { readServerTls } from "./adapters/http/server-tls.ts";
import { messageOf } from "./domain/errors.ts";
import type { Guichet, Guichets } from "./domain/guichet.ts";
import { findingsOf, type DoctorCheck } from "./operate/doctor-check.ts";
import type { Clock } from "./runtime/clock.ts";
import type { Settings } from "./runtime/settings.ts";

export async function* checkHttpTls(
  settings: Settings,
  guichets: Guichets | undefined,
  clock: Clock,
): AsyncGenerator<DoctorCheck> {
  const {
    httpHost: host,
    httpTlsCert: certFile,
    httpTlsKey: keyFile,
    httpTlsCa: caFile,
  } = settings;
  const { ok, warning, failed } = findingsOf("httpTls");
  const withSubject = guichets?.all.filter((one) => one.certificateSubject !== undefined) ?? [];
  const withFingerprint = guichets?.all.filter((one) => one.certificates !== undefined) ?? [];
  const codesOf = (some: readonly Guichet[]): string => some.map(({ code }) => code).join(", ");
  if (certFile === undefined || keyFile === undefined) {
    const isLocal = ["127.0.0.1", "::1", "localhost"].includes(host);
    yield isLocal
      ? ok("HTTP parle en clair, à cette machine seulement.")
      : warning(
          `HTTP écoute sur ${host} en clair : les clés et les demandes y passent sans chiffrement.`,
          "Réglez GATEWAY_HTTP_TLS_CERT et GATEWAY_HTTP_TLS_KEY, ou placez TLS devant la passerelle.",
        );
    const withoutTls = [...new Set([...withSubject, ...withFingerprint])];
    if (withoutTls.length > 0) {
      yield warning(
        `Des guichets ont un certificat (${codesOf(withoutTls)}), et HTTP ne parle pas TLS : il n'est pas lu.`,
        "Réglez GATEWAY_HTTP_TLS_CERT et GATEWAY_HTTP_TLS_KEY.",
      );
    }
    return;
  }
  try {
    await readServerTls({ certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) });
  } catch (error) {
    yield failed(`TLS du port HTTP : ${messageOf(error)}`, "Corrigez le fichier indiqué.");
    return;
  }
  const now = clock.now();
  yield await checkCertificate({
    id: "httpTls",
    use: "TLS du port HTTP",
    ...{ certFile, keyFile, now },
  });
  if (withSubject.length > 0 && caFile === undefined) {
    yield warning(
      `Des guichets sont connus par le sujet de leur certificat (${codesOf(withSubject)}), sans autorité pour le croire.`,
      "Réglez GATEWAY_HTTP_TLS_CA, ou donnez leurs empreintes (certificates).",
    );
  }
}
