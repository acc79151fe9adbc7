/**
 * Makes the table of facts of the SNE's published contract: names, order, cardinality, types,
 * facets, operations, actions; never the text of the files. Ours and the published ones must give
 * the same table, whatever their layout (`test/contracts/published-contract.test.ts`).
 *
 *   node scripts/contract-facts.ts <folder of the published files>
 *
 * writes `test/fixtures/contract-facts.json`. The published files come with the source distribution
 * of the Python package libsne 0.1.0a8, folder `ressources/`; they are not part of this project.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { elementLines } from "./contract/element-lines.ts";
import { gatherSchema } from "./contract/schema-set.ts";
import { wsdlFacts } from "./contract/wsdl-facts.ts";
import { readXmlTree } from "./contract/xml-tree.ts";

/** One document of the contract: the published file, and our own writing of it. */
export const CONTRACT = [
  {
    document: "service DemandeLogement",
    published: "DemandeLogementImplService.wsdl",
    ours: "wsdl/DemandeLogement.wsdl",
  },
  {
    document: "service RechercheDemande",
    published: "RechercheDemandeImplService.wsdl",
    ours: "wsdl/RechercheDemande.wsdl",
  },
  {
    document: "service GestionPartageeEVT",
    published: "GestionPartageeEVTImplService.wsdl",
    ours: "wsdl/GestionPartageeEVT.wsdl",
  },
  {
    document: "interfaceNuu demande 02.00",
    published: "InterfaceNuu_v0200.xsd",
    ours: "schemas/interfaceNuu-demande-02.00.xsd",
  },
  {
    document: "interfaceNuu demande 02.01",
    published: "InterfaceNuu_v0201.xsd",
    ours: "schemas/interfaceNuu-demande-02.01.xsd",
  },
  {
    document: "interfaceNuu recherche 02.00",
    published: "InterfaceNuuRecherche_v0200.xsd",
    ours: "schemas/interfaceNuu-recherche-02.00.xsd",
  },
  {
    document: "interfaceNuu événements 02.00",
    published: "InterfaceNuuGPEvenement_v0200.xsd",
    ours: "schemas/interfaceNuu-evenements-02.00.xsd",
  },
  {
    document: "interfaceNuu types d'événements 02.00",
    published: "InterfaceNuuGPTypeEvenement_v0200.xsd",
    ours: "schemas/interfaceNuu-types-evenements-02.00.xsd",
  },
  {
    document: "listeDoublons",
    published: "Doublon_V0200.xsd",
    ours: "schemas/liste-doublons.xsd",
  },
] as const;

/** Facts by document. */
export type ContractFacts = Readonly<Record<string, readonly string[]>>;

/** The facts of one WSDL or XSD file and of what it includes from the same folder. */
export function factsOfFile(path: string): string[] {
  return factsOf(readFileSync(path, "utf8"), (location) =>
    readFileSync(join(dirname(path), location), "utf8"),
  );
}

/** The facts of the text of a WSDL or XSD. @param read - the text an include names */
export function factsOf(text: string, read: (location: string) => string): string[] {
  const readTree = (location: string) => readXmlTree(read(location));
  const root = readXmlTree(text);
  return root.name === "definitions"
    ? wsdlFacts(root, readTree)
    : elementLines(gatherSchema(root, readTree));
}

/** @param locate - the path of the file of that document. */
export function contractFacts(locate: (row: (typeof CONTRACT)[number]) => string): ContractFacts {
  return Object.fromEntries(CONTRACT.map((row) => [row.document, factsOfFile(locate(row))]));
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    process.stderr.write("usage: node scripts/contract-facts.ts <folder of the published files>\n");
    process.exit(1);
  }
  const facts = contractFacts(({ published }) => join(folder, published));
  const target = join(import.meta.dirname, "../test/fixtures/contract-facts.json");
  writeFileSync(target, `${JSON.stringify(facts, undefined, 1)}\n`);
  for (const [document, lines] of Object.entries(facts)) {
    process.stdout.write(`${document}: ${lines.length} facts\n`);
  }
}
