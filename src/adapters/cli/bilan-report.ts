/** Shows the bilan so that its columns add up before the eyes: received on one side, the rest below. */
import { BILAN_COLUMNS } from "../../domain/flux-state.ts";
import { stateWord } from "./french-words.ts";
import type { BilanView } from "./read-views.ts";
import { readableSpan } from "./readable.ts";
import type { Terminal, Tone } from "./terminal.ts";

/** @param now - ms since the epoch, for the age of the oldest flux */
export function reportBilan(
  bilan: BilanView,
  { paint }: Pick<Terminal, "paint">,
  now: number,
): string[] {
  const width = String(Math.max(bilan.received, 1)).length + 2;
  const sum = bilan.acknowledged + bilan.open + bilan.failed + bilan.discarded;
  const row = (label: string, count: number, sign = " ", note = "", tone?: Tone): string => {
    const line = `${sign} ${label.padEnd(12)}${String(count).padStart(width)}`;
    return `  ${tone === undefined ? line : paint(tone, line)}${note === "" ? "" : `   ${paint("faint", note)}`}`;
  };
  const rule = `  ${"─".repeat(14 + width)}`;
  return [
    paint("strong", "Bilan des flux reçus depuis la création de la base"),
    "",
    row("acquittés", bilan.acknowledged, " ", "le guichet a sa réponse", "good"),
    row("ouverts", bilan.open, "+", openNote(bilan), bilan.open > 0 ? "accent" : undefined),
    row(
      "en échec",
      bilan.failed,
      "+",
      bilan.failed > 0 ? "un exploitant doit décider" : "",
      bilan.failed > 0 ? "bad" : undefined,
    ),
    row("abandonnés", bilan.discarded, "+", "par un exploitant, avec motif"),
    rule,
    row("somme", sum, "="),
    row("reçus", bilan.received, " ", "comptés à part, à l'arrivée"),
    row("différence", bilan.difference, " ", "", bilan.balanced ? undefined : "bad"),
    "",
    bilan.balanced
      ? paint(
          "good",
          "✓ Le bilan est équilibré : aucun flux n'est perdu, aucun n'est compté deux fois.",
        )
      : paint("bad", "✗ Le bilan n'est pas équilibré : un flux manque ou est compté deux fois."),
    `  Acquittements dus, pas encore remis : ${bilan.acquittementsOwed}`,
    `  Mêmes fichiers reçus à nouveau, sans second effet : ${bilan.repeats}`,
    ...(bilan.oldestKeptAt === undefined
      ? []
      : [
          `  Le plus ancien flux en attente l'est depuis ${readableSpan(now - bilan.oldestKeptAt)}.`,
        ]),
  ];
}

/** `3 gardés, 1 en doute`: what "open" is made of. */
function openNote(bilan: BilanView): string {
  const parts = BILAN_COLUMNS.open.flatMap((state) => {
    const count = bilan.byState[state] ?? 0;
    return count === 0 ? [] : [`${count} ${plural(stateWord(state), count)}`];
  });
  return parts.join(", ");
}

function plural(word: string, count: number): string {
  return count < 2 || word.startsWith("en ") ? word : `${word}s`;
}
