/**
 * The tables of the embedded store and their editions (`PRAGMA user_version`). An older file is
 * brought up to date when it is opened, in one transaction; a newer one is refused.
 *
 * What the shape promises:
 *  - payloads stand in their own table: claims, lists and counts never read one;
 *  - counters are kept by triggers, so that whatever touches a row is counted, and `received` is
 *    counted apart from the states, so that the bilan can fail to balance;
 *  - two unique indexes hold the lane law in the file itself: one flux of a lane in flight, one
 *    flux at its head.
 */
import type { DatabaseSync } from "node:sqlite";
import { gatewayError } from "../../domain/errors.ts";
import type { FluxState } from "../../domain/flux-state.ts";
import { FLUX_STATES } from "../../domain/flux-state.ts";

/** "SNE1": tells our files from other SQLite databases (`PRAGMA application_id`). */
const APPLICATION_ID = 0x534e4531;

const EDITION_1 = `
  CREATE TABLE flux (
    seq INTEGER PRIMARY KEY,               -- order in which fluxes were kept
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    guichet TEXT,
    lane TEXT,
    holds INTEGER NOT NULL,                -- 1: holds its lane (domain/flux-state.ts)
    head INTEGER NOT NULL,                 -- 1: kept, and nothing of its lane stands before it
    identity TEXT,                         -- null once given up
    num_unique TEXT,                       -- named by the file, else given by the SNE
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    arrival TEXT NOT NULL,                 -- JSON: envelope, origin
    received_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    repeats INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 1,     -- entries of its journal
    owed_at INTEGER,                       -- since when its acquittement is owed
    fence INTEGER NOT NULL DEFAULT 0,      -- how many times it was lent
    lease_until INTEGER,
    reason TEXT,                           -- JSON
    verdict TEXT,                          -- JSON
    remarks TEXT                           -- JSON
  ) STRICT;
  -- An identity names a digest (keep/identity.ts): one index finds contents and keeps identities apart.
  CREATE UNIQUE INDEX flux_content ON flux(sha256, identity);
  CREATE INDEX flux_claimable ON flux(due_at) WHERE head = 1;
  CREATE INDEX flux_lane ON flux(lane) WHERE holds = 1;
  CREATE UNIQUE INDEX flux_lane_in_flight ON flux(lane)
    WHERE lane IS NOT NULL AND state IN ('inTransit', 'inDoubt');
  CREATE INDEX flux_state ON flux(state, received_at);
  CREATE INDEX flux_guichet ON flux(guichet, state, received_at) WHERE guichet IS NOT NULL;
  CREATE INDEX flux_num_unique ON flux(num_unique, received_at) WHERE num_unique IS NOT NULL;

  CREATE TABLE arrival (
    key TEXT PRIMARY KEY,
    flux INTEGER NOT NULL REFERENCES flux(seq),
    sha256 TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE file (
    flux INTEGER NOT NULL REFERENCES flux(seq),
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (flux, role)
  ) STRICT;

  CREATE TABLE journal (
    flux INTEGER NOT NULL REFERENCES flux(seq),
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (flux, n)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    flux INTEGER NOT NULL REFERENCES flux(seq),
    address TEXT NOT NULL,                 -- JSON
    is_repeat INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asleep', 'owed', 'lent', 'delivered')),
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    delivered_at INTEGER
  ) STRICT;
  CREATE INDEX delivery_flux ON delivery(flux);
  CREATE INDEX delivery_owed ON delivery(due_at) WHERE state = 'owed';
  CREATE INDEX delivery_lent ON delivery(lease_until) WHERE state = 'lent';

  CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE probe (only INTEGER PRIMARY KEY CHECK (only = 1), count INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (1, 0);

  CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counter VALUES ('received', 0), ('repeats', 0), ('deliveriesOwed', 0);
  CREATE TRIGGER flux_born AFTER INSERT ON flux BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'received';
    UPDATE counter SET value = value + 1 WHERE name = 'state:' || NEW.state;
  END;
  CREATE TRIGGER flux_moved AFTER UPDATE OF state ON flux WHEN OLD.state <> NEW.state BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'state:' || OLD.state;
    UPDATE counter SET value = value + 1 WHERE name = 'state:' || NEW.state;
  END;
  -- The store never deletes a flux. When a hand does, its state is counted down and 'received' is
  -- not: the bilan then says so.
  CREATE TRIGGER flux_deleted AFTER DELETE ON flux BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'state:' || OLD.state;
  END;
  CREATE TRIGGER flux_repeated AFTER UPDATE OF repeats ON flux WHEN OLD.repeats <> NEW.repeats BEGIN
    UPDATE counter SET value = value + NEW.repeats - OLD.repeats WHERE name = 'repeats';
  END;
  CREATE TRIGGER delivery_born AFTER INSERT ON delivery WHEN NEW.state IN ('owed', 'lent') BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'deliveriesOwed';
  END;
  CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery
    WHEN (OLD.state IN ('owed', 'lent')) <> (NEW.state IN ('owed', 'lent')) BEGIN
    UPDATE counter SET value = value + (NEW.state IN ('owed', 'lent')) - (OLD.state IN ('owed', 'lent'))
      WHERE name = 'deliveriesOwed';
  END;
`;

