/** The table that moves: by channel, what was sent, confirmed, waits, and was acknowledged. */
import Table from "cli-table3";
import { CHANNELS, type Channel, type Sent } from "./guichet.ts";
import { paint } from "./stage.ts";
import type { View } from "./watch-gateway.ts";

const NAMES: Readonly<Record<Channel, string>> = {
  mail: "messagerie",
  file: "dossier",
  rest: "REST",
};

interface Row {
  readonly sent: number;
  readonly confirmed: number;
  readonly waiting: number;
  readonly inTransit: number;
  readonly inDoubt: number;
  readonly acknowledged: number;
}

export interface Picture {
  readonly view: View;
  /** The files the table is about. */
  readonly batch: readonly Sent[];
  readonly isAcknowledged: (sent: Sent) => boolean;
  /** What a spectator should know of the SNE. */
  readonly sne: string;
}

function rowOf(picture: Picture, channel?: Channel): Row {
  const { view, batch, isAcknowledged } = picture;
  const mine = batch.filter((sent) => channel === undefined || sent.channel === channel);
  const digests = new Set(mine.map((sent) => sent.sha256));
  const count = (...states: readonly string[]): number =>
    view.fluxes.filter((flux) => digests.has(flux.sha256) && states.includes(flux.state)).length;
  return {
    sent: mine.length,
    confirmed: mine.filter((sent) => sent.confirmed).length,
    waiting: count("kept"),
    inTransit: count("inTransit"),
    inDoubt: count("inDoubt"),
    acknowledged: mine.filter(isAcknowledged).length,
  };
}

const BREAKER: Readonly<Record<string, string>> = {
  closed: paint.green("fermé"),
  open: paint.yellow("ouvert (sans insister)"),
  halfOpen: paint.cyan("entrouvert (un flux essaie)"),
};

export function drawTable(picture: Picture): string {
  const table = new Table({
    head: ["Canal", "Envoyés", "Confirmés", "Attente", "Transit", "Doute", "Acquittés"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: ["grey"], compact: true },
  });
  for (const channel of CHANNELS) table.push(cells(NAMES[channel], rowOf(picture, channel)));
  table.push(cells(paint.bold("total"), rowOf(picture)));
  const { running, breaker } = picture.view;
  const gateway = running ? paint.green("en service") : paint.red("morte");
  const circuit = running && breaker !== undefined ? (BREAKER[breaker] ?? breaker) : "—";
  return `${table.toString()}\n  SNE : ${picture.sne} · passerelle : ${gateway} · disjoncteur : ${circuit}`;
}

function cells(name: string, row: Row): string[] {
  return [
    name,
    String(row.sent),
    row.confirmed === row.sent ? paint.green(String(row.confirmed)) : String(row.confirmed),
    row.waiting > 0 ? paint.yellow(String(row.waiting)) : "0",
    row.inTransit > 0 ? paint.cyan(String(row.inTransit)) : "0",
    row.inDoubt > 0 ? paint.magenta(String(row.inDoubt)) : "0",
    row.acknowledged === row.sent
      ? paint.green(String(row.acknowledged))
      : String(row.acknowledged),
  ];
}

/** The same in one line, where there is no terminal. */
export function summarize(picture: Picture): string {
  if (!picture.view.running) return "passerelle : ne répond pas (arrêtée, ou elle redémarre)";
  const row = rowOf(picture);
  return [
    `envoyés ${row.sent}`,
    `confirmés ${row.confirmed}`,
    `en attente ${row.waiting}`,
    `en transit ${row.inTransit}`,
    `en doute ${row.inDoubt}`,
    `acquittés ${row.acknowledged}`,
    `disjoncteur ${picture.view.breaker ?? "?"}`,
  ].join(" · ");
}
