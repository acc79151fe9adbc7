/**
 * Files of the two services of the SNE whose files are not demandes: searches and events. Fictitious,
 * and as plain as their schemas let them be (schemas/interfaceNuu-recherche-02.00.xsd,
 * interfaceNuu-evenements-02.00.xsd, interfaceNuu-types-evenements-02.00.xsd).
 */
const OPEN =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  '<tns:interfaceNuu xmlns:tns="http://nuu.application.i2/" versionInterface="02.00">';

function file(guichet: string, kind: string, body: string): Buffer {
  const head =
    `<tns:entete><tns:typeFichier>${kind}</tns:typeFichier>` +
    "<tns:dateFichier>2026-01-15T09:30:00.000+01:00</tns:dateFichier>" +
    `<tns:codeGuichet>${guichet}</tns:codeGuichet></tns:entete>`;
  return Buffer.from(`${OPEN}${head}${body}</tns:interfaceNuu>\n`);
}

export function searchFile(guichet: string, numUnique: string): Buffer {
  const criteria = `<tns:numUnique>${numUnique}</tns:numUnique>`;
  const body = `<tns:operation><tns:demandeMulticritere>${criteria}</tns:demandeMulticritere></tns:operation>`;
  return file(guichet, "RMC", body);
}

export function nationalTypesFile(guichet: string): Buffer {
  return file(guichet, "LTE", "");
}

export function territoryTypesFile(guichet: string, territory: string): Buffer {
  const body = `<tns:operation><tns:codeTerritoire>${territory}</tns:codeTerritoire></tns:operation>`;
  return file(guichet, "LTE", body);
}

export interface EventContent {
  readonly idEvenement?: string;
  readonly codeTypeEvenement?: string;
  readonly commentaire?: string;
}

/** Of a demande; with an event, to add, change or remove it, without one to list them. */
export function eventsFile(guichet: string, numUnique: string, event?: EventContent): Buffer {
  const about = `<tns:operation><tns:numUnique>${numUnique}</tns:numUnique></tns:operation>`;
  if (event === undefined) return file(guichet, "EVT", about);
  const element = (name: string, value: string | undefined): string =>
    value === undefined ? "" : `<tns:${name}>${value}</tns:${name}>`;
  const content =
    element("idEvenement", event.idEvenement) +
    element("codeTypeEvenement", event.codeTypeEvenement) +
    element("dateSurvenance", "2026-01-14") +
    element("commentaire", event.commentaire);
  const list = `<tns:listeEvenements><tns:evenement>${content}</tns:evenement></tns:listeEvenements>`;
  return file(guichet, "EVT", about + list);
}
