/**
 * Reads what the gateway's REST interface answers. Promise: only what has the shape expected passes;
 * fields this program does not know stay in `raw`, so that `--json` shows them all.
 */
import type { Control } from "../../domain/outcome.ts";
import { given, list, number, object, text, time, type Fields } from "./json-fields.ts";

export interface FluxView {
  readonly id: string;
  readonly state: string;
  readonly stateLabel: string;
  readonly channel: string;
  readonly fileName: string;
  readonly guichet?: string;
  readonly kind?: string;
  readonly numUnique?: string;
  readonly refInterne?: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** ms since the epoch, as every time below. */
  readonly receivedAt: number;
  readonly since: number;
  readonly attempts: number;
  readonly repeats: number;
  readonly repeated: boolean;
  /** When its files were erased, ms since the epoch. */
  readonly filesErasedAt?: number;
  readonly from?: string;
  readonly waiting?: { readonly text: string; readonly until?: number; readonly behind?: string };
  readonly reason?: { readonly code: string; readonly text: string };
  readonly verdict?: VerdictView;
  readonly remarks: readonly Control[];
  readonly raw: Fields;
}

export interface VerdictView {
  readonly kind: string;
  readonly by: string;
  readonly at?: number;
  readonly numeroUnique?: string;
  readonly controls: readonly Control[];
  readonly doublons: readonly string[];
  /** What an operator wrote: the note of a conclusion, the reason of a discard. */
  readonly note?: string;
  readonly effectUnknown: boolean;
}

export interface FluxPageView {
  readonly fluxes: readonly FluxView[];
  readonly next?: string;
}

export interface JournalEntryView {
  readonly at: number;
  readonly name: string;
  readonly label: string;
  readonly detail: Fields;
  readonly raw: Fields;
}

export interface BilanView {
  readonly received: number;
  readonly acknowledged: number;
  readonly open: number;
  readonly failed: number;
  readonly discarded: number;
  readonly difference: number;
  readonly balanced: boolean;
  readonly byState: Readonly<Record<string, number>>;
  readonly repeats: number;
  readonly acquittementsOwed: number;
  readonly oldestKeptAt?: number;
  readonly raw: Fields;
}

/** A refusal of the gateway to do what was asked (problem+json). */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly advice?: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  readonly controls: readonly Control[];
  readonly fluxId?: string;
  readonly raw: Fields;
}

export function readFluxView(body: unknown): FluxView | undefined {
  const fields = object(body);
  const id = text(fields?.["id"]);
  const state = text(fields?.["state"]);
  if (fields === undefined || id === undefined || state === undefined) return undefined;
  const waiting = object(fields["waiting"]);
  const reason = object(fields["reason"]);
  return {
    id,
    state,
    stateLabel: text(fields["stateLabel"]) ?? state,
    channel: text(fields["channel"]) ?? "",
    fileName: text(fields["fileName"]) ?? "",
    sha256: text(fields["sha256"]) ?? "",
    size: number(fields["size"]) ?? 0,
    receivedAt: time(fields["receivedAt"]) ?? 0,
    since: time(fields["since"]) ?? 0,
    attempts: number(fields["attempts"]) ?? 0,
    repeats: number(fields["repeats"]) ?? 0,
    repeated: fields["repeated"] === true,
    remarks: controls(fields["remarks"]),
    ...given("filesErasedAt", time(fields["filesErasedAt"])),
    ...given("guichet", text(fields["guichet"])),
    ...given("kind", text(fields["kind"])),
    ...given("numUnique", text(fields["numUnique"])),
    ...given("refInterne", text(fields["refInterne"])),
    ...given("from", text(object(fields["origin"])?.["from"])),
    ...(waiting === undefined
      ? {}
      : {
          waiting: {
            text: text(waiting["text"]) ?? "",
            ...given("until", time(waiting["until"])),
            ...given("behind", text(waiting["behind"])),
          },
        }),
    ...(reason === undefined
      ? {}
      : { reason: { code: text(reason["code"]) ?? "", text: text(reason["text"]) ?? "" } }),
    ...given("verdict", readVerdict(fields["verdict"])),
    raw: fields,
  };
}

