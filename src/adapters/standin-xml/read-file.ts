/**
 * Reads a search or event file into a tree of its elements. Not a validation. Hostile or broken XML
 * is a reason, never a throw.
 */
import type { FileReading } from "../../standin/standin-xml.ts";
import { NUU } from "./echo-writer.ts";
import { readXml, XmlRefused } from "./xml-events.ts";

const MAX_DEPTH = 16;
/** A file of that many elements is no search, nor what happened to one demande. */
const MAX_ELEMENTS = 100_000;

interface Node {
  readonly name: string;
  text: string;
  readonly children: Node[];
}

export function readFile(bytes: Uint8Array): FileReading {
  const open: Node[] = [];
  let root: Node | undefined;
  let elements = 0;
  const refused = readXml(bytes, MAX_DEPTH, {
    open: (tag, depth) => {
      if (depth === 1 && (tag.local !== "interfaceNuu" || tag.uri !== NUU)) {
        throw new XmlRefused(`la racine n'est pas {${NUU}}interfaceNuu`);
      }
      elements += 1;
      if (elements > MAX_ELEMENTS) throw new XmlRefused(`plus de ${MAX_ELEMENTS} éléments`);
      const name = tag.uri === NUU ? tag.local : `{${tag.uri}}${tag.local}`;
      const node: Node = { name, text: "", children: [] };
      open.at(-1)?.children.push(node);
      root ??= node;
      open.push(node);
    },
    close: () => {
      open.pop();
    },
    text: (text) => {
      const node = open.at(-1);
      if (node !== undefined) node.text += text;
    },
  });
  if (refused !== undefined) return { kind: "unreadable", reason: refused };
  return root === undefined ? { kind: "unreadable", reason: "vide" } : { kind: "read", root };
}
