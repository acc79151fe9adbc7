/**
 * The six operations of `GestionPartageeEVTImplService`: types of events, events of a demande, and
 * the three that change them. A change is written in the diary, then made, then counted, as any
 * other effect.
 */
import type { DemandeBook } from "./demande-book.ts";
import type { Diary } from "./diary.ts";
import type { EffectLedger, LedgerSubject } from "./effect-ledger.ts";
import { writeEventTypes, writeGivenEvents, writeKeptEvents } from "./event-answer.ts";
import type { EventAuthor, EventBook, KeptEvent } from "./event-book.ts";
import { EVENT_RULES, judgeEvents, judgeTarget, type EventChange } from "./event-rules.ts";
import { nationalTypes, typesOfTerritory, type EventType } from "./event-types.ts";
import { operationFields, readOperationFile, textIn } from "./operation-file.ts";
import type { OperationAnswer, OperationFile } from "./operation-file.ts";
import type { OperationName } from "./operations-table.ts";
import { sha256Of, unreadableFile } from "./prepared-call.ts";
import type { Performed, Performing, PrepareCall } from "./prepared-call.ts";
import { readEventFile, type EventFile } from "./read-events.ts";
import type { SoapCall } from "./soap-request.ts";
import { withCodes, type Anomaly } from "./standin-rules.ts";
import type { StandinXml } from "./standin-xml.ts";
import type { XmlWriter } from "./xml-writer.ts";

/** The operations that change events. */
export const EVENT_CHANGES: Partial<Record<OperationName, EventChange>> = {
  ajouterEvenementDemande: "add",
  modifierEvenementDemande: "change",
  supprimerEvenementDemande: "remove",
};

/** Makes a change the rules agreed to: the same at the time and after a restart. */
export function applyEvents(
  book: EventBook,
  change: EventChange,
  numUnique: string,
  file: EventFile,
  at: number,
): readonly KeptEvent[] {
  const author: EventAuthor = { by: file.file.codeGuichet, at };
  const given = file.events.map((event) => event.given);
  if (change === "add") return book.add(numUnique, given, author);
  if (change === "change") return book.change(numUnique, given, author);
  return book.remove(
    numUnique,
    given.flatMap(({ id }) => (id === undefined ? [] : [id])),
  );
}

