/**
 * The envelope that leaves holds the values it was given, whatever they are, and nothing else: the
 * same elements in the same order, their texts unchanged.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readXmlTree, type XmlElement } from "../../scripts/contract/xml-tree.ts";
import { makeSneSoap, type CallOperation } from "../../src/adapters/sne/sne-soap.ts";
import type { SneValue } from "../../src/forward/registry.ts";
import { SNE_OPERATIONS } from "../../src/wire/sne-contract.ts";
import { LONG } from "../support/long-form.ts";

/** What XML 1.0 can carry, with what could be taken for more than text. */
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(
        "<![CDATA[",
        "]]>",
        "<a>",
        "</a>",
        "&lt;",
        "&",
        '"',
        "'",
        "%%0%%",
        "$&",
        "$1",
      ),
      fc.constantFrom("<xop:Include/>", "<!--", "-->", "<?x", "?>", "\r\n", "\t", "__proto__"),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => pieces.join(""));

describe("The envelope of a call", () => {
  let call: CallOperation;
  before(async () => {
    call = await makeSneSoap({
      demandeLogement: "wsdl/DemandeLogement.wsdl",
      rechercheDemande: "wsdl/RechercheDemande.wsdl",
      gestionPartageeEvt: "wsdl/GestionPartageeEVT.wsdl",
    });
  });

  it("holds each value as it is, in its own element, in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SNE_OPERATIONS),
        fc.array(text, { minLength: 8, maxLength: 8 }),
        async (shape, texts) => {
          const values = shape.parameters.map(({ name, type }, index): SneValue => {
            const given = texts[index] ?? "";
            if (type === "file") return { name, file: Buffer.from(given), contentType: given };
            return type === "code" ? { name, code: given } : { name, text: given };
          });
          let envelope = "";
          await call(shape, values, (message) => {
            envelope = message.envelope;
            assert.equal(message.action, `http://ws.metier.nuu.application.i2/${shape.name}`);
            return Promise.resolve({ kind: "fault", who: "sender", text: "non" });
          });
          const [body] = readXmlTree(envelope).children;
          const [wrapper, ...others] = body?.children ?? [];
          assert.deepEqual(others, []);
          assert.equal(wrapper?.name, shape.request);
          assert.deepEqual(
            wrapper.children.map(({ name }) => name),
            values.map(({ name }) => name),
          );
          for (const [index, value] of values.entries()) {
            const found: XmlElement | undefined = wrapper.children[index];
            const attribute = (name: string): string | undefined =>
              found?.attributes.find((one) => one.name === name)?.value;
            if ("text" in value) assert.equal(textOf(envelope, value.name), kept(value.text));
            else if ("code" in value) assert.equal(attribute("code"), keptInAttribute(value.code));
            else {
              assert.deepEqual(
                found?.children.map(({ name }) => name),
                ["Include"],
              );
              assert.equal(attribute("contentType"), keptInAttribute(value.contentType ?? ""));
            }
          }
        },
      ),
      { numRuns: LONG ? 5_000 : 300 },
    );
  });
});

/** The content of an element as any reader of XML would have it. */
function textOf(envelope: string, name: string): string {
  const inside = new RegExp(`<${name}>([^<]*)</${name}>`).exec(envelope)?.[1];
  assert.ok(inside !== undefined, name);
  assert.doesNotMatch(inside, /\r|&(?!(?:amp|lt|gt|quot|#13);)/);
  return inside
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#13;", "\r")
    .replaceAll("&amp;", "&");
}

/** Characters XML 1.0 cannot carry (production 2) become U+FFFD. */
function kept(given: string): string {
  return given.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
}

/** A reader makes spaces of what separates lines in an attribute (XML 1.0 section 3.3.3). */
function keptInAttribute(given: string): string {
  return kept(given).replace(/[\t\n]/g, " ");
}
