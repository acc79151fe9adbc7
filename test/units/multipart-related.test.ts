/** multipart/related is read as it travels, in linear time, and a body cut short is told apart. */
import assert from "node:assert/strict";
import { readContentType, readParameters, writeContentType } from "../../src/wire/content-type.ts";
import {
  bareContentId,
  partById,
  readMultipart,
  rootPart,
  writeMultipart,
  type Part,
} from "../../src/wire/multipart-related.ts";
import { cpuMs } from "../support/cpu-time.ts";

function partsOf(body: string | Uint8Array, boundary = "B"): readonly Part[] {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const reading = readMultipart(bytes, boundary);
  assert.ok(reading.kind === "read", reading.kind === "unreadable" ? reading.reason : "");
  return reading.parts;
}

function whyNot(body: string | Uint8Array, boundary = "B"): string {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const reading = readMultipart(bytes, boundary);
  assert.ok(reading.kind === "unreadable", "it was read");
  return reading.reason;
}

const textOf = (part: Part | undefined): string =>
  Buffer.from(part?.bytes ?? []).toString("latin1");
const textsOf = (parts: readonly Part[]): string[] => parts.map(textOf);

describe("multipart/related", () => {
  it("reads parts byte for byte, their headers by lower-case name", () => {
    const [first, second] = partsOf(
      "--B\r\nContent-ID: <a>\r\nX-Long: one\r\n two\r\n\r\n\x00\xff\r\n\r\n--B\r\n\r\nplain\r\n--B--\r\n",
    );
    assert.deepEqual(
      [...(first?.headers ?? [])],
      [
        ["content-id", "<a>"],
        ["x-long", "one two"],
      ],
    );
    assert.equal(textOf(first), "\x00\xff\r\n");
    assert.equal(second?.headers.size, 0);
    assert.equal(textOf(second), "plain");
  });

  it("reads what stacks really send: a first line empty, no last line end, line feeds alone", () => {
    assert.deepEqual(textsOf(partsOf("\r\n--B\r\n\r\na\r\n--B--")), ["a"]);
    assert.deepEqual(textsOf(partsOf("preamble\r\n--B\r\n\r\na\r\n--B--\r\nepilogue --B")), ["a"]);
    assert.deepEqual(textsOf(partsOf("--B\nA: b\n\na\n--B\n\nc\n--B--\n")), ["a", "c"]);
    assert.deepEqual(textsOf(partsOf("--B  \t\r\n\r\na\r\n--B--  ")), ["a"]);
  });

  it("reads empty parts", () => {
    assert.deepEqual(textsOf(partsOf("--B\r\nA: b\r\n\r\n\r\n--B\r\n\r\n\r\n--B--")), ["", ""]);
    // RFC 2046 section 5.1.1: the body of a part, with the line break before it, may be left out.
    assert.deepEqual(textsOf(partsOf("--B\r\n\r\n--B--")), [""]);
    assert.deepEqual(textsOf(partsOf("--B\r\n--B--")), [""]);
    const [headersOnly] = partsOf("--B\r\nA: b\r\n\r\n--B--");
    assert.equal(headersOnly!.headers.get("a"), "b");
    assert.equal(headersOnly!.bytes.length, 0);
  });

  it("keeps a boundary that is content: within a line, or followed by more", () => {
    const content = "x--B\r\n--BB\r\n--B--x\r\n --B\r\n-B";
    assert.deepEqual(textsOf(partsOf(`--B\r\n\r\n${content}\r\n--B--`)), [content]);
    // One boundary that begins another's text.
    assert.deepEqual(textsOf(partsOf("--B2\r\n\r\na\r\n--B\r\n--B2--", "B2")), ["a\r\n--B"]);
  });

  it("tells apart a body cut short, wherever it is cut", () => {
    const whole = Buffer.from("--B\r\nA: b\r\n\r\ncontent\r\n--B\r\n\r\nmore\r\n--B--", "latin1");
    assert.equal(partsOf(whole).length, 2);
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(readMultipart(whole.subarray(0, length), "B").kind, "unreadable", `${length}`);
    }
    assert.equal(whyNot(whole.subarray(0, -2)), "closing boundary missing");
    assert.equal(whyNot("no boundary here"), "boundary not found");
    assert.equal(whyNot("--B--"), "no part");
  });

  it("refuses headers it cannot read, boundaries no one writes, parts without end", () => {
    assert.equal(whyNot("--B\r\nno colon\r\n\r\na\r\n--B--"), "part headers unreadable");
    assert.equal(whyNot("--B\r\nA: b\r\n--B--"), "part headers unreadable");
    assert.equal(
      whyNot(`--B\r\nA: ${"b".repeat(20_000)}\r\n\r\na\r\n--B--`),
      "part headers unreadable",
    );
    assert.equal(whyNot("--\r\n\r\n----", ""), "boundary absent or too long");
    assert.equal(whyNot("x", "b".repeat(201)), "boundary absent or too long");
    assert.equal(whyNot(`${"--B\r\n\r\na\r\n".repeat(40)}--B--`), "too many parts");
  });

  it("keeps the first of two headers of one name", () => {
    const [part] = partsOf("--B\r\nContent-ID: <a>\r\ncontent-id: <b>\r\n\r\nx\r\n--B--");
    assert.equal(part?.headers.get("content-id"), "<a>");
  });

  it("takes linear time whatever the bytes", function () {
    this.timeout(60_000);
    // Well under a second; a quadratic reader would need an hour.
    const LINEAR_MS = 5_000;
    const head = Buffer.from("--B\r\n\r\n", "latin1");
    const tail = Buffer.from("\r\n--B--", "latin1");
    const size = 10_000_000;
    const fill = (text: string): Buffer => Buffer.alloc(size, text, "latin1");
    // node-soap's own reader takes 31 s for 1 MB of carriage returns.
    for (const text of ["\r", "\n", "\r\n", "\r\n--", "\r\n--B-", "-", "\r\n--BB\r\n"]) {
      const start = cpuMs();
      const [part] = partsOf(Buffer.concat([head, fill(text), tail]));
      const took = cpuMs() - start;
      assert.equal(part?.bytes.length, size);
      assert.ok(took < LINEAR_MS, `${JSON.stringify(text)}: ${Math.round(took)} ms`);
    }
    const start = cpuMs();
    assert.equal(whyNot(Buffer.concat([head, fill("\r")])), "closing boundary missing");
    assert.ok(cpuMs() - start < LINEAR_MS);
  });

  it("finds the root by start, with or without brackets, or first; parts by cid", () => {
    const parts = partsOf(
      "--B\r\nContent-ID: <one@x>\r\n\r\n1\r\n--B\r\nContent-ID:   two@x  \r\n\r\n2\r\n--B--",
    );
    assert.equal(textOf(rootPart(parts, undefined)), "1");
    assert.equal(textOf(rootPart(parts, "<two@x>")), "2");
    assert.equal(textOf(rootPart(parts, "two@x")), "2");
    assert.equal(rootPart(parts, "three@x"), undefined);
    assert.equal(textOf(partById(parts, "one@x")), "1");
    assert.equal(bareContentId(" <a b> "), "a b");
  });

  it("reads back what it wrote", () => {
    const bytes = Buffer.from("\r\n--B\r\n\0\xff", "latin1");
    const written = writeMultipart("B1", [
      { headers: { "Content-ID": "<a>" }, bytes },
      { headers: {}, bytes: new Uint8Array() },
    ]);
    const [first, second] = partsOf(written, "B1");
    assert.deepEqual(first?.bytes, bytes);
    assert.equal(first.headers.get("content-id"), "<a>");
    assert.equal(second?.bytes.length, 0);
  });
});

