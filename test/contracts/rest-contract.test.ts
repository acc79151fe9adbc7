/** The OpenAPI document is valid, complete and true. */
import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { Express } from "express";
import { ERRORS } from "../../src/domain/errors.ts";
import { makeContractCheck } from "../support/contract-check.ts";
import { startHttpGateway, type HttpGateway } from "../support/http-gateway.ts";

/** Every route express knows, as `METHOD path`, in the manner of OpenAPI. */
function routesOf(app: Express): string[] {
  const found: string[] = [];
  for (const layer of app.router.stack) {
    const { route } = layer;
    if (route === undefined) continue;
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    for (const method of new Set(route.stack.map((one) => one.method))) {
      // The last handler of a path takes every other method, to answer 405.
      if (typeof method === "string") found.push(`${method.toUpperCase()} ${path}`);
    }
  }
  return found.sort();
}

describe("the OpenAPI document", () => {
  let gateway: HttpGateway;
  before(async () => {
    gateway = await startHttpGateway();
  });
  after(() => gateway.stop());

  it("is served to anyone, and is valid OpenAPI 3.1", async () => {
    const { status, bytes } = await gateway.call("GET", "/api/v1/openapi.json");
    assert.equal(status, 200);
    const document = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    const validator = new Validator();
    const result = await validator.validate(document);
    assert.deepEqual(result.errors ?? [], []);
    assert.equal(result.valid, true);
    assert.equal(validator.version, "3.1");
  });

  it("documents every route that express serves, and no other", async () => {
    const { json } = await gateway.call("GET", "/api/v1/openapi.json");
    const documented = Object.entries(json.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(routesOf(gateway.server.app), documented.sort());
    assert.ok(documented.length >= 15);
  });

  it("enumerates the codes of the table of errors, all of them", async () => {
    const text = (await gateway.call("GET", "/api/v1/openapi.json")).bytes.toString("utf8");
    const document = JSON.parse(text) as {
      components: { schemas: { Problem: { properties: { code: { enum: string[] } } } } };
    };
    assert.deepEqual(document.components.schemas.Problem.properties.code.enum, Object.keys(ERRORS));
  });

  it("gives every operation a name of its own, a French summary and its answers", async () => {
    const { json } = await gateway.call("GET", "/api/v1/openapi.json");
    const operations = Object.values(json.paths).flatMap((item) => Object.values(item)) as {
      operationId: string;
      summary: string;
      responses: Record<string, { description: string }>;
    }[];
    assert.equal(new Set(operations.map((one) => one.operationId)).size, operations.length);
    for (const { operationId, summary, responses } of operations) {
      assert.ok(summary.length > 5, operationId);
      for (const [status, response] of Object.entries(responses)) {
        assert.ok(response.description.length > 0, `${operationId} ${status}`);
      }
    }
  });

  it("is compared with answers by a check that can fail", () => {
    const check = makeContractCheck();
    const answer = (path: string, status: number, value: unknown, contentType: string) => () => {
      const body = Buffer.from(JSON.stringify(value));
      check({ method: "GET", path, status, contentType, body });
    };
    const json = "application/json; charset=utf-8";
    const good = { alive: true, version: "1" };
    assert.doesNotThrow(answer("/livez", 200, good, json));
    assert.throws(answer("/livez", 200, { alive: true }, json), /version/);
    assert.throws(answer("/livez", 200, { ...good, more: 1 }, json), /additional/);
    assert.throws(answer("/livez", 204, good, json), /not documented/);
    assert.throws(answer("/livez", 200, good, "text/html"), /not documented/);
    assert.throws(answer("/rien", 200, good, json), /problem/);
  });
});
