/**
 * Reads the demandes that systems really write, in half the time of a whole XML parser: the
 * stand-in must outrun what it is used to measure. It knows a strict subset of XML 1.0: UTF-8, the
 * one namespace declared on the root, ASCII names, no attribute but one without prefix, the five
 * named references, comments. At the first thing it does not know it gives up, and saxes reads the
 * file from its beginning: it never judges a file itself.
 */
import type { DemandeReading } from "../../standin/standin-xml.ts";
import { makeDemandeCollector, type SteeredEcho } from "./demande-collector.ts";
import { escapeText, NUU } from "./echo-writer.ts";

const DECLARATION = /<\?xml version="1\.0"(?: encoding="(?:utf-8|us-ascii)")?\s*\?>/iy;
const ROOT = /<(?:([A-Za-z_][\w.-]*):)?interfaceNuu((?:[ \n]+[\w:.-]+="[^"<&\n\t]*")*)[ \n]*>/y;
const ROOT_ATTRIBUTE = /[ \n]+([\w:.-]+)="([^"]*)"/g;
/** What may stand between `<` and `>` of an opening tag. */
const OPEN =
  /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)(?: ([A-Za-z]\w*)="([^"<&\n\t]*)")? ?(\/?)$/;
// Not what XML forbids alone: whatever is not everyday text is left to saxes.
const UNCOMMON = /[^\t\n\u0020-\u007E\u00A0-\uD7FF\uE000-\uFFFC]/;
const REFERENCES = /^(?:[^&]|&(?:lt|gt|amp|quot|apos);)*$/;
const MAX_DEPTH = 64;
const MAX_KNOWN_TAGS = 5_000;

/** An opening tag, read. */
interface PlainTag {
  readonly prefix: string | undefined;
  readonly local: string;
  readonly code: string | undefined;
  /** As the echo writes it, without its end. */
  readonly written: string;
  readonly selfClosing: boolean;
}

/** Tags read before, by their text: the same hundred come back in every file. */
export interface KnownTags {
  read(text: string): PlainTag | undefined;
}

export function makeKnownTags(): KnownTags {
  const known = new Map<string, PlainTag>();
  return {
    read: (text) => {
      const before = known.get(text);
      if (before !== undefined) return before;
      const tag = readTag(text);
      // Those that never come back must not fill the memory: starting over costs little.
      if (known.size >= MAX_KNOWN_TAGS) known.clear();
      if (tag !== undefined && text.length < 100) known.set(Buffer.from(text).toString(), tag);
      return tag;
    },
  };
}

function readTag(text: string): PlainTag | undefined {
  const match = OPEN.exec(text);
  if (match === null) return undefined;
  const [, prefix, local = "", attribute, value = "", slash] = match;
  // A declaration would change the meaning of names.
  if (attribute?.startsWith("xml") === true) return undefined;
  const written = `<tns:${local}${attribute === undefined ? "" : ` ${attribute}="${escapeGreater(value)}"`}`;
  return {
    prefix: own(prefix),
    local: own(local) ?? "",
    code: attribute === "code" ? own(value) : undefined,
    written: own(written) ?? "",
    selfClosing: slash === "/",
  };
}

/** A string of its own: a slice would keep the whole file in memory. */
function own(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, "utf8").toString("utf8");
}

