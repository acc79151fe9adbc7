/**
 * The embedded store, seen from the main thread: an outbox whose every operation is done by one
 * worker thread on one SQLite file. Promise: an operation resolves once it is on disk; when the
 * worker dies, every operation, waiting or to come, rejects with STORE_UNAVAILABLE and whoever
 * opened the store is told.
 *
 * BUGS: an operation in the worker's hands when it dies may have been done although it rejects, as
 * with any store lost between its commit and its answer. Told again, its arrival key or its content
 * makes it harmless.
 */
import { extname } from "node:path";
import type { Transferable } from "node:worker_threads";
import { Worker } from "node:worker_threads";
import type { ErrorCode } from "../../domain/errors.ts";
import { gatewayError, messageOf } from "../../domain/errors.ts";
import type { Move, NewFlux, StoredFile, Work } from "../../keep/outbox.ts";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import { SILENT_LOG } from "../../runtime/log.ts";
import type { Call } from "./group-commit.ts";
import { errorOf } from "./sqlite-errors.ts";
import type { FromWorker, ToWorker, WorkerBirth } from "./sqlite-worker.ts";
import type { Arguments, OperationName, Result, SqliteOutbox } from "./store-operations.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Opens the store, made when it is not there; what a former life had lent is taken back.
 * @throws STORE_IN_USE, STORE_TOO_NEW, STORE_UNAVAILABLE, STORE_FULL
 */
