/**
 * Walks XML files that use only plain means, as nearly all exporters do: UTF-8, a declaration,
 * elements, attributes, text, comments, the five named references. No DOCTYPE, CDATA section,
 * processing instruction, character reference or name with accents.
 *
 * Promise: `true` is said of well-formed XML 1.0 only, walked to its last byte. `false` says nothing
 * of the file: the caller gives it to a whole parser, which judges it and says where it is wrong.
 * It stands on the hot path of every flux, twice (the file, the SNE's answer).
 */
import { isUtf8 } from "node:buffer";

export interface PlainXmlVisitor {
  /**
   * An element begins. False ends the walk.
   * @param colon - where its prefix ends, -1 when it has none; there is never a second one
   * @param attributes - as written between the name and the end of the tag, bytes as Latin-1; "" for
   *   none
   */
  open(name: string, colon: number, attributes: string): boolean;
  /**
   * It ends. False ends the walk.
   * @param text - what it held when that was ASCII characters only, without reference; undefined
   *   when it held anything else
   */
  close(text: string | undefined): boolean;
}

const SLASH = 0x2f;
const BANG = 0x21;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const LESS = 0x3c;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;

const MAX_NAME = 100;
const MAX_ATTRIBUTES = 8;
/** A longer text is not given to the visitor. */
const MAX_TEXT = 200;

const OTHER_REFERENCE = /&(?!(?:amp|lt|gt|quot|apos);)/;
const NOT_ASCII_TEXT = /[&\x80-\xff]/;
const DECLARATION =
  /^<\?xml version=(["'])1\.0\1(?: encoding=(["'])[Uu][Tt][Ff]-8\2)?(?: standalone=(["'])(?:yes|no)\3)? ?\?>/;
/** U+FFFE and U+FFFF in UTF-8, as Latin-1: the only characters that are UTF-8 and not XML. */
const FORBIDDEN = ["\xef\xbf\xbe", "\xef\xbf\xbf"];

const BEGINS_NAME = 1;
const IN_NAME = 2;
const BLANK = 4;
/** Neither `<` nor a character that XML forbids (production 2). */
const TEXT = 8;
const KINDS = makeKinds();

function makeKinds(): Uint8Array {
  const kinds = new Uint8Array(256);
  const add = (chars: string, kind: number): void => {
    for (const char of chars) kinds[char.charCodeAt(0)] = (kinds[char.charCodeAt(0)] ?? 0) | kind;
  };
  kinds.fill(TEXT, 0x20);
  kinds[LESS] = 0;
  add(" \t\r\n", BLANK | TEXT);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", BEGINS_NAME | IN_NAME);
  add("0123456789-.:", IN_NAME);
  return kinds;
}

/** @param maxDepth - levels of elements; a deeper file is not walked to its end */
export function walkPlainXml(bytes: Uint8Array, visitor: PlainXmlVisitor, maxDepth = 100): boolean {
  if (!isUtf8(bytes)) return false;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One character per byte: the same offsets in both.
  const text = buffer.toString("latin1");
  if (text.includes("]]>") || FORBIDDEN.some((one) => text.includes(one))) return false;
  if (text.includes("&") && OTHER_REFERENCE.test(text)) return false;
  let at = text.startsWith("\xef\xbb\xbf") ? 3 : 0;
  if (text.startsWith("<?xml", at)) {
    const declaration = DECLARATION.exec(text.slice(at, at + 200));
    if (declaration === null) return false;
    at += declaration[0].length;
  }
  const inside: string[] = [];
  let hasRoot = false;
  /** Where the text of the element last opened begins; -1 once it has held something else. */
  let textFrom = -1;
  for (;;) {
    const kind = inside.length === 0 ? BLANK : TEXT;
    while (((KINDS[bytes[at] ?? 0] ?? 0) & kind) !== 0) at += 1;
    if (bytes[at] !== LESS) return at === bytes.length && hasRoot && inside.length === 0;
    const tag = at;
    const next = bytes[tag + 1];
    if (next === SLASH) {
      const name = inside.pop();
      if (name === undefined || !text.startsWith(name, tag + 2)) return false;
      const end = afterBlanks(bytes, tag + 2 + name.length);
      if (bytes[end] !== GREATER) return false;
      if (!visitor.close(textFrom < 0 ? undefined : asciiText(text, textFrom, tag))) return false;
      textFrom = -1;
      at = end + 1;
    } else if (next === BANG) {
      at = afterComment(bytes, text, tag);
      if (at < 0) return false;
      textFrom = -1;
    } else {
      if ((inside.length === 0 && hasRoot) || inside.length >= maxDepth) return false;
      hasRoot = true;
      const nameEnd = afterName(bytes, tag + 1);
      if (nameEnd < 0) return false;
      const name = text.slice(tag + 1, nameEnd);
      const colon = name.indexOf(":");
      if (colon >= 0 && (colon === name.length - 1 || name.includes(":", colon + 1))) return false;
      const end = bytes[nameEnd] === GREATER ? nameEnd : afterAttributes(bytes, text, nameEnd);
      if (end < 0) return false;
      const attributes = end === nameEnd ? "" : text.slice(nameEnd, end).trim();
      if (!visitor.open(name, colon, attributes)) return false;
      if (bytes[end] === SLASH) {
        if (bytes[end + 1] !== GREATER || !visitor.close("")) return false;
        textFrom = -1;
        at = end + 2;
      } else {
        inside.push(name);
        at = end + 1;
        textFrom = at;
      }
    }
  }
}

