/**
 * Takes a flux from a caller that waits: keeps it, then waits, within a budget, for the SNE's answer
 * that the forwarder brings through the outbox (law 1: the steps meet nowhere else).
 *
 * Promise: nothing is forwarded that is not durable first, and a caller is never left without a word:
 * past the budget, or as soon as the SNE is known to be down, it learns that the flux is kept and by
 * which identifier to follow it. The same flux sent again waits for the first one, whatever became of
 * it, and has no second effect.
 */
import type { Flux } from "../domain/flux.ts";
import type { Control } from "../domain/outcome.ts";
import type { Outbox } from "../keep/outbox.ts";
import type { MoveMade, OnMove } from "../keep/told-moves.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Arrival, Receive } from "./arrival.ts";

export type WriteThroughResult =
  /** There is a verdict: the SNE's, ours, or an operator's; its files where they are at hand. */
  | { readonly kind: "concluded"; readonly flux: Flux; readonly files?: MoveMade["files"] }
  /** Kept; no verdict yet. `state` of the flux says whether a person must look at it. */
  | { readonly kind: "pending"; readonly flux: Flux }
  /** Told, nothing kept. */
  | { readonly kind: "refused"; readonly controls: readonly Control[] };

/** Takes an arrival of one file. Rejects as `Receive` does: then nothing of it is kept. */
export type WriteThrough = (arrival: Arrival, gone: AbortSignal) => Promise<WriteThroughResult>;

/** How often the outbox is asked when nothing is told: another gateway may forward, ms. */
const LOOK_EVERY_MS = 250;
/** Moves remembered for callers that do not wait yet: they are told of their flux a little later. */
const MOST_REMEMBERED = 64;

export function makeWriteThrough(options: {
  readonly receive: Receive;
  readonly outbox: Pick<Outbox, "find">;
  readonly onMove: OnMove;
  /** True when a call to the SNE would not be made now. */
  readonly isSneDown: () => boolean;
  /** How long a caller is made to wait, ms. */
  readonly budgetMs: number;
  readonly clock: Clock;
}): WriteThrough {
  const { receive, outbox, onMove, isSneDown, budgetMs, clock } = options;
  const waiting = new Map<string, Set<(made: MoveMade) => void>>();
  const recent = new Map<string, MoveMade>();

  onMove((made) => {
    const { id } = made.flux;
    const callers = waiting.get(id);
    if (callers === undefined) {
      if (made.flux.channel !== "soap") return;
      recent.delete(id);
      recent.set(id, made);
      const [oldest] = recent.keys();
      if (recent.size > MOST_REMEMBERED && oldest !== undefined) recent.delete(oldest);
      return;
    }
    for (const hear of callers) hear(made);
  });

  /** The next move of a flux; undefined when time has passed, or the caller has left. */
  async function nextMove(
    fluxId: string,
    ms: number,
    gone: AbortSignal,
  ): Promise<MoveMade | undefined> {
    const early = recent.get(fluxId);
    if (early !== undefined) {
      recent.delete(fluxId);
      return early;
    }
    const waited = new AbortController();
    let heard: MoveMade | undefined;
    const hear = (made: MoveMade): void => {
      heard = made;
      waited.abort("heard");
    };
    const leave = (): void => waited.abort("gone");
    const callers = waiting.get(fluxId) ?? new Set();
    callers.add(hear);
    waiting.set(fluxId, callers);
    gone.addEventListener("abort", leave, { once: true });
    await clock.wait(ms, waited.signal);
    gone.removeEventListener("abort", leave);
    callers.delete(hear);
    if (callers.size === 0) waiting.delete(fluxId);
    return heard;
  }

  async function conclude(first: Flux, gone: AbortSignal): Promise<WriteThroughResult> {
    const until = clock.now() + budgetMs;
    let flux = first;
    let made: MoveMade | undefined;
    for (;;) {
      if (flux.verdict !== undefined) {
        // A later move (collected by another caller) brings none: they are then asked of the outbox.
        const files = made?.files.answer === undefined ? undefined : made.files;
        return { kind: "concluded", flux, ...(files === undefined ? {} : { files }) };
      }
      // An operator's turn, or nobody's: waiting longer would tell nothing more.
      const moves = flux.state === "kept" || flux.state === "inTransit";
      const left = until - clock.now();
      if (!moves || left <= 0 || gone.aborted) return { kind: "pending", flux };
      if (flux.state === "kept" && isSneDown()) return { kind: "pending", flux };
      made = await nextMove(flux.id, Math.min(left, LOOK_EVERY_MS), gone);
      flux = made?.flux ?? (await outbox.find(flux.id)) ?? flux;
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
