/**
 * Writes a demande again as the stand-in answers it: elements of interfaceNuu get the prefix `tns`
 * (libsne finds the root by exactly three characters before the colon), declared once on the root;
 * anything else keeps its own namespace. Comments and processing instructions are left out.
 */
import type { SaxesTagNS } from "saxes";
import type { SteeredEcho } from "./demande-collector.ts";
import { escapeXml } from "../../wire/xml-text.ts";

export const NUU = "http://nuu.application.i2/";
const XMLNS = "http://www.w3.org/2000/xmlns/";
const XML = "http://www.w3.org/XML/1998/namespace";
const SPECIAL_IN_TEXT = /[&<>\r]/;
const SPECIAL_IN_VALUE = /[&<>"\r\n\t]/;

export interface EchoWriter extends SteeredEcho {
  open(tag: SaxesTagNS): void;
  close(tag: SaxesTagNS): void;
  text(text: string): void;
}

export function makeEchoWriter(): EchoWriter {
  let out = "";
  let tagOpen = false;
  let root = true;
  const endTag = (): void => {
    if (!tagOpen) return;
    out += ">";
    tagOpen = false;
  };
  const echo: EchoWriter = {
    muted: false,
    open: (tag) => {
      if (echo.muted) return;
      endTag();
      out += `<${nameOf(tag)}`;
      if (root) out += ` xmlns:tns="${NUU}"`;
      if (tag.uri !== NUU && tag.uri !== "") out += ` xmlns:ext="${escapeValue(tag.uri)}"`;
      root = false;
      let foreign = 0;
      for (const name in tag.attributes) {
        const attribute = tag.attributes[name];
        if (attribute === undefined || attribute.uri === XMLNS) continue;
        let prefix = "";
        if (attribute.uri === NUU) prefix = "tns:";
        else if (attribute.uri === XML) prefix = "xml:";
        else if (attribute.uri !== "") {
          foreign += 1;
          prefix = `a${foreign}:`;
          out += ` xmlns:a${foreign}="${escapeValue(attribute.uri)}"`;
        }
        out += ` ${prefix}${attribute.local}="${escapeValue(attribute.value)}"`;
      }
      tagOpen = true;
    },
    close: (tag) => {
      if (echo.muted) return;
      if (tagOpen) {
        out += "/>";
        tagOpen = false;
      } else {
        out += `</${nameOf(tag)}>`;
      }
    },
    text: (text) => {
      if (echo.muted) return;
      endTag();
      out += escapeText(text);
    },
    cut: () => {
      endTag();
      const written = Buffer.from(out, "utf8");
      out = "";
      return written;
    },
  };
  return echo;
}

/** Element content; saxes has already refused what XML cannot carry. */
export function escapeText(text: string): string {
  return SPECIAL_IN_TEXT.test(text) ? escapeXml(text) : text;
}

/** An attribute value: line ends and tabs are kept as they are by references. */
export function escapeValue(value: string): string {
  if (!SPECIAL_IN_VALUE.test(value)) return value;
  return escapeXml(value).replace(/\n/g, "&#10;").replace(/\t/g, "&#9;");
}

function nameOf(tag: SaxesTagNS): string {
  if (tag.uri === NUU) return `tns:${tag.local}`;
  return tag.uri === "" ? tag.local : `ext:${tag.local}`;
}
