/**
 * Brings acquittements to the return folder of a guichet (D1). Promises: a file is there whole or
 * not at all; `<base>.acquittement.xml` comes last, so a program that waits for it finds the others;
 * nothing of another flux is ever overwritten; what was delivered survives a power loss.
 *
 * Files take the name of the original: `<base>.reponse.xml` (the SNE's own answer, byte for byte),
 * `<base>.attestation.<ext>`, `<base>.acquittement.txt` (to be read), `<base>.acquittement.xml`. When
 * another flux's files hold those names, the delivery's identifier follows the base. Delivering again
 * what is still there changes nothing; once the sender has taken it away, it is written again.
 */
import { link, mkdir, open, rename, unlink } from "node:fs/promises";
import { constants } from "node:fs";
import { join } from "node:path";
import type {
  AcquittementParcel,
  DeliveryResult,
  ReturnChannel,
} from "../../acknowledge/return-channel.ts";
import { errorText, systemCodeOf } from "../../domain/errors.ts";
import { safeFileName } from "../../domain/file-name.ts";
import type { Guichets } from "../../domain/guichet.ts";
import { fileTrouble, syncFolder } from "./fs-sync.ts";
import { makeTemporaryRoom, type TemporaryRoom } from "./temporary-room.ts";

/** Longest base, bytes: file systems allow 255 for a name, and endings and identifier follow it. */
const MAX_BASE_BYTES = 160;

interface Piece {
  readonly ending: string;
  readonly bytes: Uint8Array;
}

export function makeFolderReturn({ guichets }: { guichets: Guichets }): ReturnChannel {
  const rooms = new Map<string, TemporaryRoom>();
  /** One delivery at a time for one base name in one folder: two must not choose the same. */
  const turns = new Map<string, Promise<unknown>>();

  async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = turns.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    turns.set(name, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(name) === mine) turns.delete(name);
    }
  }

  async function write(folder: string, parcel: AcquittementParcel, base: string): Promise<string> {
    await mkdir(folder, { recursive: true });
    const room = rooms.get(folder) ?? makeTemporaryRoom(folder);
    rooms.set(folder, room);
    const pieces = piecesOf(parcel);
    const free = await freeBase(folder, pieces, [base, `${base}-${safeFileName(parcel.parcelId)}`]);
    const signal = pieces.at(-1);
    for (const piece of pieces) {
      // On disk before the signal: a power loss must not leave the signal alone.
      if (piece === signal) await syncFolder(folder);
      await place(room, folder, free, piece);
    }
    await syncFolder(folder);
    return `${free.base}${signal?.ending ?? ""}`;
  }

  return {
    channel: "file",
    deliver: async (parcel, to) => {
      if (to.channel !== "file") return notDelivered(`le retour est « ${to.channel} »`);
      const folder = guichets.byCode(to.guichet)?.folders?.return;
      if (folder === undefined) {
        return notDelivered(`le guichet ${to.guichet} n'a pas de dossier de retour`);
      }
      const base = baseOf(to.fileName);
      try {
        const fileName = await inTurn(join(folder, base), () => write(folder, parcel, base));
        return { kind: "delivered", detail: { channel: "file", guichet: to.guichet, fileName } };
      } catch (error) {
        return notDelivered(fileTrouble(error));
      }
    },
  };
}

interface FreeBase {
  readonly base: string;
  /** True when the name carries our own identifier: what is there may be replaced. */
  readonly ours: boolean;
  /** Endings already there, with the same content. */
  readonly there: ReadonlySet<string>;
}

/** The first base where every name is free or holds the same content; else the last, which is ours. */
async function freeBase(
  folder: string,
  pieces: readonly Piece[],
  bases: readonly [string, string],
): Promise<FreeBase> {
  for (const [index, base] of bases.entries()) {
    const there = new Set<string>();
    let taken = false;
    for (const { ending, bytes } of pieces) {
      const found = await compare(join(folder, base + ending), bytes);
      if (found === "same") there.add(ending);
      if (found === "other") taken = true;
    }
    const ours = index > 0;
    if (!taken || ours) return { base, ours, there };
  }
  throw new Error("no base");
}

/** What stands under a name, links never followed. */
async function compare(path: string, bytes: Uint8Array): Promise<"absent" | "same" | "other"> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return "absent";
    // A link, a folder or a file we may not read: not ours.
    return "other";
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size !== bytes.length) return "other";
    return (await handle.readFile()).equals(bytes) ? "same" : "other";
  } finally {
    await handle.close();
  }
}

async function place(
  room: TemporaryRoom,
  folder: string,
  { base, ours, there }: FreeBase,
  { ending, bytes }: Piece,
): Promise<void> {
  if (there.has(ending)) return;
  const path = join(folder, base + ending);
  const temporary = await room.write(bytes);
  try {
    if (ours) {
      await rename(temporary, path);
      return;
    }
    // A link, not a rename: it fails when another gateway took the name since we looked.
    await link(temporary, path).catch(async (error: unknown) => {
      const code = systemCodeOf(error);
      // File systems without links: the name was free a moment ago, as sure as they can be.
      if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
      await rename(temporary, path);
    });
  } finally {
    await unlink(temporary).catch(() => undefined); // A rename left nothing to remove.
  }
}

/** The pieces of a parcel, the signal last. */
function piecesOf(parcel: AcquittementParcel): readonly Piece[] {
  const { answer, attestation } = parcel;
  return [
    ...(answer === undefined ? [] : [{ ending: ".reponse.xml", bytes: answer.bytes }]),
    ...(attestation === undefined
      ? []
      : [{ ending: `.attestation.${endingOf(attestation)}`, bytes: attestation.bytes }]),
    {
      ending: ".acquittement.txt",
      bytes: new TextEncoder().encode(`${parcel.title}\n\n${parcel.text}\n`),
    },
    { ending: ".acquittement.xml", bytes: parcel.xml.bytes },
  ];
}

function endingOf({ name, bytes }: { name: string; bytes: Uint8Array }): string {
  const ending = /\.([0-9A-Za-z]{1,8})$/.exec(name)?.[1];
  if (ending !== undefined) return ending.toLowerCase();
  return Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-" ? "pdf" : "bin";
}

function baseOf(fileName: string): string {
  const name = safeFileName(fileName).replace(/\.xml$/i, "");
  let base = name === "" ? "flux" : name;
  while (Buffer.byteLength(base) > MAX_BASE_BYTES) base = base.replace(/.$/su, "");
  return base;
}

function notDelivered(detail: string): DeliveryResult {
  const code = "FILE_NOT_DELIVERED";
  return { kind: "notDelivered", reason: { code, text: errorText(code, { detail }) } };
}
