/**
 * Anything at all may reach a SOAP port. Whatever it is: no throw, no hang, no growth, an answer that
 * is well-formed; and what is read of a message that is right is what was written.
 *
 * `PASSERELLE_LONG=1` gives the long form.
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { matchOperation } from "../../src/adapters/soap/match-operation.ts";
import { readParameters } from "../../src/adapters/soap/read-parameters.ts";
import { readSoapRequest } from "../../src/adapters/soap/read-soap-request.ts";
import { writeSoapAnswer } from "../../src/adapters/soap/write-soap-answer.ts";
import { writeSoapFault } from "../../src/adapters/soap/write-soap-fault.ts";
import type { HttpReply } from "../../src/wire/http-message.ts";
import { SNE_NAMESPACE, SNE_OPERATIONS } from "../../src/wire/sne-contract.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { LONG } from "../support/long-form.ts";
import {
  children,
  envelopeCall,
  FRAMINGS,
  httpCall,
  include,
  numUnique,
  packageCall,
  SNE,
  SOAP11,
  SOAP12,
  XOP,
} from "../support/soap-framings.ts";
import { asLibsne, numUniqueCall, type RawCall } from "../support/standin-calls.ts";

const RUNS = LONG ? 50_000 : 1_500;

const candidates = SNE_OPERATIONS.map((shape) => ({
  name: shape.name,
  namespace: SNE_NAMESPACE,
  element: shape.request,
  action: `${SNE_NAMESPACE}${shape.name}`,
  shape,
}));

function isWellFormed(reply: HttpReply): void {
  new SaxesParser({ xmlns: true }).write(Buffer.from(reply.body).toString("utf8")).close();
}

/** A request as a service takes it, to its answer or its fault; what it came to. */
function serve(call: RawCall): string {
  const reading = readSoapRequest(httpCall(call));
  if (reading.kind === "http") return `http ${reading.reply.status}`;
  const fault = (given: Parameters<typeof writeSoapFault>[0]): string => {
    const reply = writeSoapFault(given);
    isWellFormed(reply);
    assert.ok(reply.body.byteLength < 20_000, "a fault is short, whatever was sent");
    return given.fault.code;
  };
  if (reading.kind === "fault") return fault(reading);
  const { request } = reading;
  const { version, framing, readsBinary } = request;
  const matched = matchOperation(request, candidates);
  if (matched.kind === "fault") return fault({ version, fault: matched.fault });
  const { shape } = matched.operation;
  const parameters = readParameters(request, shape.parameters);
  if (parameters.kind === "fault") return fault({ version, fault: parameters.fault });
  const results = shape.results.map(({ name, type }) =>
    type === "file"
      ? {
          name,
          contentType: "text/xml",
          file: parameters.parameters.file("fichierDemande")?.bytes ?? new Uint8Array(),
        }
      : { name, text: parameters.parameters.text("nomFichierDemande") ?? "" },
  );
  const written = writeSoapAnswer({
    ...{ version, framing, readsBinary, results },
    namespace: SNE_NAMESPACE,
    element: shape.answer,
    unique: "0a1b",
  });
  if (framing === "plain") isWellFormed(written);
  return "answer";
}

/** Long enough that damage often falls inside it. */
const FILE = Buffer.from(`<?xml version='1.0'?>${"<a>é</a>\r\n".repeat(60)}`);
const SEEDS: readonly RawCall[] = [
  ...FRAMINGS.map(({ call }) => call(FILE)),
  numUniqueCall(FILE),
  asLibsne(FILE),
  asLibsne(FILE, "Doublons"),
];

/** Pieces that mean something to a reader of SOAP, MIME or XML. */
const PIECES = [
  ..."< > & / \" ' = : ; - \r \n \r\n \r\n\r\n \0 \t".split(" "),
  ...["]]>", "<![CDATA[", "<!--", "-->", "<?x?>", "<!DOCTYPE a>", "&#0;", "&amp;", "&x;", "\ufeff"],
  ...["<a>", "</a>", "<a/>", "xmlns=''", "xmlns:s='urn:x'", "id='__proto__'", "<__proto__/>"],
  ...["<s:Header>", "</s:Header>", "<s:Body>", "</s:Body>", "s:mustUnderstand='1'"],
  ...["--uuid:5f2a", "--uuid:5f2a--", "--MIME_BOUNDARY\r\n", "Content-ID: <racine>\r\n"],
  ...[
    "Content-Transfer-Encoding: base64\r\n",
    "cid:",
    "%",
    "%ZZ",
    "QUJD".repeat(2_000),
    "é",
    "\xff",
  ],
  ...[SOAP11, SOAP12, SNE, XOP, "Envelope", "Include", "action=", "charset=utf-16"],
];
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PIECES).map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
);
const cut = fc.record({
  // Anywhere alike: numbers that fast-check prefers are all near the beginning.
  at: fc.noBias(fc.nat({ max: 9_999 })).map((at) => at / 10_000),
  length: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat({ max: 60 }) },
  ),
  by: piece,
});

