/**
 * Speaks REST to a running gateway. Promise: it never rejects for what the network or the gateway
 * may do; what is not a gateway is told apart from one that says no; a key never follows a redirect.
 */
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import {
  readAcquittementView,
  readBilanView,
  readFluxPageView,
  readFluxView,
  readJournalView,
  readProblem,
  type BilanView,
  type FluxPageView,
  type FluxView,
  type JournalEntryView,
  type Problem,
} from "./read-views.ts";

export type Answer<T> =
  | { readonly kind: "ok"; readonly value: T; readonly status: number }
  /** The gateway says no, and why (RFC 9457). */
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "unreachable"; readonly url: string; readonly detail: string }
  /** Something answers at that address, which does not speak as a gateway does. */
  | { readonly kind: "notAGateway"; readonly url: string; readonly detail: string };

export interface Deposit {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly idempotencyKey: string;
}

export type ResolveBody = Readonly<Record<"as", string>> &
  Partial<Readonly<Record<"numeroUnique" | "note", string>>>;

export interface GatewayClient {
  readonly url: string;
  deposit(deposit: Deposit): Promise<Answer<FluxView>>;
  list(query: Readonly<Record<string, string>>): Promise<Answer<FluxPageView>>;
  flux(id: string): Promise<Answer<FluxView>>;
  journal(id: string): Promise<Answer<readonly JournalEntryView[]>>;
  /** The acquittement as JSON; reading it with a guichet's key collects it. */
  acquittement(id: string): Promise<Answer<Readonly<Record<string, unknown>>>>;
  resolve(id: string, body: ResolveBody): Promise<Answer<FluxView>>;
  resubmit(id: string): Promise<Answer<FluxView>>;
  release(id: string): Promise<Answer<FluxView>>;
  discard(id: string, reason: string): Promise<Answer<FluxView>>;
  bilan(): Promise<Answer<BilanView>>;
}

/** Longest wait for an answer, ms. */
const ANSWER_MS = 20_000;
/** Longest wait for a deposit, ms: the file travels, then is written to disk. */
const DEPOSIT_MS = 120_000;

export function makeGatewayClient({
  url,
  key,
  operator,
  fetch = globalThis.fetch,
}: {
  /** Base address, `http://127.0.0.1:8080`. */
  url: string;
  /** Bearer key of the operator or of a guichet. */
  key?: string | undefined;
  /** Who operates, for the journal. */
  operator?: string | undefined;
  fetch?: typeof globalThis.fetch;
}): GatewayClient {
  const base = url.replace(/\/+$/, "");

  async function ask<T>(
    path: string,
    read: (body: unknown) => T | undefined,
    request: RequestInit = {},
    withinMs = ANSWER_MS,
  ): Promise<Answer<T>> {
    const headers = new Headers(request.headers);
    headers.set("Accept", "application/json, application/problem+json");
    if (key !== undefined) headers.set("Authorization", `Bearer ${key}`);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${base}${path}`, {
        ...request,
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(withinMs),
      });
      text = await response.text();
    } catch (error) {
      return { kind: "unreachable", url: base, detail: whyUnreachable(error, withinMs) };
    }
    const body = parse(text);
    if (response.ok) {
      const value = read(body);
      if (value !== undefined) return { kind: "ok", value, status: response.status };
    } else {
      const problem = readProblem(body);
      if (problem !== undefined) return { kind: "problem", problem };
    }
    return { kind: "notAGateway", url: base, detail: `HTTP ${response.status}` };
  }

  function post<T>(
    path: string,
    body: Readonly<Record<string, unknown>>,
    read: (body: unknown) => T | undefined,
  ): Promise<Answer<T>> {
    return ask(path, read, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(operator === undefined ? body : { ...body, operator }),
    });
  }

  const fluxPath = (id: string): string => `/api/v1/fluxes/${encodeURIComponent(id)}`;

  return {
    url: base,
    deposit: ({ fileName, bytes, idempotencyKey }) =>
      ask(
        "/api/v1/fluxes",
        readFluxView,
        {
          method: "POST",
          headers: {
            "Content-Type": "application/xml",
            "Idempotency-Key": idempotencyKey,
            // RFC 8187: names may hold accents, headers may not.
            "Content-Disposition": `attachment; filename*=UTF-8''${percentEncode(fileName)}`,
          },
          body: Buffer.from(bytes),
        },
        DEPOSIT_MS,
      ),
    list: (query) =>
      ask(`/api/v1/fluxes?${new URLSearchParams(query).toString()}`, readFluxPageView),
    flux: (id) => ask(fluxPath(id), readFluxView),
    journal: (id) => ask(`${fluxPath(id)}/journal`, readJournalView),
    acquittement: (id) => ask(`${fluxPath(id)}/acquittement`, readAcquittementView),
    resolve: (id, body) => post(`${fluxPath(id)}/resolve`, body, readFluxView),
    resubmit: (id) => post(`${fluxPath(id)}/resubmit`, {}, readFluxView),
    release: (id) => post(`${fluxPath(id)}/release`, {}, readFluxView),
    discard: (id, reason) => post(`${fluxPath(id)}/discard`, { reason }, readFluxView),
    bilan: () => ask("/api/v1/bilan", readBilanView),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is one of the shapes of "not a gateway": the reader of the body says so.
    return undefined;
  }
}

function percentEncode(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
}

function whyUnreachable(error: unknown, withinMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError") {
    return `aucune réponse en ${withinMs / 1000} s`;
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  switch (systemCodeOf(cause)) {
    case "ECONNREFUSED":
      return "connexion refusée";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "nom d'hôte inconnu";
    case "ECONNRESET":
    case "UND_ERR_SOCKET":
      return "connexion interrompue";
    default:
      return messageOf(cause);
  }
}
