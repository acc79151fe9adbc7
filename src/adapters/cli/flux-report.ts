/**
 * Tells one flux to a person: what it is, where it stands, why it waits, and every hop it made.
 * Shows nothing of the content of a demande: the gateway itself does not know it.
 */
import type { Control } from "../../domain/outcome.ts";
import { channelWord, stateTone, stateWord } from "./french-words.ts";
import { number, text } from "./json-fields.ts";
import type { FluxView, JournalEntryView, VerdictView } from "./read-views.ts";
import { readableSize, readableSpan, type Readable } from "./readable.ts";
import type { Terminal } from "./terminal.ts";
import { cut, layTable, wrap, type Column } from "./text-table.ts";

const JUDGES: Readonly<Record<string, string>> = {
  sne: "par le SNE",
  gateway: "par la passerelle, sans appel du SNE",
  operator: "par un exploitant",
};
const LABEL_WIDTH = 14;

export function reportFlux(flux: FluxView, terminal: Terminal, readable: Readable): string[] {
  const { paint } = terminal;
  const rows: [string, string][] = [
    ["État", paint(stateTone(flux.state), flux.stateLabel)],
    ["Depuis", readable.time(flux.since)],
  ];
  if (flux.waiting !== undefined) {
    const until =
      flux.waiting.until === undefined
        ? ""
        : ` Prochain essai : ${readable.time(flux.waiting.until)}.`;
    const behind = flux.waiting.behind === undefined ? "" : ` (derrière ${flux.waiting.behind})`;
    rows.push(["Il attend", `${flux.waiting.text}${behind}${until}`]);
  }
  if (flux.reason !== undefined) {
    rows.push(["Motif", `${flux.reason.text} [${flux.reason.code}]`]);
  }
  rows.push(
    ["Fichier", `${flux.fileName} (${readableSize(flux.size)})`],
    ["Type", [flux.kind ?? "inconnu", ...reference(flux)].join(", ")],
    ["Guichet", flux.guichet ?? "inconnu"],
    [
      "Arrivé par",
      `${channelWord(flux.channel)}${flux.from === undefined ? "" : `, de ${flux.from}`}`,
    ],
    ["Reçu le", readable.time(flux.receivedAt)],
    ["Appels du SNE", String(flux.attempts)],
    ["Empreinte", `SHA-256 ${flux.sha256}`],
  );
  if (flux.filesErasedAt !== undefined) {
    const when = readable.time(flux.filesErasedAt);
    rows.push(["Contenu", `effacé le ${when}, après sa durée de conservation`]);
  }
  if (flux.repeats > 0) rows.push(["Doubles reçus", `${flux.repeats}, sans second effet`]);
  return [
    paint("strong", `Flux ${flux.id}`),
    ...rows.flatMap(([label, value]) => labelled(label, value, terminal.width)),
    ...(flux.verdict === undefined ? [] : reportVerdict(flux.verdict, terminal, readable)),
    ...(flux.remarks.length === 0
      ? []
      : [
          "",
          paint("strong", "Écarts au schéma (transmis malgré eux)"),
          ...controlLines(flux.remarks),
        ]),
  ];
}

function reference(flux: FluxView): string[] {
  return [
    ...(flux.numUnique === undefined ? [] : [`numéro unique ${flux.numUnique}`]),
    ...(flux.refInterne === undefined ? [] : [`référence interne ${flux.refInterne}`]),
  ];
}

/** The verdict of a flux: what its acquittement says. */
export function reportVerdict(
  verdict: VerdictView,
  { paint }: Pick<Terminal, "paint">,
  readable: Readable,
): string[] {
  const words: Readonly<Record<string, string>> = {
    accepted: paint("good", "Accepté"),
    refused: paint("warning", "Refusé"),
    discarded: paint("faint", "Abandonné"),
  };
  const by = JUDGES[verdict.by] ?? verdict.by;
  const when = verdict.at === undefined ? "" : `, le ${readable.time(verdict.at)}`;
  return [
    "",
    `${paint("strong", "Réponse")} : ${words[verdict.kind] ?? verdict.kind} ${by}${when}`,
    ...(verdict.numeroUnique === undefined
      ? []
      : [`  Numéro unique : ${paint("strong", verdict.numeroUnique)}`]),
    ...controlLines(verdict.controls),
    ...verdict.doublons.map((number) => `  - demande ressemblante : ${number}`),
    ...(verdict.note === undefined ? [] : [`  Note : ${verdict.note}`]),
    ...(verdict.effectUnknown ? ["  Attention : le SNE a pu enregistrer ce flux."] : []),
  ];
}

