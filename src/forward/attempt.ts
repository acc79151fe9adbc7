/**
 * One attempt to forward one flux: reads its file, calls the SNE once, and records what came of it.
 *
 * Promise: the flux was in transit on disk before the call (law 5), it is called at most once here,
 * and never once its lease is over; what was not called goes back to wait its turn; an answer that
 * was read is recorded even if the store fails for a while, since losing it would turn a known
 * outcome into a doubt.
 *
 * BUGS: a process frozen between its last look at the lease and the first byte of the call still
 * makes it when it wakes: the SNE knows of no lease.
 */
import { controlsOf } from "../arrive/schema-controls.ts";
import type { SchemaChecker } from "../arrive/schema-check.ts";
import { errorText, messageOf, messageWithCauseOf, systemCodeOf } from "../domain/errors.ts";
import type { EventDetail, Events, JournalEventName } from "../domain/events.ts";
import type { Flux } from "../domain/flux.ts";
import type { Control, Outcome } from "../domain/outcome.ts";
import { DEFAULT_OPERATION, documentOf } from "../domain/sne-operation.ts";
import { sha256Of } from "../keep/identity.ts";
import type { ClaimedFlux, Move, MoveResult, Outbox, StoredFile } from "../keep/outbox.ts";
import { backoffDelay, type Backoff } from "../runtime/backoff.ts";
import type { Chance, Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Breaker } from "./breaker.ts";
import { classify, linkWorks, type ServerErrorPolicy } from "./classify.ts";
import type { Registry, RegistryAnswer } from "./registry.ts";

/** Delay between two tries to write an outcome to a failing store, ms. */
const STORE_RETRY_MS = 500;

export interface AttemptOptions {
  readonly outbox: Pick<Outbox, "file" | "move">;
  readonly registry: Pick<Registry, "write">;
  readonly breaker: Breaker;
  /** Given when schema remarks are noted on what is forwarded (GATEWAY_SCHEMA_POLICY=note). */
  readonly noteBySchema?: SchemaChecker;
  readonly serverError: ServerErrorPolicy;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
  readonly log: Log;
}

const NO_REMARKS = Promise.resolve(undefined);

/** What a call gave, or why there was none. */
type Called =
  | {
      readonly kind: "called";
      readonly answer: RegistryAnswer;
      /** What the schema finds, once it is known. */
      readonly remarksOn: (outcome: Outcome) => Promise<readonly Control[] | undefined>;
    }
  | { readonly kind: "breakerOpen" }
  | { readonly kind: "payloadMissing" }
  /** The store did not give the file. */
  | { readonly kind: "fileNotRead"; readonly code: string }
  /** The lease was over before the call: this process was frozen, or the store slow. */
  | { readonly kind: "leaseOver" };

/**
 * Makes one attempt for a claimed flux.
 * @param signal - aborts the call: its effect is then unknown
 * @param callOver - called once the call is over, or was not made: only its outcome is to be written
 */
export type Attempt = (
  claimed: ClaimedFlux,
  signal: AbortSignal,
  callOver: () => void,
) => Promise<void>;

