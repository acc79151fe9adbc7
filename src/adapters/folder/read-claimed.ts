/**
 * Reads a claimed file whole. Promise: bytes are given only of a plain file, of a size we may keep,
 * that did not change while it was read.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCodeOf } from "../../domain/errors.ts";
import { sameStand, standOf, type FileStand } from "./drop-entries.ts";

export type ClaimedRead =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "tooLarge" }
  /** Its writer is not done, or it is not the file that had settled. */
  | { readonly kind: "changed" }
  | { readonly kind: "notAFile" }
  | { readonly kind: "gone" };

/**
 * Never follows a link, never waits on a pipe.
 * @param expected - how the file stood when it had settled
 * @param maxBytes - a longer file is not read
 */
export async function readClaimed(
  path: Buffer,
  expected: FileStand,
  maxBytes: number,
): Promise<ClaimedRead> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT") return { kind: "gone" };
    if (code === "ELOOP" || code === "ENXIO") return { kind: "notAFile" };
    throw error;
  }
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) return { kind: "notAFile" };
    if (!sameStand(standOf(before), expected)) return { kind: "changed" };
    if (before.size > BigInt(maxBytes)) return { kind: "tooLarge" };
    const bytes = await handle.readFile();
    const after = await handle.stat({ bigint: true });
    const same = sameStand(standOf(after), expected) && BigInt(bytes.length) === after.size;
    return same ? { kind: "read", bytes } : { kind: "changed" };
  } finally {
    await handle.close();
  }
}

/** True when we may read it; ENOENT and the rest are for the claim to find. */
export async function mayRead(path: Buffer): Promise<boolean> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await (await open(path, flags)).close();
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    return code !== "EACCES" && code !== "EPERM";
  }
}
