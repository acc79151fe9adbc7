/** Gives a stand-in back what its diary says it had taken, by the same readings as at the time. */
import { writeAnswerFile } from "./answer-file.ts";
import type { DemandeBook } from "./demande-book.ts";
import type { DiaryEntry } from "./diary.ts";
import type { EffectLedger, LedgerSubject } from "./effect-ledger.ts";
import type { EventBook } from "./event-book.ts";
import { applyEvents, EVENT_CHANGES, subjectOf } from "./event-operations.ts";
import { readOperationFile } from "./operation-file.ts";
import { sha256Of } from "./prepared-call.ts";
import { readEventFile } from "./read-events.ts";
import type { StandinXml } from "./standin-xml.ts";

export function restore(parts: {
  readonly entries: readonly DiaryEntry[];
  readonly book: DemandeBook;
  readonly events: EventBook;
  readonly ledger: EffectLedger;
  readonly xml: StandinXml;
}): void {
  for (const entry of parts.entries) {
    const read = readBack(entry, parts);
    const { operation, result, numUnique, file } = entry;
    const sha256 = sha256Of(file);
    const counted = { sha256, operation, subject: read.subject, call: 0 };
    parts.ledger.count({ ...counted, result: "called" });
    const numbered = numUnique === undefined ? {} : { numUnique };
    parts.ledger.count({ ...counted, result, ...numbered });
    if (result === "taken" && numUnique !== undefined) read.take(numUnique);
  }
}

/** The file of an entry, and how it takes its effect again. */
function readBack(
  { operation, at, file }: DiaryEntry,
  { book, events, xml }: Parameters<typeof restore>[0],
): { readonly subject: LedgerSubject; take(numUnique: string): void } {
  const change = EVENT_CHANGES[operation];
  if (change !== undefined) {
    const reading = readOperationFile(xml.readFile(file));
    if (reading.kind === "unreadable") throw unreadable(reading.reason);
    const read = readEventFile(reading.file);
    return {
      subject: subjectOf(read),
      take: (numUnique) => {
        applyEvents(events, change, numUnique, read, at);
      },
    };
  }
  const reading = xml.readDemande(file);
  if (reading.kind === "unreadable") throw unreadable(reading.reason);
  const { demande } = reading;
  return {
    subject: demande,
    take: (numUnique) => {
      const { echo } = demande;
      const answer = writeAnswerFile({ echo, numUnique, anomalies: [], doublons: [] });
      if (operation === "getDeclarationNouveauDalo") book.takeDalo(demande, numUnique, answer, at);
      else book.take(demande, numUnique, answer, at);
    },
  };
}

function unreadable(reason: string): Error {
  return new Error(`the data file holds a file that cannot be read: ${reason}`);
}
