/**
 * Takes the files of one drop folder, oldest first, one at a time: the order in which a guichet
 * wrote them is the order in which they are kept.
 *
 * A turn first settles what is claimed already (by our former life, by a dead gateway, or put aside
 * by a name taken meanwhile), then claims what has settled. What cannot be kept goes back where it
 * was, and is tried again later: a file leaves the folder only after it is kept.
 */
import { lstat } from "node:fs/promises";
import { backoffDelay, type Backoff } from "../../runtime/backoff.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Claim, ClaimRoom } from "./claim-room.ts";
import {
  listDrop,
  pathIn,
  standOf,
  textOf,
  type DropEntry,
  type FileStand,
} from "./drop-entries.ts";
import type { HandleFile } from "./file-receiver.ts";
import type { Presence } from "./presence.ts";
import { mayRead } from "./read-claimed.ts";
import type { Settling } from "./settling.ts";
import type { TurnedAway } from "./turned-away.ts";

export interface Turn {
  /** True when files were kept: more may be ready. */
  readonly busy: boolean;
  /** When something may be ready, ms from now; undefined when nothing is foreseen. */
  readonly againIn?: number;
}

/** Files of one claim: enough to share the cost of the syncs, few enough to give back. */
const CLAIM_FILES = 32;

/** Files taken between two looks at the folder: what comes meanwhile waits for the next. */
const LOOK_FILES = 1_000;

/** A temporary name that stays so long was forgotten by its writer: someone should know. */
const FORGOTTEN_MS = 3_600_000;

/** What lies there and is no file, told once, by its own word. */
const NOT_FILES = {
  link: "SYMBOLIC_LINK",
  folder: "FOLDER_INSIDE",
  special: "NOT_A_FILE",
} as const;

