/**
 * A bare SNE: answers every getNumUnique at once, MTOM framed as Apache CXF frames it, with a 10 KB
 * demande that carries a new numéro unique. It checks nothing and remembers nothing: what is measured
 * is the gateway, not its peer.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { makeDemande, sampleNumUnique } from "../src/standin/sample-demandes.ts";
import { BENCH_GUICHET, FILE_BYTES } from "./sample-flows.ts";

const BOUNDARY = "uuid:bare-target";
const SERVICE = "http://ws.metier.nuu.application.i2/";
const CONTENT_TYPE =
  `multipart/related; type="application/xop+xml"; boundary="${BOUNDARY}"; ` +
  `start="<root@bare>"; start-info="application/soap+xml"`;

const first = sampleNumUnique(BENCH_GUICHET, 0);
const file = Buffer.from(
  makeDemande({
    typeFichier: "CRE",
    guichet: BENCH_GUICHET,
    refInterne: "BARE",
    numUnique: first,
    padToBytes: FILE_BYTES,
  }),
);
const numberAt = file.indexOf(first);
if (numberAt < 0) throw new Error("the sample demande carries no number");
const envelope =
  `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>` +
  `<ns2:numUniqueReponse xmlns:ns2="${SERVICE}">` +
  `<nomFichierDemande>reponse.xml</nomFichierDemande>` +
  `<fichierDemande ns2:contentType="text/xml"><xop:Include ` +
  `xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:file@bare"/></fichierDemande>` +
  `</ns2:numUniqueReponse></soap:Body></soap:Envelope>`;
const before = Buffer.from(
  `\r\n--${BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n` +
    `Content-Transfer-Encoding: binary\r\nContent-ID: <root@bare>\r\n\r\n${envelope}\r\n` +
    `--${BOUNDARY}\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: binary\r\n` +
    `Content-ID: <file@bare>\r\n\r\n`,
);
const after = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

let calls = 0;
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    calls += 1;
    const answer = Buffer.concat([before, file, after]);
    answer.write(sampleNumUnique(BENCH_GUICHET, calls), before.length + numberAt, "latin1");
    response.writeHead(200, { "content-type": CONTENT_TYPE, "content-length": answer.length });
    response.end(answer);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
