/** Writes indented XML line by line. Everything it is given as text or code is escaped. */
import { escapeXml } from "../wire/xml-text.ts";

export interface XmlWriter {
  /** @param attributes - written as they are. */
  open(name: string, attributes?: string): void;
  /** An element that carries a `code` attribute and holds others. */
  openCoded(name: string, code: string): void;
  close(name: string): void;
  /** An element holding text. */
  text(name: string, text: string): void;
  /** An empty element whose value is its `code` attribute, as interfaceNuu does. */
  code(name: string, code: string): void;
  /** What was written, ending with a line end. */
  result(): string;
}

export function makeXmlWriter(options: { prefix: string | undefined; eol: string }): XmlWriter {
  const { eol } = options;
  const prefix = options.prefix === undefined ? "" : `${options.prefix}:`;
  let written = "";
  let depth = 0;
  const line = (text: string): void => {
    written += "  ".repeat(depth) + text + eol;
  };
  const open: XmlWriter["open"] = (name, attributes) => {
    line(`<${prefix}${name}${attributes === undefined ? "" : ` ${attributes}`}>`);
    depth += 1;
  };
  return {
    open,
    openCoded: (name, code) => {
      open(name, `code="${escapeXml(code)}"`);
    },
    close: (name) => {
      depth -= 1;
      line(`</${prefix}${name}>`);
    },
    text: (name, text) => line(`<${prefix}${name}>${escapeXml(text)}</${prefix}${name}>`),
    code: (name, code) => line(`<${prefix}${name} code="${escapeXml(code)}"/>`),
    result: () => written,
  };
}
