/**
 * Hands one claimed file to the receiver and says what must become of it. Promise: a file is called
 * kept only once `receive` has resolved (law 2), and its arrival has the same name each time.
 */
import type { Arrival, Receive } from "../../arrive/arrival.ts";
import { errorText, GatewayError, messageOf } from "../../domain/errors.ts";
import { safeFileName } from "../../domain/file-name.ts";
import type { Guichet } from "../../domain/guichet.ts";
import { sha256Of } from "../../keep/identity.ts";
import type { Log } from "../../runtime/log.ts";
import type { Claim } from "./claim-room.ts";
import { pathIn, textOf, type FileStand } from "./drop-entries.ts";
import { readClaimed } from "./read-claimed.ts";

export type Handled =
  /** Durable: it may go. */
  | { readonly kind: "kept" }
  /** Refused for its size, and the refusal is durable: the file itself is nowhere else. */
  | { readonly kind: "keptAside" }
  /** Nobody may call it ours yet: its writer goes on, or it is not the one that was received. */
  | { readonly kind: "notYet" }
  | { readonly kind: "gone" }
  /** Turned away by the gateway: nothing of it is kept. `everyone`: so would be any other file. */
  | { readonly kind: "turnedAway"; readonly code: string; readonly everyone: boolean };

/** Codes that say the gateway itself takes nothing now. */
const EVERYONE = new Set(["STORE_FULL", "STORE_UNAVAILABLE", "STORE_IN_USE", "STOPPING"]);

export type HandleFile = (claim: Claim, name: Buffer, expected: FileStand) => Promise<Handled>;

export function makeFileReceiver(options: {
  readonly guichet: Guichet;
  readonly folder: string;
  readonly maxBytes: number;
  readonly receive: Receive;
  readonly log: Log;
}): HandleFile {
  const { guichet, folder, maxBytes, receive, log } = options;

  function arrivalOf(claim: Claim, name: Buffer, bytes: Uint8Array | undefined): Arrival {
    const fileName = textOf(name);
    const code = "FILE_TOO_LARGE";
    return {
      channel: "file",
      sender: [guichet],
      // Of a file too large, the name alone is kept, and the refusal: its sender is told why.
      files: [{ name: fileName, bytes: bytes ?? new Uint8Array() }],
      ...(bytes !== undefined
        ? {}
        : { unreadable: { code, message: errorText(code, { limit: maxBytes }) } }),
      origin: { from: folder },
      // A claim may hold several files, each name once.
      arrivalKey: `file:${guichet.code}:${claim.id}:${sha256Of(name).slice(0, 16)}`,
      returnTo: () => ({
        channel: "file",
        guichet: guichet.code,
        fileName: safeFileName(fileName),
      }),
    };
  }

  return async (claim, name, expected) => {
    let bytes: Uint8Array | undefined;
    try {
      const read = await readClaimed(pathIn(claim.folder, name), expected, maxBytes);
      switch (read.kind) {
        case "gone":
          return { kind: "gone" };
        case "changed":
          return { kind: "notYet" };
        case "notAFile":
          return { kind: "turnedAway", code: "NOT_A_FILE", everyone: false };
        case "tooLarge":
          break;
        case "read":
          bytes = read.bytes;
      }
    } catch (error) {
      log.warn("folder.unreadableFile", { guichet: guichet.code, error: causeOf(error) });
      return { kind: "turnedAway", code: "FILE_UNREADABLE", everyone: false };
    }
    try {
      const [reception] = await receive(arrivalOf(claim, name, bytes));
      // The claim was received before with other bytes: its writer had not finished. A new claim
      // makes it another arrival.
      if (reception?.kind === "keyConflict") return { kind: "notYet" };
      return { kind: bytes === undefined ? "keptAside" : "kept" };
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : "INTERNAL_ERROR";
      log.warn("folder.notReceived", { guichet: guichet.code, code, error: messageOf(error) });
      return { kind: "turnedAway", code, everyone: EVERYONE.has(code) };
    }
  };
}

/** The system's code rather than its message, which holds the file's name. */
function causeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error
    ? String(error.code)
    : messageOf(error);
}
