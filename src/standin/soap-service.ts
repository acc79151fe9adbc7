/**
 * The HTTP face of the stand-in: takes a call, meets the orders given for it, answers. Every answer,
 * whatever its status, carries `X-Standin: not the SNE`.
 *
 * Promise: whatever is sent to it, it answers or closes that one connection, and goes on serving.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Chance, Clock } from "../runtime/clock.ts";
import type { CallRecord, EffectLedger } from "./effect-ledger.ts";
import { laneKeys } from "./effect-ledger.ts";
import { operationNamed, type ServiceName } from "./operations-table.ts";
import {
  SERVER_ERROR,
  type Performed,
  type PrepareCall,
  type PreparedCall,
} from "./prepared-call.ts";
import { readBody } from "./read-body.ts";
import { writeAnswer, writeFault, writePlainAnswer, writePlainFault } from "./soap-answer.ts";
import type { WrittenAnswer } from "./soap-answer.ts";
import { readSoapRequest, type SoapCall } from "./soap-request.ts";
import type { StandinXml } from "./standin-xml.ts";
import { plainText, steeredAnswer, type Framing } from "./steered-answer.ts";
import type { Line, Plan, Steering } from "./steering.ts";

export const STANDIN_HEADER = { "X-Standin": "not the SNE" } as const;

/** One of the services, at its path. */
export interface ServedService {
  readonly name: ServiceName;
  /** The WSDL, its address set. */
  readonly wsdl: () => Promise<string>;
}

export interface SoapServiceParts {
  readonly prepare: PrepareCall;
  readonly ledger: EffectLedger;
  readonly steering: Steering;
  readonly xml: StandinXml;
  readonly clock: Clock;
  readonly chance: Chance;
  /** By path, without its trailing slash. */
  readonly services: ReadonlyMap<string, ServedService>;
  /** Largest body, bytes. */
  readonly maxBodyBytes: number;
  /** Ends the waits of slow calls when the stand-in stops. */
  readonly stopped: AbortSignal;
  /** Told of what should never happen. */
  readonly report: (error: unknown) => void;
}

