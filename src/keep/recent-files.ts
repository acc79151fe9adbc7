/**
 * Remembers for a moment the small files that this process has just made durable, so that the step
 * that follows (the call to the SNE, the acquittement) has them without asking the store again.
 *
 * Promise: nothing is remembered that is not on disk, and a file is given from memory once, within a
 * minute; whoever asks again, later, or in another life, asks the store (another gateway may have
 * erased the file since). What goes to the SNE is compared with its digest
 * either way (`forward/attempt.ts`).
 */
import type { Clock } from "../runtime/clock.ts";
import type { FileRole, Outbox, StoredFile } from "./outbox.ts";

/** Larger files are read from the store, bytes. */
const MOST_BYTES_OF_A_FILE = 256 * 1024;
/** What is remembered altogether, bytes; the oldest leaves first. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Counted for each entry beside its bytes: many small ones are bounded too. */
const BYTES_OF_AN_ENTRY = 512;
/** How long a file is given from memory, ms. */
const FOR_MS = 60_000;

interface Entry {
  /** Undefined: it is known that there is none. */
  readonly file: StoredFile | undefined;
  /** ms since the epoch. */
  readonly until: number;
}

/** The same outbox, quicker to give a file it has just taken. */
export function rememberFiles(outbox: Outbox, clock: Clock): Outbox {
  /** By flux and role, the oldest first. */
  const recent = new Map<string, Entry>();
  let bytes = 0;

  function remember(key: string, file: StoredFile | undefined): void {
    forget(key);
    if (file !== undefined && file.bytes.length > MOST_BYTES_OF_A_FILE) return;
    const entry = { file, until: clock.now() + FOR_MS };
    recent.set(key, entry);
    bytes += sizeOf(entry);
    for (const oldest of recent.keys()) {
      if (bytes <= MOST_BYTES) break;
      forget(oldest);
    }
  }

  /** What was remembered under the key, if anything was. */
  function forget(key: string): Entry | undefined {
    const entry = recent.get(key);
    if (entry === undefined) return undefined;
    bytes -= sizeOf(entry);
    recent.delete(key);
    return entry;
  }

  return {
    ...outbox,
    keep: async (batch) => {
      const results = await outbox.keep(batch);
      results.forEach((result, index) => {
        const own = batch[index];
        // Only what waits for its call: the rest is not asked for soon.
        if (result.kind !== "kept" || result.flux.state !== "kept" || own === undefined) return;
        remember(keyOf(own.id, "original"), { name: own.fileName, bytes: own.bytes });
      });
      return results;
    },
    move: async (move) => {
      const result = await outbox.move(move);
      if (result.kind === "moved" && move.files !== undefined) {
        remember(keyOf(move.fluxId, "answer"), move.files.answer);
        remember(keyOf(move.fluxId, "attestation"), move.files.attestation);
      }
      return result;
    },
    file: async (fluxId, role) => {
      const entry = forget(keyOf(fluxId, role));
      return entry === undefined || clock.now() >= entry.until
        ? outbox.file(fluxId, role)
        : entry.file;
    },
    eraseFiles: async (request) => {
      recent.clear();
      bytes = 0;
      return outbox.eraseFiles(request);
    },
  };
}

function keyOf(fluxId: string, role: FileRole): string {
  return `${fluxId}/${role}`;
}

function sizeOf({ file }: Entry): number {
  return (file?.bytes.length ?? 0) + BYTES_OF_AN_ENTRY;
}
