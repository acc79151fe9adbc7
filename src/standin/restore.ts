/** Gives a stand-in back what its diary says it had taken, by the same readings as at the time. */
import { writeAnswerFile } from "./answer-file.ts";
import type { DemandeBook } from "./demande-book.ts";
import type { DiaryEntry } from "./diary.ts";
import { createHash } from "node:crypto";
import type { EffectLedger } from "./effect-ledger.ts";
import type { StandinXml } from "./standin-xml.ts";

export function restore(parts: {
  readonly entries: readonly DiaryEntry[];
  readonly book: DemandeBook;
  readonly ledger: EffectLedger;
  readonly xml: StandinXml;
}): void {
  const { book, ledger, xml } = parts;
  for (const { result, operation, at, numUnique, file } of parts.entries) {
    const reading = xml.readDemande(file);
    if (reading.kind === "unreadable") {
      throw new Error(`the data file holds a demande that cannot be read: ${reading.reason}`);
    }
    const { demande } = reading;
    const sha256 = createHash("sha256").update(file).digest("hex");
    const numbered = numUnique === undefined ? {} : { numUnique };
    ledger.count({ sha256, operation, demande, result: "called", call: 0 });
    ledger.count({ sha256, operation, demande, result, ...numbered, call: 0 });
    if (result === "refused" || numUnique === undefined) continue;
    const answer = writeAnswerFile({ echo: demande.echo, numUnique, anomalies: [], doublons: [] });
    if (operation === "getDeclarationNouveauDalo") book.takeDalo(demande, numUnique, answer, at);
    else book.take(demande, numUnique, answer, at);
  }
}
