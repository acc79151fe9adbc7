/** Tells when something may have come into a folder: a hint, never a promise (polling is the net). */
import { watch, type FSWatcher } from "node:fs";
import { messageOf } from "../../domain/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";

/** Many files coming together make one hint, ms. */
const GATHER_MS = 30;

export interface FolderWatch {
  close(): void;
}

/** Watches until closed; where watching is not possible, says so once in the log. */
export function watchFolder(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly hint: () => void;
}): FolderWatch {
  const { folder, clock, log, hint } = options;
  const closing = new AbortController();
  let gathering = false;
  let watcher: FSWatcher | undefined;

  async function gather(): Promise<void> {
    gathering = true;
    await clock.wait(GATHER_MS, closing.signal);
    gathering = false;
    if (!closing.signal.aborted) hint();
  }
  function give(error: unknown): void {
    // Too many watches, a share that cannot, a folder that went away: polling goes on.
    log.warn("folder.notWatched", { error: messageOf(error) });
    watcher?.close();
  }

  try {
    watcher = watch(folder, { encoding: "buffer", persistent: false }, (event) => {
      // "change" is a file being written: it settles by itself, and a copy would wake us for ever.
      if (event === "rename" && !gathering) void gather();
    });
    watcher.on("error", give);
  } catch (error) {
    give(error);
  }
  return {
    close: () => {
      closing.abort();
      watcher?.close();
    },
  };
}
