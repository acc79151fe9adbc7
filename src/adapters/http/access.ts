/**
 * Who calls: a guichet by its key, the operator by its own, or nobody. Keys are never stored: only
 * their SHA-256 is known.
 *
 * Promise: nobody is an operator by accident. Without an operator key, only a program on this very
 * machine is, and only when nothing suggests that someone else speaks through it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ErrorCode } from "../../domain/errors.ts";
import type { Guichet, Guichets } from "../../domain/guichet.ts";

export type Caller =
  | { readonly kind: "guichet"; readonly guichet: Guichet }
  | { readonly kind: "operator"; readonly by: "key" | "loopback" };

export type Access =
  | { readonly kind: "granted"; readonly caller: Caller }
  | { readonly kind: "denied"; readonly code: ErrorCode };

export type IdentifyCaller = (request: IncomingMessage) => Access;

const BEARER = /^bearer +([-A-Za-z0-9._~+/]{1,512}=*)$/i;

/** Headers that a proxy adds: the far end of the connection is then not the caller. */
const FORWARDING_HEADERS = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
] as const;

export function makeAccess({
  guichets,
  operatorKeySha256,
}: {
  guichets: Guichets;
  /** SHA-256 (hexadecimal) of the operator's key. Absent: see `isLocalOperator`. */
  operatorKeySha256?: string;
}): IdentifyCaller {
  const operatorDigest =
    operatorKeySha256 === undefined ? undefined : Buffer.from(operatorKeySha256, "hex");

  return (request) => {
    const given = request.headersDistinct["authorization"] ?? [];
    if (given.length === 0) {
      return operatorDigest === undefined && isLocalOperator(request)
        ? { kind: "granted", caller: { kind: "operator", by: "loopback" } }
        : { kind: "denied", code: "AUTHENTICATION_REQUIRED" };
    }
    const key = given.length === 1 ? BEARER.exec(given[0] ?? "")?.[1] : undefined;
    if (key === undefined) return { kind: "denied", code: "AUTHENTICATION_REQUIRED" };
    const digest = createHash("sha256").update(key, "latin1").digest();
    if (operatorDigest?.length === digest.length && timingSafeEqual(operatorDigest, digest)) {
      return { kind: "granted", caller: { kind: "operator", by: "key" } };
    }
    // A lookup by digest tells its timing of a hash the caller cannot choose: no secret leaks.
    const guichet = guichets.byApiKeySha256(digest.toString("hex"));
    return guichet === undefined
      ? { kind: "denied", code: "UNKNOWN_SENDER" }
      : { kind: "granted", caller: { kind: "guichet", guichet } };
  };
}

/**
 * True for a program of this machine that speaks for itself. So that the command line works on a
 * fresh installation, where no key exists yet; setting GATEWAY_OPERATOR_KEY_SHA256 ends it.
 *
 * The address alone would not do: a proxy on this machine also calls from loopback (told by its
 * headers, or by HTTP/1.0, which nginx speaks by default), and so does a browser made to by a page
 * from elsewhere (told by Sec-Fetch-Site and Origin, or by a Host that is not this machine's when
 * its name was rebound). No forwarding header is ever believed: it only ever takes trust away.
 */
function isLocalOperator(request: IncomingMessage): boolean {
  const { headers } = request;
  if (!isLoopback(request.socket.remoteAddress)) return false;
  if (request.httpVersion !== "1.1") return false;
  if (FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) return false;
  if (headers.origin !== undefined) return false;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "none") return false;
  return isLocalHost(headers.host);
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || /^127(\.\d{1,3}){3}$/.test(plain);
}

function isLocalHost(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host);
}

/** True when this caller may know that a flux of that guichet exists. */
export function maySee(caller: Caller, fluxGuichet: string | undefined): boolean {
  return caller.kind === "operator" || caller.guichet.code === fluxGuichet;
}
