/**
 * Reading what an SNE, or someone in its place, may send: damaged at random it is never a throw, and
 * never a number that was not sent; large it costs linear time.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { readAnswerFile } from "../../src/adapters/sne/read-answer-file.ts";
import { readAnswer, writeAnswer } from "../../src/adapters/sne/sne-mapping.ts";
import { readSoapAnswer } from "../../src/adapters/sne/soap-answer.ts";
import type { HttpAnswer } from "../../src/adapters/sne/soap-answer.ts";
import { SNE_OPERATIONS, sneOperation } from "../../src/wire/sne-contract.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { LONG } from "../support/long-form.ts";
import { acceptedAnswer, answerFile, inlineAnswer, NUMBER } from "../support/sne-answers.ts";

const GET_NUM_UNIQUE = sneOperation("getNumUnique");
const file = { name: "a.xml", bytes: new Uint8Array() };

/** Splits the bytes of an HTTP answer as the transport would hand them over. */
function httpOf(bytes: Buffer): HttpAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  const headers = new Map<string, string>();
  for (const line of bytes.subarray(0, end).toString("latin1").split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: 200, headers, body: bytes.subarray(end + 4) };
}

const seeds = [acceptedAnswer(), inlineAnswer()].map(httpOf);

/** Some bytes changed, taken out or repeated. */
const damage = fc.record({
  seed: fc.constantFrom(...seeds),
  cuts: fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.nat({ max: 40 }),
      by: fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc
          .constantFrom("<", ">", "&", "]]>", "<!--", "<a", "\u0000", "--limite", "__proto__")
          .map((text) => new Uint8Array(Buffer.from(text))),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

interface Cut {
  readonly at: number;
  readonly length: number;
  readonly by: Uint8Array;
}

function damaged(bytes: Buffer, cuts: readonly Cut[]): Buffer {
  let body = bytes;
  for (const { at, length, by } of cuts) {
    const from = Math.floor(at * body.length);
    body = Buffer.concat([body.subarray(0, from), by, body.subarray(from + length)]);
  }
  return body;
}

describe("An answer of the SNE", () => {
  it("damaged at random, is never a throw and never another number", () => {
    fc.assert(
      fc.property(damage, ({ seed, cuts }) => {
        const body = damaged(seed.body, cuts);
        const soap = readSoapAnswer({ ...seed, body }, GET_NUM_UNIQUE, 0);
        if (soap.kind !== "element") return;
        // What node-soap is shown is ours, and short: names of values instead of values.
        assert.ok(soap.envelope.length < 2_000);
        const answer = writeAnswer(GET_NUM_UNIQUE, soap.values, { file, kind: "CRE" });
        if (answer.kind !== "answered" || answer.reading.numUnique === undefined) return;
        // Damage inside the number itself cannot be seen by anyone; all else must not make one.
        const bytes = Buffer.from(answer.answer.bytes).toString("utf8");
        assert.ok(
          answer.reading.numUnique === NUMBER || !bytes.includes(`>${NUMBER}<`),
          answer.reading.numUnique,
        );
      }),
      { numRuns: LONG ? 30_000 : 1_000 },
    );
  });

  it("to a question, damaged at random, is never a throw and never a value of no result", () => {
    fc.assert(
      fc.property(damage, fc.constantFrom(...SNE_OPERATIONS), ({ seed, cuts }, shape) => {
        // The right answer of another operation, with the names of this one: then damaged.
        const names = new Map([
          ["numUniqueReponse", shape.answer],
          ["nomFichierDemande", shape.results[0]?.name ?? ""],
          ["fichierDemande", shape.results[1]?.name ?? ""],
        ]);
        let text = seed.body.toString("latin1");
        for (const [from, to] of names) text = text.replaceAll(from, to);
        const soap = readSoapAnswer(
          { ...seed, body: damaged(Buffer.from(text, "latin1"), cuts) },
          shape,
          0,
        );
        if (soap.kind !== "element") return;
        const answer = readAnswer(shape, soap.values);
        if (answer.kind !== "read") return;
        const known = shape.results.map(({ name }) => name);
        const given = answer.results.map(({ name }) => name);
        assert.deepEqual(
          given,
          known.filter((name) => given.includes(name)),
        );
        for (const { name, optional } of shape.results) {
          assert.ok(optional === true || given.includes(name), name);
        }
      }),
      { numRuns: LONG ? 30_000 : 1_000 },
    );
  });

  it("costs time in proportion to its size, whatever fills it", () => {
    const fillings: readonly ((size: number) => string)[] = [
      (size) => `<ns2:x>${"\r".repeat(size)}</ns2:x>`,
      (size) => `<ns2:x>${"&amp;".repeat(size / 5)}</ns2:x>`,
      (size) => `<ns2:x>${"]".repeat(size)}</ns2:x>`,
      (size) => "<ns2:x/>".repeat(size / 8),
      (size) => `<ns2:x a="${"a ".repeat(size / 2)}"/>`,
      (size) => `<!--${"- ".repeat(size / 2)}-->`,
      (size) =>
        `<ns2:listeAnomalie>${"<ns2:anomalie code='A'/>".repeat(size / 24)}</ns2:listeAnomalie>`,
      (size) =>
        `<ns2:listeAnomalie><ns2:anomalie code="A"><ns2:message>${"é".repeat(size)}</ns2:message></ns2:anomalie></ns2:listeAnomalie>`,
    ];
    for (const [index, fill] of fillings.entries()) {
      const took = (size: number): number => {
        const bytes = Buffer.from(answerFile(fill(size)));
        const begun = cpuMs();
        assert.equal(readAnswerFile(bytes).kind, "read");
        return cpuMs() - begun;
      };
      took(50_000);
      const small = took(200_000);
      const large = took(1_600_000);
      // Eight times the size: eight times the time, not sixty-four.
      assert.ok(large < 30 * Math.max(small, 3), `filling ${index}: ${small} ms, then ${large} ms`);
    }
  });

  it("keeps a thousand anomalies at most, and a name of complement cannot reach an object", () => {
    const anomaly = `<ns2:anomalie code="A"><ns2:complement nom="__proto__">x</ns2:complement><ns2:message>m</ns2:message></ns2:anomalie>`;
    const read = readAnswerFile(
      Buffer.from(answerFile(`<ns2:listeAnomalies>${anomaly.repeat(1_500)}</ns2:listeAnomalies>`)),
    );
    assert.ok(read.kind === "read");
    assert.equal(read.reading.controls.length, 1_000);
    const [first] = read.reading.controls;
    assert.deepEqual(Object.keys(first?.complements ?? {}), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(first?.complements ?? {}), Object.prototype);
  });

  it("says so when an anomaly has no code, rather than lose it", () => {
    const read = readAnswerFile(
      Buffer.from(
        answerFile(
          `<ns2:listeAnomalie><ns2:anomalie><ns2:message><![CDATA[a < b]]></ns2:message></ns2:anomalie></ns2:listeAnomalie>`,
        ),
      ),
    );
    assert.ok(read.kind === "read");
    assert.deepEqual(read.reading.controls, [{ code: "SANS_CODE", message: "a < b" }]);
  });
});