export function makeEventOperations(deps: {
  readonly book: DemandeBook;
  readonly events: EventBook;
  readonly ledger: EffectLedger;
  readonly diary: Diary;
  readonly xml: StandinXml;
}): PrepareCall {
  const { book, events, ledger, diary, xml } = deps;

  const listTypes = (call: SoapCall, file: OperationFile, of: Performing): Performed => {
    const territorial = call.operation === "listerTypesEvenementsTerritoriaux";
    const territoire = textIn(file.operation, "codeTerritoire");
    let types: readonly EventType[] | undefined = nationalTypes();
    let anomaly: Anomaly | undefined;
    if (territorial && territoire === undefined) anomaly = EVENT_RULES.noTerritory;
    else if (territorial && territoire !== undefined) {
      types = typesOfTerritory(territoire);
      if (types === undefined) anomaly = EVENT_RULES.unknownTerritory;
    }
    const anomalies = gathered(of, anomaly === undefined ? [] : [anomaly]);
    return answerTo(call, "read", {
      file,
      anomalies,
      body: (writer) => {
        // Left out when it could not be one: the answer stays valid.
        if (territoire !== undefined && /^[a-zA-Z0-9]{1,3}$/.test(territoire)) {
          writer.open("operation");
          writer.text("codeTerritoire", territoire);
          writer.close("operation");
        }
        if (anomalies.length === 0) writeEventTypes(writer, types ?? []);
      },
    });
  };

  const listEvents = (call: SoapCall, file: EventFile, of: Performing): Performed => {
    const entry = book.entry(file.numUnique ?? "");
    const anomaly = judgeTarget(file, false, entry, of.settings);
    const anomalies = gathered(of, anomaly === undefined ? [] : [anomaly]);
    return answerTo(call, "read", {
      file: file.file,
      anomalies,
      body: (writer) => {
        writeTarget(writer, file);
        if (anomalies.length > 0) return;
        writeKeptEvents(writer, events.of(file.numUnique ?? ""), false);
      },
    });
  };

  const change = (
    how: EventChange,
    call: SoapCall,
    file: EventFile,
    content: { readonly sha256: string; readonly bytes: Uint8Array },
    of: Performing,
  ): Performed => {
    const { operation } = call;
    const { numUnique } = file;
    const { sha256, bytes } = content;
    const { at } = of;
    const target = judgeTarget(file, true, book.entry(numUnique ?? ""), of.settings);
    const today = new Date(at).toISOString().slice(0, 10);
    const judged =
      target === undefined
        ? judgeEvents(how, file.events, events.of(numUnique ?? ""), today)
        : [target];
    const anomalies = gathered(of, judged);
    const subject = subjectOf(file);
    const numbered = numUnique === undefined ? {} : { numUnique };
    if (anomalies.length > 0 || numUnique === undefined) {
      diary.write({ result: "refused", operation, at, ...numbered, file: bytes });
      ledger.count({ sha256, operation, subject, result: "refused", ...numbered, call: of.call });
      return answerTo(call, "refused", {
        file: file.file,
        anomalies,
        body: (writer) => {
          writeTarget(writer, file);
          writeGivenEvents(
            writer,
            file.events.map(({ given }) => given),
          );
        },
      });
    }
    diary.write({ result: "taken", operation, at, numUnique, file: bytes });
    const touched = applyEvents(events, how, numUnique, file, at);
    ledger.count({ sha256, operation, subject, result: "taken", numUnique, call: of.call });
    return {
      ...answerTo(call, "taken", {
        file: file.file,
        anomalies,
        body: (writer) => {
          writeTarget(writer, file);
          writeKeptEvents(writer, touched, how === "remove");
        },
      }),
      numUnique,
    };
  };

  return (call) => {
    const { operation } = call;
    const bytes = call.file("fichierXml") ?? new Uint8Array();
    const reading = readOperationFile(xml.readFile(bytes));
    if (reading.kind === "unreadable") return unreadableFile(reading.reason);
    const file = readEventFile(reading.file);
    const sha256 = sha256Of(bytes);
    const how = EVENT_CHANGES[operation];
    const subject = subjectOf(file);
    const facts = {
      operation,
      sha256,
      typeFichier: subject.typeFichier,
      guichet: subject.numGuichet,
      ...(file.numUnique === undefined ? {} : { numUnique: file.numUnique }),
    };
    const perform = (of: Performing): Performed => {
      if (how !== undefined) return change(how, call, file, { sha256, bytes }, of);
      return operation === "listerEvenementsDemande"
        ? listEvents(call, file, of)
        : listTypes(call, reading.file, of);
    };
    return {
      kind: "prepared",
      prepared: { facts, file: { sha256, subject }, writes: how !== undefined, perform },
    };
  };
}

/** What the ledger looks at in an event file. */
export function subjectOf({ file, numUnique }: EventFile): LedgerSubject {
  const { typeFichier, dateFichier, codeGuichet } = file;
  return {
    typeFichier,
    dateFichier,
    numGuichet: codeGuichet,
    ...(numUnique === undefined ? {} : { numUnique }),
  };
}

function gathered(of: Performing, judged: readonly Anomaly[]): readonly Anomaly[] {
  return [...of.added, ...withCodes(judged, of.settings.codes)];
}

function writeTarget(writer: XmlWriter, file: EventFile): void {
  writer.open("operation");
  writer.text("numUnique", file.numUnique ?? "");
  writer.close("operation");
}

function answerTo(
  call: SoapCall,
  outcome: "taken" | "refused" | "read",
  of: OperationAnswer,
): Extract<Performed, { kind: "answer" }> {
  return { kind: "answer", outcome, fields: operationFields(call, of) };
}
