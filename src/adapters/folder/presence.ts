/**
 * Says, in a shared folder, that this gateway lives, and whether another does. Each life of a
 * gateway has a file it writes to again and again; the file system's own clock is the only one
 * compared, so that machines need not agree on the time.
 *
 * On one machine there is nothing to wait for: a process that is gone, or whose number now belongs to
 * another, is known dead at once.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { open, readdir, readFile, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../domain/errors.ts";
import { OWN_FOLDER } from "./drop-entries.ts";
import { makeInside } from "./fs-sync.ts";

export interface Presence {
  /** Says we live; the first time makes the file, before anything is claimed. */
  beat(): Promise<void>;
  /** True when the life that has this name is over. */
  isDead(life: string): Promise<boolean>;
  /** Removes the signs of lives that are over. */
  sweep(): Promise<void>;
  /** Says we are gone: what we hold may be taken at once. */
  leave(): Promise<void>;
}

/** The folder of signs, inside ours. */
const LIVES = "passerelles";

/** Where a process is known by its number, and since when: enough to tell it from a later one. */
interface Whereabouts {
  /** Boot and process space; "" where the system does not say. */
  readonly place: string;
  readonly pid: number;
  readonly started: string;
}

/**
 * @param life - names this life of the gateway; safe in a file name
 * @param staleMs - after this long without a sign, a life on another machine is over
 */
export function makePresence(options: {
  /** The drop folder. */
  readonly drop: string;
  readonly life: string;
  readonly owner: string;
  readonly staleMs: number;
}): Presence {
  const { drop, life, owner, staleMs } = options;
  const folder = join(drop, OWN_FOLDER, LIVES);
  const fileOf = (name: string) => join(folder, `${name}.vie`);
  const content = JSON.stringify({ owner, ...whereabouts() });

  async function beat(): Promise<void> {
    try {
      // Written over, never cut: a reader always sees it whole, and its date moves.
      await writeInto(await open(fileOf(life), "r+"));
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
      await makeInside(drop, OWN_FOLDER, LIVES);
      await writeInto(await open(fileOf(life), "a"));
    }
  }
  async function writeInto(handle: FileHandle): Promise<void> {
    try {
      await handle.write(content, 0);
    } finally {
      await handle.close();
    }
  }

  async function isDead(other: string): Promise<boolean> {
    if (other === life) return false;
    let text: string;
    let theirs: number;
    try {
      text = await readFile(fileOf(other), "utf8");
      theirs = (await stat(fileOf(other))).mtimeMs;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return true; // It left, or never wrote a word.
      throw error;
    }
    const where = readWhereabouts(text);
    const here = whereabouts();
    if (where !== undefined && here.place !== "" && where.place === here.place) {
      const state = stateOf(where);
      if (state !== "hidden") return state === "dead";
    }
    await beat();
    const ours = (await stat(fileOf(life))).mtimeMs;
    return ours - theirs > staleMs;
  }

  return {
    beat,
    isDead,
    sweep: async () => {
      for (const name of await readdir(folder)) {
        if (!name.endsWith(".vie")) continue;
        const other = name.slice(0, -".vie".length);
        if (await isDead(other)) await unlink(fileOf(other)).catch(() => undefined); // Or another did.
      }
    },
    leave: async () => {
      await unlink(fileOf(life)).catch(() => undefined); // Never there when nothing started.
    },
  };
}

function whereabouts(): Whereabouts {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const space = readlinkSync("/proc/self/ns/pid");
    const started = startOf(process.pid);
    if (started === undefined) return { place: "", pid: process.pid, started: "" };
    return { place: `${boot} ${space}`, pid: process.pid, started };
  } catch {
    // Not Linux: only the signs of life count.
    return { place: "", pid: process.pid, started: "" };
  }
}

/** When a process started, in the kernel's own ticks; undefined when none is to be seen. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): the name, in parentheses, may hold anything; the state follows it, the start is 22nd.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "over" : fields[19];
  } catch {
    return undefined;
  }
}

function stateOf({ pid, started }: Whereabouts): "alive" | "dead" | "hidden" {
  const start = startOf(pid);
  if (start !== undefined) return start === started ? "alive" : "dead";
  try {
    process.kill(pid, 0); // Asks only whether it exists.
    return "hidden";
  } catch (error) {
    // EPERM: another user's process, in a system that hides them (proc mounted with hidepid).
    return systemCodeOf(error) === "ESRCH" ? "dead" : "hidden";
  }
}

function readWhereabouts(text: string): Whereabouts | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("place" in value && "pid" in value && "started" in value)) return undefined;
    const { place, pid, started } = value;
    if (typeof place !== "string" || typeof started !== "string") return undefined;
    return Number.isSafeInteger(pid) ? { place, pid: Number(pid), started } : undefined;
  } catch {
    return undefined; // Cut by a crash: its date tells.
  }
}
