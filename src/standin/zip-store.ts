/**
 * Writes a ZIP of files stored as they are (no compression), for the two answers that may list more
 * than one demande: the published schema gives a file one demande only.
 */
import { crc32 } from "node:zlib";

/** @param files - names in ASCII; less than 65,536 of them, less than 4 GB in all */
export function writeZip(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Uint8Array {
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const entryName = Buffer.from(name, "ascii");
    // APPNOTE 4.3.7: from "version needed" to "extra field length" the two headers agree.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(10, 0);
    shared.writeUInt16LE(0x0021, 8); // 1 January 1980: the same answer always has the same bytes
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(bytes.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(entryName.length, 22);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    local.push(Buffer.from("PK\x03\x04", "latin1"), shared, entryName, bytes);
    central.push(Buffer.from("PK\x01\x02\x0a\x00", "latin1"), shared, end, entryName);
    offset += 30 + entryName.length + bytes.length;
  }
  const directory = Buffer.concat(central);
  const tail = Buffer.alloc(22);
  tail.write("PK\x05\x06", 0, "latin1");
  tail.writeUInt16LE(files.length, 8);
  tail.writeUInt16LE(files.length, 10);
  tail.writeUInt32LE(directory.length, 12);
  tail.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, tail]);
}
