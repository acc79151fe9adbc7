/**
 * The generator of SOAP calls, one process: getNumUnique with MTOM as Apache CXF frames it, over a
 * number of connections kept open, at a pace or as fast as answers come. Every call carries a demande
 * of its own; an answer that is not a 200 with the file ends the measure.
 */
import { Agent, request } from "node:http";
import { fileName, makeDemande } from "../src/standin/sample-demandes.ts";
import { BENCH_GUICHET } from "./sample-flows.ts";
import type { SoapFigures, SoapLoad } from "./soap-load.ts";
import { quantile } from "./statistics.ts";

const SERVICE = "http://ws.metier.nuu.application.i2/";
const BOUNDARY = "uuid:bench-appelant";
const CONTENT_TYPE =
  `multipart/related; type="application/xop+xml"; boundary="${BOUNDARY}"; ` +
  `start="<root.message@cxf.apache.org>"; ` +
  `start-info="application/soap+xml; action=\\"${SERVICE}getNumUnique\\""`;
const DIGITS = 9;
const BLANK_REFERENCE = "0".repeat(18);
const AT = new Date(Date.UTC(2026, 0, 15, 9, 30));

let last = 0;

/** Makes bodies around a demande of that size, each with a reference of its own. */
function makeBodies(bytes: number): () => Buffer {
  const file = Buffer.from(
    makeDemande({
      typeFichier: "CRE",
      guichet: BENCH_GUICHET,
      refInterne: BLANK_REFERENCE,
      forcerDoublon: true,
      padToBytes: bytes,
      seed: 1,
    }),
  );
  const name = fileName({ guichet: BENCH_GUICHET, at: AT, sequence: 1 });
  const include = `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:f@bench"/>`;
  const envelope =
    `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>` +
    `<ns2:numUniqueParametres xmlns:ns2="${SERVICE}"><nomFichierDemande>${name}</nomFichierDemande>` +
    `<fichierDemande ns2:contentType="text/xml">${include}</fichierDemande>` +
    `<nomCertificat>CER.pem</nomCertificat><certificat ns2:contentType="text/plain"/>` +
    `</ns2:numUniqueParametres></soap:Body></soap:Envelope>`;
  const head =
    `\r\n--${BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n` +
    `Content-Transfer-Encoding: binary\r\nContent-ID: <root.message@cxf.apache.org>\r\n\r\n${envelope}\r\n` +
    `--${BOUNDARY}\r\nContent-Type: application/octet-stream\r\n` +
    `Content-Transfer-Encoding: binary\r\nContent-ID: <f@bench>\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${BOUNDARY}--`)]);
  const at = body.indexOf(BLANK_REFERENCE);
  if (at < 0) throw new Error("the sample demande changed shape");
  return () => {
    last += 1;
    const own = Buffer.from(body);
    own.write(last.toString().padStart(DIGITS, "0"), at, "latin1");
    return own;
  };
}

function call(load: SoapLoad, agent: Agent, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": CONTENT_TYPE,
      "content-length": body.length,
      authorization: `Bearer ${load.key}`,
    };
    const sent = request(load.url, { method: "POST", agent, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const answer = Buffer.concat(pieces);
        if (response.statusCode === 200 && answer.includes("interfaceNuu")) resolve();
        else reject(new Error(`${response.statusCode ?? ""} ${answer.toString().slice(0, 600)}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function paced(load: SoapLoad, perSecond: number): Promise<SoapFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const nextBody = makeBodies(load.bytes);
  const begun = performance.now();
  const from = begun + load.warmUpMs;
  const until = from + load.ms;
  const latencies: number[] = [];
  const calls = new Set<Promise<void>>();
  let failure: Error | undefined;
  for (let count = 0; failure === undefined; count += 1) {
    const due = begun + (count * 1_000) / perSecond;
    if (due >= until) break;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    // From when it was to leave: a caller that waited for a connection waited.
    const made = call(load, agent, nextBody())
      .then(() => {
        if (due >= from) latencies.push(performance.now() - due);
      })
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .then(() => void calls.delete(made));
    calls.add(made);
  }
  await Promise.all(calls);
  agent.destroy();
  if (failure !== undefined) throw failure;
  return figures(latencies, load.ms);
}

async function atFullSpeed(load: SoapLoad): Promise<SoapFigures> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const nextBody = makeBodies(load.bytes);
  const from = performance.now() + load.warmUpMs;
  const until = from + load.ms;
  const latencies: number[] = [];
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (performance.now() < until) {
        const begun = performance.now();
        await call(load, agent, nextBody());
        const ended = performance.now();
        if (ended >= from && ended < until) latencies.push(ended - begun);
      }
    }),
  );
  agent.destroy();
  return figures(latencies, load.ms);
}

function figures(latencies: readonly number[], ms: number): SoapFigures {
  return {
    perSecond: (latencies.length * 1_000) / ms,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

process.on("message", (load: SoapLoad) => {
  const measure = load.perSecond === undefined ? atFullSpeed(load) : paced(load, load.perSecond);
  measure.then(
    (found) => process.send?.({ kind: "figures", figures: found }),
    (error: unknown) => process.send?.({ kind: "failed", reason: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.({ kind: "ready" });
