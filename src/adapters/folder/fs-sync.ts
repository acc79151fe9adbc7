/**
 * The few things folders need that node:fs has no word for: their entries put on disk (a rename
 * survives a power loss only then), folders made inside one that must exist, troubles in French.
 */
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../domain/errors.ts";

/** Puts the entries of a folder on disk. Where folders cannot be synced (some shares), does nothing. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EPERM") throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Makes folders, each inside the one before, the first inside `folder`, which is never made: were a
 * share unmounted, what follows would be written where nobody looks.
 */
export async function makeInside(folder: string, ...names: readonly string[]): Promise<void> {
  let path = folder;
  for (const name of names) {
    path = join(path, name);
    await mkdir(path).catch((error: unknown) => {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    });
  }
}

/** French words for a file system's refusal; no path, which may carry a person's name. */
export function fileTrouble(error: unknown): string {
  const code = systemCodeOf(error);
  switch (code) {
    case "EACCES":
    case "EPERM":
      return `accès refusé (${code})`;
    case "ENOSPC":
    case "EDQUOT":
      return `disque plein (${code})`;
    case "EROFS":
      return `dossier en lecture seule (${code})`;
    case "ENOENT":
    case "ENOTDIR":
      return `dossier introuvable (${code})`;
    default:
      return code === undefined ? "erreur imprévue du système de fichiers" : `erreur ${code}`;
  }
}
