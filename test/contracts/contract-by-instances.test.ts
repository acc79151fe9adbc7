/**
 * The published schemas and ours judge documents alike: full ones, and each with one thing changed.
 * Does not trust the table of facts: libxml2 alone is asked, on both sides.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CONTRACT } from "../../scripts/contract-facts.ts";
import { readXmlTree, type XmlElement } from "../../scripts/contract/xml-tree.ts";
import {
  changedInstances,
  fullInstances,
  instanceXml,
  type Instance,
} from "../support/contract-instances.ts";
import { LONG } from "../support/long-form.ts";
import { compileSchema } from "../support/xsd-compiler.ts";

const ROOT = join(import.meta.dirname, "../..");
const PUBLISHED = join(ROOT, "../shared/sne-contract/originals");

/** Changes judged per document; a demande has some 20 000, of which one in so many is. */
const ENOUGH = LONG ? 10_000 : 300;
/** Changes `changedInstances` makes of one element. */
const PER_ELEMENT = 35;

function instancesOf(path: string): Instance[] {
  const tree = (text: string): XmlElement => readXmlTree(text);
  const main = tree(readFileSync(path, "utf8"));
  const types = main.children.find(({ name }) => name === "types");
  return fullInstances(types?.children[0] ?? main, (location) =>
    tree(readFileSync(join(dirname(path), location), "utf8")),
  );
}

describe("documents are judged alike by the published schemas and by ours", function () {
  this.timeout(600_000);

  for (const { document, published, ours } of CONTRACT) {
    it(`${document}: full ones, and each of them with one thing changed`, () => {
      const mine = compileSchema(join(ROOT, ours));
      const file = join(PUBLISHED, published);
      const atHand = existsSync(file);
      if (!atHand) {
        process.stdout.write(
          `      ours alone: ${published} is not at hand (../shared/sne-contract/originals)\n`,
        );
      }
      const theirs = atHand ? compileSchema(file) : mine;
      const instances = instancesOf(join(ROOT, ours));
      for (const instance of [...instances, ...(atHand ? instancesOf(file) : [])]) {
        const xml = instanceXml(instance);
        assert.equal(mine(xml), undefined, xml);
        assert.equal(theirs(xml), undefined, xml);
      }
      let [taken, refused] = [0, 0];
      for (const { what, xml } of changes(instances)) {
        const [our, their] = [mine(xml), theirs(xml)];
        const said = `${what}\nours: ${our ?? "taken"}\ntheirs: ${their ?? "taken"}\n${xml}`;
        assert.equal(our === undefined, their === undefined, said);
        if (our === undefined) taken += 1;
        else refused += 1;
      }
      assert.ok(taken > 20 && refused > 20, `${taken} taken, ${refused} refused`);
    });
  }
});

/** About `ENOUGH` changes, spread over the documents. */
function* changes(instances: readonly Instance[]): Generator<{ what: string; xml: string }> {
  const all = instances.reduce((sum, { root }) => sum + PER_ELEMENT * sizeOf(root), 0);
  let every = Math.max(1, Math.floor(all / ENOUGH));
  // Prime to the number of changes, so that every change meets every kind of element.
  while (every % 5 === 0 || every % 7 === 0) every += 1;
  for (const instance of instances) yield* changedInstances(instance, every);
}

function sizeOf(node: Instance["root"]): number {
  return node.children.reduce((sum, child) => sum + sizeOf(child), 1);
}
