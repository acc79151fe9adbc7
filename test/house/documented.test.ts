/** Holds docs and configuration to the code: what the tables say is what a reader finds. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { documents } from "../../scripts/documents.ts";
import { FLUX_STATES } from "../../src/domain/flux-state.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the documentation", () => {
  for (const { path, text } of documents(read)) {
    it(`${path} says what the code says (npm run docs)`, () => {
      assert.equal(read(path), text);
    });
  }

  it("gives every state a meaning", () => {
    const lifecycle = read("docs/lifecycle.md");
    const missing = FLUX_STATES.filter((state) => !lifecycle.includes(`| \`${state}\` | `));
    assert.deepEqual(missing, []);
  });
});
