/**
 * Opens the database file for one process and its whole life. Promise: while it is open no other
 * process can open it (the lock of the system itself, gone with the process even under kill -9),
 * and what COMMIT confirms has been fsynced.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GatewayError, gatewayError } from "../../domain/errors.ts";
import { prepareSchema } from "./schema.ts";
import { errorOf, faultOf, isBusy } from "./sqlite-errors.ts";

/** How long a store just being left by another process is waited for, ms. */
const BUSY_MS = 500;

/**
 * EXCLUSIVE before the first access also keeps the WAL's index in our memory: there is no -shm file,
 * whose growth on a full disk would kill the process (SIGBUS). The checkpoint is ours
 * (`checkpoint.ts`): by itself SQLite would run it inside a COMMIT that senders wait for.
 */
const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA wal_autocheckpoint = 0;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -65536;
  PRAGMA trusted_schema = OFF;
`;

/** @throws STORE_IN_USE, STORE_TOO_NEW, STORE_UNAVAILABLE, STORE_FULL */
export function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    // Personal data: readable by nobody else. The WAL takes the mode of the file.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
    db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    db.exec(SETTINGS);
    // The first access takes the lock that is then never given back.
    prepareSchema(db);
    return db;
  } catch (error) {
    db?.close();
    if (isBusy(error)) throw gatewayError("STORE_IN_USE", { path }, error);
    if (error instanceof GatewayError) throw error;
    const fault = faultOf(error);
    // Whatever cannot be opened is unavailable: no directory, no permission, not a database.
    throw errorOf(
      fault.code === "INTERNAL_ERROR" ? { ...fault, code: "STORE_UNAVAILABLE" } : fault,
    );
  }
}
