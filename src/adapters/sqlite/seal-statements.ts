/** Whether a database file is sealed (`keep/store-seal.ts`): asked before a gateway opens it. */
import type { DatabaseSync } from "node:sqlite";
import { readSeal, SEAL_NOTE, sealError, type StoreSeal } from "../../keep/store-seal.ts";

export function sealOf(db: DatabaseSync): StoreSeal | undefined {
  const note = db.prepare("SELECT value FROM note WHERE key = ?").get(SEAL_NOTE);
  return readSeal(note?.["value"] as string | undefined);
}

/** @throws STORE_MOVED, STORE_INCOMPLETE */
export function refuseSealed(db: DatabaseSync, path: string): void {
  const seal = sealOf(db);
  if (seal !== undefined) throw sealError(seal, path);
}