function damaged(
  bytes: Uint8Array,
  cuts: readonly { readonly at: number; readonly length: number; readonly by: Uint8Array }[],
): Uint8Array {
  let body: Uint8Array = bytes;
  for (const { at, length, by } of cuts) {
    const from = Math.floor(at * body.length);
    body = Buffer.concat([body.subarray(0, from), by, body.subarray(from + length)]);
  }
  return body;
}

/** Bytes of the heap and of buffers, after everything that can be let go of was. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe("A SOAP service, sent anything", () => {
  it("answers calls of every toolkit damaged at random, and holds on to nothing", () => {
    const tally = new Map<string, number>();
    const property = fc.property(
      fc.constantFrom(...SEEDS),
      fc.array(cut, { minLength: 1, maxLength: 3 }),
      fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: cut }),
      (seed, cuts, inHead) => {
        const type = Buffer.from(seed.headers["Content-Type"] ?? "");
        const head = inHead === null ? type : damaged(type, [inHead]);
        const headers = { ...seed.headers, "Content-Type": Buffer.from(head).toString("latin1") };
        const came = serve({ headers, body: damaged(seed.body, cuts) });
        tally.set(came, (tally.get(came) ?? 0) + 1);
        assert.deepEqual(Object.keys(Object.prototype), []);
      },
    );
    fc.assert(property, { numRuns: 200 });
    const before = heldBytes();
    fc.assert(property, { numRuns: RUNS });
    const grown = heldBytes() - before;
    assert.ok(grown < 16 * 1024 * 1024, `${grown} bytes more are held`);
    // It was a fuzz of the front, not of its first check.
    for (const kind of ["answer", "SOAP_UNREADABLE", "SOAP_PARAMETER_INVALID"]) {
      assert.ok((tally.get(kind) ?? 0) > 10, `${kind}: ${JSON.stringify([...tally])}`);
    }
  });

  it("answers bodies made of nothing but what it looks for", () => {
    const body = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.concat(pieces));
    const type = fc.oneof(
      fc.constantFrom(
        ...SEEDS.map(({ headers }) => headers["Content-Type"] ?? ""),
        "text/xml",
        "text/xml; charset=iso-8859-1",
        "multipart/related; boundary=a",
      ),
      fc.string({ maxLength: 80 }),
    );
    fc.assert(
      fc.property(type, body, (contentType, bytes) => {
        serve(envelopeCall(bytes, contentType));
        const inside = numUnique(bytes.toString("utf8"));
        serve(envelopeCall(inside, "application/soap+xml"));
      }),
      { numRuns: RUNS },
    );
  });

  it("reads of a right message what was written, however it was written", () => {
    const char = fc.oneof(
      fc.constantFrom(
        ...Array.from("<>&\"' \t\n]é€😀\u0085\u00a0\ud7ff\ufffd"),
        "]]>",
        "<!--",
        "&amp;",
      ),
      fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" }),
      fc.constant("QUJD".repeat(1_500)),
    );
    const escaped = (text: string): string =>
      text.replace(/[<&]|]]>/g, (found) =>
        found === "<" ? "&lt;" : found === "&" ? "&amp;" : "]]&#62;",
      );
    const asCdata = (text: string): string =>
      `<![CDATA[${text.replaceAll("]]>", "]]]]><![CDATA[>")}]]>`;
    const asReferences = (text: string): string =>
      Array.from(text)
        .map((one) => `&#x${(one.codePointAt(0) ?? 0).toString(16)};`)
        .join("");
    const text = fc
      .array(fc.record({ value: char, as: fc.constantFrom(escaped, asCdata, asReferences) }), {
        maxLength: 6,
      })
      .map((pieces) => ({
        read: pieces.map(({ value }) => value).join(""),
        written: pieces.map(({ value, as }) => as(value)).join("<!-- x -->"),
      }));
    const field = fc.record({
      name: fc.constantFrom("a", "élément", "nom-1", "x.y", "_"),
      text,
      part: fc.option(fc.uint8Array({ maxLength: 40 })),
    });
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 5 }),
        fc.constantFrom(SOAP11, SOAP12),
        fc.constantFrom("utf-8", "utf-16le", "utf-8 declared"),
        (fields, soap, encoding) => {
          const content = fields
            .map(({ name, text: { written }, part }, index) =>
              part === null
                ? `<${name}>${written}</${name}>`
                : `<${name}>\r\n${include(`p${index}%40x`)}</${name}>`,
            )
            .join(" \r\n");
          const declaration = encoding === "utf-8" ? "" : `<?xml version='1.0'?>`;
          const xml = `${declaration}${numUnique(content, soap)}`;
          const call = packageCall(
            'multipart/related; start="<r>"; boundary="b o u n d"',
            "b o u n d",
            [
              ...fields.flatMap(({ part }, index) =>
                part === null ? [] : [{ head: [`Content-ID: <p${index}@x>`], bytes: part }],
              ),
              {
                head: ["content-id: r", "Content-Type: application/xop+xml"],
                bytes: Buffer.from(xml, encoding === "utf-16le" ? "utf16le" : "utf8"),
              },
            ],
          );
          const reading = readSoapRequest(httpCall(call));
          assert.ok(reading.kind === "request", JSON.stringify(reading));
          assert.equal(reading.request.version, soap === SOAP11 ? "1.1" : "1.2");
          assert.deepEqual(
            reading.request.fields.map(({ name, text: own, part }) =>
              part === undefined ? { name, text: own } : { name, part: Buffer.from(part) },
            ),
            fields.map(({ name, text: { read }, part }) =>
              part === null ? { name, text: read } : { name, part: Buffer.from(part) },
            ),
          );
        },
      ),
      { numRuns: Math.floor(RUNS / 3) },
    );
  });

  it("costs time in proportion to its size, whatever fills it", () => {
    const plain = (xml: string): RawCall => envelopeCall(xml, "application/soap+xml");
    const multipart = (body: string): RawCall =>
      envelopeCall(Buffer.from(body, "latin1"), 'multipart/related; boundary="B"');
    const fillings: Readonly<Record<string, (size: number) => RawCall>> = {
      "CR in a part": (n) => multipart(`--B\r\n\r\n${"\r".repeat(n)}\r\n--B--`),
      "nearly boundaries": (n) => multipart(`--B\r\n\r\n${"\r\n--Bx".repeat(n / 6)}`),
      "heads without end": (n) => multipart(`--B\r\n${"a: b\r\n ".repeat(n / 7)}`),
      "CR in text": (n) => plain(numUnique(`<a>${"\r".repeat(n)}</a>`)),
      "]] in text": (n) => plain(numUnique(`<a>${"]]".repeat(n / 2)}</a>`)),
      references: (n) => plain(numUnique(`<a>${"&amp;".repeat(n / 5)}</a>`)),
      "one open tag": (n) => plain(numUnique(`<a ${"b ".repeat(n / 2)}`)),
      "one attribute": (n) => plain(numUnique(`<a b="${"> ".repeat(n / 2)}"/>`)),
      "open tags": (n) => plain("<a>".repeat(n / 3)),
      "nothing but <": (n) => plain("<".repeat(n)),
      "nothing but >": (n) => plain(numUnique(`<a>${">".repeat(n)}</a>`)),
      comments: (n) => plain(numUnique("<!-- > -->".repeat(n / 10))),
      CDATA: (n) => plain(numUnique(`<a>${"<![CDATA[>]]>".repeat(n / 13)}</a>`)),
      declarations: (n) => plain(numUnique(`<a>${"<!--<?-->".repeat(n / 9)}</a>`)),
      base64: (n) => plain(numUnique(children("QUJD".repeat(n / 4)))),
      "base64, a letter a line": (n) => plain(numUnique(children("Q\r\n".repeat(n / 3)))),
      "base64, nearly": (n) => plain(numUnique(children(`${"QUJD".repeat(n / 4)}*`))),
      blanks: (n) => plain(numUnique(children(" ".repeat(n)))),
      padding: (n) => plain(numUnique(children("= ".repeat(n / 2)))),
      "text that is not base64, between many long texts": (n) =>
        plain(numUnique(`<a>${`${"A".repeat(5_000)}*<!-- -->`.repeat(n / 5_010)}</a>`)),
      "names of parameters": (n) => plain(numUnique("<nomFichierDemande/>".repeat(n / 20))),
    };
    for (const [name, fill] of Object.entries(fillings)) {
      const took = (size: number): number => {
        const call = fill(size);
        const begun = cpuMs();
        serve(call);
        return cpuMs() - begun;
      };
      took(60_000);
      const small = took(240_000);
      const large = took(1_920_000);
      // Eight times the size: eight times the time, not sixty-four.
      assert.ok(large < 30 * Math.max(small, 3), `${name}: ${small} ms, then ${large} ms`);
    }
  });
});
