/**
 * Hears of work that other gateways made: their tallies, by a change stream. A hint and never a
 * promise: while the stream is down each step's own polling finds the work a little later.
 */
import type { mongo } from "mongoose";
import { messageOf } from "../../domain/errors.ts";
import type { Work } from "../../keep/outbox.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Collections, TallyDocument } from "./documents.ts";

const REOPEN_MS = 1_000;
/** How long the server may hold a question while there is nothing to tell, ms. */
const AWAIT_MS = 5_000;
/** How long the end of the stream is waited for, ms; past it, it ends with the connection. */
const CLOSE_MS = 50;
const WORK: readonly Work[] = ["forward", "acknowledge"];

export interface WorkWatch {
  stop(): Promise<void>;
}

export function watchWork({
  collections,
  ownWriters,
  hint,
  clock,
  log,
}: {
  readonly collections: Pick<Collections, "tallies">;
  /** Begins the name of every tally of this gateway: it knows its own work already. */
  readonly ownWriters: string;
  readonly hint: (work: Work) => void;
  readonly clock: Clock;
  readonly log: Log;
}): WorkWatch {
  const stopped = new AbortController();
  let stream: mongo.ChangeStream<TallyDocument> | undefined;

  function told(event: mongo.ChangeStreamDocument<TallyDocument>): void {
    if (!("documentKey" in event)) return;
    if (event.documentKey._id.startsWith(ownWriters)) return;
    const changed =
      event.operationType === "update" ? (event.updateDescription.updatedFields ?? {}) : undefined;
    for (const work of WORK) if (changed === undefined || work in changed) hint(work);
  }

  const isStopped = (): boolean => stopped.signal.aborted;

  async function watchForEver(): Promise<void> {
    let isInterrupted = false;
    while (!isStopped()) {
      try {
        stream = collections.tallies.watch<TallyDocument>([], { maxAwaitTimeMS: AWAIT_MS });
        for await (const event of stream) {
          isInterrupted = false;
          told(event);
        }
      } catch (error) {
        if (isStopped()) return;
        // Once per outage.
        if (!isInterrupted) log.warn("store.watchInterrupted", { error: messageOf(error) });
        isInterrupted = true;
        // What came while nobody watched.
        for (const work of WORK) hint(work);
      }
      await clock.wait(REOPEN_MS, stopped.signal);
    }
  }

  const watching = watchForEver();
  return {
    stop: async () => {
      stopped.abort();
      // Not awaited: the server may hold its answer for as long as it was told to await a change.
      void stream?.close().catch(() => undefined);
      await Promise.race([watching, clock.wait(CLOSE_MS)]);
    },
  };
}
