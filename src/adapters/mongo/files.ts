/**
 * The files of fluxes. Small ones are documents, written in the transaction of their flux; large
 * ones are GridFS objects, on the disk of a majority before the flux that names them, so that a flux
 * never names what is not there. One that no flux came to name is swept.
 */
import { mongo } from "mongoose";
import type { FileRole, StoredFile } from "../../keep/outbox.ts";
import type { Collections, FileDocument } from "./documents.ts";
import { BLOBS } from "./indexes.ts";

/** From this size on, bytes, a file is a large object. */
const LARGE = 256 * 1024;
const CHUNK = 1024 * 1024;
/** How old a large object must be to be judged, ms: its flux may still be on its way. */
const ORPHAN_AFTER_MS = 60 * 60 * 1000;

export interface Files {
  /** The document of a file; a large one has its bytes written when this resolves. */
  prepare(flux: string, role: FileRole, file: StoredFile): Promise<FileDocument>;
  read(flux: string, role: FileRole): Promise<StoredFile | undefined>;
  /** The bytes of a file whose document was read. */
  bytesOf(doc: FileDocument): Promise<Uint8Array>;
  /** Removes large objects that no file names; how many. @param now - the database's time, ms */
  sweep(now: number): Promise<number>;
}

export function makeFiles(db: mongo.Db, { files }: Collections): Files {
  const bucket = new mongo.GridFSBucket(db, {
    bucketName: BLOBS,
    chunkSizeBytes: CHUNK,
  });

  function upload(name: string, bytes: Uint8Array): Promise<mongo.ObjectId> {
    return new Promise((resolve, reject) => {
      const stream = bucket.openUploadStream(name);
      stream.once("finish", () => {
        resolve(stream.id);
      });
      stream.once("error", reject);
      stream.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    });
  }

  async function download(id: mongo.ObjectId): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bucket.openDownloadStream(id)) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  }

  const bytesOf = async ({ blob, bytes }: FileDocument): Promise<Uint8Array> =>
    blob === undefined ? ownBytes(bytes) : download(blob);

  return {
    bytesOf,
    prepare: async (flux, role, { name, bytes }) => {
      const base = { _id: fileId(flux, role), flux, name };
      if (bytes.byteLength < LARGE) return { ...base, bytes };
      return { ...base, blob: await upload(base._id, bytes) };
    },
    read: async (flux, role) => {
      const doc = await files.findOne({ _id: fileId(flux, role) });
      if (doc === null || doc.eraseAt !== undefined) return undefined;
      return { name: doc.name, bytes: await bytesOf(doc) };
    },
    sweep: async (now) => {
      let swept = 0;
      const old = bucket
        .find({ uploadDate: { $lt: new Date(now - ORPHAN_AFTER_MS) } })
        .project<{ _id: mongo.ObjectId }>({ _id: 1 });
      for await (const { _id } of old) {
        if ((await files.findOne({ blob: _id }, { projection: { _id: 1 } })) !== null) continue;
        await bucket.delete(_id);
        swept += 1;
      }
      return swept;
    },
  };
}

function fileId(flux: string, role: FileRole): string {
  return `${flux}:${role}`;
}

/** How many bytes a document holds itself. */
export function bytesIn(bytes: FileDocument["bytes"]): number {
  if (bytes === undefined) return 0;
  return bytes instanceof mongo.Binary ? bytes.length() : bytes.byteLength;
}

function ownBytes(bytes: FileDocument["bytes"]): Uint8Array {
  if (bytes === undefined) return new Uint8Array();
  return bytes instanceof mongo.Binary ? bytes.value() : bytes;
}
