/**
 * Lends fluxes and acquittements, and lengthens leases. Promises: each is lent to one borrower, each
 * loan has its own fence; a loan whose answer was lost is found again, not made twice.
 *
 * A loan is a write of one document on condition that nobody lent it since it was read: gateways
 * that want the same ones each get some, and wait for nobody.
 */
import type { ClaimedDelivery, ClaimedFlux, ClaimRequest, Pause, Work } from "../../keep/outbox.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import { makeAvoided } from "./avoided.ts";
import type { Collections, DeliveryDocument, FluxDocument } from "./documents.ts";
import { WITHOUT_JOURNAL } from "./documents.ts";
import { fluxOf } from "./flux-documents.ts";
import { makeLending } from "./lending.ts";
import type { StoreTime } from "./store-time.ts";
import { takeBack } from "./taking-back.ts";

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
  const avoided = makeAvoided(clock);
  const fluxLending = makeLending({ collection: fluxes, time, avoided });
  const deliveryLending = makeLending({ collection: deliveries, time, avoided });
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
    const docs = await fluxLending.lend(claim, loans, {
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
    const docs = await deliveryLending.lend(claim, loans, {
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
      const again = await fluxLending.foundAgain(request.now);
      if (again.length > 0) return again.map(claimedOf);
      const lent = await untilSome("forward", () => lendFluxes(request));
      return lent.map(claimedOf);
    }),

    claimDeliveries: oneAtATime(async (request: ClaimRequest) => {
      const again = await deliveryLending.foundAgain(request.now);
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