export function makeAttempt(options: AttemptOptions): Attempt {
  const { outbox, registry, breaker, noteBySchema, clock, chance, events, log } = options;

  async function call({ flux, leaseUntil }: ClaimedFlux, signal: AbortSignal): Promise<Called> {
    let file: StoredFile | undefined;
    try {
      file = await outbox.file(flux.id, "original");
    } catch (error) {
      return { kind: "fileNotRead", code: systemCodeOf(error) ?? "INTERNAL_ERROR" };
    }
    // Another may have it by now: the SNE, which knows nothing of leases, must not hear of it twice.
    if (clock.now() >= leaseUntil) return { kind: "leaseOver" };
    // B2: what goes to the SNE is what was received, or nothing goes.
    if (file === undefined || sha256Of(file.bytes) !== flux.sha256)
      return { kind: "payloadMissing" };
    // Who sent a call waits for the SNE's own answer, which has no place for remarks of ours: they are
    // made for the operator, of what was not accepted, and delay no acceptance.
    const isCall = flux.envelope?.call !== undefined;
    const beside = isCall ? undefined : noteRemarks(flux, file);
    const answer = await breaker.run(
      () =>
        registry.write({
          ...(flux.envelope?.call === undefined ? {} : { call: flux.envelope.call }),
          file,
          kind: flux.envelope?.kind ?? "",
          ...(flux.envelope?.numUnique === undefined ? {} : { numUnique: flux.envelope.numUnique }),
          signal,
        }),
      (given) => linkWorks(flux.envelope?.call?.operation ?? DEFAULT_OPERATION, given),
    );
    if (answer === undefined) return { kind: "breakerOpen" };
    const remarksOn = (outcome: Outcome): Promise<readonly Control[] | undefined> => {
      if (beside !== undefined) return beside;
      return outcome.kind === "accepted" ? NO_REMARKS : noteRemarks(flux, file);
    };
    return { kind: "called", answer, remarksOn };
  }

  /** Runs beside the call: the SNE is the judge, the remark only helps to understand its verdict. */
  async function noteRemarks(
    flux: Flux,
    file: StoredFile,
  ): Promise<readonly Control[] | undefined> {
    if (noteBySchema === undefined) return undefined;
    try {
      const checked = await noteBySchema.check(
        file.bytes,
        flux.envelope?.versionInterface,
        documentOf(flux.envelope?.call),
      );
      return checked.kind === "invalid" ? controlsOf(checked.findings) : undefined;
    } catch (error) {
      log.warn("schema.checkFailed", { fluxId: flux.id, error: messageOf(error) });
      return undefined;
    }
  }

  /** The move that ends the attempt. */
  async function moveFor(claimed: ClaimedFlux, called: Called, startedAt: number): Promise<Move> {
    const { flux, fence } = claimed;
    const at = clock.now();
    const about = { ms: at - startedAt, attempt: flux.attempts };
    const base = { fluxId: flux.id, from: ["inTransit"] as const, fence, at };
    if (called.kind === "leaseOver" || called.kind === "fileNotRead") {
      const delay =
        called.kind === "leaseOver"
          ? 0
          : backoffDelay(options.backoff, flux.attempts, chance.fraction());
      const code = called.kind === "leaseOver" ? "LEASE_ENDED" : called.code;
      return {
        ...base,
        // We know that it was not called: that ends even the doubt its lease left meanwhile.
        from: ["inTransit", "inDoubt"],
        to: "kept",
        dueAt: at + delay,
        event: { name: "flux.postponed", detail: { ...about, code } },
      };
    }
    if (called.kind === "breakerOpen") {
      return {
        ...base,
        to: "kept",
        dueAt: breaker.retryAt ?? at,
        event: { name: "flux.postponed", detail: { ...about, code: "BREAKER_OPEN" } },
      };
    }
    if (called.kind === "payloadMissing") {
      const reason = { code: "PAYLOAD_MISSING", text: errorText("PAYLOAD_MISSING") };
      return {
        ...base,
        to: "failed",
        reason,
        event: { name: "flux.failed", detail: { ...about, code: reason.code } },
      };
    }
    const outcome = classify(called.answer, {
      ...(flux.envelope?.numUnique === undefined ? {} : { numUnique: flux.envelope.numUnique }),
      serverError: options.serverError,
    });
    const remarks = await called.remarksOn(outcome);
    const move = { ...base, ...outcomeMove(flux, outcome, called.answer, about, at) };
    return remarks === undefined ? move : { ...move, remarks };
  }

  function outcomeMove(
    flux: Flux,
    outcome: Outcome,
    answer: RegistryAnswer,
    about: EventDetail,
    at: number,
  ): Omit<Move, "fluxId" | "fence" | "at"> {
    // An answer that was read ends even a doubt that came meanwhile (the lease ran out first).
    const read = ["inTransit", "inDoubt"] as const;
    const pending = ["inTransit"] as const;
    switch (outcome.kind) {
      case "accepted":
        return {
          from: read,
          to: "accepted",
          verdict: { kind: "accepted", numeroUnique: outcome.numeroUnique, by: "sne", at },
          files: filesOf(answer),
          oweAcquittement: true,
          event: { name: "flux.accepted", detail: about },
        };
      case "refused": {
        const { controls, doublons } = outcome;
        const [first] = controls;
        return {
          from: read,
          to: "refused",
          verdict: { kind: "refused", controls, doublons, by: "sne", at },
          ...(first === undefined ? {} : { reason: { code: first.code, text: first.message } }),
          files: filesOf(answer),
          oweAcquittement: true,
          event: {
            name: "flux.refused",
            detail: { ...about, code: first?.code ?? "DOUBLONS", doublons: doublons.length },
          },
        };
      }
      case "transient": {
        const delay = backoffDelay(options.backoff, flux.attempts, chance.fraction());
        return {
          from: pending,
          to: "kept",
          dueAt: at + Math.max(delay, outcome.retryAfterMs ?? 0),
          reason: { code: outcome.code, text: outcome.reason },
          event: { name: "flux.postponed", detail: { ...about, code: outcome.code } },
        };
      }
      case "critical":
        return {
          from: pending,
          to: "failed",
          reason: { code: outcome.code, text: outcome.reason },
          event: { name: "flux.failed", detail: { ...about, code: outcome.code } },
        };
      case "unknown":
        return {
          from: pending,
          to: "inDoubt",
          reason: { code: outcome.code, text: outcome.reason },
          event: { name: "flux.putInDoubt", detail: { ...about, code: outcome.code } },
        };
    }
  }

  /** Writes the outcome, however long the store refuses; gives up only when told to stop. */
  async function record(move: Move, stopping: AbortSignal): Promise<MoveResult | undefined> {
    for (;;) {
      try {
        return await outbox.move(move);
      } catch (error) {
        events.emit("store.failed", {
          fluxId: move.fluxId,
          detail: { error: messageWithCauseOf(error), lost: stopping.aborted },
        });
        // Not recorded: the lease will put the flux in doubt, where a person sees it.
        if (stopping.aborted) return undefined;
        await clock.wait(STORE_RETRY_MS, stopping);
      }
    }
  }

  function tell(name: JournalEventName, flux: Flux, detail: EventDetail): void {
    events.emit(name, {
      fluxId: flux.id,
      ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
      detail,
    });
  }

  return async (claimed, signal, callOver) => {
    const startedAt = clock.now();
    const called = await call(claimed, signal);
    callOver();
    const move = await moveFor(claimed, called, startedAt);
    const result = await record(move, signal);
    if (result?.kind === "moved") tell(move.event.name, result.flux, move.event.detail);
    else if (result !== undefined) {
      log.warn("flux.outcomeNotRecorded", {
        fluxId: claimed.flux.id,
        to: move.to,
        why: result.kind,
      });
    }
  };
}

function filesOf(answer: RegistryAnswer): Partial<Record<"answer" | "attestation", StoredFile>> {
  if (answer.kind !== "answered") return {};
  return {
    answer: answer.answer,
    ...(answer.attestation === undefined ? {} : { attestation: answer.attestation }),
  };
}