/** One line a control: code, field, place, sentence. */
export function controlLines(controls: readonly Control[]): string[] {
  return controls.map(({ code, field, line, message }) => {
    const place = line === undefined ? "" : ` (ligne ${line})`;
    return `  - ${code}${field === undefined ? "" : ` ${field}`}${place} : ${message}`;
  });
}

const JOURNAL_COLUMNS: readonly Column[] = [
  { title: "Heure", align: "right" },
  { title: "Écart", align: "right" },
  { title: "Étape", shrinkTo: 16 },
  { title: "Détail", shrinkTo: 8 },
];

/** The hops of a flux, the time between them, and what each says. */
export function reportJournal(
  entries: readonly JournalEntryView[],
  terminal: Terminal,
  readable: Readable,
): string[] {
  const rows = entries.map((entry, i) => {
    const before = entries[i - 1];
    // The day is told once, and again when it changes.
    const time = readable.time(entry.at);
    const isSameDay =
      before !== undefined && readable.time(before.at).slice(0, 10) === time.slice(0, 10);
    return [
      isSameDay ? readable.hour(entry.at) : time,
      before === undefined ? "" : `+${readableSpan(entry.at - before.at)}`,
      entry.label,
      detailText(entry),
    ];
  });
  const [title = "", ...lines] = layTable(JOURNAL_COLUMNS, rows, terminal.width);
  return ["", terminal.paint("strong", "Journal"), terminal.paint("faint", title), ...lines];
}

/** Words of the details shown; a detail that is not here is for programs (`--json`). */
const DETAIL_WORDS: Readonly<Record<string, string>> = {
  attempt: "appel n°",
  code: "",
  text: "",
  error: "",
  as: "conclusion",
  operator: "par",
  note: "note",
  reason: "motif",
  to: "à",
  guichet: "guichet",
  doublons: "doublons",
  files: "fichiers",
  bytes: "octets",
};

function detailText({ detail }: JournalEntryView): string {
  // Why comes first: it is what must not be cut.
  return Object.entries(detail)
    .toSorted(([a], [b]) => Number(b === "code") - Number(a === "code"))
    .flatMap(([name, value]) => {
      if (name === "channel") return [channelWord(text(value) ?? "")];
      if (name === "ms" && typeof value === "number") return [`en ${readableSpan(value)}`];
      if (name === "sinceReceivedMs" && typeof value === "number") {
        return [`${readableSpan(value)} après l'arrivée`];
      }
      const word = DETAIL_WORDS[name];
      const shown = text(value) ?? number(value)?.toString();
      if (word === undefined || shown === undefined) return [];
      return [word === "" ? shown : `${word}${word.endsWith("°") ? "" : " "}${shown}`];
    })
    .join(", ");
}

function labelled(label: string, value: string, width: number): string[] {
  const lines = wrap(value, width - LABEL_WIDTH - 4);
  return lines.map((line, i) => `  ${(i === 0 ? label : "").padEnd(LABEL_WIDTH)}  ${line}`);
}

const LIST_COLUMNS: readonly Column[] = [
  { title: "Identifiant" },
  { title: "État", shrinkTo: 8 },
  { title: "Guichet" },
  { title: "Type" },
  { title: "Canal", from: 110 },
  { title: "Reçu le" },
  { title: "Fichier", shrinkTo: 16, from: 130 },
  { title: "Ce qu'il attend, ou ce qu'il a donné", shrinkTo: 10 },
];

/** A table of fluxes, one a line. */
export function reportFluxes(
  fluxes: readonly FluxView[],
  terminal: Terminal,
  readable: Readable,
): string[] {
  const rows = fluxes.map((flux) => [
    flux.id,
    terminal.paint(stateTone(flux.state), stateWord(flux.state)),
    flux.guichet ?? "?",
    flux.kind ?? "?",
    channelWord(flux.channel),
    readable.time(flux.receivedAt),
    flux.fileName,
    gist(flux),
  ]);
  const [title = "", ...lines] = layTable(LIST_COLUMNS, rows, terminal.width);
  return [terminal.paint("faint", title), ...lines];
}

function gist(flux: FluxView): string {
  const { verdict, reason, waiting } = flux;
  if (verdict?.numeroUnique !== undefined) return verdict.numeroUnique;
  const [control] = verdict?.controls ?? [];
  if (control !== undefined) return cut(`${control.code} ${control.message}`, 70);
  if (verdict?.note !== undefined) return cut(verdict.note, 70);
  return cut(reason?.text ?? waiting?.text ?? "", 70);
}
