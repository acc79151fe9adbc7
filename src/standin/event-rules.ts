/**
 * The rules for events, in one table. ALL OF THEM ARE INFERRED or invented: neither the SNE's
 * controls nor its types of events are public. A file is taken whole or refused whole.
 *
 * Codes keep to the ten characters of the schema, their last is a letter: none can be taken for a
 * real one (setting `codes`).
 */
import { changedEvent, type GivenEvent, type KeptEvent } from "./event-book.ts";
import { eventType } from "./event-types.ts";
import type { EventFile, ReadEvent } from "./read-events.ts";
import type { Anomaly } from "./standin-rules.ts";

export const EVENT_RULES = {
  noNumber: { code: "CTRL_EVT_N", message: "operation/numUnique est absent." },
  unknownNumber: {
    code: "CTRL_EVT_U",
    message: "Aucune demande connue ne porte ce numéro unique.",
  },
  radiated: { code: "CTRL_EVT_R", message: "La demande est radiée." },
  noEvent: { code: "CTRL_EVT_L", message: "listeEvenements est absente ou vide." },
  badForm: { code: "CTRL_EVT_F", message: "Une valeur n'a pas la forme attendue" },
  idGiven: {
    code: "CTRL_EVT_S",
    message:
      "Un événement qu'on ajoute ne porte pas d'idEvenement : c'est la réponse qui le donne.",
  },
  noId: { code: "CTRL_EVT_I", message: "idEvenement est absent." },
  unknownEvent: {
    code: "CTRL_EVT_E",
    message: "Cette demande n'a pas d'événement de cet idEvenement.",
  },
  twice: { code: "CTRL_EVT_B", message: "Le même idEvenement est deux fois dans le fichier." },
  noType: { code: "CTRL_EVT_T", message: "codeTypeEvenement est absent." },
  unknownType: { code: "CTRL_EVT_K", message: "codeTypeEvenement n'est pas un type connu." },
  pastType: { code: "CTRL_EVT_P", message: "Ce type d'événement n'a plus cours." },
  noDate: { code: "CTRL_EVT_D", message: "dateSurvenance est absente." },
  unknownTrait: {
    code: "CTRL_EVT_C",
    message: "Ce type d'événement n'a pas cette caractéristique",
  },
  noTrait: {
    code: "CTRL_EVT_O",
    message: "Une caractéristique obligatoire de ce type est absente",
  },
  noTerritory: { code: "CTRL_EVT_Y", message: "operation/codeTerritoire est absent." },
  unknownTerritory: {
    code: "CTRL_EVT_Z",
    message: "Le simulateur ne connaît pas ce territoire.",
  },
} as const satisfies Record<string, Anomaly>;

export type EventChange = "add" | "change" | "remove";

/** The demande a file is about, or why it cannot be. */
export function judgeTarget(
  file: EventFile,
  changes: boolean,
  entry: { readonly radiation?: object } | undefined,
  settings: { readonly unknownNumbers: boolean },
): Anomaly | undefined {
  if (file.numUnique === undefined) return EVENT_RULES.noNumber;
  if (entry === undefined) return settings.unknownNumbers ? EVENT_RULES.unknownNumber : undefined;
  // Reading is not changing: the events of a demande stay to be seen after its radiation.
  return changes && entry.radiation !== undefined ? EVENT_RULES.radiated : undefined;
}

/** @param today - xs:date */
export function judgeEvents(
  change: EventChange,
  events: readonly ReadEvent[],
  known: readonly KeptEvent[],
  today: string,
): readonly Anomaly[] {
  if (events.length === 0) return [EVENT_RULES.noEvent];
  const seen = new Set<number>();
  return events.flatMap(({ given, problems }, index) => {
    const found: Anomaly[] = problems.map((problem) => said(EVENT_RULES.badForm, problem));
    if (found.length === 0) {
      const anomaly = judgeOne(change, given, known, seen, today);
      if (anomaly !== undefined) found.push(anomaly);
    }
    if (given.id !== undefined) seen.add(given.id);
    return found.map((anomaly) => ({
      ...anomaly,
      message: `Événement ${index + 1} : ${anomaly.message}`,
    }));
  });
}

function judgeOne(
  change: EventChange,
  given: GivenEvent,
  known: readonly KeptEvent[],
  seen: ReadonlySet<number>,
  today: string,
): Anomaly | undefined {
  if (change === "add") {
    return given.id === undefined ? judgeContent(given, today) : EVENT_RULES.idGiven;
  }
  if (given.id === undefined) return EVENT_RULES.noId;
  if (seen.has(given.id)) return EVENT_RULES.twice;
  const before = known.find(({ id }) => id === given.id);
  if (before === undefined) return EVENT_RULES.unknownEvent;
  if (change === "remove") return undefined;
  // A type that had its time may stay; it may not be taken.
  const stays = given.type === undefined || given.type === before.type;
  return judgeContent(changedEvent(before, given), stays ? undefined : today);
}

function judgeContent(event: GivenEvent, today: string | undefined): Anomaly | undefined {
  if (event.type === undefined) return EVENT_RULES.noType;
  const type = eventType(event.type);
  if (type === undefined) return EVENT_RULES.unknownType;
  if (today !== undefined && type.finValidite !== undefined && type.finValidite < today) {
    return EVENT_RULES.pastType;
  }
  if (event.dateSurvenance === undefined) return EVENT_RULES.noDate;
  const { traits = [] } = event;
  const stranger = traits.find(({ code }) => !type.traits.some((trait) => trait.code === code));
  if (stranger !== undefined) return said(EVENT_RULES.unknownTrait, stranger.code);
  const missing = type.traits.find(
    ({ code, obligatoire }) =>
      obligatoire && !traits.some((trait) => trait.code === code && trait.valeur !== undefined),
  );
  return missing === undefined ? undefined : said(EVENT_RULES.noTrait, missing.code);
}

function said(anomaly: Anomaly, detail: string): Anomaly {
  return { ...anomaly, message: `${anomaly.message} : ${detail}.` };
}
