/**
 * Which guichet a client certificate is: by its fingerprint, which needs no authority (the handshake
 * has proven that the caller holds its key), or by its subject, believed only when one of our own
 * authorities signed it.
 *
 * Promise: a certificate out of its dates is nobody, on a connection opened before it expired too.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  canonicalSubject,
  readFingerprint,
  type Guichet,
  type Guichets,
} from "../../domain/guichet.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";

export type CertificateIdentity =
  /** None was presented, or the connection is not TLS. */
  | { readonly kind: "none" }
  | { readonly kind: "guichet"; readonly guichet: Guichet }
  /** Known, but not at this date. */
  | { readonly kind: "notValid"; readonly guichet: Guichet }
  | { readonly kind: "unknown" };

export type IdentifyCertificate = (socket: Socket) => CertificateIdentity;

/** What is read once of a connection. */
interface Presented {
  readonly guichet: Guichet | undefined;
  /** ms since the epoch */
  readonly validFrom: number;
  readonly validTo: number;
}

export function makeIdentifyCertificate({
  guichets,
  hasAuthority,
  clock,
  log,
}: {
  guichets: Guichets;
  /** True when the authorities were given: the system's own vouch for no guichet. */
  hasAuthority: boolean;
  clock: Pick<Clock, "now">;
  log: Log;
}): IdentifyCertificate {
  const seen = new WeakMap<Socket, Presented | undefined>();

  function read(socket: TLSSocket): Presented | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const fingerprint = readFingerprint(certificate.fingerprint256) ?? "";
    const subject = canonicalSubject(certificate.subject) ?? "";
    const isVouchedFor = hasAuthority && socket.authorized;
    const guichet =
      guichets.byCertificate(fingerprint) ??
      (isVouchedFor ? guichets.byCertificateSubject(subject) : undefined);
    if (guichet === undefined) {
      // What an administrator writes in the file of guichets to let it in.
      log.info("http.unknownCertificate", { fingerprint, subject, verified: isVouchedFor });
    }
    return {
      guichet,
      validFrom: Date.parse(certificate.validFrom),
      validTo: Date.parse(certificate.validTo),
    };
  }

  return (socket) => {
    if (!(socket instanceof TLSSocket)) return { kind: "none" };
    if (!seen.has(socket)) seen.set(socket, read(socket));
    const presented = seen.get(socket);
    if (presented === undefined) return { kind: "none" };
    const { guichet, validFrom, validTo } = presented;
    if (guichet === undefined) return { kind: "unknown" };
    const now = clock.now();
    return now >= validFrom && now <= validTo
      ? { kind: "guichet", guichet }
      : { kind: "notValid", guichet };
  };
}
