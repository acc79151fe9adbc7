/**
 * Lists fluxes in order of reception, a page at a time. Promise: the cost of a page follows its
 * length, not what is stored: each order is an index, and a list of several states is the merge of
 * one ordered list per state.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { gatewayError } from "../../domain/errors.ts";
import { FLUX_STATES } from "../../domain/flux-state.ts";
import type { FluxPage, FluxQuery } from "../../keep/outbox.ts";
import { fluxOf, fluxRow } from "./flux-rows.ts";
import type { FluxRow } from "./flux-rows.ts";

export interface ListStatements {
  list(query: FluxQuery): FluxPage;
}

/** A place in the order of reception: time, then order of keeping. */
interface Place {
  readonly received_at: number;
  readonly seq: number;
}

const FIRST: Place = { received_at: Number.MIN_SAFE_INTEGER, seq: 0 };
const LAST: Place = { received_at: Number.MAX_SAFE_INTEGER, seq: 0 };

const ORDERS = { oldestFirst: "ASC", newestFirst: "DESC" } as const;
type Order = keyof typeof ORDERS;

export function makeListStatements(db: DatabaseSync): ListStatements {
  const fluxBySeq = db.prepare("SELECT * FROM flux WHERE seq = ?");

  /** Places strictly between two, by the index of one criterion, in both orders. */
  function between(columns: string, index: string, where: string): Record<Order, StatementSync> {
    const prepare = (order: Order): StatementSync =>
      db.prepare(
        `SELECT ${columns} FROM flux INDEXED BY ${index} WHERE ${where}
           AND (received_at, seq) > (?, ?) AND (received_at, seq) < (?, ?)
         ORDER BY received_at ${ORDERS[order]}, seq ${ORDERS[order]} LIMIT ?`,
      );
    return { oldestFirst: prepare("oldestFirst"), newestFirst: prepare("newestFirst") };
  }
  const byState = between("received_at, seq", "flux_state", "state = ?");
  const byGuichet = between("received_at, seq", "flux_guichet", "guichet = ? AND state = ?");
  const byNumUnique = between("*", "flux_num_unique", "num_unique = ?");
  const bySha256 = between("*", "flux_content", "sha256 = ?");
  const bySentAs = between("*", "flux_sent_as", "guichet = ? AND file_name = ?");

  /** One number, one content or one name has few fluxes: the other criteria are checked on each. */
  function few(
    statement: StatementSync,
    values: readonly string[],
    bounds: readonly number[],
    wanted: (row: FluxRow) => boolean,
    count: number,
  ): FluxRow[] {
    const rows: FluxRow[] = [];
    for (const found of statement.iterate(...values, ...bounds, -1)) {
      const row = fluxRow(found);
      if (wanted(row)) rows.push(row);
      if (rows.length === count) break;
    }
    return rows;
  }

  function many(
    query: FluxQuery,
    order: Order,
    bounds: readonly number[],
    count: number,
  ): FluxRow[] {
    const { guichet, states = FLUX_STATES } = query;
    const places = [...new Set(states)].flatMap((state) =>
      guichet === undefined
        ? byState[order].all(state, ...bounds, count)
        : byGuichet[order].all(guichet, state, ...bounds, count),
    ) as unknown as Place[];
    const sign = order === "oldestFirst" ? 1 : -1;
    return places
      .sort((a, b) => sign * (a.received_at - b.received_at || a.seq - b.seq))
      .slice(0, count)
      .map(({ seq }) => fluxRow(fluxBySeq.get(seq) ?? {}));
  }

  return {
    list: (query) => {
      const order = query.order ?? "oldestFirst";
      const limit = Math.min(500, Math.max(1, Math.floor(query.limit)));
      const bounds = boundsOf(query, order);
      const { sha256, numUnique, sentAs } = query;
      const wanted = (row: FluxRow): boolean =>
        (query.states?.includes(row.state) ?? true) &&
        (query.guichet === undefined || row.guichet === query.guichet) &&
        (numUnique === undefined || row.num_unique === numUnique) &&
        (sentAs === undefined ||
          (row.guichet === sentAs.guichet && row.file_name === sentAs.fileName));
      // One more than asked for: tells whether a page follows.
      const rows =
        sha256 !== undefined
          ? few(bySha256[order], [sha256], bounds, wanted, limit + 1)
          : numUnique !== undefined
            ? few(byNumUnique[order], [numUnique], bounds, wanted, limit + 1)
            : sentAs !== undefined
              ? few(bySentAs[order], [sentAs.guichet, sentAs.fileName], bounds, wanted, limit + 1)
              : many(query, order, bounds, limit + 1);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        fluxes: page.map(fluxOf),
        ...(rows.length > limit && last !== undefined
          ? { next: `${last.received_at}.${last.seq}` }
          : {}),
      };
    },
  };
}

/** The two places the page lies strictly between: lower time and seq, upper time and seq. */
function boundsOf(query: FluxQuery, order: Order): readonly number[] {
  const after = query.after === undefined ? undefined : placeOf(query.after);
  const from = { received_at: query.receivedFrom ?? FIRST.received_at, seq: 0 };
  const before = { received_at: query.receivedBefore ?? LAST.received_at, seq: 0 };
  const lower = order === "oldestFirst" && after !== undefined ? later(from, after) : from;
  const upper = order === "newestFirst" && after !== undefined ? earlier(before, after) : before;
  return [lower.received_at, lower.seq, upper.received_at, upper.seq];
}

function later(a: Place, b: Place): Place {
  return a.received_at > b.received_at || (a.received_at === b.received_at && a.seq > b.seq)
    ? a
    : b;
}

function earlier(a: Place, b: Place): Place {
  return later(a, b) === a ? b : a;
}

/** Reads a cursor, which comes back from outside. @throws INVALID_REQUEST */
function placeOf(cursor: string): Place {
  const [, receivedAt, seq] = /^(-?\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (receivedAt === undefined || seq === undefined) {
    throw gatewayError("INVALID_REQUEST", { detail: "after" });
  }
  return { received_at: Number(receivedAt), seq: Number(seq) };
}