export async function openSqliteOutbox(options: {
  readonly path: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Told once, when the worker dies: the store works no more until it is opened again. */
  readonly onDeath?: (error: Error) => void;
}): Promise<SqliteOutbox> {
  const { path, clock = systemClock(), log = SILENT_LOG, onDeath } = options;
  const birth: WorkerBirth = { path, now: clock.now() };
  // The same file, as .ts from src and as .js from dist.
  const file = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: birth, name: "sqlite-outbox" });

  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(work: Work) => void>();
  let outgoing: { readonly call: Call; readonly buffers: readonly Transferable[] }[] = [];
  let lastId = 0;
  /** Why nothing more is taken. */
  let closed: { readonly code: ErrorCode; readonly cause?: Error } | undefined;

  const opened = Promise.withResolvers<undefined>();
  const exited = Promise.withResolvers<undefined>();

  function hear(message: FromWorker): void {
    switch (message.kind) {
      case "opened":
        opened.resolve(undefined);
        break;
      case "notOpened":
        closed = { code: "STORE_UNAVAILABLE" };
        opened.reject(errorOf(message.fault));
        break;
      case "trouble":
        log.warn("store.checkpointFailed", {
          code: message.fault.code,
          cause: message.fault.cause,
        });
        break;
      case "answers":
        for (const answer of message.answers) {
          const caller = waiting.get(answer.id);
          waiting.delete(answer.id);
          if ("fault" in answer) caller?.reject(errorOf(answer.fault));
          else caller?.resolve(answer.value);
        }
        for (const work of message.work) for (const listener of listeners) listener(work);
    }
  }

  function die(cause: Error): void {
    const first = closed === undefined;
    closed ??= { code: "STORE_UNAVAILABLE", cause };
    for (const caller of waiting.values()) {
      caller.reject(gatewayError("STORE_UNAVAILABLE", {}, cause));
    }
    waiting.clear();
    opened.reject(gatewayError("STORE_UNAVAILABLE", {}, cause));
    if (!first) return;
    log.error("store.workerDied", { cause: messageOf(cause) });
    onDeath?.(cause);
  }

  worker.on("message", hear);
  worker.on("error", (error) => {
    die(new Error(messageOf(error), { cause: error }));
  });
  worker.on("exit", (code) => {
    if (closed === undefined || waiting.size > 0)
      die(new Error(`the store's thread ended (${code})`));
    exited.resolve(undefined);
  });

  function send(posts: typeof outgoing): void {
    const message: ToWorker = { kind: "calls", calls: posts.map(({ call }) => call) };
    worker.postMessage(
      message,
      posts.flatMap(({ buffers }) => buffers),
    );
  }

  /**
   * Sends what this turn of the event loop has asked for as one message: one wake of the worker, and
   * one commit, for whatever came together.
   */
  function flush(): void {
    const posts = outgoing;
    if (posts.length === 0) return;
    outgoing = [];
    try {
      send(posts);
    } catch {
      // One of them cannot cross to the worker, and nothing was sent: each for itself.
      for (const post of posts) {
        try {
          send([post]);
        } catch (error) {
          waiting.get(post.call.id)?.reject(gatewayError("INTERNAL_ERROR", {}, error));
          waiting.delete(post.call.id);
        }
      }
    }
  }

  function ask<N extends OperationName>(
    name: N,
    args: Arguments<N>,
    buffers: readonly Transferable[] = [],
  ): Promise<Result<N>> {
    return new Promise<Result<N>>((resolve, reject) => {
      if (closed !== undefined) {
        reject(gatewayError(closed.code, {}, closed.cause));
        return;
      }
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      if (outgoing.length === 0) setImmediate(flush);
      outgoing.push({ call: { id: lastId, name, args } as unknown as Call, buffers });
    });
  }

  /**
   * Tells of work that is asked for and not yet on disk. Whoever claims it now is sent behind it in
   * the same message, and has it in the same commit: its answer tells nothing that is not durable.
   */
  function tellEarly(work: Work): void {
    for (const listener of listeners) listener(work);
  }

  await opened.promise;

  return {
    keep: (batch) => {
      const own = batch.map(withOwnBytes);
      const results = ask(
        "keep",
        [own],
        own.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
      if (batch.some(({ state }) => state === "kept")) tellEarly("forward");
      return results;
    },
    claim: (request) => ask("claim", [request]),
    renew: (held, leaseUntil) => ask("renew", [held, leaseUntil]),
    move: (move) => {
      const files = withOwnFiles(move.files);
      const own = Object.values(files);
      const result = ask(
        "move",
        [own.length === 0 ? move : { ...move, files }],
        own.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
      if (move.oweAcquittement === true) tellEarly("acknowledge");
      return result;
    },
    recordOnce: (record) => ask("recordOnce", [record]),
    claimDeliveries: (request) => ask("claimDeliveries", [request]),
    endDelivery: (delivery, at, end) => ask("endDelivery", [delivery, at, end]),
    takeBack: (now) => ask("takeBack", [now]),
    find: (fluxId) => ask("find", [fluxId]),
    holderOf: (lane) => ask("holderOf", [lane]),
    list: (query) => ask("list", [query]),
    journal: (fluxId) => ask("journal", [fluxId]),
    file: (fluxId, role) => ask("file", [fluxId, role]),
    counts: () => ask("counts", []),
    recount: () => ask("recount", []),
    load: () => ask("load", []),
    recountLoad: () => ask("recountLoad", []),
    note: (key, value) => ask("note", [key, value]),
    noted: (key) => ask("noted", [key]),
    noteIf: (key, expected, value) => ask("noteIf", [key, expected, value]),
    next: (sequence) => ask("next", [sequence]),
    pause: (pause) => ask("pause", [pause]),
    resume: (scope) => ask("resume", [scope]),
    pauses: () => ask("pauses", []),
    holdRole: (role, hold) => ask("holdRole", [role, hold]),
    leaveRole: (role, owner) => ask("leaveRole", [role, owner]),
    eraseFiles: (request) => ask("eraseFiles", [request]),
    probe: () => ask("probe", []),
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => {
      if (closed === undefined) {
        closed = { code: "STOPPING" };
        // After the calls of this turn.
        flush();
        worker.postMessage({ kind: "stop" } satisfies ToWorker);
      }
      await exited.promise;
    },
  };
}

function withOwnFiles(files: Move["files"] = {}): NonNullable<Move["files"]> {
  const { answer, attestation } = files;
  return {
    ...(answer === undefined ? {} : { answer: withOwnBytes(answer) }),
    ...(attestation === undefined ? {} : { attestation: withOwnBytes(attestation) }),
  };
}

/**
 * The flux with bytes of its own: they can then be handed to the worker without a second copy, and
 * a small view of a large buffer does not drag all of it along.
 */
function withOwnBytes<T extends NewFlux | StoredFile>(holder: T): T {
  return { ...holder, bytes: new Uint8Array(holder.bytes) };
}
