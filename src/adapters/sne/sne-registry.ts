/**
 * The SNE's three services: our WSDLs, SOAP 1.2, our own HTTP, MTOM, limits and reading of answers
 * (stack.md, section 3). What each operation takes and gives is `wire/sne-contract.ts`.
 *
 * Promise: a call is sent once at most, to the service of its operation, and its answer says how far
 * it went.
 */
import { DEFAULT_OPERATION } from "../../domain/sne-operation.ts";
import type { Registry } from "../../forward/registry.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { SNE_OPERATIONS, sneOperation } from "../../wire/sne-contract.ts";
import type { SneOperationShape, SneService } from "../../wire/sne-contract.ts";
import { askReachable } from "./ask-reachable.ts";
import { linkFailureOf, lostLinkText } from "./link-failures.ts";
import { readAnswer, readValues, writeAnswer, writeValues } from "./sne-mapping.ts";
import { makeSneSoap } from "./sne-soap.ts";
import type { Exchange } from "./sne-soap.ts";
import type { HttpOutcome, HttpRequest } from "./sne-transport.ts";
import { makeSneTransports } from "./sne-transports.ts";
import type { Use } from "./sne-transports.ts";
import { readSoapAnswer } from "./soap-answer.ts";
import type { SoapAnswer } from "./soap-answer.ts";
import { writeSoapRequest } from "./soap-request.ts";
import type { TlsFiles } from "./tls-material.ts";

export interface SneSettings {
  readonly wsdlPaths: Readonly<Record<SneService, string>>;
  /** Address of each service. */
  readonly urls: Readonly<Record<SneService, string>>;
  readonly tls?: TlsFiles;
  /** From the call to the last byte of its answer, ms. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Of fluxes at once to one origin; questions have as many of their own. */
  readonly maxConnections: number;
  /** nomCertificat. */
  readonly certificateName: string;
  /** certificat; an empty file, as libsne sends, when absent. */
  readonly certificateFile?: Uint8Array;
}

/** Reads the WSDLs and the certificates; rejects when one of them cannot be used. */
export async function makeSneRegistry(
  options: SneSettings & { readonly clock: Clock; readonly chance: Chance; readonly log: Log },
): Promise<Registry> {
  const { clock, chance, log, timeoutMs } = options;
  const call = await makeSneSoap(options.wsdlPaths);
  const urls = Object.fromEntries(
    Object.entries(options.urls).map(([service, url]) => [service, new URL(url)]),
  ) as Readonly<Record<SneService, URL>>;
  const transports = await makeSneTransports({
    ...options,
    origins: Object.values(urls).map(({ origin }) => origin),
  });
  const own = {
    name: options.certificateName,
    file: options.certificateFile ?? new Uint8Array(0),
  };

  /** The way of one operation over HTTP. */
  function exchange(shape: SneOperationShape, use: Use, signal: AbortSignal): Exchange {
    const url = urls[shape.service];
    return async (message) => {
      const { contentType, body } = writeSoapRequest({
        ...message,
        boundary: `passerelle-${Buffer.from(chance.bytes(16)).toString("hex")}`,
      });
      const request: HttpRequest = {
        method: "POST",
        path: `${url.pathname}${url.search}`,
        headers: {
          "content-type": contentType,
          accept: "multipart/related, application/soap+xml, text/xml",
          // Without it a proxy may compress the answer (RFC 9110 section 12.5.3).
          "accept-encoding": "identity",
          "user-agent": "passerelle-sne",
        },
        body,
        signal,
        timeoutMs,
        maxAnswerBytes: options.maxAnswerBytes,
      };
      const http = await transports.to(url.origin, use).send(request);
      if (http.kind === "answered") return readSoapAnswer(http, shape, clock.now());
      return withoutHttpAnswer(http, options);
    };
  }

  /** Notes what a call came to; nothing of what it carried. */
  async function told<T extends { readonly kind: string }>(
    operation: string,
    answer: () => Promise<T>,
  ): Promise<T> {
    const begun = clock.now();
    const given = await answer();
    log.debug("sne.called", { operation, kind: given.kind, ms: clock.now() - begun });
    return given;
  }

  return {
    write: (write) => {
      const shape = sneOperation(write.call?.operation ?? DEFAULT_OPERATION);
      return told(shape.name, async () => {
        const values = writeValues(shape, write, own);
        const answer = await call(shape, values, exchange(shape, "write", write.signal));
        return answer.kind === "element" ? writeAnswer(shape, answer.values, write) : answer;
      });
    },
    read: (read) => {
      const shape = sneOperation(read.operation);
      return told(shape.name, async () => {
        const values = readValues(shape, read, own);
        const answer = await call(shape, values, exchange(shape, "read", read.signal));
        return answer.kind === "element" ? readAnswer(shape, answer.values) : answer;
      });
    },
    reachable: (service, signal) => {
      const url = urls[service];
      return askReachable({
        transport: transports.to(url.origin, "read"),
        path: `${url.pathname}${url.search}`,
        operation: SNE_OPERATIONS.find((one) => one.service === service)?.name ?? "",
        signal,
        timeoutMs,
      });
    },
    stop: () => transports.stop(),
  };
}

function withoutHttpAnswer(
  http: Exclude<HttpOutcome, { kind: "answered" }>,
  { timeoutMs, maxAnswerBytes }: SneSettings,
): SoapAnswer {
  const byUs = http.why === "aborted" || http.why === "crowded" ? { endedByUs: true as const } : {};
  if (http.kind === "notSent") {
    if (http.why === "failed") return { kind: "notProcessed", ...linkFailureOf(http.error) };
    const ended = {
      timeout: `pas de connexion en ${timeoutMs} ms`,
      crowded: `pas de connexion libre en ${timeoutMs} ms`,
      aborted: "appel abandonné avant l'envoi",
    };
    return { kind: "notProcessed", why: "unreachable", detail: ended[http.why], ...byUs };
  }
  if (http.why === "tooLarge") {
    const detail = `réponse de plus de ${maxAnswerBytes} octets`;
    return { kind: "notRead", why: "unreadable", detail };
  }
  const cut = {
    timeout: `aucune réponse complète en ${timeoutMs} ms`,
    aborted: "appel abandonné après l'envoi",
    failed: lostLinkText(http.error),
  };
  return { kind: "notRead", why: "noAnswer", detail: cut[http.why], ...byUs };
}
