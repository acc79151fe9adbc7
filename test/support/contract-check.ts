/**
 * Holds an answer of the HTTP interface to its OpenAPI document: the route, the status, the content
 * type and the shape must all be written there. Every answer the tests receive goes through it.
 */
import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openapiDocument } from "../../src/adapters/http/openapi.ts";

type Tree = Readonly<Record<string, unknown>>;

export interface SeenAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

const BASE = "http://contract.test/";

/** Statuses told by what stands before the routes: no operation of the document has them. */
const BEFORE_ROUTES = [405, 408, 431];

export function makeContractCheck(): (answer: SeenAnswer) => void {
  const document = openapiDocument("test") as {
    readonly paths: Readonly<Record<string, Tree>>;
    readonly components: { readonly schemas: Tree };
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat("date-time", DATE_TIME);
  ajv.addFormat("uri-reference", /^\/[\x21-\x7e]*$/);
  ajv.addSchema({ $id: BASE, ...document });
  const compiled = new Map<string, ValidateFunction>();

  function operationOf(method: string, path: string): Tree | undefined {
    const bare = path.replace(/\?.*$/, "");
    for (const [template, item] of Object.entries(document.paths)) {
      const shape = new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+")}$`);
      const name = method === "HEAD" ? "get" : method.toLowerCase();
      if (shape.test(bare) && item[name] !== undefined) return item[name] as Tree;
    }
    return undefined;
  }

  function validate(schema: unknown, value: unknown, where: string): void {
    const text = JSON.stringify(schema).replaceAll('"#/components', `"${BASE}#/components`);
    const check = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Tree);
    compiled.set(text, check);
    const isValid = check(value);
    const shown = ajv.errorsText(check.errors, { separator: "\n" });
    assert.ok(isValid, `${where} is not what the contract says:\n${shown}`);
  }

  return ({ method, path, status, contentType, body }) => {
    const where = `${method} ${path} → ${status}`;
    const type = contentType.replace(/;.*$/, "").trim();
    const operation = operationOf(method, path);
    if (operation === undefined || BEFORE_ROUTES.includes(status)) {
      assert.equal(type, "application/problem+json", where);
      validate({ $ref: "#/components/schemas/Problem" }, JSON.parse(body.toString("utf8")), where);
      return;
    }
    const responses = operation["responses"] as Readonly<Record<string, Tree>>;
    const documented = responses[String(status)];
    assert.ok(documented !== undefined, `${where}: this status is not documented`);
    const content = documented["content"] as Readonly<Record<string, Tree>>;
    const media = content[type];
    assert.ok(media !== undefined, `${where}: ${type} is not documented`);
    if (media["schema"] !== undefined && method !== "HEAD") {
      validate(media["schema"], JSON.parse(body.toString("utf8")), where);
    }
  };
}
