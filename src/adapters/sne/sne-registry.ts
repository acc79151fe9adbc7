/**
 * The SNE through node-soap: our WSDL, SOAP 1.2, our own HTTP, MTOM, limits and reading of answers
 * (stack.md, section 3). node-soap writes the envelope and reads the one we rewrote from the answer;
 * it never sees a file.
 *
 * Promise: a call is sent once at most, and its answer says how far it went. What belongs to one
 * call travels with that call (node-soap hands its `options` through); the client is shared.
 */
import { createClientAsync } from "soap";
import type { Client, IHttpClient } from "soap";
import type { Chance, Clock } from "../../runtime/clock.ts";
import { messageOf } from "../../domain/errors.ts";
import type { WriteCall, Registry, RegistryAnswer } from "../../forward/registry.ts";
import type { Log } from "../../runtime/log.ts";
import { readContentType } from "../../wire/content-type.ts";
import { linkFailureOf, lostLinkText } from "./link-failures.ts";
import { makeRenewedTransport } from "./renewed-transport.ts";
import { askReachable } from "./ask-reachable.ts";
import { readSoapAnswer } from "./soap-answer.ts";
import type { SoapAnswer } from "./soap-answer.ts";
import { includeOf, writeSoapRequest } from "./soap-request.ts";
import type { AttachedFile } from "./soap-request.ts";
import { NUM_UNIQUE_REPONSE, numUniqueAnswer, numUniqueArguments } from "./sne-mapping.ts";
import type { HttpOutcome, HttpRequest } from "./sne-transport.ts";
import type { TlsFiles } from "./tls-material.ts";

export interface SneSettings {
  readonly wsdlPath: string;
  /** Address of DemandeLogementImplService. */
  readonly url: string;
  readonly tls?: TlsFiles;
  /** From the call to the last byte of its answer, ms. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly maxConnections: number;
  /** nomCertificat. */
  readonly certificateName: string;
  /** certificat; an empty file, as libsne sends, when absent. */
  readonly certificateFile?: Uint8Array;
}

/** One call: what it sends beside the envelope, and what came of it before node-soap was told. */
interface Exchange {
  readonly files: readonly AttachedFile[];
  readonly signal: AbortSignal;
  outcome?: SoapAnswer;
}

const FILE_ID = "fichier@passerelle";
const CERTIFICATE_ID = "certificat@passerelle";

