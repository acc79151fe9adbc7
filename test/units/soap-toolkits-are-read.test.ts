/** Each toolkit's way to frame a call is read for what it says: version, action, operation, file. */
import assert from "node:assert/strict";
import { matchOperation } from "../../src/adapters/soap/match-operation.ts";
import { readParameters } from "../../src/adapters/soap/read-parameters.ts";
import { readSoapRequest } from "../../src/adapters/soap/read-soap-request.ts";
import type { SoapRequest } from "../../src/adapters/soap/soap-message.ts";
import { SNE_NAMESPACE, SNE_OPERATIONS, sneOperation } from "../../src/wire/sne-contract.ts";
import { FRAMINGS, httpCall, SNE } from "../support/soap-framings.ts";
import { asLibsne, numUniqueCall, type RawCall } from "../support/standin-calls.ts";

/** Bytes that a reader who trims, decodes or re-encodes would change. */
const FILE = Buffer.from(
  "\r\n<?xml version='1.0'?>\u0000\xff<a>\xe9</a> \r\n--uuid:5f2abc",
  "latin1",
);

function requestOf(call: RawCall): SoapRequest {
  const reading = readSoapRequest(httpCall(call));
  assert.ok(reading.kind === "request", JSON.stringify(reading));
  return reading.request;
}

const candidates = SNE_OPERATIONS.map(({ name, request }) => ({
  name,
  namespace: SNE_NAMESPACE,
  element: request,
  action: `${SNE_NAMESPACE}${name}`,
}));

function operationOf(request: SoapRequest): string {
  const matched = matchOperation(request, candidates);
  assert.ok(matched.kind === "operation", JSON.stringify(matched));
  return matched.operation.name;
}

describe("A SOAP request", () => {
  for (const { toolkit, version, framing, readsBinary, call } of FRAMINGS) {
    it(`is read as ${toolkit} frames it, SOAP ${version}, ${framing}`, () => {
      const request = requestOf(call(FILE));
      assert.equal(request.version, version);
      assert.equal(request.framing, framing);
      assert.equal(request.readsBinary, readsBinary);
      assert.equal(request.action, `${SNE}getNumUnique`);
      assert.equal(operationOf(request), "getNumUnique");
      const reading = readParameters(request, sneOperation("getNumUnique").parameters);
      assert.ok(reading.kind === "parameters", JSON.stringify(reading));
      const { parameters } = reading;
      assert.equal(parameters.text("nomFichierDemande"), "DEMG1104.xml");
      assert.deepEqual(Buffer.from(parameters.file("fichierDemande")?.bytes ?? []), FILE);
      assert.deepEqual(parameters.file("certificat"), { bytes: Buffer.alloc(0) });
      assert.equal(parameters.text("complet"), undefined);
    });
  }

  it("is read as CXF frames it with MTOM: the action escaped in start-info, an empty line first", () => {
    const request = requestOf(numUniqueCall(FILE));
    assert.deepEqual(request.actions, [
      { place: "Content-Type, start-info", action: `${SNE}getNumUnique` },
    ]);
    assert.equal(request.readsBinary, true);
    const file = request.fields.find(({ name }) => name === "fichierDemande");
    assert.deepEqual(Buffer.from(file?.part ?? []), FILE);
  });

  it("is read as libsne frames it: start bare, two actions, an empty certificate in BASE64", () => {
    const file = Buffer.from("<?xml version='1.0' encoding='us-ascii'?>\n<a>&#233;</a>", "ascii");
    const request = requestOf(asLibsne(file));
    assert.deepEqual(
      request.actions.map(({ action }) => action),
      [`${SNE}getNumUnique`, "getNumUnique"],
    );
    // It sent no part as binary: it decodes the whole answer as UTF-8.
    assert.equal(request.readsBinary, false);
    assert.equal(operationOf(request), "getNumUnique");
    const reading = readParameters(request, sneOperation("getNumUnique").parameters);
    assert.ok(reading.kind === "parameters", JSON.stringify(reading));
    assert.deepEqual(Buffer.from(reading.parameters.file("fichierDemande")?.bytes ?? []), file);
    assert.deepEqual(reading.parameters.file("certificat")?.bytes.byteLength, 0);
    assert.equal(reading.parameters.file("certificat")?.contentType, "application/x-x509-ca-cert");
    assert.equal(operationOf(requestOf(asLibsne(file, "Doublons"))), "getDoublons");
  });

  it("gives the bytes of a part as a view of the body, never a copy", () => {
    const call = httpCall(numUniqueCall(Buffer.alloc(1_000_000, "x")));
    const reading = readSoapRequest(call);
    assert.ok(reading.kind === "request");
    const part = reading.request.fields.find(({ name }) => name === "fichierDemande")?.part;
    assert.equal(part?.buffer, call.body.buffer);
    assert.equal(part.byteLength, 1_000_000);
  });
});
