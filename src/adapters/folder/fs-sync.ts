/**
 * What file systems need beyond a rename for it to survive a power loss: the folders' own entries on
 * disk.
 */
import { open } from "node:fs/promises";
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