export function makeFolderTaker(options: {
  readonly guichet: string;
  readonly folder: string;
  /** Names this life of the gateway. */
  readonly life: string;
  readonly room: ClaimRoom;
  readonly presence: Presence;
  readonly settling: Settling;
  readonly turnedAway: TurnedAway;
  readonly handle: HandleFile;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Log;
}): (signal: AbortSignal) => Promise<Turn> {
  const { guichet, folder, life, room, presence, settling, turnedAway, handle, backoff } = options;
  const { clock, chance, log } = options;
  /** After the gateway turned everyone away: nothing is claimed until then. */
  let rest = { attempts: 0, until: 0 };
  /** Kept, but not yet removed: never received again by this life. */
  const kept = new Map<string, "kept" | "keptAside">();
  let turn: { busy: boolean; againIn?: number } = { busy: false };

  function soon(ms: number): void {
    turn.againIn = Math.min(turn.againIn ?? ms, ms);
  }

  /** Hands a claimed file over and does with it what follows; true when others may be tried. */
  async function settle(
    claim: Claim,
    name: Buffer,
    stand: FileStand,
    key: string,
  ): Promise<boolean> {
    const claimed = `${claim.id}/${name.toString("latin1")}`;
    const before = kept.get(claimed);
    const handled = before === undefined ? await handle(claim, name, stand) : { kind: before };
    switch (handled.kind) {
      case "kept":
      case "keptAside":
        kept.set(claimed, handled.kind);
        rest = { attempts: 0, until: 0 };
        if (handled.kind === "kept") await room.remove(claim, name);
        else await room.setAside(claim, name);
        kept.delete(claimed);
        turn.busy = true;
        return true;
      case "gone":
        return true;
      case "notYet":
        await room.putBack(claim, name);
        return true;
      case "turnedAway":
        turnedAway.tell(key, textOf(name), handled.code);
        if (handled.everyone) {
          const attempts = rest.attempts + 1;
          const wait = backoffDelay(backoff, attempts, chance.fraction());
          rest = { attempts, until: clock.now() + wait };
        } else {
          turnedAway.putOff(key);
        }
        await room.putBack(claim, name);
        return !handled.everyone;
    }
  }

  /**
   * Claims that exist already, ours or those of the dead. Says whether newer files may follow: not
   * while an older one settles, or the order of a guichet's files would be lost.
   */
  async function resume(signal: AbortSignal, keys: Set<string>): Promise<"go" | "wait" | "stop"> {
    let next: "go" | "wait" = "go";
    for (const found of await room.list()) {
      const claim = found.life === life ? found : await takeOverFromTheDead(found);
      if (claim === undefined) continue;
      for (const name of await room.names(claim)) {
        if (signal.aborted) return "stop";
        if (await room.finishPutBack(claim, name)) continue;
        const stand = standOf(await lstat(pathIn(claim.folder, name), { bigint: true }));
        const key = keyOf(`${claim.id}/`, name, stand);
        keys.add(key);
        const settles = settling.remaining(key, stand, clock.now());
        const wait = Math.max(settles, turnedAway.remaining(key));
        if (settles > 0) next = "wait";
        if (wait > 0) soon(wait);
        else if (!(await settle(claim, name, stand, key))) return "stop";
      }
      await room.close(claim);
    }
    return next;
  }

  async function takeOverFromTheDead(claim: Claim): Promise<Claim | undefined> {
    if (!(await presence.isDead(claim.life))) return undefined;
    const ours = await room.takeOver(claim);
    if (ours !== undefined) log.info("folder.claimTakenOver", { guichet, from: claim.life });
    return ours;
  }

  /** The files that may be claimed now, oldest first. */
  async function ready(keys: Set<string>): Promise<DropEntry[]> {
    const files: DropEntry[] = [];
    const now = clock.now();
    for (const entry of await listDrop(folder)) {
      const key = keyOf("", entry.name, entry.stand);
      keys.add(key);
      const settles = settling.remaining(key, entry.stand, now);
      if (entry.kind === "temporary") {
        if (now - (settling.seenSince(key) ?? now) > FORGOTTEN_MS) {
          turnedAway.tell(key, textOf(entry.name), "TEMPORARY_NAME");
        }
        continue;
      }
      if (entry.kind !== "file") {
        turnedAway.tell(key, textOf(entry.name), NOT_FILES[entry.kind]);
        continue;
      }
      const wait = Math.max(settles, turnedAway.remaining(key));
      if (wait > 0) soon(wait);
      else files.push(entry);
    }
    return files;
  }

  async function claimSome(files: readonly DropEntry[]): Promise<[Claim, DropEntry[]] | undefined> {
    const readable: DropEntry[] = [];
    for (const entry of files) {
      const key = keyOf("", entry.name, entry.stand);
      if (await mayRead(pathIn(folder, entry.name))) readable.push(entry);
      else {
        turnedAway.tell(key, textOf(entry.name), "FILE_UNREADABLE");
        turnedAway.putOff(key);
      }
    }
    if (readable.length === 0) return undefined;
    const id = `${clock.now().toString(36)}-${Buffer.from(chance.bytes(8)).toString("hex")}`;
    const claim = await room.open(id);
    const taken: DropEntry[] = [];
    for (const entry of readable) if (await room.take(claim, entry.name)) taken.push(entry);
    if (taken.length > 0) await room.sync(claim);
    return [claim, taken];
  }

  /** Takes what is ready, claim after claim: looking at a month's backlog again for each costs more. */
  async function takeNew(signal: AbortSignal, files: readonly DropEntry[]): Promise<void> {
    // In trouble, one file tries for all the others.
    const many = rest.attempts > 0 ? 1 : LOOK_FILES;
    if (files.length > many) soon(0);
    for (let start = 0; start < Math.min(many, files.length); start += CLAIM_FILES) {
      const some = files.slice(start, Math.min(start + CLAIM_FILES, many));
      if (signal.aborted || !(await takeSome(signal, some))) return;
    }
  }

  /** Takes the files of one claim; false when the gateway turns everyone away. */
  async function takeSome(signal: AbortSignal, files: readonly DropEntry[]): Promise<boolean> {
    const claimed = await claimSome(files);
    if (claimed === undefined) return true;
    const [claim, taken] = claimed;
    let go = true;
    for (const { name, stand } of taken) {
      if (!go || signal.aborted) await room.putBack(claim, name);
      else go = await settle(claim, name, stand, keyOf("", name, stand));
    }
    await room.close(claim);
    return go;
  }

  return async (signal) => {
    turn = { busy: false };
    const resting = rest.until - clock.now();
    // Longer than any delay: the clock was set back.
    if (resting > 0 && resting <= backoff.maxMs) return { busy: false, againIn: resting };
    const keys = new Set<string>();
    const next = await resume(signal, keys);
    if (next !== "stop") {
      const files = await ready(keys);
      settling.keepOnly(keys);
      turnedAway.keepOnly(keys);
      if (next === "go") await takeNew(signal, files);
    }
    if (rest.attempts > 0) soon(Math.max(0, rest.until - clock.now()));
    return turn;
  };
}

/** Names one file as it stands: another that takes its name is another file. */
function keyOf(place: string, name: Buffer, { inode }: FileStand): string {
  return `${place}${name.toString("latin1")}/${inode}`;
}
