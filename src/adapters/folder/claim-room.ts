/**
 * How files of a drop folder are claimed, so that of several gateways only one takes each, and a
 * crash at any line loses nothing:
 *
 *     <drop>/name ──rename──▶ <drop>/.passerelle/en-cours/<claim>@<life>/name ──▶ removed once kept
 *
 * A rename is atomic: one gateway has the file, the other finds nothing. The claim keeps its name
 * for as long as it exists, whoever holds it, and names the arrival: taken over from a dead gateway
 * by a rename of its folder, it is the same arrival told again.
 */
import { link, lstat, mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../domain/errors.ts";
import { OWN_FOLDER, pathIn } from "./drop-entries.ts";
import { makeInside, syncFolder } from "./fs-sync.ts";

export interface Claim {
  /** For ever unique. */
  readonly id: string;
  /** The life of a gateway that holds it. */
  readonly life: string;
  readonly folder: string;
}

export interface ClaimRoom {
  /** Makes an empty claim of ours. */
  open(id: string): Promise<Claim>;
  /** Moves a file from the drop folder into a claim; false when it is no longer there. */
  take(claim: Claim, name: Buffer): Promise<boolean>;
  /** Puts on disk what was taken: from here on a power loss finds it claimed. */
  sync(claim: Claim): Promise<void>;
  /** Every claim there is, whoever holds it. */
  list(): Promise<readonly Claim[]>;
  names(claim: Claim): Promise<readonly Buffer[]>;
  /** Makes a dead gateway's claim ours; undefined when another was faster. */
  takeOver(claim: Claim): Promise<Claim | undefined>;
  /** Returns a file to the drop folder; false when another file has its name: it stays claimed. */
  putBack(claim: Claim, name: Buffer): Promise<boolean>;
  /** True when a crash interrupted `putBack` between its two steps; it is then finished. */
  finishPutBack(claim: Claim, name: Buffer): Promise<boolean>;
  /** Moves a file that cannot be kept where it waits for a person. */
  setAside(claim: Claim, name: Buffer): Promise<void>;
  remove(claim: Claim, name: Buffer): Promise<void>;
  /** Removes an empty claim; one that still holds files stays. */
  close(claim: Claim): Promise<void>;
}

const CLAIMED = "en-cours";
const ASIDE = "refuses";

export function makeClaimRoom({ folder, life }: { folder: string; life: string }): ClaimRoom {
  const own = join(folder, OWN_FOLDER);
  const room = join(own, CLAIMED);

  function claimOf(id: string, holder: string): Claim {
    return { id, life: holder, folder: join(room, `${id}@${holder}`) };
  }

  return {
    open: async (id) => {
      const claim = claimOf(id, life);
      await makeInside(folder, OWN_FOLDER, CLAIMED);
      await mkdir(claim.folder);
      return claim;
    },
    take: async (claim, name) => {
      try {
        await rename(pathIn(folder, name), pathIn(claim.folder, name));
        return true;
      } catch (error) {
        if (systemCodeOf(error) === "ENOENT") return false;
        throw error;
      }
    },
    sync: async (claim) => {
      // The new place first: a file may be found twice after a power loss, never nowhere.
      await syncFolder(claim.folder);
      await syncFolder(room);
      await syncFolder(own);
      await syncFolder(folder);
    },
    list: async () => {
      const names = await readdir(room).catch((error: unknown) => {
        if (systemCodeOf(error) === "ENOENT") return [];
        throw error;
      });
      return names.sort().flatMap((name) => {
        const at = name.lastIndexOf("@");
        return at < 1 ? [] : [claimOf(name.slice(0, at), name.slice(at + 1))];
      });
    },
    names: async (claim) => {
      const names = await readdir(claim.folder, { encoding: "buffer" });
      return names.sort((a, b) => Buffer.compare(a, b));
    },
    takeOver: async (claim) => {
      const ours = claimOf(claim.id, life);
      try {
        await rename(claim.folder, ours.folder);
        return ours;
      } catch (error) {
        if (systemCodeOf(error) === "ENOENT") return undefined;
        throw error;
      }
    },
    putBack: async (claim, name) => {
      const claimed = pathIn(claim.folder, name);
      const dropped = pathIn(folder, name);
      try {
        // A link, not a rename: a newer file of that name must not be overwritten.
        await link(claimed, dropped);
      } catch (error) {
        const code = systemCodeOf(error);
        if (code === "EEXIST") return false;
        if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
        // No links here: looked at first, as sure as this file system can be.
        if (await exists(dropped)) return false;
        await rename(claimed, dropped);
        return true;
      }
      await unlink(claimed);
      return true;
    },
    finishPutBack: async (claim, name) => {
      const claimed = await lstat(pathIn(claim.folder, name), { bigint: true });
      if (claimed.nlink < 2n) return false;
      const dropped = await lstat(pathIn(folder, name), { bigint: true }).catch(() => undefined);
      if (dropped?.ino !== claimed.ino) return false;
      await unlink(pathIn(claim.folder, name));
      return true;
    },
    setAside: async (claim, name) => {
      const aside = join(own, ASIDE, claim.id);
      await makeInside(own, ASIDE, claim.id);
      await rename(pathIn(claim.folder, name), pathIn(aside, name));
    },
    remove: async (claim, name) => {
      await unlink(pathIn(claim.folder, name)).catch((error: unknown) => {
        if (systemCodeOf(error) !== "ENOENT") throw error; // Taken over: another removed it.
      });
    },
    close: async (claim) => {
      await rmdir(claim.folder).catch((error: unknown) => {
        const code = systemCodeOf(error);
        if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      });
    },
  };
}

async function exists(path: Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}
