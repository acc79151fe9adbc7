/**
 * What a failure of the link means, in a French sentence an operator can act on, and whether it is
 * a matter of access (certificates) or of reach (address, network).
 */
import { messageOf, systemCodeOf } from "../../domain/errors.ts";

export interface LinkFailure {
  readonly why: "unreachable" | "accessRefused";
  readonly detail: string;
}

/** Our trust in the server's certificate failed (node:tls, X509 verify codes of OpenSSL). */
const SERVER_CERTIFICATE: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "il est auto-signé",
  SELF_SIGNED_CERT_IN_CHAIN: "son autorité n'est pas connue",
  UNABLE_TO_GET_ISSUER_CERT: "son autorité n'est pas connue",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "son autorité n'est pas connue",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "son autorité n'est pas connue",
  CERT_UNTRUSTED: "son autorité n'est pas connue",
  CERT_SIGNATURE_FAILURE: "sa signature est fausse",
  CERT_HAS_EXPIRED: "il a expiré",
  CERT_NOT_YET_VALID: "il n'est pas encore valable",
  CERT_REVOKED: "il est révoqué",
  ERR_TLS_CERT_ALTNAME_INVALID: "il est fait pour un autre nom",
};

const REACH: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connexion refusée",
  ENOTFOUND: "nom introuvable (DNS)",
  EAI_AGAIN: "le DNS ne répond pas",
  EHOSTUNREACH: "machine injoignable",
  ENETUNREACH: "réseau injoignable",
  ETIMEDOUT: "pas de connexion dans le délai",
  UND_ERR_CONNECT_TIMEOUT: "pas de connexion dans le délai",
  ECONNRESET: "connexion coupée par le serveur",
  EPIPE: "connexion coupée par le serveur",
  UND_ERR_SOCKET: "connexion coupée par le serveur",
};

/** A fatal alert by which a TLS server refuses the certificate we gave, or its absence (RFC 8446 section 6.2). */
const REFUSING_ALERT =
  /^ERR_SSL_.*ALERT_(HANDSHAKE_FAILURE|NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;

/** True when the server refused the handshake for our certificate: no request was ever read. */
export function refusesOurCertificate(error: unknown): boolean {
  return REFUSING_ALERT.test(codeOf(error));
}

/** What kept a request from being sent. */
export function linkFailureOf(error: unknown): LinkFailure {
  const code = codeOf(error);
  const trust = Object.hasOwn(SERVER_CERTIFICATE, code) ? SERVER_CERTIFICATE[code] : undefined;
  if (trust !== undefined) {
    return {
      why: "accessRefused",
      detail: `le certificat du SNE n'est pas accepté : ${trust} (${code})`,
    };
  }
  if (refusesOurCertificate(error)) {
    return {
      why: "accessRefused",
      detail: `le SNE refuse le certificat client, ou son absence (${code})`,
    };
  }
  if (error instanceof ClosedAfterHandshake) {
    return { why: "accessRefused", detail: error.message };
  }
  return { why: "unreachable", detail: lostLinkText(error) };
}

/** What cut a link, in words. */
export function lostLinkText(error: unknown): string {
  const code = codeOf(error);
  const known = Object.hasOwn(REACH, code) ? REACH[code] : undefined;
  if (known !== undefined) return `${known} (${code})`;
  return code === "" ? messageOf(error) : `${messageOf(error)} (${code})`;
}

/** The server cut a TLS connection once it had seen our certificate, or its absence. */
export class ClosedAfterHandshake extends Error {
  constructor() {
    super("connexion fermée après la négociation TLS : certificat client refusé, ou absent");
    this.name = "ClosedAfterHandshake";
  }
}

/** The server cut during the handshake, with no alert: our certificate may be why, or an outage. */
export class CutDuringHandshake extends Error {
  constructor() {
    super(
      "connexion coupée pendant la négociation TLS : serveur en panne, ou certificat client refusé",
    );
    this.name = "CutDuringHandshake";
  }
}

/** No connection within the delay. */
export class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

/** True when the other side cut the connection, without saying why. */
export function isCut(error: unknown): boolean {
  return ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"].includes(codeOf(error));
}

/** The code of an error, or of the first of several tries (a name with several addresses). */
function codeOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code !== undefined) return code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return "";
}
