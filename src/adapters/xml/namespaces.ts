/**
 * Namespaces of a document being read ("Namespaces in XML 1.0", third edition). Promise: the cost of
 * a name does not grow with the depth of the document. (The parser's own resolution walks up every
 * open element: two megabytes of hostile nesting took it two seconds.)
 */

export interface NamespaceScope {
  /**
   * Enters an element and gives its namespace, "" when it has none. `attributes` are those whose
   * name is `xmlns` or holds a colon; the others have no say here.
   */
  open(
    name: string,
    attributes: readonly { readonly name: string; readonly value: string }[],
  ): string;
  /** Leaves the element entered last. */
  close(): void;
}

const XML = "http://www.w3.org/XML/1998/namespace";
const XMLNS = "http://www.w3.org/2000/xmlns/";

/** @param fail - called with what is wrong, in French; must throw. */
export function makeNamespaceScope(fail: (detail: string) => never): NamespaceScope {
  const bound = new Map<string, string>([["xml", XML]]);
  /** What declarations replaced, to be put back when their element closes. */
  const replaced: { depth: number; prefix: string; before: string | undefined }[] = [];
  let depth = 0;

  function declare(prefix: string, uri: string): void {
    if (prefix === "xmlns" || uri === XMLNS || (prefix === "xml") !== (uri === XML)) {
      fail(`le préfixe « ${prefix} » ne peut pas être lié à cet espace de noms`);
    }
    if (prefix !== "" && uri === "")
      fail(`le préfixe « ${prefix} » est lié à un espace de noms vide`);
    replaced.push({ depth, prefix, before: bound.get(prefix) });
    bound.set(prefix, uri);
  }

  /** The namespace a prefix is bound to, and the local part of the name. */
  function resolve(name: string, colon: number): { uri: string; local: string } {
    const prefix = name.slice(0, colon);
    const local = name.slice(colon + 1);
    if (prefix === "" || local === "" || local.includes(":"))
      fail(`le nom « ${name} » est mal formé`);
    const uri = bound.get(prefix);
    if (uri === undefined) fail(`le préfixe « ${prefix} » n'est lié à aucun espace de noms`);
    return { uri, local };
  }

  return {
    open: (name, attributes) => {
      depth += 1;
      for (const attribute of attributes) {
        if (attribute.name === "xmlns") declare("", attribute.value.trim());
        else if (attribute.name.startsWith("xmlns:")) {
          const prefix = attribute.name.slice(6);
          if (prefix === "" || prefix.includes(":"))
            fail(`le nom « ${attribute.name} » est mal formé`);
          declare(prefix, attribute.value.trim());
        }
      }
      if (attributes.length > 0) {
        // Two prefixes of one namespace make two spellings of the same attribute.
        const seen = new Set<string>();
        for (const attribute of attributes) {
          const colon = attribute.name.indexOf(":");
          if (colon < 0 || attribute.name.startsWith("xmlns:")) continue;
          const { uri, local } = resolve(attribute.name, colon);
          const expanded = `${uri} ${local}`;
          if (seen.has(expanded)) fail(`l'attribut « ${local} » est répété`);
          seen.add(expanded);
        }
      }
      const colon = name.indexOf(":");
      return colon < 0 ? (bound.get("") ?? "") : resolve(name, colon).uri;
    },
    close: () => {
      for (let last = replaced.at(-1); last?.depth === depth; last = replaced.at(-1)) {
        if (last.before === undefined) bound.delete(last.prefix);
        else bound.set(last.prefix, last.before);
        replaced.pop();
      }
      depth -= 1;
    },
  };
}
