/**
 * What an operator has stopped. Promise: a pause outlives the process, and a claim made after it is
 * on disk lends nothing of its scope.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Pause, PauseScope } from "../../keep/outbox.ts";

export interface PauseStatements {
  pause(pause: Pause): void;
  resume(scope: PauseScope): boolean;
  pauses(): readonly Pause[];
  /** How much is paused: what a claim asks first, one row of a table that is empty nearly always. */
  extent(): "none" | "some" | "all";
}

interface PauseRow {
  readonly kind: PauseScope["kind"];
  readonly name: string;
  readonly at: number;
  readonly asked_by: string;
  readonly reason: string;
}

export function makePauseStatements(db: DatabaseSync): PauseStatements {
  const put = db.prepare(
    `INSERT INTO pause (kind, name, at, asked_by, reason) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kind, name) DO UPDATE
       SET at = excluded.at, asked_by = excluded.asked_by, reason = excluded.reason`,
  );
  const remove = db.prepare("DELETE FROM pause WHERE kind = ? AND name = ?");
  const all = db.prepare("SELECT * FROM pause ORDER BY at, kind, name");
  // "all" comes first in the order of the key.
  const first = db.prepare("SELECT kind FROM pause ORDER BY kind LIMIT 1");
  return {
    pause: ({ scope, at, by, reason }) => {
      put.run(scope.kind, nameOf(scope), at, by, reason);
    },
    resume: (scope) => remove.run(scope.kind, nameOf(scope)).changes === 1,
    pauses: () =>
      (all.all() as unknown as PauseRow[]).map((row) => ({
        scope: scopeOf(row),
        at: row.at,
        by: row.asked_by,
        reason: row.reason,
      })),
    extent: () => {
      const found = first.get();
      if (found === undefined) return "none";
      return found["kind"] === "all" ? "all" : "some";
    },
  };
}

function nameOf(scope: PauseScope): string {
  switch (scope.kind) {
    case "all":
      return "";
    case "guichet":
      return scope.guichet;
    case "lane":
      return scope.lane;
  }
}

function scopeOf({ kind, name }: PauseRow): PauseScope {
  switch (kind) {
    case "all":
      return { kind };
    case "guichet":
      return { kind, guichet: name };
    case "lane":
      return { kind, lane: name };
  }
}
