/**
 * What lies in a drop folder, sorted out: files that may be taken, files still being written, and
 * what is no file at all. Names are kept as the bytes they are: a name that is not UTF-8 is a name.
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { systemCodeOf } from "../../domain/errors.ts";

/** How a file stands: while this does not change, nobody is writing it. */
export interface FileStand {
  readonly inode: bigint;
  readonly size: bigint;
  readonly changedNs: bigint;
}

export interface DropEntry {
  readonly name: Buffer;
  readonly kind: "file" | "temporary" | "folder" | "link" | "special";
  readonly stand: FileStand;
}

/** Our own folder inside each drop folder. */
export const OWN_FOLDER = ".passerelle";

/** Names under which programs write before they rename (WinSCP, curl, browsers, rsync, editors…). */
const TEMPORARY =
  /^[.~]|~$|\.(?:tmp|temp|part|partial|filepart|crdownload|download|uploading|writing|inprogress|lock|lck|swp)$/i;

/** What desktops leave in every folder they show. */
const DESKTOP = /^(?:thumbs\.db|desktop\.ini)$/i;

export function standOf(stat: BigIntStats): FileStand {
  return { inode: stat.ino, size: stat.size, changedNs: stat.mtimeNs };
}

export function sameStand(a: FileStand, b: FileStand): boolean {
  return a.inode === b.inode && a.size === b.size && a.changedNs === b.changedNs;
}

/** The path of a name in a folder, both as bytes. */
export function pathIn(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([typeof folder === "string" ? Buffer.from(folder) : folder, SLASH, name]);
}
const SLASH = Buffer.from("/");

/** A name as text: its UTF-8, or, when it is none, each byte a character. */
export function textOf(name: Buffer): string {
  const text = name.toString("utf8");
  return Buffer.from(text).equals(name) ? text : name.toString("latin1");
}

/** Everything in the folder but our own, oldest first: the order in which it was written. */
export async function listDrop(folder: string): Promise<readonly DropEntry[]> {
  const names = await readdir(folder, { encoding: "buffer" });
  const entries: DropEntry[] = [];
  // A few at a time: a share answers slowly, and a folder may hold a month's backlog.
  for (let start = 0; start < names.length; start += 64) {
    const some = names.slice(start, start + 64);
    const found = await Promise.all(some.map((name) => look(folder, name)));
    for (const entry of found) if (entry !== undefined) entries.push(entry);
  }
  return entries.sort(
    (a, b) => compare(a.stand.changedNs, b.stand.changedNs) || Buffer.compare(a.name, b.name),
  );
}

async function look(folder: string, name: Buffer): Promise<DropEntry | undefined> {
  const text = textOf(name);
  if (text === OWN_FOLDER || DESKTOP.test(text)) return undefined;
  let stat: BigIntStats;
  try {
    // Never through a link: it could lead out of the folder.
    stat = await lstat(pathIn(folder, name), { bigint: true });
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined; // Gone since the folder was read.
    throw error;
  }
  const kind = stat.isSymbolicLink()
    ? "link"
    : stat.isDirectory()
      ? "folder"
      : !stat.isFile()
        ? "special"
        : TEMPORARY.test(text)
          ? "temporary"
          : "file";
  return { name, kind, stand: standOf(stat) };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