/**
 * Pauses, sequences, roles, retention, and the load of each guichet. `load` counts what is neither
 * acknowledged nor discarded, as `BILAN_COLUMNS` says (a test compares them for every state).
 */
const EDITION_2 = `
  ALTER TABLE flux ADD COLUMN erased_at INTEGER;  -- when its files were erased
  CREATE INDEX flux_erasable ON flux(since)
    WHERE erased_at IS NULL AND state IN ('acknowledged', 'discarded');

  CREATE TABLE pause (
    kind TEXT NOT NULL CHECK (kind IN ('all', 'guichet', 'lane')),
    name TEXT NOT NULL,                    -- the guichet or the lane; '' for all
    at INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE role (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    held_until INTEGER NOT NULL,
    term INTEGER NOT NULL                  -- how many times it changed hands
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE load (
    guichet TEXT PRIMARY KEY,              -- '' while the sender is unknown
    fluxes INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO load SELECT coalesce(guichet, ''), count(*), sum(size) FROM flux
    WHERE state NOT IN ('acknowledged', 'discarded') GROUP BY 1;
  CREATE TRIGGER load_born AFTER INSERT ON flux
    WHEN NEW.state NOT IN ('acknowledged', 'discarded') BEGIN
    INSERT INTO load VALUES (coalesce(NEW.guichet, ''), 1, NEW.size)
      ON CONFLICT (guichet) DO UPDATE SET fluxes = fluxes + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER load_left AFTER UPDATE OF state, guichet ON flux
    WHEN OLD.state NOT IN ('acknowledged', 'discarded')
      AND (NEW.state IN ('acknowledged', 'discarded') OR NEW.guichet IS NOT OLD.guichet) BEGIN
    UPDATE load SET fluxes = fluxes - 1, bytes = bytes - OLD.size
      WHERE guichet = coalesce(OLD.guichet, '');
  END;
  CREATE TRIGGER load_entered AFTER UPDATE OF state, guichet ON flux
    WHEN NEW.state NOT IN ('acknowledged', 'discarded')
      AND (OLD.state IN ('acknowledged', 'discarded') OR NEW.guichet IS NOT OLD.guichet) BEGIN
    INSERT INTO load VALUES (coalesce(NEW.guichet, ''), 1, NEW.size)
      ON CONFLICT (guichet) DO UPDATE SET fluxes = fluxes + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER load_deleted AFTER DELETE ON flux
    WHEN OLD.state NOT IN ('acknowledged', 'discarded') BEGIN
    UPDATE load SET fluxes = fluxes - 1, bytes = bytes - OLD.size
      WHERE guichet = coalesce(OLD.guichet, '');
  END;
`;

/** Fluxes by the name of their file: bordereaux ask for names by the thousand. */
const EDITION_3 = `
  CREATE INDEX flux_sent_as ON flux(guichet, file_name, received_at) WHERE guichet IS NOT NULL;
`;

/** Editions in order: the one at index n brings a file from edition n to n + 1. Never edited. */
const EDITIONS: readonly string[] = [EDITION_1, EDITION_2, EDITION_3];

/**
 * Brings the file to the edition of this program; on failure the caller closes it, and nothing stays.
 * @throws STORE_TOO_NEW when a later program wrote it; STORE_UNAVAILABLE when it is not ours.
 */
export function prepareSchema(db: DatabaseSync): void {
  const found = pragma(db, "user_version");
  if (found > EDITIONS.length) {
    throw gatewayError("STORE_TOO_NEW", { found, known: EDITIONS.length });
  }
  const owner = pragma(db, "application_id");
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  if (owner !== APPLICATION_ID && tables !== 0) {
    throw gatewayError(
      "STORE_UNAVAILABLE",
      {},
      new Error("the file is another program's database"),
    );
  }
  // A file that is up to date is not written: it opens on a full disk too.
  if (found === EDITIONS.length && uncounted(db).length === 0) return;
  db.exec(`BEGIN IMMEDIATE; PRAGMA application_id = ${APPLICATION_ID}`);
  for (const edition of EDITIONS.slice(found)) db.exec(edition);
  db.exec(`PRAGMA user_version = ${EDITIONS.length}`);
  const count = db.prepare("INSERT INTO counter VALUES ('state:' || ?, 0)");
  for (const state of uncounted(db)) count.run(state);
  db.exec("COMMIT");
}

/** States this program has and the one that wrote the file had not. */
function uncounted(db: DatabaseSync): readonly FluxState[] {
  const counted = new Set(
    db
      .prepare("SELECT name FROM counter")
      .all()
      .map(({ name }) => name),
  );
  return FLUX_STATES.filter((state) => !counted.has(`state:${state}`));
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
