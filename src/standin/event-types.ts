/**
 * The types of events the stand-in knows. ALL OF THEM ARE INVENTED: the SNE's own list is not public.
 * Every code begins with SIM and every text says so, that none be taken for the SNE's.
 */

/** What may, or must, be said of an event of that type. */
export interface EventTrait {
  /** At most 10 letters and digits. */
  readonly code: string;
  readonly libelle: string;
  /** At most 3 letters and digits; invented too. */
  readonly type: "TXT" | "NUM";
  readonly obligatoire: boolean;
}

export interface EventType {
  /** At most 10 letters and digits. */
  readonly code: string;
  readonly libelle: string;
  /** Three characters; absent: a national type. */
  readonly territoire?: string;
  readonly reglementaire: boolean;
  /** utilisableMultiplesAttributionsSousConditions */
  readonly attributionSousConditions: boolean;
  /** xs:date; no longer to be used after it. */
  readonly finValidite?: string;
  readonly traits: readonly EventTrait[];
}

const NO_TRAITS: readonly EventTrait[] = [];

export const EVENT_TYPES: readonly EventType[] = [
  {
    code: "SIMNAT1",
    libelle: "Type national 1 du simulateur (inventé)",
    reglementaire: false,
    attributionSousConditions: false,
    traits: NO_TRAITS,
  },
  {
    code: "SIMNAT2",
    libelle: "Type national 2 du simulateur (inventé), à caractéristiques",
    reglementaire: true,
    attributionSousConditions: false,
    traits: [
      {
        code: "SIMOBLIG",
        libelle: "Caractéristique obligatoire du simulateur (inventée)",
        type: "TXT",
        obligatoire: true,
      },
      {
        code: "SIMLIBRE",
        libelle: "Caractéristique facultative du simulateur (inventée)",
        type: "NUM",
        obligatoire: false,
      },
    ],
  },
  {
    code: "SIMNAT3",
    libelle: "Type national 3 du simulateur (inventé), d'attribution sous conditions",
    reglementaire: false,
    attributionSousConditions: true,
    traits: NO_TRAITS,
  },
  {
    code: "SIMNAT4",
    libelle: "Type national 4 du simulateur (inventé), qui n'a plus cours",
    reglementaire: false,
    attributionSousConditions: false,
    finValidite: "2016-12-31",
    traits: NO_TRAITS,
  },
  {
    code: "SIM999A",
    libelle: "Type A du territoire 999 du simulateur (inventé)",
    territoire: "999",
    reglementaire: false,
    attributionSousConditions: false,
    traits: NO_TRAITS,
  },
  {
    code: "SIM998A",
    libelle: "Type A du territoire 998 du simulateur (inventé)",
    territoire: "998",
    reglementaire: false,
    attributionSousConditions: true,
    traits: NO_TRAITS,
  },
];

export function eventType(code: string): EventType | undefined {
  return EVENT_TYPES.find((type) => type.code === code);
}

/** The types of a territory; undefined when the stand-in knows no such territory. */
export function typesOfTerritory(territoire: string): readonly EventType[] | undefined {
  const types = EVENT_TYPES.filter((type) => type.territoire === territoire);
  return types.length === 0 ? undefined : types;
}

export function nationalTypes(): readonly EventType[] {
  return EVENT_TYPES.filter((type) => type.territoire === undefined);
}
