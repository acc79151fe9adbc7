/**
 * Where each of the SNE's three services is. The school platform answered for one of them only, at
 * `/services/DemandeLogementImplService/`; that the two others stand beside it, under the names of
 * the published WSDLs, is inferred: each has its own setting.
 */
import type { SneService } from "../wire/sne-contract.ts";

/** Last step of the published addresses (WSDLs of May 2017). */
const PUBLISHED_NAMES = {
  rechercheDemande: "RechercheDemandeImplService",
  gestionPartageeEvt: "GestionPartageeEVTImplService",
} as const;

/** @param settings - addresses as they were set; the first one must be well formed */
export function sneAddresses(settings: {
  readonly sneUrl: string;
  readonly sneSearchUrl?: string | undefined;
  readonly sneEventsUrl?: string | undefined;
}): Readonly<Record<SneService, string>> {
  const { sneUrl, sneSearchUrl, sneEventsUrl } = settings;
  return {
    demandeLogement: sneUrl,
    rechercheDemande: sneSearchUrl ?? besides(sneUrl, PUBLISHED_NAMES.rechercheDemande),
    gestionPartageeEvt: sneEventsUrl ?? besides(sneUrl, PUBLISHED_NAMES.gestionPartageeEvt),
  };
}

/** The same address with another last step; it ends with a slash if the given one does. */
function besides(url: string, name: string): string {
  const { pathname } = new URL(url);
  const isFolder = pathname.endsWith("/") && pathname !== "/";
  return new URL(isFolder ? `../${name}/` : `./${name}${pathname === "/" ? "/" : ""}`, url).href;
}
