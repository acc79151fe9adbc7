/**
 * The worker thread that owns the database: takes what has queued, commits it as one group, answers,
 * and begins again. Nothing of it runs on the main thread, which stays free for the network.
 */
import type { Transferable } from "node:worker_threads";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Work } from "../../keep/outbox.ts";
import { makeCheckpoint } from "./checkpoint.ts";
import type { Answer, Call } from "./group-commit.ts";
import { makeGroupCommit } from "./group-commit.ts";
import { openDatabase } from "./open-database.ts";
import { refuseSealed } from "./seal-statements.ts";
import type { StoreFault } from "./sqlite-errors.ts";
import { faultOf } from "./sqlite-errors.ts";
import { makeStoreOperations, takeBackFormerLife } from "./store-operations.ts";

/** What the main side gives at birth. */
export interface WorkerBirth {
  readonly path: string;
  /** Now, ms since the epoch: when the former life's loans are taken back. */
  readonly now: number;
}

export type ToWorker =
  { readonly kind: "calls"; readonly calls: readonly Call[] } | { readonly kind: "stop" };

export type FromWorker =
  | { readonly kind: "opened" }
  | { readonly kind: "notOpened"; readonly fault: StoreFault }
  | {
      readonly kind: "answers";
      readonly answers: readonly Answer[];
      readonly work: readonly Work[];
    }
  /** Not the fault of one call: a checkpoint that failed. Nothing is lost by it. */
  | { readonly kind: "trouble"; readonly fault: StoreFault };

/** Most calls committed together. */
const MAX_CALLS = 500;
/** Most bytes of files committed together, unless one call alone has more. */
const MAX_BYTES = 16 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error("sqlite-worker runs as a worker thread");

function post(message: FromWorker, transfer: readonly Transferable[] = []): void {
  port?.postMessage(message, transfer);
}

function open(): ReturnType<typeof openDatabase> | undefined {
  try {
    const { path, now } = workerData as WorkerBirth;
    const db = openDatabase(path);
    try {
      refuseSealed(db, path);
      takeBackFormerLife(db, now);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    post({ kind: "notOpened", fault: faultOf(error) });
    return undefined;
  }
}

const db = open();
if (db === undefined) {
  port.close();
} else {
  const work = new Set<Work>();
  const group = makeGroupCommit(db, makeStoreOperations(db, work));
  const checkpoint = makeCheckpoint(db);
  let queue: Call[] = [];
  let stopping = false;
  let scheduled = false;
  let troubled = false;

  function take(message: ToWorker): void {
    if (message.kind === "stop") stopping = true;
    else queue.push(...message.calls);
  }

  function nextGroup(): readonly Call[] {
    let bytes = 0;
    let count = 0;
    for (const call of queue) {
      bytes += bytesOf(call);
      if (count > 0 && (bytes > MAX_BYTES || count === MAX_CALLS)) break;
      count += 1;
    }
    const calls = queue.slice(0, count);
    queue = queue.slice(count);
    return calls;
  }

  function turn(): void {
    scheduled = false;
    for (
      let received = receiveMessageOnPort(port as NonNullable<typeof port>);
      received !== undefined;
      received = receiveMessageOnPort(port as NonNullable<typeof port>)
    ) {
      take(received.message as ToWorker);
    }
    work.clear();
    if (queue.length > 0) {
      const answers = group.run(nextGroup());
      post({ kind: "answers", answers, work: [...work] }, answers.flatMap(buffersOf));
      settle();
    }
    if (queue.length > 0) schedule();
    else if (stopping) close();
  }

  function settle(): void {
    try {
      checkpoint.run();
      troubled = false;
    } catch (error) {
      // Told once, not after each group for as long as the disk is full.
      if (!troubled) post({ kind: "trouble", fault: faultOf(error) });
      troubled = true;
    }
  }

  function close(): void {
    try {
      checkpoint.finish();
    } catch (error) {
      post({ kind: "trouble", fault: faultOf(error) });
    }
    db?.close();
    port?.close();
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  }

  port.on("message", (message: ToWorker) => {
    take(message);
    schedule();
  });
  post({ kind: "opened" });
}

function bytesOf(call: Call): number {
  return call.name === "keep"
    ? call.args[0].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    : 0;
}

/** The bytes of a file leave without being copied. */
function buffersOf(answer: Answer): Transferable[] {
  const value = "value" in answer ? answer.value : undefined;
  if (typeof value !== "object" || value === null || !("bytes" in value)) return [];
  return value.bytes instanceof Uint8Array ? [value.bytes.buffer as ArrayBuffer] : [];
}
