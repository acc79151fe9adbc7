/** Names the place of an element in a document, the way a landlord would look for it. */
import { XmlElement, type XmlDocument, type XmlNode } from "libxml2-wasm";

const LONGEST_FIELD = 200;

/** Local names from the root down to the element. */
export function lineageOf(element: XmlElement): readonly string[] {
  const names: string[] = [];
  let node: XmlNode | null = element;
  while (node instanceof XmlElement) {
    names.unshift(node.name);
    node = node.parent;
  }
  return names;
}

/** The element an XPath of positions designates, as libxml2 gives it with a violation. */
export function elementAt(document: XmlDocument, xpath: string): XmlElement | undefined {
  // `p:name` would need its prefix declared anew; the name as it is written does not.
  const steps = xpath.replace(/[^/[\]*]+(?=\/|\[|$)/g, '*[name()="$&"]');
  const node = document.get(steps);
  return node instanceof XmlElement ? node : undefined;
}

/** A short path: the root is left out, unless it is all there is. */
export function fieldOf(lineage: readonly string[], last: string | undefined): string {
  const inner = last === undefined ? lineage.slice(1) : [...lineage.slice(1), last];
  const path = inner.length === 0 ? (lineage[0] ?? "document") : inner.join("/");
  return path.length > LONGEST_FIELD ? `…${path.slice(1 - LONGEST_FIELD)}` : path;
}
