/**
 * One list over several partitions, in order of reception, a page at a time. Promise: no gap and no
 * repeat, whatever arrives or changes state between two pages; the cost of a page follows its length
 * and the number of partitions.
 *
 * A place is one place per partition, as each gave it: nothing is assumed of how they are written.
 * A partition gives a place only at the end of a page, so each is read twice: once to see how many of
 * its fluxes come in this page, then for exactly that many. The second reading is what is shown.
 *
 * BUGS: when fluxes leave the list between the two readings, this page may end with some that are
 * later than the first of the next. A partition whose end was reached is not read again.
 */
import { gatewayError } from "../../domain/errors.ts";
import type { Flux } from "../../domain/flux.ts";
import type { FluxPage, FluxQuery } from "../outbox.ts";
import type { Partition } from "./partition.ts";

const MOST = 500;

/** By partition: where to go on from, or null when its end was reached; absent: its beginning. */
type Places = ReadonlyMap<string, string | null>;

interface Share {
  readonly partition: Partition;
  readonly fluxes: readonly Flux[];
  /** Where this partition goes on after these; undefined at its end. */
  readonly next: string | undefined;
}

export async function mergedList(
  partitions: readonly Partition[],
  query: FluxQuery,
): Promise<FluxPage> {
  const { after: cursor, ...criteria } = query;
  const limit = Math.min(MOST, Math.max(1, Math.floor(query.limit)));
  const places: Places = cursor === undefined ? new Map() : readPlaces(cursor, partitions);
  const open = partitions.filter(({ name }) => places.get(name) !== null);

  async function read(partition: Partition, count: number): Promise<Share> {
    const after = places.get(partition.name) ?? undefined;
    const asked = { ...criteria, limit: count, ...(after === undefined ? {} : { after }) };
    const page = await partition.ask((outbox) => outbox.list(asked));
    return { partition, fluxes: page.fluxes, next: page.next };
  }

  const seen = await Promise.all(open.map((partition) => read(partition, limit)));
  const shown = new Map<Partition, number>();
  for (const { partition } of merge(seen, query.order).slice(0, limit)) {
    shown.set(partition, (shown.get(partition) ?? 0) + 1);
  }
  const shares = await Promise.all(
    seen.map(async (share) => {
      const count = shown.get(share.partition) ?? 0;
      if (count === 0) return { ...share, fluxes: [] };
      return count === share.fluxes.length ? share : read(share.partition, count);
    }),
  );

  const next = new Map<string, string | null>(places);
  for (const { partition, fluxes } of seen) if (fluxes.length === 0) next.set(partition.name, null);
  for (const { partition, next: place } of shares) {
    if (shown.has(partition)) next.set(partition.name, place ?? null);
  }
  const more = partitions.some(({ name }) => next.get(name) !== null);
  return {
    fluxes: merge(shares, query.order).map(({ flux }) => flux),
    ...(more ? { next: writePlaces(next) } : {}),
  };
}

/**
 * Merges lists that are each in order. Of two received in the same millisecond, the one of the first
 * partition comes first, and last in the reverse order: one order is the other, reversed.
 */
function merge(
  shares: readonly Share[],
  order: FluxQuery["order"],
): { readonly partition: Partition; readonly flux: Flux }[] {
  const reversed = order === "newestFirst";
  const lists = (reversed ? shares.toReversed() : shares).map(({ partition, fluxes }) => ({
    partition,
    waiting: fluxes.toReversed(),
  }));
  const merged: { partition: Partition; flux: Flux }[] = [];
  for (;;) {
    let first: (typeof lists)[number] | undefined;
    for (const list of lists) {
      const [mine, its] = [list.waiting.at(-1), first?.waiting.at(-1)];
      if (mine === undefined) continue;
      const earlier = its === undefined ? 0 : mine.receivedAt - its.receivedAt;
      if (its === undefined || (reversed ? earlier > 0 : earlier < 0)) first = list;
    }
    const flux = first?.waiting.pop();
    if (first === undefined || flux === undefined) return merged;
    merged.push({ partition: first.partition, flux });
  }
}

/** `nord:170532.7,sud:` — a partition whose end was reached has nothing after the colon. */
function writePlaces(places: Places): string {
  return [...places].map(([name, at]) => `${name}:${encodeURIComponent(at ?? "")}`).join(",");
}

/** Reads a cursor, which comes back from outside. @throws INVALID_REQUEST */
function readPlaces(cursor: string, partitions: readonly Partition[]): Places {
  const places = new Map<string, string | null>();
  for (const part of cursor.split(",")) {
    const [, name, text] = /^([^:]+):([^:]*)$/.exec(part) ?? [];
    const isOurs = partitions.some((partition) => partition.name === name);
    const at = text === undefined ? undefined : decode(text);
    if (name === undefined || at === undefined || !isOurs || places.has(name)) {
      throw gatewayError("INVALID_REQUEST", { detail: "after" });
    }
    places.set(name, at === "" ? null : at);
  }
  return places;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
