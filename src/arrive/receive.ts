/**
 * Receives what a channel brings: reads each file's envelope once, decides whether it can be routed
 * and may come from this sender, and keeps it. The same for every channel.
 *
 * Promise: when `receive` resolves, everything it says was kept is durable; when it rejects, nothing
 * of the arrival is. What cannot be routed is kept too, refused, with its negative acquittement owed
 * (A9): a sender is never left without an answer, and the trace shows what came.
 */
import { errorText, gatewayError, type ErrorCode } from "../domain/errors.ts";
import type { Events, JournalEventName } from "../domain/events.ts";
import { readFileName, safeFileName } from "../domain/file-name.ts";
import { makeFluxId } from "../domain/flux-id.ts";
import { laneOf, type Envelope, type Flux } from "../domain/flux.ts";
import type { Guichet } from "../domain/guichet.ts";
import type { Control } from "../domain/outcome.ts";
import { documentOf } from "../domain/sne-operation.ts";
import type { FlowControl } from "../keep/flow-control.ts";
import { identityOf, sha256Of } from "../keep/identity.ts";
import type { KeepResult, NewFlux, Outbox, StoredFile } from "../keep/outbox.ts";
import type { Chance, Clock } from "../runtime/clock.ts";
import type { Arrival, Receive, Reception } from "./arrival.ts";
import type { ReadEnvelope } from "./envelope-reader.ts";
import { returnAddressOf } from "./return-address.ts";
import type { FindingKind, SchemaChecker, SchemaFinding } from "./schema-check.ts";
import { controlsOf } from "./schema-controls.ts";