export function makeSoapService(parts: SoapServiceParts): RequestListener {
  const { steering, ledger, clock } = parts;
  const unique = (): string => Buffer.from(parts.chance.bytes(16)).toString("hex");

  const framing: Framing = {
    answer: (element, fields, namespace) =>
      steering.settings.answers === "plain"
        ? writePlainAnswer(element, fields, namespace)
        : writeAnswer(element, fields, unique(), namespace),
    fault: (code, text) =>
      steering.settings.faults === "plain"
        ? writePlainFault(code, text)
        : writeFault(code, text, unique()),
  };
  const { fault } = framing;

  const send = (res: ServerResponse, answer: WrittenAnswer, more: Headers = {}): void => {
    if (res.headersSent || res.destroyed) return;
    // A port about to close keeps no connection open for the next call.
    const close = steering.line.is === "down" ? { Connection: "close" } : {};
    res.writeHead(answer.status, {
      ...STANDIN_HEADER,
      "Content-Type": answer.contentType,
      "Content-Length": answer.body.length,
      ...close,
      ...more,
    });
    res.end(answer.body);
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const met = steering.meetLine();
    if (met.is === "down" && met.how !== "refuse") {
      answerDown(met, req, res, send);
      return;
    }
    const url = new URL(req.url ?? "/", "http://standin");
    const service = parts.services.get(url.pathname.replace(/\/$/, ""));
    if (service === undefined) {
      req.resume();
      const paths = [...parts.services.keys()].map((path) => `${path}/`).join(", ");
      send(res, plainText(404, `Rien ici. Ceci n'est pas le SNE : voir ${paths}\n`));
      return;
    }
    if (req.method === "GET") {
      req.resume();
      if (url.searchParams.has("wsdl")) {
        const wsdl = Buffer.from(await service.wsdl(), "utf8");
        send(res, { status: 200, contentType: "text/xml; charset=utf-8", body: wsdl });
      } else send(res, plainText(200, "Ceci n'est pas le SNE : simulateur. Contrat : ?wsdl\n"));
      return;
    }
    if (req.method !== "POST") {
      req.resume();
      send(res, plainText(405, "POST attendu.\n"), { Allow: "GET, POST" });
      return;
    }
    if (req.headers["content-encoding"] !== undefined) {
      req.resume();
      send(res, plainText(415, "Content-Encoding non pris en charge.\n"));
      return;
    }
    const body = await readBody(req, parts.maxBodyBytes);
    if (body === "left") return;
    if (body === "tooLarge") {
      send(res, plainText(413, "Requête trop grande.\n"), { Connection: "close" });
      return;
    }
    const { "content-type": contentType, soapaction } = req.headers;
    const soapAction = typeof soapaction === "string" ? soapaction : undefined;
    const reading = readSoapRequest(
      { service: service.name, contentType, soapAction, body },
      parts.xml,
      steering.settings.actionMissing,
    );
    if (reading.kind === "http") send(res, plainText(reading.status, `${reading.text}\n`));
    else if (reading.kind === "fault") send(res, fault(reading.code, reading.text));
    else await serve(reading.call, body.length, res);
  };

  const serve = async (call: SoapCall, bytes: number, res: ServerResponse): Promise<void> => {
    const at = clock.now();
    const preparing = parts.prepare(call);
    const { operation, action } = call;
    const described = {
      at,
      service: operationNamed(operation).service,
      operation,
      framing: call.framing,
      bytes,
      ...(action === undefined ? {} : { action }),
    };
    if (preparing.kind === "fault") {
      const record = ledger.begin(described);
      record.outcome = "fault";
      record.sent = "fault";
      send(res, fault(preparing.code, preparing.text));
      return;
    }
    const { prepared } = preparing;
    const { file } = prepared;
    const keys = file === undefined ? [] : laneKeys(file.subject, undefined);
    const record = ledger.begin({
      ...described,
      ...(file === undefined ? {} : { sha256: file.sha256, typeFichier: file.subject.typeFichier }),
      ...(keys[0] === undefined ? {} : { key: keys[0] }),
    });
    // Reading changes nothing: only calls that write have an order to keep.
    const lane = ledger.enterLane(record, prepared.writes ? keys : []);
    res.once("close", () => {
      record.clientGone ||= !res.writableFinished;
      lane.end();
    });
    if (file !== undefined) {
      ledger.count({ ...file, operation, result: "called", call: record.call });
    }
    const plan = steering.plan(prepared.facts);
    if (plan.delayMs > 0) await clock.wait(plan.delayMs, parts.stopped);
    const performed = plan.effect ? perform(prepared, plan, record) : undefined;
    if (performed?.kind === "answer" && performed.numUnique !== undefined && keys.length > 0) {
      lane.also(`numUnique:${performed.numUnique}`);
    }
    answer(call, plan, performed, record, res, () => {
      lane.end();
    });
  };

  const perform = (prepared: PreparedCall, plan: Plan, record: CallRecord): Performed => {
    const performed = prepared.perform({
      added: plan.anomalies,
      settings: steering.settings,
      call: record.call,
      at: clock.now(),
    });
    record.outcome = performed.kind === "fault" ? "fault" : performed.outcome;
    return performed;
  };

  const answer = (
    call: SoapCall,
    plan: Plan,
    performed: Performed | undefined,
    record: CallRecord,
    res: ServerResponse,
    endLane: () => void,
  ): void => {
    const { act } = plan;
    record.sent = act?.do ?? (performed?.kind === "fault" ? "fault" : "answer");
    if (act?.do === "hang") return;
    // From here on the client may have its answer, and call again.
    endLane();
    if (act?.do === "loseAnswer") {
      res.destroy();
      return;
    }
    if (act?.do === "reset") {
      resetConnection(res);
      return;
    }
    const element = operationNamed(call.operation).answer;
    const fields = performed?.kind === "answer" ? performed.fields : [];
    if (act !== undefined) {
      send(res, steeredAnswer(act, element, fields, framing), retryAfter(act));
    } else if (performed === undefined || performed.kind === "fault") {
      const code = performed?.code ?? "Receiver";
      send(res, fault(code, performed?.text ?? SERVER_ERROR));
    } else send(res, framing.answer(element, fields));
  };

  return (req, res) => {
    handle(req, res).catch((error: unknown) => {
      parts.report(error);
      send(res, fault("Receiver", "Erreur du simulateur lui-même : voir son journal."));
    });
  };
}

type Headers = Readonly<Record<string, string | number>>;

function answerDown(
  line: Extract<Line, { is: "down" }>,
  req: IncomingMessage,
  res: ServerResponse,
  send: (res: ServerResponse, answer: WrittenAnswer, more?: Headers) => void,
): void {
  if (line.how === "reset") {
    resetConnection(res);
    return;
  }
  req.resume();
  if (line.how === "hang") return;
  if (line.how === "redirect") {
    const location = line.location ?? "/autre-service/";
    send(res, plainText(307, "Redirection demandée au simulateur.\n"), { Location: location });
    return;
  }
  const status = line.how === "503" ? 503 : 404;
  const more = line.retryAfterS === undefined ? {} : { "Retry-After": line.retryAfterS };
  send(res, plainText(status, "Ceci n'est pas le SNE : panne demandée au simulateur.\n"), more);
}

function retryAfter(act: NonNullable<Plan["act"]>): Headers {
  return act.do === "httpStatus" && act.retryAfterS !== undefined
    ? { "Retry-After": act.retryAfterS }
    : {};
}

/** TCP RST, so that the client sees a reset and not an end; under TLS, an end without notice. */
function resetConnection(res: ServerResponse): void {
  const { socket } = res;
  if (socket === null) return;
  if ("encrypted" in socket) socket.destroy();
  else socket.resetAndDestroy();
}
