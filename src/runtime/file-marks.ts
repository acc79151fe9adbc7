/**
 * Tells certificate files apart by a mark when they change on disk, so that a renewed certificate needs
 * no restart, whichever side of the gateway it serves. Promise: never rejects; a file that cannot be
 * seen is part of the mark, and whoever reads the files then says why.
 */
import { stat } from "node:fs/promises";

/** A text that changes when one of the files does. @param paths - undefined: a file nobody named */
export async function markOfFiles(paths: readonly (string | undefined)[]): Promise<string> {
  const marks = paths.map(async (path) => {
    if (path === undefined) return "-";
    try {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs}/${size}/${ino}`;
    } catch {
      // Being replaced, or gone: reading it says which.
      return "unseen";
    }
  });
  return (await Promise.all(marks)).join(" ");
}
