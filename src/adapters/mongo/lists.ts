/**
 * Lists fluxes in order of reception, a page at a time. Promise: the cost of a page follows its
 * length, not what is stored: each order is an index, and a list of several states is the merge of
 * one ordered list per state.
 */
import { mongo } from "mongoose";
import { gatewayError } from "../../domain/errors.ts";
import { FLUX_STATES } from "../../domain/flux-state.ts";
import type { FluxPage, FluxQuery } from "../../keep/outbox.ts";
import type { Collections, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import { fluxOf } from "./flux-documents.ts";
import type { StoreTime } from "./store-time.ts";

/** A place in the order of reception: time, then order of keeping. */
interface Place {
  readonly receivedAt: number;
  readonly seq: mongo.Timestamp;
}

type Filter = mongo.Filter<FluxDocument>;
const SORTS = {
  oldestFirst: { receivedAt: 1, seq: 1 },
  newestFirst: { receivedAt: -1, seq: -1 },
} as const;

export async function listFluxes(
  { fluxes }: Collections,
  query: FluxQuery,
  time: StoreTime,
): Promise<FluxPage> {
  const order = query.order ?? "oldestFirst";
  const limit = Math.min(500, Math.max(1, Math.floor(query.limit)));
  const { sha256, numUnique, guichet, sentAs } = query;
  if (guichet !== undefined && sentAs !== undefined && guichet !== sentAs.guichet) {
    return { fluxes: [] };
  }
  const states = [...new Set(query.states ?? FLUX_STATES)];
  const range = rangeOf(query, order);
  // One more than asked for: tells whether a page follows.
  const count = limit + 1;

  const find = (filter: Filter, hint?: string): Promise<FluxDocument[]> =>
    fluxes
      .find(
        { ...filter, ...range },
        { projection: WITHOUT_JOURNAL, ...(hint === undefined ? {} : { hint }) },
      )
      .sort(SORTS[order])
      .limit(count)
      .toArray();

  async function found(): Promise<FluxDocument[]> {
    const among = {
      ...(guichet === undefined ? {} : { guichet }),
      ...(sentAs === undefined ? {} : sentAs),
      state: { $in: states },
    };
    if (sha256 !== undefined) {
      const named = numUnique === undefined ? {} : { numUnique };
      // One content has few fluxes: all are read, and put in order here.
      return fluxes
        .find({ sha256, ...among, ...named, ...range }, { projection: WITHOUT_JOURNAL })
        .hint("content")
        .toArray();
    }
    if (numUnique !== undefined) return find({ numUnique, ...among });
    if (sentAs !== undefined) return find(among, "sentAs");
    const pages = await Promise.all(
      states.map((state) => find({ ...(guichet === undefined ? {} : { guichet }), state })),
    );
    return pages.flat();
  }

  const sign = order === "oldestFirst" ? 1 : -1;
  const docs = (await found()).sort((a, b) => sign * comparePlaces(a, b)).slice(0, count);
  const page = docs.slice(0, limit);
  const last = page.at(-1);
  return {
    fluxes: page.map((doc) => fluxOf(doc, time)),
    ...(docs.length > limit && last !== undefined
      ? { next: `${last.receivedAt}.${last.seq.toBigInt()}` }
      : {}),
  };
}

function comparePlaces(a: Place, b: Place): number {
  return a.receivedAt - b.receivedAt || a.seq.compare(b.seq);
}

/** The page lies after its cursor and between the times asked for. */
function rangeOf(query: FluxQuery, order: NonNullable<FluxQuery["order"]>): Filter {
  const after = query.after === undefined ? undefined : placeOf(query.after);
  const ascending = order === "oldestFirst";
  const bounds = [
    ...(query.receivedFrom === undefined ? [] : [{ receivedAt: { $gte: query.receivedFrom } }]),
    ...(query.receivedBefore === undefined ? [] : [{ receivedAt: { $lt: query.receivedBefore } }]),
  ];
  if (after === undefined) return bounds.length === 0 ? {} : { $and: bounds };
  const { receivedAt, seq } = after;
  return {
    $and: [
      ...bounds,
      // Said apart from what follows: it bounds the index.
      { receivedAt: ascending ? { $gte: receivedAt } : { $lte: receivedAt } },
      {
        $or: [
          { receivedAt: ascending ? { $gt: receivedAt } : { $lt: receivedAt } },
          { receivedAt, seq: ascending ? { $gt: seq } : { $lt: seq } },
        ],
      },
    ],
  };
}

/** Reads a cursor, which comes back from outside. @throws INVALID_REQUEST */
function placeOf(cursor: string): Place {
  const [, receivedAt, seq] = /^(-?\d{1,15})\.(\d{1,19})$/.exec(cursor) ?? [];
  if (receivedAt === undefined || seq === undefined) {
    throw gatewayError("INVALID_REQUEST", { detail: "after" });
  }
  return { receivedAt: Number(receivedAt), seq: mongo.Timestamp.fromString(seq, 10) };
}
