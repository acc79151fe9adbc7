/**
 * Shows a flux as JSON: what its guichet or the operator may know, times in ISO 8601, states in
 * words. Shows neither the content of a demande nor, to a guichet, what only operators write.
 */
import type { EventDetail, JournalEntry } from "../../domain/events.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Verdict } from "../../domain/outcome.ts";
import type { Caller } from "./access.ts";
import { EVENT_LABELS, STATE_LABELS } from "../../operate/state-words.ts";
import type { Waiting } from "../../operate/why-waiting.ts";

/** `components.schemas.Flux` of the OpenAPI document. */
export type FluxView = Readonly<Record<string, unknown>> & { readonly id: string };

/** Details of events that tell who operates the gateway and what operators note for themselves. */
const OPERATOR_DETAILS = ["operator", "note", "owner"];

export function fluxPath(id: string): string {
  return `/api/v1/fluxes/${id}`;
}

export function fluxView(flux: Flux, caller: Caller, waiting?: Waiting): FluxView {
  const { envelope, verdict } = flux;
  const forOperator = caller.kind === "operator";
  return present({
    id: flux.id,
    state: flux.state,
    stateLabel: STATE_LABELS[flux.state],
    waiting:
      waiting === undefined
        ? undefined
        : present({ ...waiting, until: iso(waiting.until), behind: waiting.behind }),
    channel: flux.channel,
    guichet: flux.guichet,
    fileName: flux.fileName,
    kind: envelope?.kind,
    numGuichet: envelope?.numGuichet,
    numUnique: envelope?.numUnique,
    refInterne: envelope?.refInterne,
    sequence: envelope?.sequence,
    sha256: flux.sha256,
    size: flux.size,
    receivedAt: iso(flux.receivedAt),
    since: iso(flux.since),
    attempts: flux.attempts,
    nextAttemptAt: iso(flux.state === "kept" ? flux.dueAt : undefined),
    repeats: flux.repeats,
    filesErasedAt: iso(flux.erasedAt),
    reason: flux.reason,
    verdict: verdict === undefined ? undefined : verdictView(verdict, forOperator),
    remarks: flux.remarks,
    origin: forOperator ? present({ ...flux.origin }) : undefined,
    links: linksOf(flux, caller),
  }) as FluxView;
}

function verdictView(verdict: Verdict, forOperator: boolean): Readonly<Record<string, unknown>> {
  const { at, ...rest } = verdict;
  const shown: Record<string, unknown> = { ...rest, at: iso(at) };
  if (!forOperator) delete shown["note"];
  return shown;
}

function linksOf(flux: Flux, caller: Caller): Readonly<Record<string, string>> {
  const self = fluxPath(flux.id);
  const answered = flux.verdict !== undefined;
  // Only a verdict the SNE pronounced may come with files of its own, until they are erased.
  const hasFiles =
    answered &&
    flux.verdict.by === "sne" &&
    flux.erasedAt === undefined &&
    caller.kind === "guichet";
  return {
    self,
    journal: `${self}/journal`,
    ...(answered ? { acquittement: `${self}/acquittement` } : {}),
    ...(hasFiles
      ? {
          reponse: `${self}/acquittement/reponse`,
          attestation: `${self}/acquittement/attestation`,
        }
      : {}),
  };
}

/** `components.schemas.JournalEntry` of the OpenAPI document. */
export function journalView(
  entries: readonly JournalEntry[],
  caller: Caller,
): readonly Readonly<Record<string, unknown>>[] {
  return entries.map(({ at, name, detail }) => ({
    at: iso(at),
    name,
    label: EVENT_LABELS[name],
    detail: caller.kind === "operator" ? detail : withoutOperatorDetails(detail),
  }));
}

function withoutOperatorDetails(detail: EventDetail): EventDetail {
  return Object.fromEntries(
    Object.entries(detail).filter(([name]) => !OPERATOR_DETAILS.includes(name)),
  );
}

/** Milliseconds since the epoch as ISO 8601 in UTC; undefined stays undefined. */
export function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** The same object without what is undefined. */
function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
