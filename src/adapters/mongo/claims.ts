/**
 * Lends fluxes and acquittements, and lengthens leases. Promises: each is lent to one borrower, each
 * loan has its own fence; a loan whose answer was lost is found again, not made twice.
 *
 * A loan is a write of one document on condition that nobody lent it since it was read: gateways
 * that want the same ones each get some, and wait for nobody.
 */
import type { mongo } from "mongoose";
import type { ClaimedDelivery, ClaimedFlux, ClaimRequest, Pause, Work } from "../../keep/outbox.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import { makeAvoided } from "./avoided.ts";
import type { Collections, DeliveryDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import { fluxOf } from "./flux-documents.ts";
import type { StoreTime } from "./store-time.ts";
import { takeBack } from "./taking-back.ts";
import { updateTogether } from "./update-unlocked.ts";

export interface Claims {
  claim(request: ClaimRequest): Promise<readonly ClaimedFlux[]>;
  claimDeliveries(request: ClaimRequest): Promise<readonly ClaimedDelivery[]>;
  renew(
    held: readonly { fluxId: string; fence: number }[],
    leaseUntil: number,
  ): Promise<readonly string[]>;
  takeBack(now: number): Promise<{ inDoubt: number; deliveries: number }>;
}

/** How often a claim is tried that other gateways emptied, while there was something to claim. */
const ATTEMPTS = 5;

/** How long others are taken to want the same ones, after they were quicker, ms. */
const CROWDED_MS = 2_000;
/** How many times what is wanted is then looked at. */
const CROWDED_WIDTH = 4;

/** What one try lent. */
interface Lent<T> {
  readonly docs: readonly T[];
  /** Some that were due are lent by others meanwhile: there may be more. */
  readonly othersWereQuicker: boolean;
}

/** A claim whose answer never came: which documents it may hold. */
interface Lost {
  readonly claim: string;
  readonly ids: readonly string[];
  /** When its leases end, ms since the epoch. */
  readonly until: number;
}

export function makeClaims({
  collections,
  time,
  clock,
  chance,
  newClaimName,
  pauses,
  hint,
}: {
  readonly collections: Collections;
  readonly time: StoreTime;
  readonly clock: Clock;
  readonly chance: Chance;
  /** A name no other claim ever had. */
  readonly newClaimName: () => string;
  readonly pauses: () => Promise<readonly Pause[]>;
  /** Told that there may be work left that was not lent. */
  readonly hint: (work: Work) => void;
}): Claims {
  const { fluxes, deliveries } = collections;
  const lostFluxes: Lost[] = [];
  const lostDeliveries: Lost[] = [];
  const avoided = makeAvoided(clock);
  let crowdedUntil = 0;

  async function claimable(now: number, max: number): Promise<readonly FluxDocument[]> {
    const avoid = avoided.now();
    const due = {
      head: true as const,
      dueAt: { $lte: now },
      ...(avoid.length === 0 ? {} : { _id: { $nin: avoid } }),
    };
    const [found, paused] = await Promise.all([
      fluxes
        .find(due, { projection: WITHOUT_JOURNAL })
        .sort({ dueAt: 1, seq: 1 })
        .limit(max)
        .toArray(),
      pauses(),
    ]);
    if (paused.length === 0) return found;
    if (paused.some(({ scope }) => scope.kind === "all")) return [];
    const guichets = paused.flatMap(({ scope }) =>
      scope.kind === "guichet" ? [scope.guichet] : [],
    );
    const lanes = paused.flatMap(({ scope }) => (scope.kind === "lane" ? [scope.lane] : []));
    // What is paused is stepped over in the index: a claim then costs more the more of it is due.
    return fluxes
      .find(
        { ...due, guichet: { $nin: guichets }, lane: { $nin: lanes } },
        { projection: WITHOUT_JOURNAL },
      )
      .sort({ dueAt: 1, seq: 1 })
      .limit(max)
      .toArray();
  }

  function lend(doc: FluxDocument, request: ClaimRequest, claim: string): FluxDocument {
    const lent = { ...doc };
    delete lent.reason;
    delete lent.head;
    return {
      ...lent,
      state: "inTransit",
      since: request.now,
      attempts: doc.attempts + 1,
      fence: doc.fence + 1,
      leaseUntil: time.toStore(request.now + request.leaseMs),
      claim,
    };
  }

  function claimedOf(doc: FluxDocument): ClaimedFlux {
    const leaseUntil = time.toOwn(doc.leaseUntil ?? 0);
    return { flux: fluxOf(doc, time), fence: doc.fence, leaseUntil };
  }

  /** Those of these documents that a claim holds; of a majority, since the SNE will be called. */
  function heldBy<T extends FluxDocument | DeliveryDocument>(
    collection: mongo.Collection<T>,
    { claim, ids }: Pick<Lost, "claim" | "ids">,
  ): Promise<mongo.WithId<T>[]> {
    return collection
      .find({ _id: { $in: ids }, claim } as unknown as mongo.Filter<T>, {
        projection: WITHOUT_JOURNAL,
        readConcern: { level: "majority" },
      })
      .toArray();
  }

  /** What a lost claim holds and is still its for a while, before anything new is lent. */
  async function foundAgain<T extends FluxDocument | DeliveryDocument>(
    collection: mongo.Collection<T>,
    lost: Lost[],
    now: number,
  ): Promise<T[]> {
    const first = lost.shift();
    // Past their leases its loans are taken back, as those of the dead are.
    if (first === undefined || first.until <= now) return [];
    const held = (await heldBy(collection, first)) as unknown as T[];
    const found = new Set<string>(held.map(({ _id }) => _id));
    const ids = first.ids.filter((id) => !found.has(id));
    // A majority may come to have the rest later.
    if (ids.length > 0) lost.push({ ...first, ids });
    return held.filter((doc) => (doc.leaseUntil ?? 0) > time.toStore(now));
  }

  /** Writes the loans; gives those that were made. */
  async function lendAll<T extends FluxDocument | DeliveryDocument>(
    collection: mongo.Collection<T>,
    lost: Lost[],
    claim: string,
    loans: readonly { readonly before: T; readonly after: T; readonly update: unknown }[],
    { mayBeLent, leaseUntil }: { readonly mayBeLent: object; readonly leaseUntil: number },
  ): Promise<readonly T[]> {
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
      const ours = await heldBy(collection, { claim, ids });
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
  }

  async function lendFluxes(request: ClaimRequest): Promise<Lent<FluxDocument>> {
    const { owner, now } = request;
    const max = Math.max(0, request.max);
    const width = widthFor(max);
    const found = max === 0 ? [] : chosen(await claimable(time.toStore(now), width), max);
    const claim = newClaimName();
    const loans = found.map((before) => {
      const after = lend(before, request, claim);
      const { state, since, attempts, fence, leaseUntil } = after;
      const detail = { owner, attempt: attempts };
      const update = {
        $set: { state, since, attempts, fence, leaseUntil, claim },
        $unset: { head: 1, reason: 1 },
        $push: { journal: { at: now, name: "flux.claimed", detail } },
      };
      return { before, after, update };
    });
    const docs = await lendAll(fluxes, lostFluxes, claim, loans, {
      mayBeLent: { head: true },
      leaseUntil: now + request.leaseMs,
    });
    return { docs, othersWereQuicker: docs.length < found.length };
  }

  async function lendDeliveries(request: ClaimRequest): Promise<Lent<DeliveryDocument>> {
    const { now, leaseMs } = request;
    const max = Math.max(0, request.max);
    const avoid = avoided.now();
    const due = {
      state: "owed" as const,
      dueAt: { $lte: time.toStore(now) },
      ...(avoid.length === 0 ? {} : { _id: { $nin: avoid } }),
    };
    const first = deliveries.find(due).sort({ dueAt: 1, _id: 1 }).limit(widthFor(max));
    const found = max === 0 ? [] : chosen(await first.toArray(), max);
    const claim = newClaimName();
    const loans = found.map((before) => {
      const set = {
        state: "lent" as const,
        attempts: before.attempts + 1,
        fence: before.fence + 1,
        leaseUntil: time.toStore(now + leaseMs),
        claim,
      };
      return { before, after: { ...before, ...set }, update: { $set: set } };
    });
    const docs = await lendAll(deliveries, lostDeliveries, claim, loans, {
      mayBeLent: { state: "owed" },
      leaseUntil: now + leaseMs,
    });
    return { docs, othersWereQuicker: docs.length < found.length };
  }

  /** Some, if there are any: as many as others leave. */
  async function untilSome<T>(work: Work, lendSome: () => Promise<Lent<T>>): Promise<readonly T[]> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { docs, othersWereQuicker } = await lendSome();
      if (othersWereQuicker) {
        crowdedUntil = clock.now() + CROWDED_MS;
        // There may be more: whoever has fewer than it asked for is to ask again.
        if (docs.length > 0) hint(work);
      }
      if (docs.length > 0 || !othersWereQuicker) return docs;
    }
    return [];
  }

  /** How many of the first that are due are looked at to lend some of them. */
  function widthFor(max: number): number {
    return clock.now() < crowdedUntil ? max * CROWDED_WIDTH : max;
  }

  /** The first; while others want the same ones, any: they then seldom meet. */
  function chosen<T>(found: readonly T[], max: number): readonly T[] {
    if (found.length <= max) return found;
    const start = Math.floor(chance.fraction() * (found.length - max + 1));
    return found.slice(start, start + max);
  }

  return {
    claim: oneAtATime(async (request: ClaimRequest) => {
      const again = await foundAgain(fluxes, lostFluxes, request.now);
      if (again.length > 0) return again.map(claimedOf);
      const lent = await untilSome("forward", () => lendFluxes(request));
      return lent.map(claimedOf);
    }),

    claimDeliveries: oneAtATime(async (request: ClaimRequest) => {
      const again = await foundAgain(deliveries, lostDeliveries, request.now);
      const lent =
        again.length > 0 ? again : await untilSome("acknowledge", () => lendDeliveries(request));
      if (lent.length === 0) return [];
      const docs = await fluxes
        .find({ _id: { $in: lent.map(({ flux }) => flux) } }, { projection: WITHOUT_JOURNAL })
        .toArray();
      const byId = new Map(docs.map((doc) => [doc._id, doc]));
      return lent.flatMap(({ _id, flux, to, attempts, isRepeat, fence }) => {
        const doc = byId.get(flux);
        // A hand deleted the flux: its acquittement has nothing to say any more.
        if (doc === undefined) return [];
        const about = { to, attempts: attempts - 1, isRepeat, fence };
        return [{ deliveryId: _id, flux: fluxOf(doc, time), ...about }];
      });
    }),

    renew: async (held, leaseUntil) => {
      if (held.length === 0) return [];
      const until = time.toStore(leaseUntil);
      await fluxes.bulkWrite(
        held.map(({ fluxId, fence }) => ({
          updateOne: {
            filter: { _id: fluxId, fence, state: "inTransit" },
            update: { $set: { leaseUntil: until } },
          },
        })),
        { ordered: false },
      );
      const ours = await fluxes
        .find(
          { _id: { $in: held.map(({ fluxId }) => fluxId) }, state: "inTransit", leaseUntil: until },
          { projection: { fence: 1 } },
        )
        .toArray();
      const fences = new Map(ours.map(({ _id, fence }) => [_id, fence]));
      return held
        .filter(({ fluxId, fence }) => fences.get(fluxId) === fence)
        .map(({ fluxId }) => fluxId);
    },

    takeBack: (now) => takeBack(collections, time, now),
  };
}

/** Claims of one gateway follow one another: at once they would want the same documents. */
function oneAtATime<A, R>(work: (asked: A) => Promise<R>): (asked: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (asked) => {
    const result = last.then(() => work(asked));
    last = result.catch(() => undefined);
    return result;
  };
}
