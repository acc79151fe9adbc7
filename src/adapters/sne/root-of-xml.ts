/**
 * The local name of an XML document's root, without reading the rest: enough to tell an answer file
 * from an error page, whatever its size.
 */
import { SaxesParser } from "saxes";
import { decodeXml } from "./decode-xml.ts";

/** How much is looked at first: a prolog longer than that is read to its end, bytes. */
const REACH = 16 * 1024;

class Found extends Error {
  readonly root: string;
  constructor(root: string) {
    super(root);
    this.root = root;
  }
}

/** Undefined when it does not begin as XML does, or has a DOCTYPE. */
export function rootOfXml(bytes: Uint8Array): string | undefined {
  const root = rootIn(bytes.subarray(0, REACH));
  return root !== undefined || bytes.length <= REACH ? root : rootIn(bytes);
}

function rootIn(bytes: Uint8Array): string | undefined {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const refuse = (): void => {
    throw new Error("not XML");
  };
  parser.on("error", refuse);
  parser.on("doctype", refuse);
  // The name alone: attributes may be cut by the reach.
  parser.on("opentagstart", ({ name }) => {
    throw new Found(name.slice(name.indexOf(":") + 1));
  });
  try {
    parser.write(decodeXml(bytes));
  } catch (error) {
    return error instanceof Found ? error.root : undefined;
  }
  return undefined;
}
