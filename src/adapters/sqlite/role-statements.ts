/**
 * Roles held by one at a time. Promise: looked at and taken in one transaction; a role left or lost
 * keeps its term, which grows when another takes it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { RoleHolding } from "../../keep/outbox.ts";

export interface RoleStatements {
  hold(
    role: string,
    hold: { readonly owner: string; readonly now: number; readonly leaseMs: number },
  ): RoleHolding;
  leave(role: string, owner: string): void;
}

interface RoleRow {
  readonly holder: string;
  readonly held_until: number;
  readonly term: number;
}

/** Before any time a clock gives: a role that was left is free to whoever comes. */
const LONG_AGO = 0;

export function makeRoleStatements(db: DatabaseSync): RoleStatements {
  const read = db.prepare("SELECT holder, held_until, term FROM role WHERE name = ?");
  const write = db.prepare(
    `INSERT INTO role (name, holder, held_until, term) VALUES (?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE
       SET holder = excluded.holder, held_until = excluded.held_until, term = excluded.term`,
  );
  const leave = db.prepare("UPDATE role SET held_until = ? WHERE name = ? AND holder = ?");
  return {
    hold: (role, { owner, now, leaseMs }) => {
      const found = read.get(role) as RoleRow | undefined;
      const isMine = found?.holder === owner;
      if (found !== undefined && !isMine && found.held_until > now) {
        return { held: false, holder: found.holder, until: found.held_until, term: found.term };
      }
      const until = Math.ceil(now + leaseMs);
      const term = (found?.term ?? 0) + (isMine ? 0 : 1);
      write.run(role, owner, until, term);
      return { held: true, holder: owner, until, term };
    },
    leave: (role, owner) => {
      leave.run(LONG_AGO, role, owner);
    },
  };
}
