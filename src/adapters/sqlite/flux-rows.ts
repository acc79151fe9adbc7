/** Between a row of `flux` and a Flux. The only place that knows how one is written as the other. */
import type { SQLOutputValue } from "node:sqlite";
import type { FluxState } from "../../domain/flux-state.ts";
import type { Channel, Envelope, Flux, Origin, Reason, ReturnAddress } from "../../domain/flux.ts";
import type { Control, Verdict } from "../../domain/outcome.ts";
import type { NewFlux } from "../../keep/outbox.ts";

/** A row of `flux`, as `schema.ts` declares it. */
export interface FluxRow {
  readonly seq: number;
  readonly id: string;
  readonly state: FluxState;
  readonly channel: Channel;
  readonly guichet: string | null;
  readonly lane: string | null;
  readonly holds: number;
  readonly head: number;
  readonly identity: string | null;
  readonly num_unique: string | null;
  readonly sha256: string;
  readonly size: number;
  readonly file_name: string;
  readonly arrival: string;
  readonly received_at: number;
  readonly since: number;
  readonly due_at: number;
  readonly attempts: number;
  readonly repeats: number;
  readonly events: number;
  readonly owed_at: number | null;
  readonly fence: number;
  readonly lease_until: number | null;
  readonly reason: string | null;
  readonly verdict: string | null;
  readonly remarks: string | null;
  readonly erased_at: number | null;
}

/** What the column `arrival` holds, as JSON. */
export interface ArrivalFacts {
  readonly envelope?: Envelope | undefined;
  readonly origin: Origin;
  readonly returnsBy?: ReturnAddress["channel"] | undefined;
}

type Row = Record<string, SQLOutputValue>;

/** A row just read with `SELECT *` or `RETURNING *`: the STRICT table vouches for its types. */
export function fluxRow(row: Row): FluxRow;
export function fluxRow(row: Row | undefined): FluxRow | undefined;
export function fluxRow(row: Row | undefined): FluxRow | undefined {
  return row as unknown as FluxRow | undefined;
}

export function fluxOf(row: FluxRow): Flux {
  const arrival = JSON.parse(row.arrival) as ArrivalFacts;
  return {
    id: row.id,
    state: row.state,
    channel: row.channel,
    ...(row.guichet === null ? {} : { guichet: row.guichet }),
    ...(arrival.envelope === undefined ? {} : { envelope: arrival.envelope }),
    fileName: row.file_name,
    ...(row.lane === null ? {} : { lane: row.lane }),
    sha256: row.sha256,
    size: row.size,
    origin: arrival.origin,
    ...(arrival.returnsBy === undefined ? {} : { returnsBy: arrival.returnsBy }),
    receivedAt: row.received_at,
    since: row.since,
    attempts: row.attempts,
    ...(row.state === "kept" ? { dueAt: row.due_at } : {}),
    ...(row.reason === null ? {} : { reason: JSON.parse(row.reason) as Reason }),
    ...(row.verdict === null ? {} : { verdict: JSON.parse(row.verdict) as Verdict }),
    ...(row.remarks === null ? {} : { remarks: JSON.parse(row.remarks) as Control[] }),
    repeats: row.repeats,
    ...(row.erased_at === null ? {} : { erasedAt: row.erased_at }),
  };
}

/** The flux as it is at birth: what `fluxOf` will read back. */
export function fluxAtBirth(flux: NewFlux): Flux {
  return {
    id: flux.id,
    state: flux.state,
    channel: flux.channel,
    ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
    ...(flux.envelope === undefined ? {} : { envelope: flux.envelope }),
    fileName: flux.fileName,
    ...(flux.lane === undefined ? {} : { lane: flux.lane }),
    sha256: flux.sha256,
    size: flux.bytes.byteLength,
    origin: flux.origin,
    ...(flux.returnTo === undefined ? {} : { returnsBy: flux.returnTo.channel }),
    receivedAt: flux.receivedAt,
    since: flux.receivedAt,
    attempts: 0,
    ...(flux.state === "kept" ? { dueAt: flux.receivedAt } : {}),
    ...(flux.reason === undefined ? {} : { reason: flux.reason }),
    ...(flux.verdict === undefined ? {} : { verdict: flux.verdict }),
    ...(flux.remarks === undefined ? {} : { remarks: flux.remarks }),
    repeats: 0,
  };
}

/** The column `arrival` of a flux at birth. */
export function arrivalText(flux: NewFlux): string {
  const facts: ArrivalFacts = {
    envelope: flux.envelope,
    origin: flux.origin,
    returnsBy: flux.returnTo?.channel,
  };
  return JSON.stringify(facts);
}

/** The column `arrival` once the flux has an address it lacked at birth. */
export function arrivalReturningBy(arrival: string, to: ReturnAddress | undefined): string {
  if (to === undefined) return arrival;
  const facts = JSON.parse(arrival) as ArrivalFacts;
  return JSON.stringify({ ...facts, returnsBy: to.channel } satisfies ArrivalFacts);
}

/** JSON of a value that may be absent, null for SQL. */
export function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** One address always gives the same text, whatever the order of its properties. */
export function addressText(address: ReturnAddress): string {
  return JSON.stringify(address, Object.keys(address).sort());
}

export function addressOf(text: string): ReturnAddress {
  return JSON.parse(text) as ReturnAddress;
}
