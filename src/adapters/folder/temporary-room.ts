/**
 * Where files of a return folder are written before they get their name: a hidden folder inside it,
 * so that a rename is atomic and no program sees half a file. What a crash left there is swept.
 */
import { lstat, mkdir, open, readdir, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../domain/errors.ts";

export interface TemporaryRoom {
  /** Writes a file and puts it on disk; gives its path. */
  write(bytes: Uint8Array): Promise<string>;
}

/** Age of a leftover, ms, by the file system's own clock: no delivery lasts an hour. */
const LEFTOVER_MS = 3_600_000;

export function makeTemporaryRoom(folder: string): TemporaryRoom {
  const room = join(folder, ".passerelle");
  let count = 0;
  let swept = false;

  async function create(): Promise<{ path: string; handle: FileHandle }> {
    for (;;) {
      count += 1;
      // A name some other process took, now or before a crash, is left to it.
      const path = join(room, `${process.pid}-${count}.tmp`);
      try {
        return { path, handle: await open(path, "wx") };
      } catch (error) {
        const code = systemCodeOf(error);
        if (code === "ENOENT") await mkdir(room, { recursive: true });
        else if (code !== "EEXIST") throw error;
      }
    }
  }

  /** Removes what crashes left: older, by the same clock, than the file just written. */
  async function sweep(than: string): Promise<void> {
    const { mtimeMs } = await lstat(than);
    for (const name of await readdir(room)) {
      if (!name.endsWith(".tmp")) continue;
      const path = join(room, name);
      const stat = await lstat(path).catch(() => undefined);
      if (stat === undefined || mtimeMs - stat.mtimeMs < LEFTOVER_MS) continue;
      // Another gateway may sweep it at the same time.
      await unlink(path).catch(() => undefined);
    }
  }

  return {
    write: async (bytes) => {
      const { path, handle } = await create();
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } catch (error) {
        await unlink(path).catch(() => undefined);
        throw error;
      } finally {
        await handle.close();
      }
      if (!swept) {
        swept = true;
        await sweep(path);
      }
      return path;
    },
  };
}
