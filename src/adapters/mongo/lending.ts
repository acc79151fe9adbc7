/**
 * Writes the loans of one collection, and remembers those whose answer was lost. Promise: a loan is
 * given to whoever asked for it only when a majority has it; one whose answer never came is found
 * again before anything new is lent, not made twice.
 */
import type { mongo } from "mongoose";
import type { Avoided } from "./avoided.ts";
import type { DeliveryDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import type { StoreTime } from "./store-time.ts";
import { updateTogether } from "./update-unlocked.ts";

/** One document about to be lent. */
export interface Loan<T> {
  readonly before: T;
  readonly after: T;
  readonly update: unknown;
}

export interface Lending<T> {
  /** What a lost claim holds and is still its for a while, before anything new is lent. */
  foundAgain(now: number): Promise<readonly T[]>;
  /**
   * Writes the loans; gives those that were made.
   * @param options.mayBeLent - what a document is while it may be lent
   * @param options.leaseUntil - when the leases end, ms since the epoch
   */
  lend(
    claim: string,
    loans: readonly Loan<T>[],
    options: { readonly mayBeLent: object; readonly leaseUntil: number },
  ): Promise<readonly T[]>;
}

/** A claim whose answer never came: which documents it may hold. */
interface Lost {
  readonly claim: string;
  readonly ids: readonly string[];
  /** When its leases end, ms since the epoch. */
  readonly until: number;
}

export function makeLending<T extends FluxDocument | DeliveryDocument>({
  collection,
  time,
  avoided,
}: {
  readonly collection: mongo.Collection<T>;
  readonly time: StoreTime;
  readonly avoided: Avoided;
}): Lending<T> {
  const lost: Lost[] = [];

  /** Those of these documents that a claim holds; of a majority, since the SNE will be called. */
  function heldBy({ claim, ids }: Pick<Lost, "claim" | "ids">): Promise<mongo.WithId<T>[]> {
    return collection
      .find({ _id: { $in: ids }, claim } as unknown as mongo.Filter<T>, {
        projection: WITHOUT_JOURNAL,
        readConcern: { level: "majority" },
      })
      .toArray();
  }

  return {
    foundAgain: async (now) => {
      const first = lost.shift();
      // Past their leases its loans are taken back, as those of the dead are.
      if (first === undefined || first.until <= now) return [];
      const held = (await heldBy(first)) as unknown as T[];
      const found = new Set<string>(held.map(({ _id }) => _id));
      const ids = first.ids.filter((id) => !found.has(id));
      // A majority may come to have the rest later.
      if (ids.length > 0) lost.push({ ...first, ids });
      return held.filter((doc) => (doc.leaseUntil ?? 0) > time.toStore(now));
    },

    lend: async (claim, loans, { mayBeLent, leaseUntil }) => {
      if (loans.length === 0) return [];
      const ids = loans.map(({ before }) => before._id);
      try {
        const { matched, held } = await updateTogether(
          collection,
          loans.map(({ before, update }) => ({
            filter: { _id: before._id, fence: before.fence, ...mayBeLent } as mongo.Filter<T>,
            update: update as mongo.UpdateFilter<T>,
          })),
        );
        for (const place of held) avoided.add(ids[place] ?? "");
        const lent = loans.map(({ after }) => after);
        if (matched === loans.length) return lent;
        const ours = await heldBy({ claim, ids });
        const names = new Set(ours.map(({ _id }) => _id as string));
        // Cut short: a majority may come to have more of it later.
        const rest = matched === undefined ? ids.filter((id) => !names.has(id)) : [];
        if (rest.length > 0) lost.push({ claim, ids: rest, until: leaseUntil });
        return lent.filter(({ _id }) => names.has(_id));
      } catch (error) {
        // They may be lent to us all the same: looked for before the next claim.
        lost.push({ claim, ids, until: leaseUntil });
        throw error;
      }
    },
  };
}
