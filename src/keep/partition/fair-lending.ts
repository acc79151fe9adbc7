/**
 * Borrows from several partitions at once, fairly. Promise: each partition gives an equal share while
 * it has one, and whoever is asked first changes each time, so that none starves another; one that is
 * down, or that does not answer, keeps nothing of the others waiting.
 *
 * What a slow partition lends after the patience is over was lent all the same: it is handed out by
 * the next call, never dropped, and `stop` gives back what nobody took.
 */
import type { ClaimRequest } from "../outbox.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Partition } from "./partition.ts";

/** How long one call waits for a partition that does not answer, ms: longer than a busy one takes. */
const PATIENCE_MS = 3_000;
/** The part of it given to one that did not answer in time, until it does: the others wait no more. */
const ON_TRIAL = 1 / 20;

export interface FairLending<T> {
  /** @throws the first failure, when no partition could be asked with success */
  lend(request: ClaimRequest): Promise<readonly T[]>;
  /** Waits for what was asked, then gives back what was lent and that nobody took. */
  stop(): Promise<void>;
}

/** A piece that came after the call that asked for it. */
interface LatePiece<T> {
  readonly partition: Partition;
  readonly piece: T;
  readonly leaseUntil: number;
}

type Answer<T> =
  | { readonly kind: "lent"; readonly pieces: readonly T[] }
  | { readonly kind: "late" }
  | { readonly kind: "failed"; readonly error: unknown };

export function makeFairLending<T>(options: {
  readonly name: string;
  readonly partitions: readonly Partition[];
  readonly ask: (partition: Partition, request: ClaimRequest) => Promise<readonly T[]>;
  readonly giveBack: (partition: Partition, piece: T) => Promise<void>;
  /** Told when something waits to be handed out. */
  readonly onLate: () => void;
  readonly patienceMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}): FairLending<T> {
  const { partitions, clock, log, patienceMs = PATIENCE_MS } = options;
  const slow = new Map<Partition, Promise<void>>();
  const onTrial = new Set<Partition>();
  let late: LatePiece<T>[] = [];
  let turn = 0;

  async function askOne(partition: Partition, request: ClaimRequest): Promise<Answer<T>> {
    const asked = options.ask(partition, request).then(
      (pieces): Answer<T> => ({ kind: "lent", pieces }),
      (error: unknown): Answer<T> => ({ kind: "failed", error }),
    );
    const answered = new AbortController();
    const patience = onTrial.has(partition) ? patienceMs * ON_TRIAL : patienceMs;
    const impatient = clock
      .wait(patience, answered.signal)
      .then((): Answer<T> => ({ kind: "late" }));
    const answer = await Promise.race([asked, impatient]);
    answered.abort();
    if (answer.kind === "lent" && onTrial.delete(partition)) {
      log.info("store.partitionInTime", { partition: partition.name, asked: options.name });
    }
    if (answer.kind === "late") {
      if (!onTrial.has(partition)) {
        log.warn("store.partitionSlow", { partition: partition.name, asked: options.name });
      }
      onTrial.add(partition);
      // Two calls may have lost patience: the partition is asked again once neither waits.
      const before = slow.get(partition);
      const waiting = Promise.all([asked, before]).then(([given]) => {
        if (slow.get(partition) === waiting) slow.delete(partition);
        if (given.kind === "failed") partition.doWithout(given.error);
        if (given.kind !== "lent" || given.pieces.length === 0) return;
        const leaseUntil = request.now + request.leaseMs;
        late.push(...given.pieces.map((piece) => ({ partition, piece, leaseUntil })));
        options.onLate();
      });
      slow.set(partition, waiting);
    }
    return answer;
  }

  function takeLate({ now, max }: ClaimRequest): T[] {
    const held = late.filter(({ leaseUntil }) => leaseUntil > now);
    if (held.length < late.length) {
      // Their lease ended before anybody took them: they are taken back as any other.
      log.warn("store.lentTooLate", { asked: options.name, count: late.length - held.length });
    }
    late = held.slice(max);
    return held.slice(0, max).map(({ piece }) => piece);
  }

  async function lend(request: ClaimRequest): Promise<readonly T[]> {
    const lent = takeLate(request);
    const failures: { readonly partition: Partition; readonly error: unknown }[] = [];
    let answered = lent.length > 0;
    const first = turn % partitions.length;
    turn += 1;
    let ready = [...partitions.slice(first), ...partitions.slice(0, first)];
    for (;;) {
      const wanted = request.max - lent.length;
      ready = ready.filter((partition) => !slow.has(partition));
      const asked = ready.slice(0, wanted);
      if (wanted <= 0 || asked.length === 0) break;
      const answers = await Promise.all(
        asked.map(async (partition, index) => {
          const max = Math.floor(wanted / asked.length) + (index < wanted % asked.length ? 1 : 0);
          return { partition, max, answer: await askOne(partition, { ...request, max }) };
        }),
      );
      for (const { partition, max, answer } of answers) {
        if (answer.kind === "failed") failures.push({ partition, error: answer.error });
        if (answer.kind === "lent") {
          answered = true;
          lent.push(...answer.pieces);
          if (answer.pieces.length >= max) continue;
        }
        // It has nothing more to give to this call.
        ready = ready.filter((one) => one !== partition);
      }
    }
    const [failure] = failures;
    if (failure !== undefined && !answered) throw failure.error;
    for (const { partition, error } of failures) partition.doWithout(error);
    return lent;
  }

  return {
    lend,
    stop: async () => {
      await Promise.all(slow.values());
      const left = late;
      late = [];
      for (const { partition, piece } of left) await options.giveBack(partition, piece);
    },
  };
}
