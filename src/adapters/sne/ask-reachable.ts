/**
 * Asks whether something answers at the address of a service: a GET of its WSDL, which has no effect.
 * For the health of the gateway and for `doctor`, so it explains what it saw, in French.
 */
import { linkFailureOf, lostLinkText } from "./link-failures.ts";
import type { HttpOutcome } from "./sne-transport.ts";
import type { RenewedTransport } from "./renewed-transport.ts";

const MAX_WSDL_BYTES = 4 * 1024 * 1024;

export async function askReachable({
  transport,
  path,
  operation,
  signal,
  timeoutMs,
}: {
  readonly transport: RenewedTransport;
  readonly path: string;
  /** One that its WSDL must announce. */
  readonly operation: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const http = await transport.send({
    method: "GET",
    path: path.includes("?") ? path : `${path}?wsdl`,
    headers: { accept: "*/*", "accept-encoding": "identity", "user-agent": "passerelle-sne" },
    signal,
    timeoutMs,
    maxAnswerBytes: MAX_WSDL_BYTES,
  });
  return meaningOf(http, operation);
}

function meaningOf(http: HttpOutcome, operation: string): { ok: boolean; detail: string } {
  if (http.kind === "notSent") {
    if (http.why === "failed") return { ok: false, detail: linkFailureOf(http.error).detail };
    return { ok: false, detail: "pas de connexion dans le délai" };
  }
  if (http.kind === "lost") {
    if (http.why === "tooLarge") return { ok: true, detail: "le SNE répond" };
    if (http.why === "failed") return { ok: false, detail: lostLinkText(http.error) };
    return { ok: false, detail: "connexion établie, mais pas de réponse dans le délai" };
  }
  const { status, body } = http;
  if (status === 401 || status === 403 || status === 407) {
    return { ok: false, detail: `accès refusé (HTTP ${status}) : vérifiez le certificat client` };
  }
  if (status >= 300 && status < 400) {
    return { ok: false, detail: `redirection (HTTP ${status}) : vérifiez l'adresse` };
  }
  if (status === 502 || status === 503 || status === 504) {
    return { ok: false, detail: `service indisponible (HTTP ${status})` };
  }
  if (status === 200 && body.includes(operation)) {
    return { ok: true, detail: `le SNE répond et son WSDL annonce ${operation}` };
  }
  // An address may keep its WSDL to itself and serve all the same.
  return {
    ok: true,
    detail: `quelque chose répond (HTTP ${status}), sans montrer le WSDL attendu`,
  };
}
