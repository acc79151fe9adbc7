/**
 * The WSDLs that clients are generated from: the project's own, and the ministry's where they are at
 * hand (beside the project, or in the source distribution of libsne, which carries them).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SneService } from "../src/wire/sne-contract.ts";

export interface WsdlSet {
  readonly name: "ours" | "originals";
  readonly paths: Readonly<Record<SneService, string>>;
  /** Texts of all its files, schemas included. */
  readonly texts: readonly string[];
}

export const ROOT = join(import.meta.dirname, "..");

export function ourWsdls(): WsdlSet {
  return setIn("ours", join(ROOT, "wsdl"), {
    demandeLogement: "DemandeLogement.wsdl",
    rechercheDemande: "RechercheDemande.wsdl",
    gestionPartageeEvt: "GestionPartageeEVT.wsdl",
  });
}

/** @param folders - where they may be; undefined when they are in none */
export function originalWsdls(folders: readonly string[]): WsdlSet | undefined {
  const folder = folders.find((path) => existsSync(join(path, "DemandeLogementImplService.wsdl")));
  if (folder === undefined) return undefined;
  return setIn("originals", folder, {
    demandeLogement: "DemandeLogementImplService.wsdl",
    rechercheDemande: "RechercheDemandeImplService.wsdl",
    gestionPartageeEvt: "GestionPartageeEVTImplService.wsdl",
  });
}

function setIn(
  name: WsdlSet["name"],
  folder: string,
  names: Readonly<Record<SneService, string>>,
): WsdlSet {
  const wanted = new Set(Object.values(names));
  const files = readdirSync(folder)
    .filter((file) => wanted.has(file) || file.endsWith(".xsd"))
    .sort();
  return {
    name,
    paths: {
      demandeLogement: join(folder, names.demandeLogement),
      rechercheDemande: join(folder, names.rechercheDemande),
      gestionPartageeEvt: join(folder, names.gestionPartageeEvt),
    },
    texts: files.map((file) => readFileSync(join(folder, file), "utf8")),
  };
}