function readVerdict(value: unknown): VerdictView | undefined {
  const fields = object(value);
  const kind = text(fields?.["kind"]);
  if (fields === undefined || kind === undefined) return undefined;
  return {
    kind,
    by: text(fields["by"]) ?? "",
    controls: controls(fields["controls"]),
    doublons: list(fields["doublons"]).flatMap((one) => text(one) ?? []),
    effectUnknown: fields["effectUnknown"] === true,
    ...given("at", time(fields["at"])),
    ...given("numeroUnique", text(fields["numeroUnique"])),
    ...given("note", text(fields["note"]) ?? text(fields["reason"])),
  };
}

export function readFluxPageView(body: unknown): FluxPageView | undefined {
  const fields = object(body);
  if (!Array.isArray(fields?.["fluxes"])) return undefined;
  const fluxes = list(fields["fluxes"]).map(readFluxView);
  if (!fluxes.every((one) => one !== undefined)) return undefined;
  return { fluxes, ...given("next", text(fields["next"])) };
}

export function readJournalView(body: unknown): readonly JournalEntryView[] | undefined {
  const entries = Array.isArray(body) ? body : object(body)?.["journal"];
  if (!Array.isArray(entries)) return undefined;
  const read = list(entries).map((entry) => {
    const fields = object(entry);
    const at = time(fields?.["at"]);
    const name = text(fields?.["name"]);
    if (fields === undefined || at === undefined || name === undefined) return undefined;
    const label = text(fields["label"]) ?? name;
    return { at, name, label, detail: object(fields["detail"]) ?? {}, raw: fields };
  });
  return read.every((one) => one !== undefined) ? read : undefined;
}

export function readAcquittementView(body: unknown): Fields | undefined {
  return object(body);
}

export function readBilanView(body: unknown): BilanView | undefined {
  const fields = object(body);
  if (fields === undefined) return undefined;
  const count = (name: string): number | undefined => number(fields[name]);
  const received = count("received");
  const acknowledged = count("acknowledged");
  const open = count("open");
  const failed = count("failed");
  const discarded = count("discarded");
  const difference = count("difference");
  const balanced = fields["balanced"];
  if (
    received === undefined ||
    acknowledged === undefined ||
    open === undefined ||
    failed === undefined ||
    discarded === undefined ||
    difference === undefined ||
    typeof balanced !== "boolean"
  ) {
    return undefined;
  }
  const byState = Object.entries(object(fields["byState"]) ?? {}).flatMap(([state, value]) => {
    const many = number(value);
    return many === undefined ? [] : [[state, many] as const];
  });
  return {
    received,
    acknowledged,
    open,
    failed,
    discarded,
    difference,
    balanced,
    byState: Object.fromEntries(byState),
    repeats: count("repeats") ?? 0,
    acquittementsOwed: count("acquittementsOwed") ?? 0,
    ...given("oldestKeptAt", time(fields["oldestKeptAt"])),
    raw: fields,
  };
}

export function readProblem(body: unknown): Problem | undefined {
  const fields = object(body);
  const code = text(fields?.["code"]);
  const detail = text(fields?.["detail"]);
  const status = number(fields?.["status"]);
  if (fields === undefined || code === undefined || detail === undefined || status === undefined) {
    return undefined;
  }
  return {
    status,
    code,
    detail,
    fields: list(fields["fields"]).flatMap((one) => {
      const field = text(object(one)?.["field"]);
      const message = text(object(one)?.["message"]);
      return field === undefined || message === undefined ? [] : [{ field, message }];
    }),
    controls: controls(fields["controls"]),
    ...given("advice", text(fields["advice"])),
    ...given("fluxId", text(fields["fluxId"])),
    raw: fields,
  };
}

function controls(value: unknown): readonly Control[] {
  return list(value).flatMap((one) => {
    const fields = object(one);
    const code = text(fields?.["code"]);
    if (fields === undefined || code === undefined) return [];
    return [
      {
        code,
        message: text(fields["message"]) ?? "",
        ...given("field", text(fields["field"])),
        ...given("line", number(fields["line"])),
        ...given("column", number(fields["column"])),
      },
    ];
  });
}
