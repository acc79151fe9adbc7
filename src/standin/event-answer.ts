/** Writes events and their types as the schemas of `interfaceNuu` have them. */
import type { GivenEvent, KeptEvent } from "./event-book.ts";
import { eventType, type EventType } from "./event-types.ts";
import type { XmlWriter } from "./xml-writer.ts";

/** @param removed - they are told for the last time */
export function writeKeptEvents(
  xml: XmlWriter,
  events: readonly KeptEvent[],
  removed: boolean,
): void {
  if (events.length === 0) return;
  xml.open("listeEvenements");
  for (const event of events) {
    const { changedBy, changedAt } = event;
    const type = eventType(event.type ?? "");
    writeEvent(xml, event, {
      ...(type === undefined ? {} : { type }),
      created: () => {
        xml.text("auteurCreation", authorOf(event.createdBy));
        xml.text("dateCreation", new Date(event.createdAt).toISOString());
        if (changedBy !== undefined) xml.text("auteurModification", authorOf(changedBy));
        if (changedAt !== undefined)
          xml.text("dateModification", new Date(changedAt).toISOString());
        // Words of the simulator: the SNE's are not known.
        const nature = removed ? "SUPPR" : changedAt === undefined ? "AJOUT" : "MODIF";
        xml.text("natureModification", nature);
      },
    });
  }
  xml.close("listeEvenements");
}

/** The events of a refused file, as they came. */
export function writeGivenEvents(xml: XmlWriter, events: readonly GivenEvent[]): void {
  if (events.length === 0) return;
  xml.open("listeEvenements");
  for (const event of events) writeEvent(xml, event, {});
  xml.close("listeEvenements");
}

/** The sequence of the schema. */
function writeEvent(
  xml: XmlWriter,
  event: GivenEvent,
  known: { readonly type?: EventType; readonly created?: () => void },
): void {
  const { type } = known;
  xml.open("evenement");
  if (event.id !== undefined) xml.text("idEvenement", `${event.id}`);
  if (event.type !== undefined) xml.text("codeTypeEvenement", event.type);
  if (type !== undefined) xml.text("libelleTypeEvenement", type.libelle);
  known.created?.();
  if (event.dateSurvenance !== undefined) xml.text("dateSurvenance", event.dateSurvenance);
  if (event.commentaire !== undefined) xml.text("commentaire", event.commentaire);
  if (type !== undefined) xml.text("reglementaire", `${type.reglementaire}`);
  if (event.traits !== undefined && event.traits.length > 0) {
    xml.open("listeCaracteristiquesSpecifiques");
    for (const { code, valeur } of event.traits) {
      const libelle = type?.traits.find((trait) => trait.code === code)?.libelle;
      xml.open("caracteristiqueSpecifique");
      xml.text("code", code);
      if (libelle !== undefined) xml.text("libelle", libelle);
      if (valeur !== undefined) xml.text("valeurCaracteristiqueSpecifique", valeur);
      xml.close("caracteristiqueSpecifique");
    }
    xml.close("listeCaracteristiquesSpecifiques");
  }
  xml.close("evenement");
}

export function writeEventTypes(xml: XmlWriter, types: readonly EventType[]): void {
  if (types.length === 0) return;
  xml.open("listeTypesEvenements");
  for (const type of types) {
    xml.open("typeEvenement");
    xml.text("codeTypeEvenement", type.code);
    xml.text("texteDescriptifPGP", NOT_REAL);
    xml.text("texteDescriptifSNE", NOT_REAL);
    xml.text("aPublierSurPGP", "false");
    xml.text("utilisableMultiplesAttributionsSousConditions", `${type.attributionSousConditions}`);
    xml.text("utilisableRechercheInstruction", "false");
    xml.text("reglementaire", `${type.reglementaire}`);
    if (type.finValidite !== undefined) xml.text("dateFinValidite", type.finValidite);
    if (type.territoire !== undefined) xml.text("codeTerritoire", type.territoire);
    xml.open("libelleTypeEvenement");
    xml.text("libelle", type.libelle);
    xml.close("libelleTypeEvenement");
    if (type.traits.length > 0) {
      xml.open("listeCaracteristiquesSpecifiques");
      for (const trait of type.traits) {
        xml.open("caracteristiqueSpecifique");
        xml.text("code", trait.code);
        xml.text("libelle", trait.libelle);
        xml.text("typeCaracteristiqueSpecifique", trait.type);
        xml.text("obligatoire", `${trait.obligatoire}`);
        xml.text("texteDescriptif", NOT_REAL);
        xml.text("aideALaSaisie", NOT_REAL);
        xml.close("caracteristiqueSpecifique");
      }
      xml.close("listeCaracteristiquesSpecifiques");
    }
    xml.close("typeEvenement");
  }
  xml.close("listeTypesEvenements");
}

const NOT_REAL = "Inventé par le simulateur : le SNE n'a pas de type de ce nom.";

function authorOf(guichet: string): string {
  return `Guichet ${guichet} (simulateur)`.slice(0, 255);
}
