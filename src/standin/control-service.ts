/**
 * The other port of the stand-in: it takes orders and tells what was done. Plain HTTP and JSON, on
 * its own address so that it answers while the service is down. Orders come with
 * `Content-Type: application/json` only: no web page open on the same machine can send them.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { DemandeBook } from "./demande-book.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import type { EventBook } from "./event-book.ts";
import { readOrders, type Order } from "./orders.ts";
import { readBody } from "./read-body.ts";
import { STANDIN_HEADER } from "./soap-service.ts";
import type { Steering } from "./steering.ts";

const MAX_ORDERS_BYTES = 1024 * 1024;
const INDEX = `Ceci n'est pas le SNE : port de commande du simulateur.

GET  /standin/control          état : ligne, règles, réglages
POST /standin/control          ordres (JSON), voir src/standin/README.md
GET  /standin/effects          effets pris, par empreinte de fichier (?summary, ?limit=)
GET  /standin/effects/SHA256   effets d'un fichier (?operation=, pour un fichier d'événements)
GET  /standin/calls            derniers appels (?last=, ?sha256=, ?operation=)
GET  /standin/events/NUMERO    événements d'une demande, sans leur commentaire
`;

export function makeControlService(parts: {
  readonly steering: Steering;
  readonly ledger: EffectLedger;
  readonly book: DemandeBook;
  readonly events: EventBook;
  /** Applies orders in their order; rejects when the port cannot be opened again. */
  readonly apply: (orders: readonly Order[]) => Promise<void>;
  readonly report: (error: unknown) => void;
}): RequestListener {
  const { steering, ledger, book, events } = parts;

  const state = (): unknown => ({
    notTheSne: true,
    line: steering.line,
    settings: steering.settings,
    rules: steering.rules,
    demandes: book.size,
    evenements: events.size,
  });

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? "/", "http://standin");
    const path = url.pathname.replace(/\/$/, "");
    if (req.method === "POST" && path === "/standin/control") {
      await takeOrders(req, res);
      return;
    }
    req.resume();
    if (req.method !== "GET") {
      sendJson(res, 405, { error: "GET, or POST /standin/control" });
      return;
    }
    if (path === "" || path === "/standin") sendText(res, 200, INDEX);
    else if (path === "/standin/control") sendJson(res, 200, state());
    else if (path === "/standin/effects") sendJson(res, 200, effects(url.searchParams));
    else if (path === "/standin/calls") sendJson(res, 200, calls(url.searchParams));
    else if (path.startsWith("/standin/events/")) {
      sendJson(res, 200, { events: eventsOf(path.slice("/standin/events/".length)) });
    } else if (path.startsWith("/standin/effects/")) {
      const sha256 = path.slice("/standin/effects/".length).toLowerCase();
      const found = ledger.file(sha256, url.searchParams.get("operation") ?? undefined);
      sendJson(res, found === undefined ? 404 : 200, found ?? { error: "never received", sha256 });
    } else sendJson(res, 404, { error: "see GET /standin" });
  };

  // What a commentaire says is nobody's business here.
  const eventsOf = (numUnique: string): unknown =>
    events.of(numUnique).map(({ id, type, dateSurvenance, createdAt, changedAt }) => ({
      id,
      type,
      dateSurvenance,
      createdAt,
      changedAt,
    }));

  const takeOrders = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!/^application\/json\s*(;|$)/i.test(req.headers["content-type"] ?? "")) {
      req.resume();
      sendJson(res, 415, { error: "orders come as Content-Type: application/json" });
      return;
    }
    const body = await readBody(req, MAX_ORDERS_BYTES);
    if (body === "left") return;
    if (body === "tooLarge") {
      sendJson(res, 413, { error: "too many orders" });
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(body).toString("utf8"));
    } catch (error) {
      sendJson(res, 400, { error: `not JSON: ${String(error)}` });
      return;
    }
    const reading = readOrders(value);
    if (reading.kind === "wrong") {
      sendJson(res, 400, { error: reading.reason });
      return;
    }
    await parts.apply(reading.orders);
    sendJson(res, 200, state());
  };

  const effects = (query: URLSearchParams): unknown => {
    const summary = ledger.summary();
    if (query.has("summary")) return summary;
    const limit = numberOf(query.get("limit")) ?? 10_000;
    const files = [];
    for (const file of ledger.files()) {
      if (files.length >= limit) break;
      files.push(file);
    }
    return { ...summary, files };
  };

  const calls = (query: URLSearchParams): unknown => {
    const sha256 = query.get("sha256");
    const operation = query.get("operation");
    const wanted = ledger
      .calls()
      .filter((call) => sha256 === null || call.sha256 === sha256)
      .filter((call) => operation === null || call.operation === operation);
    return { calls: wanted.slice(-(numberOf(query.get("last")) ?? 100)) };
  };

  return (req, res) => {
    handle(req, res).catch((error: unknown) => {
      parts.report(error);
      sendJson(res, 500, { error: String(error) });
    });
  };
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function sendJson(res: ServerResponse, status: number, value: unknown): void {
  send(res, status, "application/json; charset=utf-8", `${JSON.stringify(value, null, 1)}\n`);
}

function sendText(res: ServerResponse, status: number, text: string): void {
  send(res, status, "text/plain; charset=utf-8", text);
}

function send(res: ServerResponse, status: number, contentType: string, text: string): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, {
    ...STANDIN_HEADER,
    "Content-Type": contentType,
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
  });
  res.end(text);
}