describe("Content-Type", () => {
  it("reads quoted parameters, escapes, and what is quoted twice", () => {
    const type = readContentType(
      'Multipart/Related; Type="application/xop+xml"; boundary = "a;b=\\"c\\"" ;' +
        'start-info="application/soap+xml; action=\\"http://x/getNumUnique\\""; bare=token',
    );
    assert.equal(type?.type, "multipart/related");
    assert.equal(type.parameters.get("type"), "application/xop+xml");
    assert.equal(type.parameters.get("boundary"), 'a;b="c"');
    assert.equal(type.parameters.get("bare"), "token");
    const startInfo = type.parameters.get("start-info") ?? "";
    assert.equal(
      readParameters(startInfo.slice(startInfo.indexOf(";"))).get("action"),
      "http://x/getNumUnique",
    );
  });

  it("reads no type out of what has none, and survives what is broken", () => {
    assert.equal(readContentType(undefined), undefined);
    for (const header of ["", "text", "; a=b", "a b/c", "/"]) {
      assert.equal(readContentType(header), undefined, header);
    }
    const broken = readContentType('text/xml; charset="utf-8; x; =y; charset=latin1');
    assert.equal(broken!.type, "text/xml");
    assert.equal(readContentType("text/xml; a=1; A=2")?.parameters.get("a"), "1");
  });

  it("reads back what it wrote", () => {
    const parameters = { boundary: "uuid:1", start: "<a@b>", odd: 'q"\\', empty: "" };
    const read = readContentType(writeContentType("multipart/related", parameters));
    assert.deepEqual(Object.fromEntries(read?.parameters ?? []), parameters);
  });
});
