/** The stand-in's XML reading: plain demandes fast, everything else on saxes. */
import type { StandinXml } from "../../standin/standin-xml.ts";
import { readDemande } from "./read-demande.ts";
import { readEnvelope } from "./read-envelope.ts";
import { readFile } from "./read-file.ts";
import { makeKnownTags } from "./read-plain-demande.ts";

export function makeStandinXml(): StandinXml {
  const tags = makeKnownTags();
  return { readEnvelope, readDemande: (bytes) => readDemande(bytes, tags), readFile };
}