/** The attributes of a tag, as `walkPlainXml` gives them, by name. Values are as written. */
export function readPlainAttributes(attributes: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", , value = ""] of attributes.matchAll(
    /([^\s=]+)\s*=\s*(["'])(.*?)\2/gs,
  )) {
    found.set(name, value);
  }
  return found;
}

function asciiText(text: string, from: number, to: number): string | undefined {
  if (to - from > MAX_TEXT) return undefined;
  const held = text.slice(from, to);
  return NOT_ASCII_TEXT.test(held) ? undefined : held;
}

/** Where a name ends; -1 when there is none, or one too long. */
function afterName(bytes: Uint8Array, from: number): number {
  if (((KINDS[bytes[from] ?? 0] ?? 0) & BEGINS_NAME) === 0) return -1;
  let at = from + 1;
  while (((KINDS[bytes[at] ?? 0] ?? 0) & IN_NAME) !== 0) at += 1;
  return at - from > MAX_NAME ? -1 : at;
}

/** Where the `>` or `/` that ends a tag stands; -1 when its attributes are not plain. */
function afterAttributes(bytes: Uint8Array, text: string, from: number): number {
  let at = from;
  const names: string[] = [];
  for (;;) {
    const begin = afterBlanks(bytes, at);
    if (bytes[begin] === GREATER || bytes[begin] === SLASH) return begin;
    const nameEnd = begin === at ? -1 : afterName(bytes, begin);
    if (nameEnd < 0 || names.length === MAX_ATTRIBUTES) return -1;
    const name = text.slice(begin, nameEnd);
    if (names.includes(name)) return -1;
    names.push(name);
    at = afterBlanks(bytes, nameEnd);
    if (bytes[at] !== EQUALS) return -1;
    at = afterBlanks(bytes, at + 1);
    const quote = bytes[at];
    if (quote !== QUOTE && quote !== APOSTROPHE) return -1;
    at += 1;
    while (bytes[at] !== quote) {
      if (((KINDS[bytes[at] ?? 0] ?? 0) & TEXT) === 0) return -1;
      at += 1;
    }
    at += 1;
  }
}

/** Where a comment ends; -1 when it is none, or not a plain one. */
function afterComment(bytes: Uint8Array, text: string, from: number): number {
  if (!text.startsWith("<!--", from)) return -1;
  const dashes = text.indexOf("--", from + 4);
  if (dashes < 0 || bytes[dashes + 2] !== GREATER) return -1;
  for (let at = from + 4; at < dashes; at += 1) {
    if (bytes[at] !== LESS && ((KINDS[bytes[at] ?? 0] ?? 0) & TEXT) === 0) return -1;
  }
  return dashes + 3;
}

function afterBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (((KINDS[bytes[at] ?? 0] ?? 0) & BLANK) !== 0) at += 1;
  return at;
}
