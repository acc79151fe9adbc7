/**
 * Who calls: a guichet by its certificate or its key, the operator by its own key, or nobody. Keys are
 * never stored: only their SHA-256 is known.
 *
 * Promise: nobody is an operator by accident. Without an operator key, only a program on this very
 * machine is, and only when nothing suggests that someone else speaks through it. And nobody is two:
 * a certificate and a key that name two callers are refused, whichever is right.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ErrorCode } from "../../domain/errors.ts";
import type { Guichet, Guichets } from "../../domain/guichet.ts";
import type { IdentifyCertificate } from "./client-certificate.ts";

export type Caller =
  | { readonly kind: "guichet"; readonly guichet: Guichet }
  | { readonly kind: "operator"; readonly by: "key" | "loopback" };

export type Access =
  | { readonly kind: "granted"; readonly caller: Caller }
  | { readonly kind: "denied"; readonly code: ErrorCode };

export interface IdentifyCaller {
  (request: IncomingMessage): Access;
  /** What a 401 asks for (RFC 9110 section 11.6.1), one challenge per header. */
  readonly challenges: readonly string[];
}

/** How a guichet may say who it is (GATEWAY_HTTP_AUTH). */
export const AUTH_METHODS = ["certificate", "basic", "bearer"] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** What the header says of its sender. */
type Key =
  | { readonly kind: "none" }
  | { readonly kind: "denied"; readonly code: ErrorCode }
  | { readonly kind: "granted"; readonly caller: Caller };

const BEARER = /^bearer +([-A-Za-z0-9._~+/]{1,512}=*)$/i;
const BASIC = /^basic +([A-Za-z0-9+/]{1,1024}={0,2})$/i;

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
  methods = AUTH_METHODS,
  identifyCertificate,
}: {
  guichets: Guichets;
  /** SHA-256 (hexadecimal) of the operator's key. Absent: see `isLocalOperator`. */
  operatorKeySha256?: string;
  /** Those a guichet may use. The operator's key is always a bearer key. */
  methods?: readonly AuthMethod[];
  /** Absent when clients are asked for none. */
  identifyCertificate?: IdentifyCertificate;
}): IdentifyCaller {
  const operatorDigest =
    operatorKeySha256 === undefined ? undefined : Buffer.from(operatorKeySha256, "hex");
  const unknown = { kind: "denied", code: "UNKNOWN_SENDER" } as const;
  const required = { kind: "denied", code: "AUTHENTICATION_REQUIRED" } as const;

  function identify(request: IncomingMessage): Access {
    const key = readKey(request);
    if (key.kind === "denied") return key;
    const certificate =
      identifyCertificate !== undefined && methods.includes("certificate")
        ? identifyCertificate(request.socket)
        : ({ kind: "none" } as const);
    if (key.kind === "granted") {
      const named = "guichet" in certificate ? certificate.guichet : undefined;
      return named === undefined || isGuichet(key.caller, named)
        ? key
        : { kind: "denied", code: "CREDENTIALS_DISAGREE" };
    }
    switch (certificate.kind) {
      case "guichet":
        return granted({ kind: "guichet", guichet: certificate.guichet });
      case "notValid":
        return { kind: "denied", code: "CERTIFICATE_NOT_VALID" };
      case "unknown":
        return unknown;
      case "none":
        return operatorDigest === undefined && isLocalOperator(request)
          ? granted({ kind: "operator", by: "loopback" })
          : required;
    }
  }

  function readKey(request: IncomingMessage): Key {
    const given = request.headersDistinct["authorization"] ?? [];
    if (given.length === 0) return { kind: "none" };
    const header = given.length === 1 ? (given[0] ?? "") : "";
    const bearer = BEARER.exec(header)?.[1];
    if (bearer !== undefined) return byBearer(digestOf(bearer));
    const basic = methods.includes("basic") ? readBasic(header) : undefined;
    return basic === undefined ? required : byPassword(basic.user, digestOf(basic.password));
  }

  function byBearer(digest: Buffer): Key {
    if (operatorDigest?.length === digest.length && timingSafeEqual(operatorDigest, digest)) {
      return granted({ kind: "operator", by: "key" });
    }
    if (!methods.includes("bearer")) return required;
    // A lookup by digest tells its timing of a hash the caller cannot choose: no secret leaks.
    const guichet = guichets.byApiKeySha256(digest.toString("hex"));
    return guichet === undefined ? unknown : granted({ kind: "guichet", guichet });
  }

  function byPassword(user: string, digest: Buffer): Key {
    const guichet = guichets.byCode(user);
    const expected = Buffer.from(guichet?.apiKeySha256 ?? "", "hex");
    return guichet !== undefined &&
      expected.length === digest.length &&
      timingSafeEqual(expected, digest)
      ? granted({ kind: "guichet", guichet })
      : unknown;
  }

  const realm = 'realm="passerelle-sne"';
  // Bearer is the operator's, whatever guichets use: a 401 always asks for something.
  const challenges = [
    `Bearer ${realm}`,
    ...(methods.includes("basic") ? [`Basic ${realm}, charset="UTF-8"`] : []),
  ];
  return Object.assign(identify, { challenges });
}

function granted(caller: Caller): { readonly kind: "granted"; readonly caller: Caller } {
  return { kind: "granted", caller };
}

function isGuichet(caller: Caller, guichet: Guichet): boolean {
  return caller.kind === "guichet" && caller.guichet.code === guichet.code;
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key, "utf8").digest();
}

/** RFC 7617: the user has no colon, the password may. */
function readBasic(header: string): { user: string; password: string } | undefined {
  const text = BASIC.exec(header)?.[1];
  if (text === undefined) return undefined;
  const pair = Buffer.from(text, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 0) return undefined;
  return { user: pair.slice(0, colon), password: pair.slice(colon + 1) };
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
