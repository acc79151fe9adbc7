/**
 * Reads the envelope of a request, SOAP 1.1 or 1.2, by its raw XML: version, header blocks that must
 * be understood, the one element of the Body and its children.
 *
 * Promise: linear time, and hardly any for a file inline; the text of a child is exactly what was
 * written; a DOCTYPE, a processing instruction, a hostile name, too much depth, too many elements
 * or attributes, or any shape but one element of flat children is refused with a reason and a place.
 */
import { SaxesParser } from "saxes";
import type { SaxesAttributeNS, SaxesTagNS } from "saxes";
import { readBase64 } from "../../wire/base64.ts";
import { positionAt } from "../../wire/text-position.ts";
import { makeEnvelopeCollector, Refusal, WrongEnvelope } from "./envelope-collector.ts";
import type { EnvelopeField, EnvelopeLimits, QualifiedName } from "./envelope-collector.ts";
import { findForbiddenMarkup } from "./forbidden-markup.ts";
import type { SoapVersion } from "./soap-message.ts";

export type EnvelopeReading =
  | {
      readonly kind: "envelope";
      readonly version: SoapVersion;
      /** `wsa:Action`, where a stack put one. */
      readonly addressingAction?: string;
      /** Header blocks for us that must be understood: we understand none. */
      readonly mustUnderstand: readonly QualifiedName[];
      readonly namespace: string;
      readonly element: string;
      readonly fields: readonly EnvelopeField[];
    }
  /** An Envelope of a version that does not exist, or is not one served. */
  | { readonly kind: "wrongVersion"; readonly found: string }
  /** French; the version when it was read before the trouble. */
  | { readonly kind: "unreadable"; readonly reason: string; readonly version?: SoapVersion };

/** A text longer than this, in characters, is not shown to the parser when it is base64. */
const LONG_TEXT = 4096;

export function readEnvelope(xml: string, limits: EnvelopeLimits): EnvelopeReading {
  const forbidden = findForbiddenMarkup(xml);
  if (forbidden !== undefined) {
    return { kind: "unreadable", reason: withPlace(forbidden.reason, xml, forbidden.index) };
  }
  const collector = makeEnvelopeCollector(limits);
  // XML 1.0 whatever is declared: 1.1 admits control characters that could not be sent on.
  const parser = new SaxesParser({
    xmlns: true,
    position: false,
    defaultXMLVersion: "1.0",
    forceXMLVersion: true,
  });
  let lifted = 0;
  // Six handlers at most: `forbidden-markup.ts` says why.
  parser.on("error", (error) => {
    throw new Refusal(`XML mal formé (${error.message})`);
  });
  parser.on("attribute", (attribute: SaxesAttributeNS) => collector.attribute(attribute));
  parser.on("opentag", (tag: SaxesTagNS) => collector.open(tag));
  parser.on("closetag", () => collector.close());
  parser.on("text", (text) => collector.text(text));
  parser.on("cdata", (text) => collector.text(text));

  /**
   * Feeds the parser all but long base64 (stack.md, section 2: at 100 KB
   * the parser is the limit). One is taken out where the `>` before it was seen to open a field: in a
   * comment, a CDATA section or an attribute value it is left where it is.
   */
  function feed(): void {
    let from = 0;
    for (let at = xml.indexOf(">"); at >= 0;) {
      const next = xml.indexOf("<", at);
      if (next < 0) break;
      if (next - at > LONG_TEXT && isBase64(xml.slice(at + 1, next))) {
        parser.write(xml.slice(from, at));
        const before = collector.fieldsOpened();
        parser.write(">");
        from = at + 1;
        if (collector.fieldsOpened() > before) {
          collector.text(withLineFeeds(xml.slice(from, next)));
          lifted += next - from;
          from = next;
        }
      }
      at = xml.indexOf(">", next);
    }
    parser.write(xml.slice(from)).close();
  }

  try {
    feed();
    return collector.reading();
  } catch (error) {
    if (error instanceof WrongEnvelope) return { kind: "wrongVersion", found: error.message };
    if (!(error instanceof Refusal)) throw error;
    const version = collector.version();
    return {
      kind: "unreadable",
      reason: withPlace(error.message, xml, parser.position + lifted),
      ...(version === undefined ? {} : { version }),
    };
  }
}

function withPlace(reason: string, xml: string, index: number): string {
  const { line, column } = positionAt(xml, index);
  return `${reason}, ligne ${line}, colonne ${column}`;
}

/** As an XML parser reads line ends (XML 1.0 section 2.11). */
function withLineFeeds(text: string): string {
  if (!text.includes("\r")) return text;
  const joined = text.replaceAll("\r\n", "\n");
  return joined.includes("\r") ? joined.replaceAll("\r", "\n") : joined;
}

/** Then it holds no markup, no reference and no character that XML forbids. */
function isBase64(text: string): boolean {
  return readBase64(text).kind === "bytes";
}
