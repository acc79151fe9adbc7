/**
 * Looks at a database file without opening a gateway on it: is it there, is it ours, does another
 * process hold it? Promise: it creates nothing, changes no flux, and takes nothing back.
 */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../domain/errors.ts";
import type { StoreSeal } from "../../keep/store-seal.ts";
import { sealOf } from "./seal-statements.ts";
import { isBusy } from "./sqlite-errors.ts";

export type StoreInspection =
  | { readonly kind: "absent" }
  /** A database of ours that nobody holds. */
  | { readonly kind: "free"; readonly fluxes: number }
  /** It is being copied, or was, or is a copy that is not whole. */
  | { readonly kind: "sealed"; readonly seal: StoreSeal }
  | { readonly kind: "inUse" }
  | { readonly kind: "unusable"; readonly detail: string };

export function inspectStore(path: string): StoreInspection {
  if (!existsSync(path)) return { kind: "absent" };
  let db: DatabaseSync | undefined;
  try {
    // Not read-only: such a connection would leave the files of a WAL behind it. EXCLUSIVE, as the
    // gateway opens it: no -shm file is made, and a gateway that starts meanwhile waits for us.
    db = new DatabaseSync(path, { timeout: 0 });
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;");
    const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'flux'").get();
    // An empty file is what a first start that was cut short leaves: the next one makes its tables.
    if (tables?.["n"] === 0) return { kind: "free", fluxes: 0 };
    const seal = sealOf(db);
    if (seal !== undefined) return { kind: "sealed", seal };
    const row = db.prepare("SELECT count(*) AS n FROM flux").get();
    return { kind: "free", fluxes: Number(row?.["n"] ?? 0) };
  } catch (error) {
    return isBusy(error) ? { kind: "inUse" } : { kind: "unusable", detail: messageOf(error) };
  } finally {
    db?.close();
  }
}
