/**
 * Reads the fields of an envelope from a file that is plain XML and in order, several times faster
 * than `envelope-reader.ts`. Promise: what it reads, that reader would read the same (a test compares
 * them on thousands of altered files); whatever is unusual or wrong is left to it.
 */
import { readPlainAttributes, walkPlainXml } from "../../wire/plain-xml.ts";
import { trimmed, wrongShape, type FieldName, type Step } from "./envelope-fields.ts";

export interface PlainEnvelope {
  readonly values: ReadonlyMap<FieldName, string>;
  readonly versionInterface: string | undefined;
}

/** @returns undefined when the whole reader must look at it */
export function readPlainEnvelope(
  file: Uint8Array,
  {
    namespace,
    maxDepth,
    root,
  }: { readonly namespace: string; readonly maxDepth: number; readonly root: Step },
): PlainEnvelope | undefined {
  const values = new Map<FieldName, string>();
  const met = new Set<Step>();
  const inside: Step[] = [];
  let outside = 0;
  let versionInterface: string | undefined;
  /** What stands before every local name: "", or a prefix with its colon. */
  let prefix = "";

  /** The root binds one namespace, to the prefix of its own name, and has its version at most. */
  function openRoot(name: string, colon: number, attributes: string): boolean {
    prefix = name.slice(0, colon + 1);
    if (name.slice(colon + 1) !== "interfaceNuu" || prefix === "xml:" || prefix === "xmlns:") {
      return false;
    }
    const found = readPlainAttributes(attributes);
    const binding = prefix === "" ? "xmlns" : `xmlns:${prefix.slice(0, -1)}`;
    versionInterface = found.get("versionInterface");
    const expected = versionInterface === undefined ? 1 : 2;
    if (found.get(binding) !== namespace || found.size !== expected) return false;
    if (versionInterface !== undefined && !/^[0-9.]{1,10}$/.test(versionInterface)) return false;
    inside.push(root);
    return true;
  }

  const isWalked = walkPlainXml(
    file,
    {
      open: (name, colon, attributes) => {
        const parent = inside.at(-1);
        if (parent === undefined) return openRoot(name, colon, attributes);
        // Another namespace, or none: the whole reader knows what to say of it.
        if (attributes !== "" && (attributes.includes(":") || attributes.includes("xmlns"))) {
          return false;
        }
        if (colon + 1 !== prefix.length || !name.startsWith(prefix)) return false;
        if (outside > 0) {
          outside += 1;
          return true;
        }
        if (parent.field !== undefined) return false;
        const next = parent.children.get(colon < 0 ? name : name.slice(colon + 1));
        if (next === undefined) outside = 1;
        else if (met.has(next)) return false;
        else {
          met.add(next);
          inside.push(next);
        }
        return true;
      },
      close: (text) => {
        if (outside > 0) {
          outside -= 1;
          return true;
        }
        const rule = inside.pop()?.field;
        if (rule === undefined) return true;
        if (text === undefined) return false;
        const value = trimmed(text);
        if (value === "") return true;
        if (wrongShape(value, rule) !== undefined) return false;
        // A copy: a slice would keep the whole document in memory as long as the flux lives.
        values.set(rule.name, Buffer.from(value).toString());
        return true;
      },
    },
    Math.min(maxDepth, 100),
  );
  if (!isWalked || !values.has("typeFichier") || !values.has("numGuichet")) return undefined;
  return { values, versionInterface };
}