/** Reads the WSDL and the certificates; rejects when one of them cannot be used. */
export async function makeSneRegistry(
  options: SneSettings & { readonly clock: Clock; readonly chance: Chance; readonly log: Log },
): Promise<Registry> {
  const { clock, chance, log, timeoutMs } = options;
  const url = new URL(options.url);
  const transport = await makeRenewedTransport({ ...options, origin: url.origin });
  const path = `${url.pathname}${url.search}`;
  const certificateFile = options.certificateFile ?? new Uint8Array(0);

  async function exchangeOverHttp(
    exchange: Exchange,
    envelope: string,
    soapHeaders: unknown,
  ): Promise<SoapAnswer> {
    const { contentType, body } = writeSoapRequest({
      envelope,
      action: actionIn(soapHeaders),
      files: exchange.files,
      boundary: `passerelle-${Buffer.from(chance.bytes(16)).toString("hex")}`,
    });
    const request: HttpRequest = {
      method: "POST",
      path,
      headers: {
        "content-type": contentType,
        accept: "multipart/related, application/soap+xml, text/xml",
        // Without it a proxy may compress the answer (RFC 9110 section 12.5.3).
        "accept-encoding": "identity",
        "user-agent": "passerelle-sne",
      },
      body,
      signal: exchange.signal,
      timeoutMs,
      maxAnswerBytes: options.maxAnswerBytes,
    };
    const http = await transport.send(request);
    if (http.kind === "answered") return readSoapAnswer(http, NUM_UNIQUE_REPONSE, clock.now());
    return withoutHttpAnswer(http, options);
  }

  const httpClient: IHttpClient = {
    request: (_url, envelope: string, callback, soapHeaders, given) => {
      const exchange = (given as { exchange: Exchange }).exchange;
      const told = exchangeOverHttp(exchange, envelope, soapHeaders).then((outcome) => {
        exchange.outcome = outcome;
        if (outcome.kind !== "element") callback(new NoElement());
        else callback(null, { status: 200, headers: {} }, outcome.envelope);
      });
      // A throw of node-soap inside its callback, or of ours: the call must end all the same.
      told.catch((error: unknown) => {
        callback(error);
      });
      // node-soap awaits nothing of it.
      return told as unknown as ReturnType<IHttpClient["request"]>;
    },
  };

  const client = await createClientAsync(options.wsdlPath, {
    endpoint: options.url,
    forceSoap12Headers: true,
    // Its cache would be one for the whole process.
    disableCache: true,
    httpClient,
  });
  if (typeof client["getNumUniqueAsync"] !== "function") {
    throw new Error(`${options.wsdlPath}: no operation getNumUnique`);
  }

  async function write(call: WriteCall): Promise<RegistryAnswer> {
    const exchange: Exchange = {
      files: [
        { id: FILE_ID, contentType: "text/xml", bytes: call.file.bytes },
        { id: CERTIFICATE_ID, contentType: "application/octet-stream", bytes: certificateFile },
      ],
      signal: call.signal,
    };
    const begun = clock.now();
    const answer = await callOperation(client, exchange, call, options.certificateName);
    log.debug("sne.called", { kind: answer.kind, ms: clock.now() - begun });
    return answer;
  }

  return {
    write,
    read: () => Promise.reject(new Error("questions to the SNE come with issue 6")),
    reachable: (signal) => askReachable({ transport, path, signal, timeoutMs }),
    stop: () => transport.stop(),
  };
}

async function callOperation(
  client: Client,
  exchange: Exchange,
  call: WriteCall,
  certificateName: string,
): Promise<RegistryAnswer> {
  const given = numUniqueArguments({
    fileName: call.file.name,
    fileInclude: includeOf(FILE_ID),
    certificateName,
    certificateInclude: includeOf(CERTIFICATE_ID),
  });
  const operation = client["getNumUniqueAsync"] as Operation;
  let result: unknown;
  try {
    // The exchange's own identifier spares node-soap making a UUID per call.
    [result] = await operation(given, { exchange, exchangeId: "getNumUnique" });
  } catch (error) {
    const { outcome } = exchange;
    if (outcome === undefined) throw error;
    if (outcome.kind !== "element") return outcome;
    return { kind: "notRead", why: "unreadable", detail: `node-soap : ${messageOf(error)}` };
  }
  const { outcome } = exchange;
  if (outcome?.kind !== "element") throw new Error("node-soap answered without an exchange");
  return numUniqueAnswer(result, outcome.files, call);
}

/** What node-soap makes of an operation; the first of what it answers is the result. */
type Operation = (args: object, options: object) => Promise<readonly unknown[]>;

/** Tells node-soap to end a call whose outcome stands in its exchange. */
class NoElement extends Error {}

/** The action node-soap took from the WSDL, in the Content-Type it wrote for us. */
function actionIn(soapHeaders: unknown): string {
  const header = (soapHeaders as Readonly<Record<string, string>> | undefined)?.["Content-Type"];
  const action = readContentType(header)?.parameters.get("action");
  if (action === undefined) throw new Error("node-soap gave no action");
  return action;
}

function withoutHttpAnswer(
  http: Exclude<HttpOutcome, { kind: "answered" }>,
  { timeoutMs, maxAnswerBytes }: SneSettings,
): SoapAnswer {
  if (http.kind === "notSent") {
    const { why, detail } =
      http.why === "failed"
        ? linkFailureOf(http.error)
        : {
            why: "unreachable" as const,
            detail:
              http.why === "timeout"
                ? `pas de connexion libre en ${timeoutMs} ms`
                : "appel abandonné avant l'envoi",
          };
    return { kind: "notProcessed", why, detail };
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
  return { kind: "notRead", why: "noAnswer", detail: cut[http.why] };
}