export interface ReceiverOptions {
  readonly outbox: Outbox;
  readonly readEnvelope: ReadEnvelope;
  /**
   * Given when files invalid against the schema are refused at arrival (GATEWAY_SCHEMA_POLICY), with
   * the kinds of findings that refuse (GATEWAY_SCHEMA_REFUSES). Others become remarks.
   */
  readonly refuseBySchema?: {
    readonly checker: SchemaChecker;
    readonly kinds: readonly FindingKind[];
  };
  /** The most fluxes quarantine may hold; over it, strangers are turned away. */
  readonly quarantineMax: number;
  /** Turns arrivals away while too much is open. */
  readonly flowControl: FlowControl;
  readonly events: Events;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** What one file is, before it is kept. */
type Examination =
  | {
      readonly kind: "routable";
      readonly envelope: Envelope;
      readonly guichet: Guichet;
      /** What the schema finds and no setting refuses. */
      readonly remarks: readonly Control[];
    }
  | {
      readonly kind: "refused";
      readonly controls: readonly Control[];
      readonly envelope?: Envelope;
    }
  | { readonly kind: "stranger"; readonly control: Control; readonly envelope?: Envelope };

export function makeReceiver(options: ReceiverOptions): Receive {
  const { outbox, readEnvelope, refuseBySchema, quarantineMax, flowControl } = options;
  const { events, clock, chance } = options;

  async function examine(arrival: Arrival, file: StoredFile): Promise<Examination> {
    const reading =
      arrival.unreadable === undefined
        ? readEnvelope(file.bytes, documentOf(arrival.call))
        : { kind: "unreadable" as const, control: arrival.unreadable };
    const unknown = arrival.sender.length === 0;
    if (reading.kind === "unreadable") {
      // A negative acquittement goes only to a sender we know: others would make us a mail cannon.
      return unknown
        ? { kind: "stranger", control: control("UNKNOWN_SENDER") }
        : { kind: "refused", controls: [reading.control] };
    }
    const { sequence } = readFileName(file.name);
    const envelope: Envelope = {
      ...reading.envelope,
      ...(sequence === undefined ? {} : { sequence }),
      ...(arrival.call === undefined ? {} : { call: arrival.call }),
    };
    if (unknown) return { kind: "stranger", control: control("UNKNOWN_SENDER"), envelope };
    const guichet = arrival.sender.find((one) => one.code === envelope.numGuichet);
    if (guichet === undefined) {
      const named = { named: envelope.numGuichet };
      return { kind: "stranger", control: control("GUICHET_NOT_ALLOWED", named), envelope };
    }
    const findings = await findingsOf(file, envelope);
    const faults = findings.filter(({ kind }) => refuseBySchema?.kinds.includes(kind));
    if (faults.length > 0) return { kind: "refused", controls: controlsOf(faults), envelope };
    return { kind: "routable", envelope, guichet, remarks: controlsOf(findings) };
  }

  async function findingsOf(
    file: StoredFile,
    { versionInterface, call }: Envelope,
  ): Promise<readonly SchemaFinding[]> {
    if (refuseBySchema === undefined) return [];
    const checked = await refuseBySchema.checker.check(
      file.bytes,
      versionInterface,
      documentOf(call),
    );
    return checked.kind === "invalid" ? checked.findings : [];
  }

  async function refuseStrangersWhenFull(coming: number): Promise<void> {
    const { byState } = await outbox.counts();
    if (byState.quarantined + coming > quarantineMax) throw gatewayError("QUARANTINE_FULL");
  }

  /** The guichet a flux that cannot be routed belongs to: its sender's, when that is one. */
  function guichetOf(arrival: Arrival, examination: Examination): Guichet | undefined {
    if (examination.kind === "routable") return examination.guichet;
    if (examination.kind === "stranger") return undefined;
    const named = examination.envelope?.numGuichet;
    return arrival.sender.find((guichet) => guichet.code === named) ?? arrival.sender[0];
  }

  function newFlux(arrival: Arrival, file: StoredFile, index: number, found: Examination): NewFlux {
    const at = clock.now();
    const guichet = guichetOf(arrival, found);
    const sha256 = sha256Of(file.bytes);
    const fileName = safeFileName(file.name);
    const returnTo = returnAddressOf(guichet, arrival.returnTo(file, guichet), {
      fileName,
      origin: arrival.origin,
    });
    const common = {
      id: makeFluxId(at, (bytes) => chance.bytes(bytes)),
      channel: arrival.channel,
      fileName,
      bytes: file.bytes,
      sha256,
      origin: arrival.origin,
      receivedAt: at,
      ...(guichet === undefined ? {} : { guichet: guichet.code }),
      ...(arrival.arrivalKey === undefined ? {} : { arrivalKey: `${arrival.arrivalKey}#${index}` }),
      ...(returnTo === undefined ? {} : { returnTo }),
    };
    const detail = { channel: arrival.channel, fileName, size: file.bytes.length };
    switch (found.kind) {
      case "routable": {
        const lane = laneOf(found.envelope);
        return {
          ...common,
          state: "kept",
          envelope: found.envelope,
          ...(lane === undefined ? {} : { lane }),
          identity: identityOf(found.guichet.code, sha256, arrival.call),
          ...(found.remarks.length === 0 ? {} : { remarks: found.remarks }),
          event: { name: "flux.kept", detail: { ...detail, kind: found.envelope.kind } },
        };
      }
      case "refused": {
        const [first] = found.controls;
        return {
          ...common,
          state: "refused",
          ...(found.envelope === undefined ? {} : { envelope: found.envelope }),
          verdict: { kind: "refused", controls: found.controls, doublons: [], by: "gateway", at },
          ...(first === undefined ? {} : { reason: { code: first.code, text: first.message } }),
          event: {
            name: "flux.refusedAtArrival",
            detail: { ...detail, code: first?.code ?? "SCHEMA_INVALID" },
          },
        };
      }
      case "stranger":
        return {
          ...common,
          state: "quarantined",
          ...(found.envelope === undefined ? {} : { envelope: found.envelope }),
          reason: { code: found.control.code, text: found.control.message },
          event: { name: "flux.quarantined", detail: { ...detail, code: found.control.code } },
        };
    }
  }

  function tell(name: JournalEventName, flux: Flux): void {
    events.emit(name, {
      fluxId: flux.id,
      ...(flux.guichet === undefined ? {} : { guichet: flux.guichet }),
      detail: { channel: flux.channel, size: flux.size },
    });
  }

  function received(found: Examination, result: KeepResult): Reception {
    switch (result.kind) {
      case "keyConflict":
        return { kind: "keyConflict", first: result.first };
      case "sameArrival":
        return { kind: "sameArrival", flux: result.first };
      case "repeated":
        tell("flux.receivedAgain", result.first);
        return { kind: "repeated", flux: result.first };
      case "kept":
        switch (found.kind) {
          case "routable":
            tell("flux.kept", result.flux);
            return { kind: "kept", flux: result.flux };
          case "refused":
            tell("flux.refusedAtArrival", result.flux);
            return { kind: "refused", flux: result.flux, controls: found.controls };
          case "stranger":
            tell("flux.quarantined", result.flux);
            return { kind: "quarantined", flux: result.flux };
        }
    }
  }

  /** What a channel that answers at once tells without keeping anything; undefined when it keeps. */
  function toldAtOnce(arrival: Arrival, found: Examination): Reception | undefined {
    if (arrival.answersAtOnce !== true) return undefined;
    if (found.kind === "refused") return { kind: "refused", controls: found.controls };
    if (found.kind === "stranger") return { kind: "notAllowed", control: found.control };
    return undefined;
  }

  return async function receive(arrival) {
    const examined = await Promise.all(
      arrival.files.map(async (file, index) => ({
        file,
        index,
        found: await examine(arrival, file),
      })),
    );
    const told = examined.map(({ found }) => toldAtOnce(arrival, found));
    const toKeep = examined.filter((_, index) => told[index] === undefined);
    const strangers = toKeep.filter(({ found }) => found.kind === "stranger").length;
    if (strangers > 0) await refuseStrangersWhenFull(strangers);
    const batch = toKeep.map(({ file, index, found }) => newFlux(arrival, file, index, found));
    await flowControl.admit(batch);
    const results = await outbox.keep(batch);
    const kept = new Map<number, Reception>();
    toKeep.forEach(({ index, found }, place) => {
      const result = results[place];
      if (result !== undefined) kept.set(index, received(found, result));
    });
    return examined.map(({ index }) => {
      const reception = told[index] ?? kept.get(index);
      if (reception === undefined) throw gatewayError("INTERNAL_ERROR");
      return reception;
    });
  };

  function control(code: ErrorCode, details: Record<string, string> = {}): Control {
    return { code, message: errorText(code, details) };
  }
}