/** The reading, or undefined when the file is not plain: it must then be read by a whole parser. */
export function readPlainDemande(bytes: Uint8Array, tags: KnownTags): DemandeReading | undefined {
  const decoded = decode(bytes);
  if (decoded === undefined) return undefined;
  const text = decoded.includes("\r") ? decoded.replace(/\r\n?/g, "\n") : decoded;
  if (UNCOMMON.test(text) || text.includes("]]>")) return undefined;
  const hasReferences = text.includes("&");
  const from = skipProlog(text);
  ROOT.lastIndex = from;
  const root = ROOT.exec(text);
  if (root === null) return undefined;
  const prefix = root[1];
  const rootAttributes = readRootAttributes(root[2] ?? "", prefix);
  if (rootAttributes === undefined) return undefined;

  const echo = makePlainEcho();
  const collector = makeDemandeCollector(echo);
  const names: string[] = ["interfaceNuu"];
  const prefixLength = prefix === undefined ? 0 : prefix.length + 1;
  collector.open("interfaceNuu", undefined, 1);
  echo.open(`<tns:interfaceNuu xmlns:tns="${NUU}"${rootAttributes}`);
  let at = ROOT.lastIndex;
  for (;;) {
    const start = text.indexOf("<", at);
    if (start < 0) return undefined;
    if (start > at) {
      const raw = text.slice(at, start);
      const plain = hasReferences ? resolved(raw) : raw;
      if (plain === undefined) return undefined;
      if (collector.wantsText) collector.text(plain);
      echo.text(plain);
    }
    const next = text.charCodeAt(start + 1);
    if (next === 47 /* / */) {
      const depth = names.length;
      const name = names.pop() ?? "";
      if (prefix !== undefined && !text.startsWith(`${prefix}:`, start + 2)) return undefined;
      const end = start + 2 + prefixLength + name.length;
      if (!text.startsWith(name, start + 2 + prefixLength) || text.charCodeAt(end) !== 62) {
        return undefined;
      }
      collector.beforeClose(name, depth);
      echo.close(name);
      collector.afterClose(depth);
      at = end + 1;
      if (depth === 1) break;
    } else if (next === 33 /* ! */) {
      const end = endOfComment(text, start);
      if (end === undefined) return undefined;
      at = end;
    } else {
      const end = text.indexOf(">", start);
      const tag = end < 0 ? undefined : tags.read(text.slice(start + 1, end));
      if (tag === undefined || tag.prefix !== prefix || names.length >= MAX_DEPTH) return undefined;
      names.push(tag.local);
      const depth = names.length;
      collector.open(tag.local, tag.code, depth);
      echo.open(tag.written);
      if (tag.selfClosing) {
        collector.beforeClose(tag.local, depth);
        echo.close(tag.local);
        collector.afterClose(depth);
        names.pop();
      }
      at = end + 1;
    }
  }
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at += 1;
    if (at >= text.length) return collector.result();
    const end = endOfComment(text, at);
    if (end === undefined) return undefined;
    at = end;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is dropped by the decoder; one of UTF-16 is no UTF-8.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** After the declaration and what may come before the root; there, anything else finds no root. */
function skipProlog(text: string): number {
  DECLARATION.lastIndex = 0;
  let at = DECLARATION.test(text) ? DECLARATION.lastIndex : 0;
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at += 1;
    const end = endOfComment(text, at);
    if (end === undefined) return at;
    at = end;
  }
}

/** versionInterface as the echo writes it; undefined when there is more than it and the namespace. */
function readRootAttributes(written: string, prefix: string | undefined): string | undefined {
  const declaration = prefix === undefined ? "xmlns" : `xmlns:${prefix}`;
  let declared = false;
  let version: string | undefined;
  for (const [, name, value] of written.matchAll(ROOT_ATTRIBUTE)) {
    if (name === declaration && value === NUU && !declared) declared = true;
    else if (name === "versionInterface" && version === undefined) version = value;
    else return undefined;
  }
  if (!declared) return undefined;
  return version === undefined ? "" : ` versionInterface="${escapeGreater(version)}"`;
}

function endOfComment(text: string, start: number): number | undefined {
  if (!text.startsWith("<!--", start)) return undefined;
  const end = text.indexOf("--", start + 4);
  return end >= 0 && text.charCodeAt(end + 2) === 62 ? end + 3 : undefined;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 9;
}

const NAMED: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&amp;": "&",
  "&quot;": '"',
  "&apos;": "'",
};

function resolved(raw: string): string | undefined {
  if (!raw.includes("&")) return raw;
  if (!REFERENCES.test(raw)) return undefined;
  return raw.replace(/&\w+;/g, (reference) => NAMED[reference] ?? reference);
}

/** The one character of a plain attribute value that the echo escapes. */
function escapeGreater(value: string): string {
  return value.includes(">") ? value.replaceAll(">", "&gt;") : value;
}

interface PlainEcho extends SteeredEcho {
  open(written: string): void;
  close(local: string): void;
  text(text: string): void;
}

function makePlainEcho(): PlainEcho {
  let out = "";
  let tagOpen = false;
  const echo: PlainEcho = {
    muted: false,
    open: (written) => {
      if (echo.muted) return;
      out += tagOpen ? `>${written}` : written;
      tagOpen = true;
    },
    close: (local) => {
      if (echo.muted) return;
      out += tagOpen ? "/>" : `</tns:${local}>`;
      tagOpen = false;
    },
    text: (text) => {
      if (echo.muted) return;
      out += tagOpen ? `>${escapeText(text)}` : escapeText(text);
      tagOpen = false;
    },
    cut: () => {
      const written = Buffer.from(tagOpen ? `${out}>` : out, "utf8");
      tagOpen = false;
      out = "";
      return written;
    },
  };
  return echo;
}
