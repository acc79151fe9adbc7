/** The stand-in's XML reading, on saxes. */
import type { StandinXml } from "../../standin/standin-xml.ts";
import { readDemande } from "./read-demande.ts";
import { readEnvelope } from "./read-envelope.ts";

export const SAXES_STANDIN_XML: StandinXml = { readEnvelope, readDemande };
