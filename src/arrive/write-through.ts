/**
 * Takes a flux from a caller that waits: keeps it, then waits, within a budget, for the SNE's answer
 * that the forwarder brings through the outbox (law 1: the steps meet nowhere else).
 *
 * Promise: nothing is forwarded that is not durable first, and a caller is never left without a word:
 * past the budget, or as soon as the SNE is known to be down, it learns that the flux is kept and by
 * which identifier to follow it. The same flux sent again waits for the first one, whatever became of
 * it, and has no second effect.
 */
import type { Events } from "../domain/events.ts";
import type { Flux } from "../domain/flux.ts";
import type { Control } from "../domain/outcome.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Arrival, Receive } from "./arrival.ts";

export type WriteThroughResult =
  /** There is a verdict: the SNE's, ours, or an operator's. */
  | { readonly kind: "concluded"; readonly flux: Flux }
  /** Kept; no verdict yet. `state` of the flux says whether a person must look at it. */
  | { readonly kind: "pending"; readonly flux: Flux }
  /** Told, nothing kept. */
  | { readonly kind: "refused"; readonly controls: readonly Control[] };

/** Takes an arrival of one file. Rejects as `Receive` does: then nothing of it is kept. */
export type WriteThrough = (arrival: Arrival, gone: AbortSignal) => Promise<WriteThroughResult>;

/** Events after which a waiting caller has something to learn. */
const TELLING: ReadonlySet<string> = new Set([
  "flux.accepted",
  "flux.refused",
  "flux.resolved",
  "flux.failed",
  "flux.putInDoubt",
  "flux.postponed",
  "flux.discarded",
]);
/** How often the outbox is asked when nothing is told: another gateway may forward, ms. */
const LOOK_EVERY_MS = 250;
/** Fluxes told about before their caller began to wait. */
const MOST_REMEMBERED = 4_096;

export function makeWriteThrough(options: {
  readonly receive: Receive;
  readonly outbox: Pick<Outbox, "find">;
  readonly events: Events;
  /** True when a call to the SNE would not be made now. */
  readonly isSneDown: () => boolean;
  /** How long a caller is made to wait, ms. */
  readonly budgetMs: number;
  readonly clock: Clock;
}): WriteThrough {
  const { receive, outbox, events, isSneDown, budgetMs, clock } = options;
  const waiting = new Map<string, Set<() => void>>();
  const told = new Set<string>();

  events.listen(({ name, fluxId }) => {
    if (fluxId === undefined || !TELLING.has(name)) return;
    const callers = waiting.get(fluxId);
    if (callers === undefined) {
      told.add(fluxId);
      if (told.size > MOST_REMEMBERED)
        for (const oldest of told.values()) {
          told.delete(oldest);
          break;
        }
      return;
    }
    for (const wake of callers) wake();
  });

  /** Resolves when the flux is told about, the time has passed, or the caller has left. */
  async function hear(fluxId: string, ms: number, gone: AbortSignal): Promise<void> {
    if (told.delete(fluxId)) return;
    const heard = new AbortController();
    const wake = (): void => heard.abort("heard");
    const callers = waiting.get(fluxId) ?? new Set();
    callers.add(wake);
    waiting.set(fluxId, callers);
    gone.addEventListener("abort", wake, { once: true });
    await clock.wait(ms, heard.signal);
    gone.removeEventListener("abort", wake);
    callers.delete(wake);
    if (callers.size === 0) waiting.delete(fluxId);
  }

  async function conclude(first: Flux, gone: AbortSignal): Promise<WriteThroughResult> {
    const until = clock.now() + budgetMs;
    let flux = first;
    for (;;) {
      if (flux.verdict !== undefined) return { kind: "concluded", flux };
      // An operator's turn, or nobody's: waiting longer would tell nothing more.
      const moves = flux.state === "kept" || flux.state === "inTransit";
      const left = until - clock.now();
      if (!moves || left <= 0 || gone.aborted) return { kind: "pending", flux };
      if (flux.state === "kept" && isSneDown()) return { kind: "pending", flux };
      await hear(flux.id, Math.min(left, LOOK_EVERY_MS), gone);
      flux = (await outbox.find(flux.id)) ?? flux;
    }
  }

  return async (arrival, gone) => {
    const [reception] = await receive({ ...arrival, answersAtOnce: true });
    switch (reception?.kind) {
      case "kept":
      case "repeated":
      case "sameArrival":
      case "quarantined":
        return conclude(reception.flux, gone);
      case "keyConflict":
        return conclude(reception.first, gone);
      case "refused":
        return { kind: "refused", controls: reception.controls };
      case "notAllowed":
        return { kind: "refused", controls: [reception.control] };
      case undefined:
        throw new Error("an arrival of one file");
    }
  };
}
