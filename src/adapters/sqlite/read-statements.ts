/** Reads what is neither lent nor listed: one flux, its files, the counts, the load. */
import type { DatabaseSync } from "node:sqlite";
import { BILAN_COLUMNS, FLUX_STATES } from "../../domain/flux-state.ts";
import type { FluxState } from "../../domain/flux-state.ts";
import type { Flux } from "../../domain/flux.ts";
import type { FileRole, StoreCounts, StoredFile, StoreLoad } from "../../keep/outbox.ts";
import { fluxOf, fluxRow } from "./flux-rows.ts";

export interface ReadStatements {
  find(fluxId: string): Flux | undefined;
  holderOf(lane: string): Flux | undefined;
  file(fluxId: string, role: FileRole): StoredFile | undefined;
  /** From the counters: costs the same whatever is stored. */
  counts(): StoreCounts;
  /** The same, counted row by row: slow, to prove the counters. */
  recount(): StoreCounts;
  /** From its counters, as `counts`. */
  load(): StoreLoad;
  /** The same, counted row by row: slow, to prove the counters. */
  recountLoad(): StoreLoad;
}

/** What a load is made of; the triggers of the schema say the same. */
const LOAD_STATES: readonly FluxState[] = [...BILAN_COLUMNS.open, ...BILAN_COLUMNS.failed];

interface LoadRow {
  readonly guichet: string;
  readonly fluxes: number;
  readonly bytes: number;
}

export function makeReadStatements(db: DatabaseSync): ReadStatements {
  const fluxById = db.prepare("SELECT * FROM flux WHERE id = ?");
  const holder = db.prepare(
    "SELECT * FROM flux INDEXED BY flux_lane WHERE lane = ? AND holds = 1 ORDER BY seq LIMIT 1",
  );
  const file = db.prepare(
    `SELECT file.name, file.bytes FROM flux JOIN file ON file.flux = flux.seq
     WHERE flux.id = ? AND file.role = ?`,
  );
  const counters = db.prepare("SELECT name, value FROM counter");
  const oldestKept = db.prepare(
    `SELECT received_at FROM flux INDEXED BY flux_state
     WHERE state = 'kept' ORDER BY received_at LIMIT 1`,
  );
  const recounted = db.prepare(
    `SELECT 'received' AS name, count(*) AS value FROM flux
     UNION ALL SELECT 'repeats', coalesce(sum(repeats), 0) FROM flux
     UNION ALL SELECT 'deliveriesOwed', count(*) FROM delivery WHERE state IN ('owed', 'lent')
     UNION ALL SELECT 'state:' || state, count(*) FROM flux GROUP BY state`,
  );
  const load = db.prepare("SELECT guichet, fluxes, bytes FROM load WHERE fluxes > 0");
  const reloaded = db.prepare(
    `SELECT coalesce(guichet, '') AS guichet, count(*) AS fluxes, sum(size) AS bytes FROM flux
     WHERE state IN (SELECT value FROM json_each(?)) GROUP BY 1`,
  );

  function countsOf(rows: readonly Record<string, unknown>[]): StoreCounts {
    const values = new Map(rows.map((row) => [row["name"] as string, row["value"] as number]));
    const byState = Object.fromEntries(
      FLUX_STATES.map((state) => [state, values.get(`state:${state}`) ?? 0]),
    ) as Record<FluxState, number>;
    const oldestKeptAt = oldestKept.get()?.["received_at"] as number | undefined;
    return {
      received: values.get("received") ?? 0,
      byState,
      repeats: values.get("repeats") ?? 0,
      deliveriesOwed: values.get("deliveriesOwed") ?? 0,
      ...(oldestKeptAt === undefined ? {} : { oldestKeptAt }),
    };
  }

  return {
    find: (fluxId) => {
      const row = fluxRow(fluxById.get(fluxId));
      return row === undefined ? undefined : fluxOf(row);
    },
    holderOf: (lane) => {
      const row = fluxRow(holder.get(lane));
      return row === undefined ? undefined : fluxOf(row);
    },
    file: (fluxId, role) => {
      const row = file.get(fluxId, role);
      if (row === undefined) return undefined;
      return { name: row["name"] as string, bytes: row["bytes"] as Uint8Array };
    },
    counts: () => countsOf(counters.all()),
    recount: () => countsOf(recounted.all()),
    load: () => loadOf(load.all() as unknown as LoadRow[]),
    recountLoad: () => loadOf(reloaded.all(JSON.stringify(LOAD_STATES)) as unknown as LoadRow[]),
  };
}

/** What has no guichet (quarantine) weighs in the total alone. */
function loadOf(rows: readonly LoadRow[]): StoreLoad {
  return {
    fluxes: rows.reduce((sum, { fluxes }) => sum + fluxes, 0),
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    byGuichet: Object.fromEntries(
      rows
        .filter(({ guichet }) => guichet !== "")
        .map(({ guichet, fluxes, bytes }) => [guichet, { fluxes, bytes }]),
    ),
  };
}
