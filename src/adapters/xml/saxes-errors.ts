/**
 * Says in French what the XML parser found wrong. Promise: every message of the pinned parser has a
 * French sentence (a test reads its source); one of a later version is told as it is rather than
 * hidden.
 */

import { bareAmpersand } from "./bare-ampersand.ts";

const SENTENCES: readonly (readonly [english: RegExp, french: string])[] = [
  [/^disallowed character\.$/, "un caractère n'est pas permis ici"],
  [/^text data outside of root node\.$/, "du texte se trouve hors de l'élément racine"],
  [/^documents may contain only one root\.$/, "il y a plus d'un élément racine"],
  [/^document must contain a root element\.$/, "il n'y a aucun élément"],
  [/^unclosed tag: (.*)$/, "le fichier s'arrête avant la fin (élément « $1 » non fermé)"],
  [/^unexpected end\.$/, "le fichier s'arrête avant la fin"],
  [/^unexpected close tag\.$/, "une balise fermante ne répond pas à la balise ouverte"],
  [/^unmatched closing tag: (.*)\.$/, "la balise fermante « $1 » ne ferme aucun élément"],
  [/^weird empty close tag\.$/, "une balise fermante n'a pas de nom"],
  [
    /^disallowed character in tag name\.?$/,
    "le caractère « < » n'est pas suivi d'un nom d'élément",
  ],
  [/^disallowed character in closing tag\.$/, "une balise fermante est mal écrite"],
  [/^forward-slash in opening tag/, "le caractère « / » n'est pas suivi de « > »"],
  [/^disallowed character in attribute name\.$/, "un nom d'attribut est mal écrit"],
  [/^attribute without value\.$/, "un attribut n'a pas de valeur"],
  [/^unquoted attribute value\.$/, "la valeur d'un attribut n'est pas entre guillemets"],
  [/^no whitespace between attributes\.$/, "il manque une espace entre deux attributs"],
  [/^duplicate attribute: (.*)\.$/, "l'attribut « $1 » est répété"],
  [/^the string "\]\]>" is disallowed/, "la suite « ]]> » n'est pas permise dans un texte"],
  [/^malformed comment\.$/, "un commentaire est mal écrit"],
  [/^incorrect syntax\.$/, "« <! » n'est suivi ni d'un commentaire ni d'une section CDATA"],
  [/^inappropriately located doctype/, "une déclaration DOCTYPE est mal placée"],
  [/^empty entity name\.$/, "le caractère « & » doit s'écrire « &amp; »"],
  [/^undefined entity\.$/, "une entité n'est pas définie ; « & » doit s'écrire « &amp; »"],
  [/^disallowed character in entity name\.$/, "le caractère « & » doit s'écrire « &amp; »"],
  [/^malformed character entity\.$/, "une référence de caractère (« &#…; ») est mal écrite"],
  [/processing instruction/, "une instruction de traitement (« <?…?> ») est mal écrite"],
  [/^an XML declaration must be at the start/, "la déclaration XML n'est pas au tout début"],
  [/^the XML declaration must appear at the start/, "la déclaration XML n'est pas au tout début"],
  [
    /^(XML declaration|did not expect any more|expected the name|expected one of|value required|value must be quoted|version number must|encoding value must|standalone value must|whitespace required|The character \? is)/,
    "la déclaration XML est mal écrite",
  ],
  [/namespace|prefix/, "un espace de noms est mal déclaré"],
  [/^malformed name: (.*)\.$/, "le nom « $1 » est mal formé"],
];

/** The French detail of a parser's message. */
export function frenchDetail(message: string): string {
  for (const [english, french] of SENTENCES) {
    const found = english.exec(message);
    if (found !== null) return french.replace("$1", () => shown(found[1] ?? ""));
  }
  return message;
}

/** A name from the file, short and without controls, fit to be shown. */
export function shown(name: string): string {
  const clean = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
  return clean.length > 60 ? `${clean.slice(0, 60)}…` : clean;
}

export interface Fault {
  /** French. */
  readonly detail: string;
  /** UTF-16 index where a person should look. */
  readonly index: number;
}

/**
 * What is wrong and where: the parser says where it noticed, which for some faults is long after
 * the character to correct.
 */
export function faultIn(
  text: string,
  seen: { readonly message: string; readonly at: number; readonly lastClosed: string },
): Fault {
  const { message, at, lastClosed } = seen;
  if (message.startsWith("unexpected close tag")) {
    const index = text.lastIndexOf("</", at);
    const found = shown(text.slice(index + 2, at).trim());
    const detail = `la balise fermante « ${found} » ne répond pas à « ${shown(lastClosed)} »`;
    return { detail, index };
  }
  if (message.startsWith("undefined entity")) {
    const index = text.lastIndexOf("&", at);
    return { detail: `l'entité « ${shown(text.slice(index, at + 1))} » n'est pas définie`, index };
  }
  if (message.startsWith("malformed character entity")) {
    return { detail: frenchDetail(message), index: text.lastIndexOf("&", at) };
  }
  if (message.startsWith("documents may contain only one root")) {
    return { detail: frenchDetail(message), index: text.lastIndexOf("<", at) };
  }
  // The parser looks for the end of an entity as far as the end of the file.
  const bare = at === text.length || message.includes("entity") ? bareAmpersand(text) : undefined;
  if (bare !== undefined) {
    return { detail: "le caractère « & » doit s'écrire « &amp; »", index: bare };
  }
  return { detail: frenchDetail(message), index: at };
}
