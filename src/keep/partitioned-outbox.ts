/**
 * Several outboxes as one (capability B7): each guichet has its partition, and one console and one
 * bilan look over all. It makes the promises of `outbox.ts`, and passes the same contract.
 *
 * Where things are: a flux where its guichet lives, a stranger where the guichet its file names lives,
 * so that releasing it finds the lane there; notes, sequences and roles in the base partition; pauses
 * in all. A partition that is down stops what is its own, nothing else: what must look at all of them
 * (lists, counts, the search of a flux nobody met) says STORE_UNAVAILABLE rather than half the truth.
 *
 * A batch is whole or not at all within a partition. One that spans several (a mail with files of two
 * guichets) is kept partition after partition, once each has proven that it can write; when one fails
 * all the same, `keep` rejects although the former ones keep their part: the sender sends again, and
 * what was kept is seen as the same arrival, or a repeat. Nothing kept is ever told as not received.
 *
 * BUGS: two guichets of two partitions that write on one numéro unique are not put in order with one
 * another, and `holderOf` names the oldest of all. docs/decisions/0013-partitions.md says it all.
 */
import { gatewayError, messageOf } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { SILENT_LOG } from "../runtime/log.ts";
import type { ClaimedDelivery, ClaimedFlux, MoveResult, Outbox, Work } from "./outbox.ts";
import { makeFairLending } from "./partition/fair-lending.ts";
import { makeFluxPlaces } from "./partition/flux-places.ts";
import { readHomes } from "./partition/homes.ts";
import { mergedList } from "./partition/merged-list.ts";
import { askAll, askAny, askEach, makePartition, type Partition } from "./partition/partition.ts";
import { keepInPartitions } from "./partition/keep-in-partitions.ts";
import { makePartitionPauses } from "./partition/partition-pauses.ts";
import { MOVED_FROM, releaseTo } from "./partition/relocation.ts";
import { sumCounts, sumLoads } from "./partition/summed-counts.ts";

export interface NamedOutbox {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  readonly outbox: Outbox;
}

