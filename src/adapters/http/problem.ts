/**
 * Answers an error as RFC 9457 problem+json: a stable code, a French sentence, what to do, and never
 * a stack trace. An answer given before the request was read whole is still read by its sender: the
 * rest of the body is drained for a while before the connection closes.
 */
import type { Request, Response } from "express";
import { ERRORS, errorText, type ErrorCode, type ErrorDetails } from "../../domain/errors.ts";
import type { Control } from "../../domain/outcome.ts";

/** One field of a request that is not acceptable. */
export interface FieldFault {
  /** Name of the field of the JSON body, of the parameter or of the header. */
  readonly field: string;
  /** French. */
  readonly message: string;
}

export interface ProblemFacts {
  /** Values of the `{names}` of the code's sentence. */
  readonly details?: ErrorDetails;
  /** Replaces the code's sentence where a truer one is known; French. */
  readonly detail?: string;
  /** Replaces the code's advice where a truer one is known; French. */
  readonly advice?: string;
  /** Why a file was refused, with line and column. */
  readonly controls?: readonly Control[];
  /** Which fields of the request are at fault. */
  readonly fields?: readonly FieldFault[];
  /** Identifier of the flux that stands in the way. */
  readonly fluxId?: string;
  /** Names the line of the log that holds the cause. */
  readonly correlationId?: string;
  /** Replaces the code's HTTP status (408 and 431, which have no code of their own). */
  readonly status?: number;
  /** A list: that header several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** A problem as it is written (`components.schemas.Problem` of the OpenAPI document). */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly advice: string;
  readonly instance: string;
  readonly controls?: readonly Control[];
  readonly fields?: readonly FieldFault[];
  readonly fluxId?: string;
  readonly correlationId?: string;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Requête incorrecte",
  401: "Authentification demandée",
  403: "Accès refusé",
  404: "Introuvable",
  405: "Méthode non acceptée",
  406: "Forme non disponible",
  408: "Requête trop lente",
  409: "Conflit avec l'état du flux",
  410: "Effacé",
  413: "Fichier trop volumineux",
  415: "Type de contenu non accepté",
  422: "Contenu refusé",
  431: "En-têtes trop longs",
  500: "Erreur interne",
  503: "Service momentanément indisponible",
  507: "Stockage plein",
};

/** Seconds a sender is asked to wait before it tries again, when the store or the gateway is away. */
const RETRY_AFTER_S = 30;

/** A sender in the middle of an upload is listened to this long, so that it reads our answer. */
const LINGER_MS = 5_000;
const LINGER_BYTES = 128 * 1024 * 1024;

/** Writes the body of a problem. @param instance - path of the request, without its query */
export function problemBody(code: ErrorCode, instance: string, facts: ProblemFacts): ProblemBody {
  const status = facts.status ?? ERRORS[code].status;
  return {
    type: `urn:passerelle-sne:error:${code}`,
    title: TITLES[status] ?? "Erreur",
    status,
    code,
    detail: facts.detail ?? errorText(code, facts.details),
    advice: facts.advice ?? ERRORS[code].advice,
    instance,
    ...(facts.controls === undefined ? {} : { controls: facts.controls }),
    ...(facts.fields === undefined ? {} : { fields: facts.fields }),
    ...(facts.fluxId === undefined ? {} : { fluxId: facts.fluxId }),
    ...(facts.correlationId === undefined ? {} : { correlationId: facts.correlationId }),
  };
}

/** Headers every problem carries, whether express or the bare socket writes it. */
export function problemHeaders(status: number): Readonly<Record<string, string>> {
  return {
    "Content-Type": "application/problem+json; charset=utf-8",
    "Content-Language": "fr",
    "Cache-Control": "no-store",
    ...(status === 503 || status === 507 ? { "Retry-After": String(RETRY_AFTER_S) } : {}),
  };
}

export async function sendProblem(
  request: Request,
  response: Response,
  code: ErrorCode,
  facts: ProblemFacts = {},
): Promise<void> {
  // Nothing true can be said any more once the head of another answer has left, or nobody listens.
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = problemBody(code, request.path, facts);
  const bytes = Buffer.from(JSON.stringify(body), "utf8");
  response.status(body.status).set(problemHeaders(body.status));
  for (const [name, value] of Object.entries(facts.headers ?? {})) {
    response.set(name, typeof value === "string" ? value : [...value]);
  }
  response.set("Content-Length", String(bytes.length));
  const unread = !request.complete && hasBody(request);
  if (unread) response.set("Connection", "close");
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  response.write(bytes);
  // A sender that waits for "100 Continue" sends no body after a final status.
  if (unread && request.headers.expect === undefined) await drain(request);
  response.end();
}

/** True when the request announces a body (RFC 9112 section 6.3). */
export function hasBody(request: Request): boolean {
  if (request.headers["transfer-encoding"] !== undefined) return true;
  const length = request.headers["content-length"];
  return length !== undefined && Number(length) !== 0;
}

/**
 * Reads and forgets what a sender still sends, within limits: to close at once would reset the
 * connection, and the sender would see a broken pipe where we wrote a reason (RFC 9112, section 9.6).
 */
function drain(request: Request): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    const timer = setTimeout(done, LINGER_MS);
    function done(): void {
      clearTimeout(timer);
      request.off("data", count).off("end", done).off("close", done).off("error", done);
      resolve();
    }
    function count(chunk: Buffer): void {
      seen += chunk.length;
      if (seen > LINGER_BYTES) done();
    }
    request.on("data", count).on("end", done).on("close", done).on("error", done);
    request.resume();
  });
}
