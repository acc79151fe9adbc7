/**
 * Calls as the toolkits in use write them, made by hand from what was seen of each on the wire: heads,
 * boundaries, Content-IDs, places of the action. libsne and CXF with MTOM are in `standin-calls.ts`.
 */
import type { HttpCall } from "../../src/wire/http-message.ts";
import type { RawCall } from "./standin-calls.ts";

export const SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/";
export const SOAP12 = "http://www.w3.org/2003/05/soap-envelope";
export const SNE = "http://ws.metier.nuu.application.i2/";
export const XOP = "http://www.w3.org/2004/08/xop/include";

/** What the front is given by HTTP. */
export function httpCall(call: RawCall): HttpCall {
  const headers = new Map(
    Object.entries(call.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return { headers, body: call.body, gone: new AbortController().signal };
}

/** getNumUnique with its children as given. */
export function numUnique(content: string, soap = SOAP12): string {
  return (
    `<s:Envelope xmlns:s="${soap}"><s:Body>` +
    `<n:numUniqueParametres xmlns:n="${SNE}">${content}</n:numUniqueParametres>` +
    `</s:Body></s:Envelope>`
  );
}

export function children(file: string): string {
  return (
    `<nomFichierDemande>DEMG1104.xml</nomFichierDemande><fichierDemande>${file}</fichierDemande>` +
    `<nomCertificat>CERG1104.pem</nomCertificat><certificat/>`
  );
}

export function include(cid: string): string {
  return `<xop:Include xmlns:xop="${XOP}" href="cid:${cid}"/>`;
}

/** One HTTP request of a single envelope. */
export function envelopeCall(
  xml: string | Uint8Array,
  contentType: string,
  more: Readonly<Record<string, string>> = {},
): RawCall {
  const body = typeof xml === "string" ? Buffer.from(xml, "utf8") : xml;
  return { headers: { "Content-Type": contentType, ...more }, body };
}

export interface RawPart {
  readonly head: readonly string[];
  readonly bytes: string | Uint8Array;
}

/** A multipart request, its heads as given; CRLF, no empty line first, its closing boundary. */
export function packageCall(
  contentType: string,
  boundary: string,
  parts: readonly RawPart[],
  more: Readonly<Record<string, string>> = {},
): RawCall {
  const pieces = parts.flatMap(({ head, bytes }) => [
    Buffer.from(`--${boundary}\r\n${head.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1"),
    typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes,
    Buffer.from("\r\n", "latin1"),
  ]);
  pieces.push(Buffer.from(`--${boundary}--\r\n`, "latin1"));
  return { headers: { "Content-Type": contentType, ...more }, body: Buffer.concat(pieces) };
}

const ACTION = `${SNE}getNumUnique`;

export interface Framing {
  readonly toolkit: string;
  readonly version: "1.1" | "1.2";
  readonly framing: "mtom" | "plain";
  readonly readsBinary: boolean;
  readonly call: (file: Uint8Array) => RawCall;
}

function inline(file: Uint8Array, soap: string): string {
  return numUnique(children(Buffer.from(file).toString("base64")), soap);
}

/** Plain calls: the same head for each toolkit and version, with its own XML declaration. */
const PLAIN: readonly Framing[] = [
  {
    toolkit: "zeep",
    version: "1.1",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(
        `<?xml version='1.0' encoding='utf-8'?>\n${inline(file, SOAP11)}`,
        "text/xml; charset=utf-8",
        { SOAPAction: `"${ACTION}"` },
      ),
  },
  {
    toolkit: "zeep",
    version: "1.2",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(
        `<?xml version='1.0' encoding='utf-8'?>\n${inline(file, SOAP12)}`,
        `application/soap+xml; charset=utf-8; action="${ACTION}"`,
      ),
  },
  {
    toolkit: "PHP",
    version: "1.1",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(
        `<?xml version="1.0" encoding="UTF-8"?>\n${inline(file, SOAP11)}\n`,
        "text/xml; charset=utf-8",
        { SOAPAction: `"${ACTION}"`, "User-Agent": "PHP-SOAP/8.2.29" },
      ),
  },
  {
    toolkit: "PHP",
    version: "1.2",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(
        `<?xml version="1.0" encoding="UTF-8"?>\n${inline(file, SOAP12)}\n`,
        `application/soap+xml; charset=utf-8; action="${ACTION}"`,
      ),
  },
  {
    toolkit: "CXF without MTOM",
    version: "1.2",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(inline(file, SOAP12), `application/soap+xml; action="${ACTION}"; charset=UTF-8`),
  },
  {
    toolkit: "gSOAP without MTOM",
    version: "1.1",
    framing: "plain",
    readsBinary: false,
    call: (file) =>
      envelopeCall(
        `<?xml version="1.0" encoding="UTF-8"?>\n${inline(file, SOAP11)}`,
        "text/xml; charset=utf-8",
        { SOAPAction: `"${ACTION}"`, "User-Agent": "gSOAP/2.8" },
      ),
  },
  {
    toolkit: "curl, SOAPAction bare",
    version: "1.1",
    framing: "plain",
    readsBinary: false,
    call: (file) => envelopeCall(inline(file, SOAP11), "text/xml", { SOAPAction: ACTION }),
  },
];

function riParts(file: Uint8Array, type: string, soap: string): readonly RawPart[] {
  return [
    {
      head: [
        "Content-Id: <rootpart*5f2a@example.jaxws.sun.com>",
        `Content-Type: application/xop+xml;charset=utf-8;type="${type}"`,
        "Content-Transfer-Encoding: binary",
      ],
      bytes: `<?xml version="1.0" ?>${numUnique(children(include("9b1c@example.jaxws.sun.com")), soap)}`,
    },
    {
      head: [
        "Content-Id: <9b1c@example.jaxws.sun.com>",
        "Content-Type: text/xml",
        "Content-Transfer-Encoding: binary",
      ],
      bytes: file,
    },
  ];
}

const RI = `multipart/related;start="<rootpart*5f2a@example.jaxws.sun.com>";type="application/xop+xml";boundary="uuid:5f2a"`;

const MTOM: readonly Framing[] = [
  {
    toolkit: "JAX-WS RI",
    version: "1.2",
    framing: "mtom",
    readsBinary: true,
    call: (file) =>
      packageCall(
        `${RI};start-info="application/soap+xml;action=\\"${ACTION}\\""`,
        "uuid:5f2a",
        riParts(file, `application/soap+xml;action=\\"${ACTION}\\"`, SOAP12),
      ),
  },
  {
    toolkit: "JAX-WS RI",
    version: "1.1",
    framing: "mtom",
    readsBinary: true,
    call: (file) =>
      packageCall(`${RI};start-info="text/xml"`, "uuid:5f2a", riParts(file, "text/xml", SOAP11), {
        SOAPAction: `"${ACTION}"`,
      }),
  },
  {
    toolkit: "gSOAP",
    version: "1.2",
    framing: "mtom",
    readsBinary: true,
    call: (file) =>
      packageCall(
        `multipart/related; charset=utf-8; boundary="==kJ0x+Yz/=="; type="application/xop+xml"; start="<SOAP-ENV:Envelope>"; start-info="application/soap+xml; charset=utf-8"; action="${ACTION}"`,
        "==kJ0x+Yz/==",
        [
          {
            head: [
              'Content-Type: application/xop+xml; charset=utf-8; type="application/soap+xml"',
              "Content-Transfer-Encoding: binary",
              "Content-ID: <SOAP-ENV:Envelope>",
            ],
            bytes: `<?xml version="1.0" encoding="UTF-8"?>\n${numUnique(children(include("id1")))}`,
          },
          {
            head: [
              "Content-Type: text/xml",
              "Content-Transfer-Encoding: binary",
              "Content-ID: <id1>",
            ],
            bytes: file,
          },
        ],
      ),
  },
  {
    toolkit: ".NET, ids as percent-encoded addresses",
    version: "1.2",
    framing: "mtom",
    readsBinary: true,
    call: (file) =>
      packageCall(
        `multipart/related; type="application/xop+xml";start="<http://tempuri.org/0>";boundary="uuid:3fd1+id=1";start-info="application/soap+xml; action=\\"${ACTION}\\""`,
        "uuid:3fd1+id=1",
        [
          {
            head: [
              "Content-ID: <http://tempuri.org/0>",
              "Content-Transfer-Encoding: 8bit",
              'Content-Type: application/xop+xml;charset=utf-8;type="application/soap+xml"',
            ],
            bytes: numUnique(children(include("http%3A%2F%2Ftempuri.org%2F1%2F638"))),
          },
          {
            head: [
              "Content-ID: <http://tempuri.org/1/638>",
              "Content-Transfer-Encoding: binary",
              "Content-Type: application/octet-stream",
            ],
            bytes: file,
          },
        ],
      ),
  },
  {
    toolkit: "node-soap, labelled as SOAP 1.1",
    version: "1.2",
    framing: "mtom",
    readsBinary: true,
    call: (file) =>
      packageCall(
        'multipart/related; type="application/xop+xml"; start="<c0ffee>"; start-info="text/xml"; boundary=9a5c',
        "9a5c",
        [
          {
            head: [
              'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"',
              "Content-ID: <c0ffee>",
            ],
            bytes: numUnique(children(include("fichier@exemple"))),
          },
          {
            head: [
              "Content-Type: text/xml",
              "Content-Transfer-Encoding: binary",
              "Content-ID: <fichier@exemple>",
            ],
            bytes: file,
          },
        ],
        { SOAPAction: `"${ACTION}"` },
      ),
  },
];

export const FRAMINGS: readonly Framing[] = [...PLAIN, ...MTOM];
