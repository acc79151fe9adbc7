/**
 * Reads an interfaceNuu demande in one pass. Not a validation: a demande against the schema is read
 * all the same, as long as its header, its guichet and its applicant are there.
 *
 * Plain files, which is what systems write, go by the fast reader; all others, and everything that
 * is hostile or broken, by saxes. The two give the same reading (test/units/standin-xml.test.ts).
 */
import type { DemandeReading } from "../../standin/standin-xml.ts";
import { makeDemandeCollector } from "./demande-collector.ts";
import { makeEchoWriter, NUU } from "./echo-writer.ts";
import { readPlainDemande, type KnownTags } from "./read-plain-demande.ts";
import { readXml, XmlRefused } from "./xml-events.ts";

const MAX_DEPTH = 64;

export function readDemande(bytes: Uint8Array, tags: KnownTags): DemandeReading {
  return readPlainDemande(bytes, tags) ?? readAnyDemande(bytes);
}

/** Reads any XML, by saxes. */
export function readAnyDemande(bytes: Uint8Array): DemandeReading {
  const echo = makeEchoWriter();
  const collector = makeDemandeCollector(echo);
  const refused = readXml(bytes, MAX_DEPTH, {
    open: (tag, depth) => {
      if (depth === 1 && (tag.local !== "interfaceNuu" || tag.uri !== NUU)) {
        throw new XmlRefused(`la racine n'est pas {${NUU}}interfaceNuu`);
      }
      const local = tag.uri === NUU ? tag.local : undefined;
      collector.open(local, tag.attributes["code"]?.value, depth);
      echo.open(tag);
    },
    close: (tag, depth) => {
      collector.beforeClose(tag.local, depth);
      echo.close(tag);
      collector.afterClose(depth);
    },
    text: (text) => {
      if (collector.wantsText) collector.text(text);
      echo.text(text);
    },
  });
  return refused === undefined ? collector.result() : { kind: "unreadable", reason: refused };
}