export async function makePartitionedOutbox(options: {
  /** Stopped by this outbox when it stops. */
  readonly partitions: readonly NamedOutbox[];
  /** The partition where the settings want a guichet, any guichet. */
  readonly byGuichet: (guichet: string) => string;
  /** The base partition: strangers that name nobody, notes, sequences, roles. */
  readonly default: string;
  /** The guichets that send: what each partition already has of them is looked for. */
  readonly guichets?: readonly string[];
  readonly clock?: Clock;
  readonly log?: Log;
  /** How long a claim waits for a partition that does not answer, ms. */
  readonly patienceMs?: number;
}): Promise<Outbox> {
  const { clock = systemClock(), log = SILENT_LOG, guichets = [], byGuichet } = options;
  const partitions = options.partitions.map((one) => makePartition({ ...one, log }));
  const homes = await readHomes({ partitions, byGuichet, base: options.default, guichets, log });
  const { base } = homes;
  const pausing = makePartitionPauses({ partitions, homes });
  await pausing.spread();
  const places = makeFluxPlaces(partitions);
  const listeners = new Set<(work: Work) => void>();
  const common = {
    ...{ partitions, clock, log },
    ...(options.patienceMs === undefined ? {} : { patienceMs: options.patienceMs }),
  };

  const forwarding = makeFairLending<ClaimedFlux>({
    ...common,
    name: "fluxes",
    ask: async (partition, request) => {
      const claimed = await partition.ask((outbox) => outbox.claim(request));
      for (const { flux } of claimed) places.met(flux, partition);
      return claimed;
    },
    giveBack: async (partition, { flux, fence }) => {
      const event = { name: "flux.postponed", detail: { code: "STOPPING" } } as const;
      const at = clock.now();
      const from = ["inTransit"] as const;
      await partition.ask((outbox) =>
        outbox.move({ fluxId: flux.id, from, fence, to: "kept", at, event }),
      );
    },
    onLate: () => {
      for (const listener of listeners) listener("forward");
    },
  });
  const acknowledging = makeFairLending<ClaimedDelivery>({
    ...common,
    name: "deliveries",
    ask: async (partition, request) => {
      const claimed = await partition.ask((outbox) => outbox.claimDeliveries(request));
      for (const { flux } of claimed) places.met(flux, partition);
      return claimed.map((delivery) => ({ ...delivery, deliveryId: idIn(partition, delivery) }));
    },
    // Nothing was sent: it is owed again when its lease ends.
    giveBack: () => Promise.resolve(),
    onLate: () => {
      for (const listener of listeners) listener("acknowledge");
    },
  });

  /** A delivery is named by its store; those of the base keep the names they had alone. */
  function idIn(partition: Partition, { deliveryId }: { deliveryId: string }): string {
    return partition === base ? deliveryId : `${partition.name}.${deliveryId}`;
  }

  function readDeliveryId(id: string): { partition: Partition; deliveryId: string } {
    const dot = id.indexOf(".");
    const named = partitions.find((one) => one !== base && one.name === id.slice(0, dot));
    return named === undefined
      ? { partition: base, deliveryId: id }
      : { partition: named, deliveryId: id.slice(dot + 1) };
  }

  async function move(asked: Parameters<Outbox["move"]>[0]): Promise<MoveResult> {
    if (asked.attribute !== undefined) {
      return releaseTo(homes.homeOf(asked.attribute.guichet), asked, places);
    }
    const known = places.known(asked.fluxId);
    const partition = known ?? (await places.locate(asked.fluxId))?.partition;
    if (partition === undefined) return { kind: "notFound" };
    const result = await partition.ask((outbox) => outbox.move(asked));
    if (result.kind === "moved") places.met(result.flux, partition);
    return result;
  }

  /** Where to read about a flux; undefined when there is none. */
  async function placeOf(fluxId: string): Promise<Partition | undefined> {
    return places.known(fluxId) ?? (await places.locate(fluxId))?.partition;
  }

  async function journal(fluxId: string): ReturnType<Outbox["journal"]> {
    const partition = await placeOf(fluxId);
    if (partition === undefined) return [];
    const entries = await partition.ask((outbox) => outbox.journal(fluxId));
    const from = entries[0]?.detail[MOVED_FROM];
    const former = partitions.find((one) => one !== partition && one.name === from);
    if (former === undefined) return entries;
    const before = await former.ask((outbox) => outbox.journal(fluxId));
    return [...before, ...entries].sort((a, b) => a.at - b.at);
  }

  async function renew(...[held, until]: Parameters<Outbox["renew"]>): ReturnType<Outbox["renew"]> {
    // A lease is held by name and fence: a partition that did not lend it renews nothing.
    const renewed = await askAny(partitions, (outbox, partition) => {
      const mine = held.filter(({ fluxId }) => (places.known(fluxId) ?? partition) === partition);
      return mine.length === 0 ? Promise.resolve([]) : outbox.renew(mine, until);
    });
    const kept = new Set(renewed.flat());
    return held.map(({ fluxId }) => fluxId).filter((id) => kept.has(id));
  }

  async function holderOf(lane: string): ReturnType<Outbox["holderOf"]> {
    const holders = await askAll(partitions, (outbox) => outbox.holderOf(lane));
    return holders
      .filter((flux) => flux !== undefined)
      .sort((a, b) => a.receivedAt - b.receivedAt)[0];
  }

  async function eraseFiles(request: Parameters<Outbox["eraseFiles"]>[0]): Promise<number> {
    let erased = 0;
    let failure: { readonly error: unknown } | undefined;
    let answered = false;
    for (const partition of partitions) {
      if (erased >= request.max) break;
      const max = request.max - erased;
      try {
        erased += await partition.ask((outbox) => outbox.eraseFiles({ ...request, max }));
        answered = true;
      } catch (error) {
        failure ??= { error };
        partition.doWithout(error);
      }
    }
    if (failure !== undefined && !answered) throw failure.error;
    return erased;
  }

  async function probe(): Promise<void> {
    const { failed } = await askEach(partitions, (outbox) => outbox.probe());
    const [first] = failed;
    if (first === undefined) return;
    if (failed.length === 1) throw first.error;
    const where = ` ${failed.map(({ partition }) => `« ${partition.name} »`).join(", ")}`;
    throw gatewayError("STORE_UNAVAILABLE", { where }, first.error);
  }

  const inHand = new Set<Promise<unknown>>();
  let stopping: Promise<void> | undefined;

  /** Does an operation that `stop` waits for. */
  function run<T>(operation: () => Promise<T>): Promise<T> {
    if (stopping !== undefined) return Promise.reject(gatewayError("STOPPING"));
    const work = operation().finally(() => inHand.delete(work));
    inHand.add(work);
    return work;
  }

  async function stopAll(): Promise<void> {
    await Promise.allSettled(inHand);
    const gaveBack = await Promise.allSettled([forwarding.stop(), acknowledging.stop()]);
    for (const outcome of gaveBack) {
      if (outcome.status === "rejected") {
        log.error("store.notGivenBack", { error: messageOf(outcome.reason) });
      }
    }
    const stopped = await Promise.allSettled(partitions.map(({ outbox }) => outbox.stop()));
    for (const outcome of stopped) if (outcome.status === "rejected") throw outcome.reason;
  }

  return {
    keep: (batch) => run(() => keepInPartitions(batch, homes, places)),
    claim: (request) => run(() => forwarding.lend(request)),
    renew: (held, leaseUntil) => run(() => renew(held, leaseUntil)),
    move: (asked) => run(() => move(asked)),
    recordOnce: (record) =>
      run(async () => {
        const partition = await placeOf(record.fluxId);
        if (partition === undefined) return { kind: "notFound" };
        return partition.ask((outbox) => outbox.recordOnce(record));
      }),
    claimDeliveries: (request) => run(() => acknowledging.lend(request)),
    endDelivery: (delivery, at, end) =>
      run(() => {
        const { partition, deliveryId } = readDeliveryId(delivery.deliveryId);
        const { fence } = delivery;
        return partition.ask((outbox) => outbox.endDelivery({ deliveryId, fence }, at, end));
      }),
    takeBack: (now) =>
      run(async () => {
        const taken = await askAny(partitions, (outbox) => outbox.takeBack(now));
        return {
          inDoubt: taken.reduce((sum, one) => sum + one.inDoubt, 0),
          deliveries: taken.reduce((sum, one) => sum + one.deliveries, 0),
        };
      }),
    find: (fluxId) => run(async () => (await places.locate(fluxId))?.flux),
    holderOf: (lane) => run(() => holderOf(lane)),
    list: (query) =>
      run(() => mergedList(partitionsOf(query.guichet ?? query.sentAs?.guichet), query)),
    journal: (fluxId) => run(() => journal(fluxId)),
    file: (fluxId, role) =>
      run(async () => (await placeOf(fluxId))?.ask((outbox) => outbox.file(fluxId, role))),
    counts: () => run(async () => sumCounts(await askAll(partitions, (outbox) => outbox.counts()))),
    load: () => run(async () => sumLoads(await askAll(partitions, (outbox) => outbox.load()))),
    note: (key, value) => run(() => base.ask((outbox) => outbox.note(key, value))),
    noted: (key) => run(() => base.ask((outbox) => outbox.noted(key))),
    noteIf: (key, expected, value) =>
      run(() => base.ask((outbox) => outbox.noteIf(key, expected, value))),
    next: (sequence) => run(() => base.ask((outbox) => outbox.next(sequence))),
    pause: (pause) => run(() => pausing.pause(pause)),
    resume: (scope) => run(() => pausing.resume(scope)),
    pauses: () => run(() => pausing.pauses()),
    holdRole: (role, hold) => run(() => base.ask((outbox) => outbox.holdRole(role, hold))),
    leaveRole: (role, owner) => run(() => base.ask((outbox) => outbox.leaveRole(role, owner))),
    eraseFiles: (request) => run(() => eraseFiles(request)),
    watch: (listener) => {
      const leave = partitions.map(({ outbox }) => outbox.watch(listener));
      listeners.add(listener);
      return () => {
        for (const one of leave) one();
        listeners.delete(listener);
      };
    },
    probe: () => run(probe),
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };

  /** Those that may have fluxes of a guichet; all, when none is named. */
  function partitionsOf(guichet: string | undefined): readonly Partition[] {
    if (guichet === undefined) return partitions;
    const [home, formers] = [homes.homeOf(guichet), homes.formersOf(guichet)];
    return partitions.filter((one) => one === home || formers.includes(one));
  }
}
