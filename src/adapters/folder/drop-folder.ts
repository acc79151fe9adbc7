/**
 * The drop folders of the guichets (A3). Promises: a file still being written waits; of several
 * gateways on one folder, one takes each file; a file leaves only once the receiver has kept it; a
 * crash at any moment loses nothing, and what it interrupted comes again under the same arrival key;
 * nothing in a folder can stop the others.
 *
 * What cannot be taken stays where it is, told once (`arrival.turnedAway`), and is tried again: no
 * permission, store full. A file too large is refused to its sender and waits for a person in
 * `.passerelle/refuses`. Links, folders and devices are never followed nor opened. The bytes of a
 * kept file are in the outbox: no second copy is archived here.
 */
import { mkdir } from "node:fs/promises";
import type { Receive } from "../../arrive/arrival.ts";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import type { Events } from "../../domain/events.ts";
import type { Guichet, Guichets } from "../../domain/guichet.ts";
import type { Backoff } from "../../runtime/backoff.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Part } from "../../runtime/part.ts";
import { makeWakeableLoop } from "../../runtime/wakeable-loop.ts";
import { makeClaimRoom } from "./claim-room.ts";
import { makeFileReceiver } from "./file-receiver.ts";
import { makeFolderTaker, type Turn } from "./folder-taker.ts";
import { watchFolder, type FolderWatch } from "./folder-watch.ts";
import { makePresence } from "./presence.ts";
import { makeSettling } from "./settling.ts";
import { makeTurnedAway } from "./turned-away.ts";

export interface DropFolderOptions {
  readonly guichets: Guichets;
  readonly receive: Receive;
  /** Names the gateway, for a person who looks into a shared folder. */
  readonly owner: string;
  /** A file is taken once its size and date have not changed for this long, ms. */
  readonly settleMs: number;
  /** Longest time between two looks, ms. */
  readonly pollMs: number;
  /** A longer file is refused unread, bytes. */
  readonly maxBytes: number;
  /** After this long without a sign, ms, a gateway on another machine is dead. One minute unless told. */
  readonly staleMs?: number;
  /** Between two tries of what was turned away. One second to one minute unless told. */
  readonly backoff?: Backoff;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly events: Events;
  readonly log: Log;
}

export function makeDropFolders(options: DropFolderOptions): Part {
  const folders = options.guichets.all.flatMap((guichet) =>
    guichet.folders === undefined ? [] : [makeDropFolder(options, guichet, guichet.folders.drop)],
  );
  return {
    name: "drop folders",
    start: async () => {
      for (const folder of folders) await folder.start();
    },
    stop: async () => {
      await Promise.all(folders.map((folder) => folder.stop()));
    },
  };
}

interface DropFolder {
  start(): Promise<void>;
  stop(): Promise<void>;
}

function makeDropFolder(options: DropFolderOptions, guichet: Guichet, folder: string): DropFolder {
  const { owner, settleMs, pollMs, maxBytes, receive, clock, chance, events, log } = options;
  const staleMs = options.staleMs ?? 60_000;
  const backoff = options.backoff ?? { firstMs: 1_000, maxMs: 60_000 };
  const { code } = guichet;
  const readableOwner = owner.replace(/[^0-9A-Za-z._-]/g, "_").slice(0, 40);
  const life = `${readableOwner}-${Buffer.from(chance.bytes(6)).toString("hex")}`;
  const presence = makePresence({ drop: folder, life, owner, staleMs });
  const take = makeFolderTaker({
    guichet: code,
    folder,
    life,
    room: makeClaimRoom({ folder, life }),
    presence,
    settling: makeSettling(settleMs),
    turnedAway: makeTurnedAway({ guichet: code, backoff, clock, chance, events }),
    handle: makeFileReceiver({ guichet, folder, maxBytes, receive, log }),
    backoff,
    clock,
    chance,
    log,
  });
  const stopping = new AbortController();
  let watching: FolderWatch | undefined;
  /** What keeps the folder from being looked at; told when it starts and when it ends. */
  let trouble: string | undefined;
  /** When the next look is foreseen; an earlier one replaces it. */
  let foreseen: AbortController | undefined;

  function troubled(error: unknown): void {
    const cause = systemCodeOf(error) ?? messageOf(error);
    if (cause === trouble) return;
    trouble = cause;
    log.error("folder.outOfReach", { guichet: code, folder, error: cause });
    events.emit("arrival.turnedAway", {
      guichet: code,
      detail: { channel: "file", code: "FOLDER_OUT_OF_REACH" },
    });
  }

  async function turn(signal: AbortSignal): Promise<boolean> {
    let done: Turn;
    try {
      done = await take(signal);
    } catch (error) {
      troubled(error);
      return false;
    }
    if (trouble !== undefined) {
      trouble = undefined;
      log.info("folder.withinReach", { guichet: code, folder });
    }
    if (done.againIn !== undefined && done.againIn < pollMs) void lookAgainIn(done.againIn);
    return done.busy;
  }

  async function lookAgainIn(ms: number): Promise<void> {
    foreseen?.abort();
    const mine = new AbortController();
    foreseen = mine;
    await clock.wait(Math.max(1, Math.ceil(ms)), AbortSignal.any([mine.signal, stopping.signal]));
    if (!mine.signal.aborted && !stopping.signal.aborted) taking.wake();
  }

  const taking = makeWakeableLoop({ name: `folder ${code}`, clock, log, idleMs: pollMs, turn });
  const living = makeWakeableLoop({
    name: `folder ${code} presence`,
    clock,
    log,
    idleMs: Math.ceil(staleMs / 6),
    turn: async () => {
      await presence.beat().catch(troubled);
      return false;
    },
  });

  return {
    start: async () => {
      try {
        await mkdir(folder, { recursive: true });
        await presence.beat();
        await presence.sweep();
      } catch (error) {
        // A share that is away must not keep the gateway from starting; the loop will find it.
        troubled(error);
      }
      watching = watchFolder({ folder, clock, log, hint: () => taking.wake() });
      living.start();
      taking.start();
    },
    stop: async () => {
      stopping.abort();
      watching?.close();
      await taking.stop();
      await living.stop();
      await presence.leave();
    },
  };
}
