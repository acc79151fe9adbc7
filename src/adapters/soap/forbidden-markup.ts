/**
 * Finds what no SOAP message may hold (SOAP 1.1 section 3, SOAP 1.2 part 1 section 5): a document type
 * declaration, a processing instruction. Comments and CDATA sections are passed over: a file inside
 * one may well begin with `<?xml`.
 *
 * Before the parser and not by its events, for a parser with more than six handlers is six times
 * slower: it becomes an object in dictionary mode (measured on saxes 6.0.0, Node 24).
 */

export interface ForbiddenMarkup {
  readonly index: number;
  /** French. */
  readonly reason: string;
}

/** The first one; undefined when there is none, or when the text is not XML, which the parser says. */
export function findForbiddenMarkup(xml: string): ForbiddenMarkup | undefined {
  let from = /^<\?xml[ \t\r\n]/.test(xml) ? 2 : 0;
  let question = xml.indexOf("<?", from);
  let bang = xml.indexOf("<!", from);
  for (;;) {
    if (question >= 0 && question < from) question = xml.indexOf("<?", from);
    if (bang >= 0 && bang < from) bang = xml.indexOf("<!", from);
    if (bang < 0 || (question >= 0 && question < bang)) {
      if (question < 0) return undefined;
      return { index: question, reason: "instruction de traitement refusée" };
    }
    const end = xml.startsWith("<!--", bang)
      ? xml.indexOf("-->", bang + 4)
      : xml.startsWith("<![CDATA[", bang)
        ? xml.indexOf("]]>", bang + 9)
        : undefined;
    if (end === undefined) return { index: bang, reason: "déclaration DOCTYPE refusée" };
    if (end < 0) return undefined;
    from = end + 3;
  }
}
