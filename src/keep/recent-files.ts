/**
 * Remembers for a moment the small files that this process has just made durable, so that the step
 * that follows (the call to the SNE, the acquittement) has them without asking the store again.
 *
 * Promise: nothing is remembered that is not on disk, and a file is given from memory once; whoever
 * asks again, or after another life, asks the store. What goes to the SNE is compared with its digest
 * either way (`forward/attempt.ts`).
 */
import type { FileRole, Outbox, StoredFile } from "./outbox.ts";

/** Larger files are read from the store, bytes. */
const MOST_BYTES_OF_A_FILE = 256 * 1024;
/** What is remembered altogether, bytes; the oldest leaves first. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Counted for each entry beside its bytes: many small ones are bounded too. */
const BYTES_OF_AN_ENTRY = 512;

/** The same outbox, quicker to give a file it has just taken. */
export function rememberFiles(outbox: Outbox): Outbox {
  /** By flux and role; undefined: it is known that there is none. */
  const recent = new Map<string, StoredFile | undefined>();
  let bytes = 0;

  function remember(key: string, file: StoredFile | undefined): void {
    forget(key);
    if (file !== undefined && file.bytes.length > MOST_BYTES_OF_A_FILE) return;
    recent.set(key, file);
    bytes += sizeOf(file);
    for (const oldest of recent.keys()) {
      if (bytes <= MOST_BYTES) break;
      forget(oldest);
    }
  }

  function forget(key: string): void {
    if (!recent.has(key)) return;
    bytes -= sizeOf(recent.get(key));
    recent.delete(key);
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
      const key = keyOf(fluxId, role);
      if (!recent.has(key)) return outbox.file(fluxId, role);
      const file = recent.get(key);
      forget(key);
      return file;
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

function sizeOf(file: StoredFile | undefined): number {
  return (file?.bytes.length ?? 0) + BYTES_OF_AN_ENTRY;
}
