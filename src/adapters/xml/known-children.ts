/**
 * Which elements a schema knows under which, in any order: what tells an element of a later edition
 * from one that is misplaced or comes once too often. Names only; libxml2 judges the rest.
 */
import { XmlElement, type XmlDocument } from "libxml2-wasm";

const XSD = { xs: "http://www.w3.org/2001/XMLSchema" };

/** Whether an element of that name may stand somewhere under a parent of that name. */
export type IsKnownChild = (parent: string, child: string) => boolean;

/** @param schemas - a schema and all it includes */
export function makeKnownChildren(schemas: readonly XmlDocument[]): IsKnownChild {
  /** What a type, a group or an element of its own type holds, and which others it draws on. */
  const held = new Map<string, Set<string>>();
  const draws = new Map<string, Set<string>>();
  for (const schema of schemas) {
    for (const node of schema.find("//xs:element|//xs:group[@ref]|//xs:extension", XSD)) {
      if (!(node instanceof XmlElement)) continue;
      const holder = holderOf(node);
      if (node.name === "element") {
        const name = local(node, "name") ?? local(node, "ref") ?? "";
        if (holder !== undefined) add(held, holder, name);
        const type = local(node, "type");
        if (type !== undefined) add(draws, `element ${name}`, `type ${type}`);
      } else if (holder !== undefined) {
        const drawn = node.name === "group" ? `group ${local(node, "ref")}` : undefined;
        add(draws, holder, drawn ?? `type ${local(node, "base")}`);
      }
    }
  }
  const all = new Map<string, ReadonlySet<string>>();
  const under = (holder: string): ReadonlySet<string> => {
    const done = all.get(holder);
    if (done !== undefined) return done;
    const names = new Set(held.get(holder));
    // Before the walk goes on: a type may draw on itself.
    all.set(holder, names);
    for (const other of draws.get(holder) ?? []) for (const name of under(other)) names.add(name);
    return names;
  };
  return (parent, child) => under(`element ${parent}`).has(child);
}

/** The named type or group, or the element, whose content the node belongs to. */
function holderOf(node: XmlElement): string | undefined {
  for (let at = node.parent; at !== null; at = at.parent) {
    if (at.name !== "complexType" && at.name !== "group" && at.name !== "element") continue;
    const name = local(at, "name");
    if (name !== undefined) return `${at.name === "complexType" ? "type" : at.name} ${name}`;
  }
  return undefined;
}

function local(node: XmlElement, attribute: string): string | undefined {
  const value = node.attr(attribute)?.value;
  return value?.slice(value.indexOf(":") + 1);
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(value));
}
