/**
 * `rechercheDemandeMulticritere`: the numbers of the demandes the stand-in knows that meet every
 * criterion given. A search without criterion, or that finds too many, is refused (inferred).
 */
import type { BookEntry, DemandeBook } from "./demande-book.ts";
import type { EventBook } from "./event-book.ts";
import { eventType } from "./event-types.ts";
import { childOf, operationFields, readOperationFile } from "./operation-file.ts";
import { sha256Of, unreadableFile, type PrepareCall } from "./prepared-call.ts";
import { readCriteria, type ReadCriteria, type Searched } from "./search-criteria.ts";
import { unpackFacts } from "./search-facts.ts";
import { withCodes, type Anomaly } from "./standin-rules.ts";
import type { StandinXml } from "./standin-xml.ts";

const RULES = {
  noCriterion: { code: "CTRL_RCH_N", message: "Une recherche porte au moins un critère." },
  badCriterion: { code: "CTRL_RCH_F", message: "Critère refusé" },
  tooMany: { code: "CTRL_RCH_T", message: "Trop de demandes répondent à ces critères" },
} as const satisfies Record<string, Anomaly>;

/** Numbers listed in one answer, at most; invented. */
const MAX_FOUND = 1_000;

export function makeSearchOperation(deps: {
  readonly book: DemandeBook;
  readonly events: EventBook;
  readonly xml: StandinXml;
}): PrepareCall {
  const { book, events, xml } = deps;

  const searched = (entry: BookEntry): Searched => ({
    ...unpackFacts(entry.facts),
    numUnique: entry.numUnique,
    radiated: entry.radiation !== undefined,
    motifRadiation: entry.radiation?.motif ?? "",
    attributionEvents: events
      .of(entry.numUnique)
      .filter(({ type }) => eventType(type ?? "")?.attributionSousConditions === true).length,
  });

  const find = ({ criteria, numUnique }: ReadCriteria): readonly string[] => {
    const one = numUnique === undefined ? undefined : book.entry(numUnique);
    const among = numUnique === undefined ? book.entries() : one === undefined ? [] : [one];
    const found: string[] = [];
    for (const entry of among) {
      const facts = searched(entry);
      if (!criteria.every((criterion) => criterion.holds(facts))) continue;
      found.push(entry.numUnique);
      if (found.length > MAX_FOUND) break;
    }
    return found;
  };

  const judge = (read: ReadCriteria): readonly Anomaly[] => {
    if (read.problems.length > 0) {
      return read.problems.map((problem) => said(RULES.badCriterion, problem));
    }
    return read.criteria.length === 0 ? [RULES.noCriterion] : [];
  };

  return (call) => {
    const { operation } = call;
    const bytes = call.file("fichierXml") ?? new Uint8Array();
    const reading = readOperationFile(xml.readFile(bytes));
    if (reading.kind === "unreadable") return unreadableFile(reading.reason);
    const { file } = reading;
    const element = childOf(file.operation, "demandeMulticritere");
    if (element === undefined) return unreadableFile("operation/demandeMulticritere absent");
    const read = readCriteria(element);
    const { numUnique } = read;
    const sha256 = sha256Of(bytes);
    const numbered = numUnique === undefined ? {} : { numUnique };
    const subject = {
      typeFichier: file.typeFichier,
      dateFichier: file.dateFichier,
      numGuichet: file.codeGuichet,
      ...numbered,
    };
    return {
      kind: "prepared",
      prepared: {
        facts: {
          operation,
          sha256,
          typeFichier: file.typeFichier,
          guichet: file.codeGuichet,
          ...numbered,
        },
        file: { sha256, subject },
        writes: false,
        perform: ({ added, settings }) => {
          let judged = judge(read);
          const found = judged.length > 0 ? [] : find(read);
          if (found.length > MAX_FOUND) judged = [said(RULES.tooMany, `plus de ${MAX_FOUND}`)];
          const anomalies = [...added, ...withCodes(judged, settings.codes)];
          const fields = operationFields(call, {
            file,
            anomalies,
            body: (writer) => {
              writer.open("operation");
              writer.open("demandeMulticritere");
              read.echo(writer);
              writer.close("demandeMulticritere");
              writer.close("operation");
              if (anomalies.length > 0 || found.length === 0) return;
              writer.open("listeDemandes");
              for (const number of found) writer.text("numUnique", number);
              writer.close("listeDemandes");
            },
          });
          return { kind: "answer", outcome: "read", fields };
        },
      },
    };
  };
}

function said(anomaly: Anomaly, detail: string): Anomaly {
  return { ...anomaly, message: `${anomaly.message} : ${detail}.` };
}
