/**
 * Reference for end to end: mail in, SOAP call, mail out, in one process, with the same packages and
 * nothing kept or checked. A mail is said taken once it is in memory; a crash loses it. What remains
 * is what the three protocols cost.
 */
import type { AddressInfo } from "node:net";
import { createTransport } from "nodemailer";
import { SMTPServer } from "smtp-server";
import { Pool } from "undici";
import { BENCH_SENDER, numberIn } from "./sample-flows.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as {
  targetPort: number;
  sinkPort: number;
  concurrency: number;
};
const FROM = "passerelle-sne@localhost";
const BOUNDARY = "bare-chain-boundary";
const ANSWER_BOUNDARY = "uuid:bare-target";
const SERVICE = "http://ws.metier.nuu.application.i2/";
const INCLUDE = `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:`;
const envelope =
  `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>` +
  `<s:numUniqueParametres xmlns:s="${SERVICE}"><nomFichierDemande>demande.xml</nomFichierDemande>` +
  `<fichierDemande s:contentType="text/xml">${INCLUDE}file@bare"/></fichierDemande>` +
  `<nomCertificat></nomCertificat><certificat s:contentType="application/x-x509-ca-cert">` +
  `${INCLUDE}certificate@bare"/></certificat></s:numUniqueParametres></soap:Body></soap:Envelope>`;
const before = Buffer.from(
  `--${BOUNDARY}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n` +
    `Content-ID: <root@bare>\r\n\r\n${envelope}\r\n` +
    `--${BOUNDARY}\r\nContent-Type: text/xml\r\nContent-ID: <file@bare>\r\n\r\n`,
);
const after = Buffer.from(
  `\r\n--${BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-ID: <certificate@bare>\r\n\r\n` +
    `\r\n--${BOUNDARY}--\r\n`,
);
const headers = {
  "content-type":
    `multipart/related; type="application/xop+xml"; boundary="${BOUNDARY}"; start="<root@bare>"; ` +
    `start-info="application/soap+xml"; action="${SERVICE}getNumUnique"`,
};

const pool = new Pool(`http://127.0.0.1:${options.targetPort}`, {
  connections: options.concurrency,
  pipelining: 1,
});
const transport = createTransport({
  host: "127.0.0.1",
  port: options.sinkPort,
  pool: true,
  maxConnections: options.concurrency,
  maxMessages: Number.POSITIVE_INFINITY,
  ignoreTLS: true,
});

/** The bytes of the one attachment: the last base64 part of the mail. */
function attachmentOf(raw: Buffer): Buffer {
  const part = raw.lastIndexOf("Content-Transfer-Encoding: base64");
  const start = raw.indexOf("\r\n\r\n", part) + 4;
  return Buffer.from(raw.toString("latin1", start, raw.indexOf("\r\n--", start)), "base64");
}

async function forward(raw: Buffer): Promise<void> {
  const number = String(numberIn(raw, "Message-ID")).padStart(9, "0");
  const { body } = await pool.request({
    method: "POST",
    path: "/",
    headers,
    body: Buffer.concat([before, attachmentOf(raw), after]),
  });
  const answer = Buffer.from(await body.arrayBuffer());
  const start = answer.lastIndexOf("\r\n\r\n") + 4;
  const file = answer.subarray(start, answer.indexOf(`\r\n--${ANSWER_BOUNDARY}--`, start));
  await transport.sendMail({
    envelope: { from: FROM, to: [BENCH_SENDER] },
    raw:
      `From: ${FROM}\r\nTo: ${BENCH_SENDER}\r\nSubject: Acquittement\r\n` +
      `In-Reply-To: <${number}.bench@bailleur.test>\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: application/xml; name=reponse.xml\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
      `${file.toString("base64").replace(/.{76}/g, "$&\r\n")}\r\n`,
  });
}

const server = new SMTPServer({
  disableReverseLookup: true,
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  logger: false,
  onData: (stream, _session, done) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      void forward(Buffer.concat(chunks));
      done();
    });
  },
});
server.on("error", () => undefined);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
