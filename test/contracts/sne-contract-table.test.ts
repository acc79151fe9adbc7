/**
 * The table the client and the drop-in face are written from (`src/wire/sne-contract.ts`) says what
 * the WSDLs say: services, operations, actions, elements, their fields in order, types and presence.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { factsOfFile } from "../../scripts/contract-facts.ts";
import { READ_OPERATIONS, WRITE_OPERATIONS } from "../../src/domain/sne-operation.ts";
import { SNE_NAMESPACE, SNE_OPERATIONS } from "../../src/wire/sne-contract.ts";
import type { SneParameter, SneService } from "../../src/wire/sne-contract.ts";

const ROOT = join(import.meta.dirname, "../..");
const WSDLS: Readonly<Record<SneService, string>> = {
  demandeLogement: "DemandeLogement",
  rechercheDemande: "RechercheDemande",
  gestionPartageeEvt: "GestionPartageeEVT",
};

/** How a fact names each type of the table. */
const TYPES: readonly (readonly [SneParameter["type"], RegExp])[] = [
  ["text", /^xs:string$/],
  ["dateTime", /^xs:dateTime$/],
  ["code", /^empty @code\?:/],
  ["file", /^xs:base64Binary @q:contentType\?:/],
];

function fieldsOf(facts: readonly string[], element: string): SneParameter[] {
  const at = facts.indexOf(`types: ${element}`);
  assert.ok(at >= 0, `no element ${element}`);
  const fields: SneParameter[] = [];
  for (const fact of facts.slice(at + 1)) {
    const [, name, optional, kind] = /^types: {2}(\w+)(\??): (.*)$/.exec(fact) ?? [];
    if (name === undefined) break;
    const type = TYPES.find(([, shape]) => shape.test(kind ?? ""))?.[0];
    assert.ok(type !== undefined, fact);
    fields.push({ name, type, ...(optional === "?" ? { optional: true } : {}) });
  }
  return fields;
}

describe("the table of the SNE's operations", () => {
  for (const [service, name] of Object.entries(WSDLS)) {
    it(`says what wsdl/${name}.wsdl says`, () => {
      const facts = factsOfFile(join(ROOT, `wsdl/${name}.wsdl`));
      assert.equal(facts[0], `definitions ${name}Service ${SNE_NAMESPACE}`);
      const found = facts.flatMap((fact) => {
        const [, operation, input, output] =
          /^portType \w+ (\w+) input=(\w+) output=(\w+)$/.exec(fact) ?? [];
        if (operation === undefined) return [];
        const elementOf = (message: string | undefined): string => {
          const line = facts.find((one) => one.startsWith(`message ${message ?? ""} `));
          return /=(\w+)$/.exec(line ?? "")?.[1] ?? "";
        };
        const request = elementOf(input);
        const answer = elementOf(output);
        // The action the client writes comes from the WSDL, the one the face expects from the table.
        assert.ok(
          facts.some((one) => one.includes(` ${operation} action=${SNE_NAMESPACE}${operation} `)),
          operation,
        );
        return [
          {
            name: operation,
            service,
            request,
            parameters: fieldsOf(facts, request),
            answer,
            results: fieldsOf(facts, answer),
          },
        ];
      });
      assert.deepEqual(
        SNE_OPERATIONS.filter((operation) => operation.service === service),
        found,
      );
    });
  }

  it("holds every operation once, and each either writes or reads", () => {
    const names = SNE_OPERATIONS.map(({ name }) => name);
    assert.equal(new Set(names).size, 13);
    assert.deepEqual(names.toSorted(), [...WRITE_OPERATIONS, ...READ_OPERATIONS].toSorted());
  });
});
